//! Follows a run on a thread of its own and sends its changes.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::time::Duration;
use std::{fs, thread};

use super::run_log_lines::log_line;
use crate::tui::protocol::message::UiMessage;
use crate::tui::protocol::run_log::LogLine;
use crate::tui::protocol::runs::{RunHashes, RunNote, RunUpdate, RunsMessage};
use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::run::run_event::RunEventKind;
use mammoscope_domain::run::run_records::{StepReport, Timed};
use mammoscope_domain::run::run_state::RunState;
use mammoscope_domain::text::hexadecimal::hexadecimal;
use mammoscope_runs::follower::RunFollower;
use mammoscope_runs::snapshot::{RunChange, RunSnapshot};
use mammoscope_storage::runs::event_tail::TailEntry;
use mammoscope_storage::runs::log_tail::last_lines;
use mammoscope_storage::runs::machine_log::MachineTail;
use mammoscope_storage::runs::run_dir::RunDir;
use sha2::{Digest as _, Sha256};

/// The interval at which the log is checked even without new events.
const LOG_CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// The shortest time between two updates, which batches the changes in between.
const UPDATE_INTERVAL: Duration = Duration::from_millis(100);

/// Follows a run until it is dropped.
pub(super) struct RunWatch {
    over: Arc<AtomicBool>,
}

impl Drop for RunWatch {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

impl RunWatch {
    /// Follows a run after a delay, during which this may be dropped again.
    pub(super) fn start(run: RunDir, delay: Duration, inbox: Sender<UiMessage>) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&over);
        thread::spawn(move || {
            thread::sleep(delay);
            follow(&run, Cancellation::new(&|| flag.load(Ordering::Relaxed)), &inbox);
        });
        Self { over }
    }
}

/// The changes of a run since the last update that was sent.
#[derive(Debug)]
pub(in crate::tui) struct PendingUpdate {
    /// Of the reports sent before, those of earlier steps still hold.
    valid_below: u64,
    is_restart: bool,
    steps: Vec<Timed<StepReport>>,
    notes: Vec<RunNote>,
}

impl PendingUpdate {
    /// Nothing was sent yet: the first update holds the whole run.
    pub(in crate::tui) fn new() -> Self {
        Self { valid_below: 0, is_restart: true, steps: Vec::new(), notes: Vec::new() }
    }

    /// Adds a change; `state` is the run's state after it.
    pub(in crate::tui) fn add(&mut self, state: &RunState, change: &RunChange) {
        if change.is_restart() {
            *self = Self::new();
        }
        if let Some(step) = change.void_from() {
            self.keep_below(step);
        }
        if let RunChange::Entry(TailEntry::Event(event)) = change {
            if matches!(event.kind, RunEventKind::StepReported(_)) {
                self.steps.extend(state.last_report);
            }
            self.notes.extend(RunNote::of(&event.kind, &state.summary));
        }
    }

    /// Forgets the reports of this step and of later ones.
    fn keep_below(&mut self, step: u64) {
        self.valid_below = self.valid_below.min(step);
        self.steps.truncate(self.steps.partition_point(|report| report.step < step));
    }

    /// Takes the update out: what was added since the last one.
    pub(in crate::tui) fn take(
        &mut self,
        state: &RunState,
        problems: Vec<String>,
        log: Option<Vec<LogLine>>,
    ) -> RunUpdate {
        let sent = Self { valid_below: u64::MAX, is_restart: false, steps: Vec::new(), notes: Vec::new() };
        let Self { valid_below, is_restart, steps, notes } = std::mem::replace(self, sent);
        let summary = Box::new(state.summary.clone());
        let (machine, is_machine_restart, hashes) = (Vec::new(), false, None);
        RunUpdate { valid_below, steps, is_restart, notes, summary, problems, log, machine, is_machine_restart, hashes }
    }
}

fn follow(run: &RunDir, cancellation: Cancellation<'_>, inbox: &Sender<UiMessage>) {
    let mut follower = RunFollower::new(run.clone());
    let mut pending = PendingUpdate::new();
    let mut machine = MachineTail::new(run.machine());
    let mut hashes = Some(hashes_of(run));
    let (mut problems, mut log_length, mut first) = (Vec::new(), None, true);
    while !cancellation.is_cancelled() {
        let mut take = |snapshot: &RunSnapshot, change: &RunChange| pending.add(snapshot.state(), change);
        let mut changed = if first { follower.poll(&mut take) || first } else { false };
        if !first {
            changed = follower.wait(LOG_CHECK_INTERVAL, cancellation, &mut take);
        }
        first = false;
        let length = fs::metadata(run.log()).ok().map(|facts| facts.len());
        let log = (length != log_length).then(|| log_lines(run));
        log_length = length;
        let snapshot = follower.snapshot();
        let found = snapshot.problems();
        let (records, is_machine_restart) = machine.read();
        changed |= found != problems || log.is_some() || !records.is_empty() || is_machine_restart;
        problems = found;
        if !changed || cancellation.is_cancelled() {
            continue;
        }
        let mut update = Box::new(pending.take(snapshot.state(), problems.clone(), log));
        (update.machine, update.is_machine_restart) = (records, is_machine_restart);
        update.hashes = hashes.take();
        if inbox.send(UiMessage::Runs(RunsMessage::Followed { run: run.clone(), update })).is_err() {
            return;
        }
        thread::sleep(UPDATE_INTERVAL);
    }
}

/// The hashes of a run's files; `–` for one that cannot be read.
fn hashes_of(run: &RunDir) -> RunHashes {
    let hash =
        |path: PathBuf| fs::read(path).map_or_else(|_| "–".to_owned(), |bytes| hexadecimal(&Sha256::digest(bytes)));
    RunHashes { dataset: hash(run.manifest()), spec: hash(run.spec()) }
}

fn log_lines(run: &RunDir) -> Vec<LogLine> {
    last_lines(&run.log()).unwrap_or_default().iter().map(|line| log_line(line)).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use chrono::Utc;

    use super::*;
    use crate::tui::screens::runs::curves::RunCurves;
    use crate::tui::screens::runs::metric::Metric;
    use mammoscope_domain::run::run_event::RunEvent;
    use mammoscope_storage::runs::event_log::EventLog;

    fn report(run: &RunDir, step: u64) {
        let kind = RunEventKind::StepReported(StepReport {
            epoch: 1,
            step,
            loss: step as f64,
            accuracy: 0.5,
            learning_rate: 0.01,
            gradient_norm: 1.0,
            images_per_s: 30.0,
        });
        append(run, kind);
    }

    fn append(run: &RunDir, kind: RunEventKind) {
        EventLog::open(&run.events()).unwrap().append(&RunEvent { time: Utc::now(), kind }).unwrap();
    }

    #[test]
    fn the_curves_follow_every_change_of_the_files() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::create(folder.path().join("run")).unwrap();
        (1..=3).for_each(|step| report(&run, step));
        let (inbox, messages) = channel();
        let watch = RunWatch::start(run.clone(), Duration::ZERO, inbox);
        let mut curves = RunCurves::default();
        let mut until = |wanted: &[f32]| {
            while curves.raw(Metric::Loss).values() != wanted {
                let Ok(UiMessage::Runs(RunsMessage::Followed { update, .. })) =
                    messages.recv_timeout(Duration::from_secs(60))
                else {
                    panic!("no update; the curve is {:?}, not {wanted:?}", curves.raw(Metric::Loss).values());
                };
                curves.apply(*update);
            }
            curves.notes.len()
        };
        assert_eq!(until(&[1.0, 2.0, 3.0]), 0);
        report(&run, 4);
        assert_eq!(until(&[1.0, 2.0, 3.0, 4.0]), 0);
        append(&run, RunEventKind::Resumed { step: 2, epochs_done: 0, checkpoint: "last.safetensors".to_owned() });
        report(&run, 3);
        assert_eq!(until(&[1.0, 2.0, 3.0]), 1, "the resume is noted");
        fs::write(run.events(), "").unwrap();
        report(&run, 7);
        assert_eq!(until(&[7.0]), 0);
        fs::rename(run.path(), folder.path().join("renamed")).unwrap();
        until(&[]);
        drop(watch);
    }
}
