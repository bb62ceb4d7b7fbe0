//! Following a run: its changes are delivered soon after they happen.

use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use notify::event::{AccessKind, AccessMode};
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};

use crate::snapshot::{RunChange, RunSnapshot};
use mammoscope_domain::cancellation::Cancellation;
use mammoscope_storage::runs::event_tail::TailEntry;
use mammoscope_storage::runs::run_dir::RunDir;

/// The interval between reads without a hint: network file systems give none.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// The interval between checks for an interruption.
const INTERRUPTION_INTERVAL: Duration = Duration::from_millis(50);

/// Follows one run: it may not exist yet, grow, be cut, replaced, renamed or deleted.
///
/// The system's notifications are only hints that it is time to read; if there are none, or no more watches are available,
/// the files are read at intervals.
#[derive(Debug)]
pub struct RunFollower {
    snapshot: RunSnapshot,
    watch: Option<Watch>,
}

#[derive(Debug)]
struct Watch {
    /// Dropping it ends the watch.
    _watcher: RecommendedWatcher,
    hints: Receiver<()>,
}

impl RunFollower {
    /// A follower of a run; reads nothing yet.
    #[must_use]
    pub fn new(run: RunDir) -> Self {
        Self { snapshot: RunSnapshot::new(run), watch: None }
    }

    /// The run as last read.
    #[must_use]
    pub fn snapshot(&self) -> &RunSnapshot {
        &self.snapshot
    }

    /// Reads what changed, and calls `take` for each change, with the run as it is after that change. Returns true if there
    /// was any.
    pub fn poll(&mut self, take: &mut dyn FnMut(&RunSnapshot, &RunChange)) -> bool {
        // Watched before it is read, so that changes in between give a hint.
        if self.watch.is_none() && self.snapshot.run().path().is_dir() {
            self.watch = Watch::new(self.snapshot.run()).ok();
        }
        let (mut changed, mut replaced) = (false, false);
        self.snapshot.refresh(&mut |snapshot, change| {
            changed = true;
            replaced |= matches!(change, RunChange::Gone | RunChange::Entry(TailEntry::Restarted));
            take(snapshot, change);
        });
        if replaced {
            // The watched directory may no longer be the one of this name.
            self.watch = None;
        }
        changed
    }

    /// Waits until something changes, `timeout` has passed, or it is cancelled; otherwise like
    /// [`RunFollower::poll`].
    pub fn wait(
        &mut self,
        timeout: Duration,
        cancellation: Cancellation<'_>,
        take: &mut dyn FnMut(&RunSnapshot, &RunChange),
    ) -> bool {
        let end = Instant::now() + timeout;
        loop {
            if self.poll(take) {
                return true;
            }
            let next = end.min(Instant::now() + POLL_INTERVAL);
            loop {
                let left = next.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    break;
                }
                if cancellation.is_cancelled() {
                    return false;
                }
                if self.wait_for_hint(left.min(INTERRUPTION_INTERVAL)) {
                    break;
                }
            }
            if Instant::now() >= end {
                return self.poll(take);
            }
        }
    }

    fn wait_for_hint(&self, timeout: Duration) -> bool {
        let hint = self.watch.as_ref().map(|watch| watch.hints.recv_timeout(timeout));
        if matches!(hint, None | Some(Err(RecvTimeoutError::Disconnected))) {
            std::thread::sleep(timeout);
        }
        hint.is_some_and(|hint| hint.is_ok())
    }
}

impl Watch {
    fn new(run: &RunDir) -> notify::Result<Self> {
        // One pending hint is enough.
        let (sender, hints) = sync_channel(1);
        let mut watcher = notify::recommended_watcher(hint_sender(run, sender))?;
        watcher.watch(run.path(), RecursiveMode::NonRecursive)?;
        Ok(Self { _watcher: watcher, hints })
    }
}

fn hint_sender(run: &RunDir, sender: SyncSender<()>) -> impl FnMut(notify::Result<notify::Event>) + Send + 'static {
    let files = [run.events(), run.status(), run.spec(), run.path().to_owned()];
    let names = files.map(|file| file.file_name().map(ToOwned::to_owned));
    let is_relevant = move |path: &Path| names.iter().any(|name| name.as_deref() == path.file_name());
    move |event| {
        let send = event.is_ok_and(|event| is_change(event.kind) && event.paths.iter().any(|path| is_relevant(path)));
        if send {
            // An error means that a hint is pending, or that the follower is gone.
            let _ = sender.try_send(());
        }
    }
}

/// False for opening and closing files, which the follower itself does.
fn is_change(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(kind) => kind == AccessKind::Close(AccessMode::Write),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::atomic::{AtomicU32, Ordering};

    use chrono::Utc;

    use super::*;
    use mammoscope_domain::run::run_event::{RunEvent, RunEventKind};
    use mammoscope_storage::runs::event_log::EventLog;

    fn append(run: &RunDir, step: u64) {
        let event = RunEvent { time: Utc::now(), kind: RunEventKind::Paused { step } };
        EventLog::open(&run.events()).unwrap().append(&event).unwrap();
    }

    /// The changes up to one that fulfils a condition.
    fn changes_until(follower: &mut RunFollower, awaited: impl Fn(&RunChange) -> bool) -> Vec<RunChange> {
        let mut changes = Vec::new();
        while !changes.iter().any(&awaited) {
            follower
                .wait(Duration::from_secs(60), Cancellation::never(), &mut |_, change| changes.push(change.clone()));
        }
        changes
    }

    fn is_step(change: &RunChange, wanted: u64) -> bool {
        matches!(change, RunChange::Entry(TailEntry::Event(event)) if event.kind == RunEventKind::Paused { step: wanted })
    }

    #[test]
    fn a_run_is_followed_through_every_kind_of_change() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run");
        let mut follower = RunFollower::new(RunDir::new(&path));
        assert!(!follower.poll(&mut |_, _| {}), "there is no run yet");

        let run = RunDir::create(&path).unwrap();
        append(&run, 1);
        let changes = changes_until(&mut follower, |change| is_step(change, 1));
        assert_eq!(changes[0], RunChange::Appeared);
        append(&run, 2);
        append(&run, 3);
        changes_until(&mut follower, |change| is_step(change, 3));
        assert_eq!(follower.snapshot().summary().phase, mammoscope_domain::run::run_status::RunPhase::Paused);

        fs::write(run.events(), b"no event\n").unwrap();
        let changes = changes_until(&mut follower, |change| matches!(change, RunChange::Entry(TailEntry::BadLine(_))));
        assert_eq!(changes[0], RunChange::Entry(TailEntry::Restarted));
        assert_eq!(follower.snapshot().bad_lines(), 1);
        assert!(follower.snapshot().problems().iter().any(|problem| problem.contains("cannot be read: 1")));

        fs::rename(&path, folder.path().join("renamed")).unwrap();
        changes_until(&mut follower, |change| *change == RunChange::Gone);
        assert!(!follower.snapshot().exists());
        append(&RunDir::create(&path).unwrap(), 9);
        changes_until(&mut follower, |change| is_step(change, 9));
        fs::remove_dir_all(&path).unwrap();
        changes_until(&mut follower, |change| *change == RunChange::Gone);
    }

    #[test]
    fn reading_gives_no_hint_and_waiting_can_be_interrupted() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::create(folder.path().join("run")).unwrap();
        append(&run, 1);
        let mut follower = RunFollower::new(run);
        assert!(follower.poll(&mut |_, _| {}));
        assert!(follower.watch.is_some(), "this system watches directories");
        for _ in 0..3 {
            assert!(!follower.poll(&mut |_, _| {}));
        }
        assert!(!follower.wait_for_hint(INTERRUPTION_INTERVAL), "reading gives no hint");
        let checks = AtomicU32::new(0);
        let interrupted = || checks.fetch_add(1, Ordering::Relaxed) == 0;
        assert!(!follower.wait(Duration::from_secs(3600), Cancellation::new(&interrupted), &mut |_, _| {}));
        assert_eq!(checks.load(Ordering::Relaxed), 1);
    }
}
