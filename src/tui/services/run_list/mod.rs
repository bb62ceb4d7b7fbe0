//! The runs of the workspace, listed again and again at little cost: of what has not changed nothing is read.

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, SyncSender, sync_channel};
use std::time::{Duration, SystemTime};
use std::{fs, io, thread};

use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};

use crate::tui::protocol::message::UiMessage;
use crate::tui::protocol::run_list::RunRow;
use crate::tui::protocol::runs::RunsMessage;
use mammoscope_domain::run::run_condition::RunCondition;
use mammoscope_runs::snapshot::condition_of;
use mammoscope_storage::runs::run_catalog::{ListingFacts, RunEntry, run_names, sort_as_listed};
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::workspace::Workspace;

const POLL: Duration = Duration::from_secs(1);
/// Runs that come at once are listed at once.
const SETTLE: Duration = Duration::from_millis(30);
/// How soon after a hint the runs are looked at again.
const AFTER_HINT: Duration = Duration::from_millis(150);
/// Up to so many runs, all are looked at every time; of more, those that are over only every so often.
const FEW: usize = 500;
const SELDOM: u64 = 5;
/// Of more, so many are listed before all are read.
const NEWEST: usize = 200;

/// What tells that a file was not replaced: when it was written, and its length.
type Stamp = Option<(SystemTime, u64)>;

struct Known {
    stamps: [Stamp; 2],
    row: RunRow,
}

/// What a look at the runs found.
#[derive(Debug)]
pub(super) enum Listing {
    /// Runs came or went, or stand in another order: all of them.
    All(Vec<RunRow>),
    /// Those of which something is new, perhaps none.
    Changed(Vec<RunRow>),
}

/// The runs as they were listed last.
#[derive(Default)]
pub(super) struct RunList {
    known: HashMap<OsString, Known>,
    order: Vec<OsString>,
    looks: u64,
}

impl RunList {
    /// The newest of many runs, by their names, for a first sight: to read all of them takes a while. `None` where there are
    /// few.
    pub(super) fn newest(&mut self, workspace: &Workspace) -> Option<Vec<RunRow>> {
        let mut names = run_names(workspace).ok().filter(|names| names.len() > FEW)?;
        names.sort_unstable_by(|one, other| other.cmp(one));
        names.truncate(NEWEST);
        let read = |name: &OsString| {
            let run = RunDir::new(workspace.runs().join(name));
            let stamps = [stamp(&run.spec()), stamp(&run.status())];
            (name.clone(), Known { stamps, row: row(RunEntry::read(run)) })
        };
        self.known = names.par_iter().map(read).collect();
        let mut rows: Vec<RunRow> = self.known.values().map(|known| known.row.clone()).collect();
        sort_as_listed(&mut rows, facts);
        Some(rows)
    }

    /// Looks at the runs.
    pub(super) fn look(&mut self, workspace: &Workspace) -> io::Result<Listing> {
        let names = match run_names(workspace) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && workspace.path().is_dir() => Vec::new(),
            names => names?,
        };
        let looks_at_all = names.len() <= FEW || self.looks.is_multiple_of(SELDOM);
        self.looks += 1;
        let known = &self.known;
        let changed: Vec<(OsString, Known)> = names
            .par_iter()
            .filter_map(|name| {
                let run = RunDir::new(workspace.runs().join(name));
                let before = known.get(name);
                let is_over = |known: &Known| known.row.status.as_ref().is_some_and(|status| status.state.is_over());
                if before.is_some_and(|known| !looks_at_all && is_over(known)) {
                    return None;
                }
                let stamps = [stamp(&run.spec()), stamp(&run.status())];
                let row = match before {
                    Some(known) if known.stamps == stamps => {
                        // Time passes, and processes end, without any file that says so.
                        let condition = known.row.status.as_ref().map(condition_of);
                        if is_the_same(condition.as_ref(), known.row.condition.as_ref()) {
                            return None;
                        }
                        RunRow { condition, ..known.row.clone() }
                    }
                    _ => row(RunEntry::read(run)),
                };
                Some((name.clone(), Known { stamps, row }))
            })
            .collect();
        let rows: Vec<RunRow> = changed.iter().map(|(_, known)| known.row.clone()).collect();
        self.known.extend(changed);
        let present: HashSet<OsString> = names.into_iter().collect();
        self.known.retain(|name, _| present.contains(name));
        if rows.is_empty() && self.order.len() == self.known.len() && self.looks > 1 {
            return Ok(Listing::Changed(rows));
        }
        let mut order: Vec<OsString> = self.known.keys().cloned().collect();
        order.sort();
        sort_as_listed(&mut order, |name| facts(&self.known[name].row));
        if order == self.order && self.looks > 1 {
            return Ok(Listing::Changed(rows));
        }
        self.order = order;
        Ok(Listing::All(self.order.iter().map(|name| self.known[name].row.clone()).collect()))
    }
}

fn facts(row: &RunRow) -> ListingFacts {
    let asked = row.spec.as_ref().map(|spec| spec.group.as_str());
    let group = asked.or(row.status.as_ref().map(|status| status.group.as_str()));
    ListingFacts {
        group: group.filter(|group| !group.is_empty()).map(str::to_owned),
        created: row.created(),
        view: row.spec.as_ref().map(|spec| spec.view),
        name: row.run.name(),
    }
}

fn stamp(path: &Path) -> Stamp {
    let facts = fs::metadata(path).ok()?;
    Some((facts.modified().ok()?, facts.len()))
}

/// Whether two conditions differ in nothing but the time since the last word.
fn is_the_same(one: Option<&RunCondition>, other: Option<&RunCondition>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => (one.phase, one.stale, &one.reason) == (other.phase, other.stale, &other.reason),
        (None, None) => true,
        _ => false,
    }
}

fn row(entry: RunEntry) -> RunRow {
    let condition = entry.status.as_ref().ok().map(condition_of);
    let problem = match (&entry.spec, &entry.status) {
        (Err(error), _) => Some(format!("run.toml: {error}")),
        (_, Err(error)) => Some(format!("status.json: {error}")),
        _ => None,
    };
    RunRow { run: entry.run, spec: entry.spec.ok(), status: entry.status.ok(), condition, problem }
}

/// Lists the runs now and whenever they change, as long as anybody listens.
pub(super) fn watch(workspace: Workspace, inbox: Sender<UiMessage>) {
    thread::spawn(move || {
        let mut list = RunList::default();
        let mut problem = None;
        let mut hints = Hints::new(&workspace);
        let newest = list.newest(&workspace).map(|rows| UiMessage::Runs(RunsMessage::Newest(rows)));
        if newest.is_some_and(|newest| inbox.send(newest).is_err()) {
            return;
        }
        loop {
            let message = match list.look(&workspace) {
                Ok(Listing::All(rows)) => Some(RunsMessage::Listed(Ok(rows))),
                Ok(Listing::Changed(rows)) => (!rows.is_empty()).then_some(RunsMessage::Changed(rows)),
                Err(error) => {
                    // Listed anew as soon as that is possible again.
                    list = RunList::default();
                    hints.renew(&workspace);
                    let text = error.to_string();
                    let is_news = problem.as_ref() != Some(&text);
                    problem = Some(text.clone());
                    is_news.then_some(RunsMessage::Listed(Err(text)))
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

/// The system's hints that runs came or went; a poll stands behind them, since network file systems give none.
struct Hints {
    /// Kept for what its drop does: it ends the watching.
    watcher: Option<RecommendedWatcher>,
    sender: SyncSender<()>,
    receiver: Receiver<()>,
    /// Whether the last wait ended by a hint.
    hinted: bool,
}

impl Hints {
    fn new(workspace: &Workspace) -> Self {
        // One hint that waits is as good as many.
        let (sender, receiver) = sync_channel(1);
        let mut new = Self { watcher: None, sender, receiver, hinted: false };
        new.renew(workspace);
        new
    }

    /// Watches the folder that has the name now.
    fn renew(&mut self, workspace: &Workspace) {
        self.watcher = None;
        let sender = self.sender.clone();
        let tell = move |event: notify::Result<notify::Event>| {
            let is_change = event.is_ok_and(|event| !event.kind.is_access());
            if is_change {
                // Full: a hint waits already. Closed: nobody lists any more.
                let _ = sender.try_send(());
            }
        };
        if let Ok(mut watcher) = notify::recommended_watcher(tell)
            && watcher.watch(&workspace.runs(), RecursiveMode::NonRecursive).is_ok()
        {
            self.watcher = Some(watcher);
        }
    }

    /// Waits for a hint, or for the next poll. A hint's run is looked at again soon: its files come after its folder.
    fn wait(&mut self) {
        let timeout = if self.hinted { AFTER_HINT } else { POLL };
        self.hinted = self.receiver.recv_timeout(timeout).is_ok();
        if self.hinted {
            thread::sleep(SETTLE);
            while self.receiver.try_recv().is_ok() {}
        }
    }
}

#[cfg(test)]
mod tests;
