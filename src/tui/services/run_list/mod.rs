//! Lists the runs in the workspace repeatedly at little cost: unchanged files are not read again.

mod cluster_watch;

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, SyncSender, sync_channel};
use std::time::{Duration, SystemTime};
use std::{fs, io, thread};

use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};

use self::cluster_watch::ClusterWatch;
use crate::tui::protocol::failure::Failure;
use crate::tui::protocol::message::UiMessage;
use crate::tui::protocol::run_list::RunRow;
use crate::tui::protocol::runs::RunsMessage;
use mammoscope_domain::run::run_condition::RunCondition;
use mammoscope_domain::run::run_status::RunStatus;
use mammoscope_runs::cluster_conditions::{RunEvidence, amend};
use mammoscope_runs::condition::{HeartbeatWatch, condition_of};
use mammoscope_storage::runs::labels_file::read_labels;
use mammoscope_storage::runs::run_catalog::{ListingFacts, RunEntry, StudyPlace, run_names, sort_as_listed};
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::workspace::Workspace;

const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// The delay after a hint, so that runs that appear together are listed together.
const BATCH_DELAY: Duration = Duration::from_millis(30);
/// The time to the next poll after a hint.
const POLL_INTERVAL_AFTER_HINT: Duration = Duration::from_millis(150);
/// The number of runs up to which all are checked in every poll; with more runs, those that are over are checked only
/// in every [`FULL_CHECK_PERIOD`]th poll.
const MAX_CHECKED_ALWAYS: usize = 500;
const FULL_CHECK_PERIOD: u64 = 5;
/// The number of runs in the preliminary list if there are many.
const MAX_PRELIMINARY: usize = 200;

/// The modification time and length of a file, to detect changes.
type Stamp = Option<(SystemTime, u64)>;

struct Known {
    stamps: [Stamp; 3],
    watch: HeartbeatWatch,
    row: RunRow,
}

/// The outcome of a poll.
#[derive(Debug)]
pub(super) enum Listing {
    /// All runs, since runs appeared or disappeared, or their order changed.
    All(Vec<RunRow>),
    /// The runs that changed, possibly none.
    Changed(Vec<RunRow>),
}

/// Lists the runs in a workspace, remembering the last list.
#[derive(Default)]
pub(super) struct RunLister {
    known: HashMap<OsString, Known>,
    order: Vec<OsString>,
    polls: u64,
    cluster: ClusterWatch,
}

impl RunLister {
    /// A preliminary list of the newest of many runs, by their names, since reading all of them takes a while. `None`
    /// if there are few.
    pub(super) fn newest(&mut self, workspace: &Workspace) -> Option<Vec<RunRow>> {
        let mut names = run_names(workspace).ok().filter(|names| names.len() > MAX_CHECKED_ALWAYS)?;
        names.sort_unstable_by(|one, other| other.cmp(one));
        names.truncate(MAX_PRELIMINARY);
        let read = |name: &OsString| {
            let run = RunDir::new(workspace.runs().join(name));
            let stamps = stamps(&run);
            let (row, watch) = row(RunEntry::read(run), HeartbeatWatch::default(), &RunEvidence::new());
            (name.clone(), Known { stamps, watch, row })
        };
        self.known = names.par_iter().map(read).collect();
        let mut rows: Vec<RunRow> = self.known.values().map(|known| known.row.clone()).collect();
        sort_as_listed(&mut rows, facts);
        Some(rows)
    }

    /// Lists the runs and compares them with the last list.
    pub(super) fn poll(&mut self, workspace: &Workspace) -> io::Result<Listing> {
        let names = match run_names(workspace) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && workspace.path().is_dir() => Vec::new(),
            names => names?,
        };
        let checks_all = names.len() <= MAX_CHECKED_ALWAYS || self.polls.is_multiple_of(FULL_CHECK_PERIOD);
        self.polls += 1;
        let (known, evidence) = (&self.known, &self.cluster.evidence());
        let changed: Vec<(OsString, Known)> = names
            .par_iter()
            .filter_map(|name| {
                let run = RunDir::new(workspace.runs().join(name));
                let before = known.get(name);
                let is_over = |known: &Known| known.row.status.as_ref().is_some_and(|status| status.state.is_over());
                if before.is_some_and(|known| !checks_all && is_over(known)) {
                    return None;
                }
                let stamps = stamps(&run);
                let (row, watch) = match before {
                    Some(known) if known.stamps == stamps => {
                        // A heartbeat ages and a process ends without a change of any file.
                        let condition = condition_in(known.row.status.as_ref(), &run, &known.watch, evidence);
                        if is_the_same(condition.as_ref(), known.row.condition.as_ref()) {
                            return None;
                        }
                        (RunRow { condition, ..known.row.clone() }, known.watch)
                    }
                    _ => row(RunEntry::read(run), before.map(|known| known.watch).unwrap_or_default(), evidence),
                };
                Some((name.clone(), Known { stamps, watch, row }))
            })
            .collect();
        let rows: Vec<RunRow> = changed.iter().map(|(_, known)| known.row.clone()).collect();
        self.known.extend(changed);
        let present: HashSet<OsString> = names.into_iter().collect();
        self.known.retain(|name, _| present.contains(name));
        self.cluster.look_at(workspace, self.known.values().map(|known| &known.row));
        if rows.is_empty() && self.order.len() == self.known.len() && self.polls > 1 {
            return Ok(Listing::Changed(rows));
        }
        let mut order: Vec<OsString> = self.known.keys().cloned().collect();
        order.sort();
        sort_as_listed(&mut order, |name| facts(&self.known[name].row));
        if order == self.order && self.polls > 1 {
            return Ok(Listing::Changed(rows));
        }
        self.order = order;
        Ok(Listing::All(self.order.iter().map(|name| self.known[name].row.clone()).collect()))
    }
}

fn facts(row: &RunRow) -> ListingFacts {
    let of_spec = row.spec.as_ref().map(|spec| spec.group.as_str());
    let group = of_spec.or(row.status.as_ref().map(|status| status.group.as_str()));
    ListingFacts {
        group: group.filter(|group| !group.is_empty()).map(str::to_owned),
        study: row.spec.as_ref().and_then(|spec| spec.study.as_ref()).map(StudyPlace::of),
        created: row.created(),
        view: row.spec.as_ref().map(|spec| spec.view),
        name: row.run.name(),
    }
}

fn stamp(path: &Path) -> Stamp {
    let facts = fs::metadata(path).ok()?;
    Some((facts.modified().ok()?, facts.len()))
}

/// The stamps of the files that a row is made of.
fn stamps(run: &RunDir) -> [Stamp; 3] {
    [run.spec(), run.status(), run.labels()].map(|path| stamp(&path))
}

/// True if two conditions differ at most in the time since the last heartbeat.
fn is_the_same(one: Option<&RunCondition>, other: Option<&RunCondition>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => {
            (one.phase, one.stale, &one.reason, &one.job) == (other.phase, other.stale, &other.reason, &other.job)
        }
        (None, None) => true,
        _ => false,
    }
}

/// The condition of a run with this status, joined with what Slurm says about its job.
fn condition_in(
    status: Option<&RunStatus>,
    run: &RunDir,
    watch: &HeartbeatWatch,
    evidence: &RunEvidence,
) -> Option<RunCondition> {
    let mut condition = condition_of(run, status?, watch);
    if !evidence.is_empty() {
        amend(&mut condition, &run.name(), evidence);
    }
    Some(condition)
}

/// The row of a run that was just read, and what has been seen of its heartbeat with that.
fn row(entry: RunEntry, mut watch: HeartbeatWatch, evidence: &RunEvidence) -> (RunRow, HeartbeatWatch) {
    if let Ok(status) = &entry.status {
        watch.look(status);
    }
    let condition = condition_in(entry.status.as_ref().ok(), &entry.run, &watch, evidence);
    let problem = match (&entry.spec, &entry.status) {
        (Err(error), _) => Some(format!("run.toml: {error}")),
        (_, Err(error)) => Some(format!("status.json: {error}")),
        _ => None,
    };
    let labels = read_labels(&entry.run);
    let problem = problem.or_else(|| labels.as_ref().err().map(ToString::to_string));
    let labels = labels.ok().filter(|labels| !labels.is_empty()).map(Arc::new);
    let row = RunRow {
        run: entry.run,
        spec: entry.spec.ok().map(Arc::new),
        status: entry.status.ok(),
        condition,
        labels,
        problem,
    };
    (row, watch)
}

/// Lists the runs now and whenever they change, until the inbox is gone.
pub(super) fn watch(workspace: Workspace, inbox: Sender<UiMessage>) {
    thread::spawn(move || {
        let mut list = RunLister::default();
        let mut problem = None;
        let mut hints = Hints::new(&workspace);
        let newest = list.newest(&workspace).map(|rows| UiMessage::Runs(RunsMessage::Newest(rows)));
        if newest.is_some_and(|newest| inbox.send(newest).is_err()) {
            return;
        }
        loop {
            let message = match list.poll(&workspace) {
                Ok(Listing::All(rows)) => Some(RunsMessage::Listed(Ok(rows))),
                Ok(Listing::Changed(rows)) => (!rows.is_empty()).then_some(RunsMessage::Changed(rows)),
                Err(error) => {
                    // List everything again as soon as that is possible.
                    list = RunLister::default();
                    hints.renew(&workspace);
                    let failure = Failure::new(error);
                    let is_new = problem.as_ref() != Some(&failure);
                    problem = Some(failure.clone());
                    is_new.then_some(RunsMessage::Listed(Err(failure)))
                }
            };
            if matches!(message, Some(RunsMessage::Listed(Ok(_)))) {
                problem = None;
            }
            if message.is_some_and(|message| inbox.send(UiMessage::Runs(message)).is_err()) {
                return;
            }
            hints.wait();
        }
    });
}

/// The system's hints that runs appeared or disappeared. Polling backs them up, since network file systems give none.
struct Hints {
    /// Watches until it is dropped.
    watcher: Option<RecommendedWatcher>,
    sender: SyncSender<()>,
    receiver: Receiver<()>,
    /// True if the last wait ended with a hint.
    hinted: bool,
}

impl Hints {
    fn new(workspace: &Workspace) -> Self {
        // One pending hint is as good as many.
        let (sender, receiver) = sync_channel(1);
        let mut new = Self { watcher: None, sender, receiver, hinted: false };
        new.renew(workspace);
        new
    }

    /// Watches the folder that has the name now, which may be another than before.
    fn renew(&mut self, workspace: &Workspace) {
        self.watcher = None;
        let sender = self.sender.clone();
        let on_event = move |event: notify::Result<notify::Event>| {
            let is_change = event.is_ok_and(|event| !event.kind.is_access());
            if is_change {
                // If the channel is full, a hint is pending already; if it is closed, the listing has ended.
                let _ = sender.try_send(());
            }
        };
        if let Ok(mut watcher) = notify::recommended_watcher(on_event)
            && watcher.watch(&workspace.runs(), RecursiveMode::NonRecursive).is_ok()
        {
            self.watcher = Some(watcher);
        }
    }

    /// Waits for a hint or for the next poll, which comes sooner after a hint, since a run's files appear after its
    /// folder.
    fn wait(&mut self) {
        let timeout = if self.hinted { POLL_INTERVAL_AFTER_HINT } else { POLL_INTERVAL };
        self.hinted = self.receiver.recv_timeout(timeout).is_ok();
        if self.hinted {
            thread::sleep(BATCH_DELAY);
            while self.receiver.try_recv().is_ok() {}
        }
    }
}

#[cfg(test)]
mod tests;
