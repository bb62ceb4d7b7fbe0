//! A run as its files describe it, read once and then kept up to date.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use chrono::{DateTime, Utc};

use crate::condition::{HeartbeatWatch, condition_of};
use mammoscope_domain::run::run_condition::RunCondition;
use mammoscope_domain::run::run_event::RunEventKind;
use mammoscope_domain::run::run_spec::RunSpec;
use mammoscope_domain::run::run_state::RunState;
use mammoscope_domain::run::run_status::{RunPhase, RunStatus};
use mammoscope_domain::run::run_summary::RunSummary;
use mammoscope_domain::training::training_config::Monitor;
use mammoscope_storage::runs::event_tail::{EventTail, TailEntry};
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::run_spec_file::read_run_spec;
use mammoscope_storage::runs::run_status_file::read_status;

/// A change of a run's files.
#[derive(Clone, Debug, PartialEq)]
pub enum RunChange {
    /// The run directory exists now.
    Appeared,
    /// The run directory no longer exists under this name.
    Gone,
    /// `events.jsonl` has a new entry, or starts over.
    Entry(TailEntry),
    /// `status.json` has other contents, or became readable or unreadable.
    Status,
}

impl RunChange {
    /// Is true if everything read of the events before is void.
    #[must_use]
    pub const fn is_restart(&self) -> bool {
        matches!(self, Self::Appeared | Self::Gone | Self::Entry(TailEntry::Restarted))
    }

    /// The first step whose earlier reports are void from now on; `None` if all of them hold.
    #[must_use]
    pub fn void_from(&self) -> Option<u64> {
        match self {
            _ if self.is_restart() => Some(0),
            Self::Entry(TailEntry::Event(event)) => match event.kind {
                RunEventKind::StepReported(report) => Some(report.step),
                // Training continues from a checkpoint: the reports after it are void.
                _ => event.kind.back_to_step().map(|step| step + 1),
            },
            _ => None,
        }
    }
}

/// A file of a run that cannot be read: one line for people, with the reason.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UnreadableFile(String);

/// A run as its files describe it. Every file may be missing or unreadable; [`RunSnapshot::problems`] lists those that are.
#[derive(Debug)]
pub struct RunSnapshot {
    run: RunDir,
    exists: bool,
    spec: Result<RunSpec, UnreadableFile>,
    /// Inode and modification time of the `run.toml` that was read.
    spec_stamp: Option<(u64, i64, i64)>,
    status: Result<RunStatus, UnreadableFile>,
    watch: HeartbeatWatch,
    state: RunState,
    bad_lines: u64,
    /// The time of the last event.
    last_event: Option<DateTime<Utc>>,
    events_problem: Option<String>,
    tail: EventTail,
}

impl RunSnapshot {
    /// A run of which nothing has been read.
    #[must_use]
    pub fn new(run: RunDir) -> Self {
        let unread = || UnreadableFile("was not read yet".to_owned());
        let tail = EventTail::new(&run.events());
        Self {
            run,
            exists: false,
            spec: Err(unread()),
            spec_stamp: None,
            status: Err(unread()),
            watch: HeartbeatWatch::default(),
            state: RunState::new(Monitor::ValAccuracy, 0),
            bad_lines: 0,
            last_event: None,
            events_problem: None,
            tail,
        }
    }

    /// Reads all files of a run.
    #[must_use]
    pub fn read(run: RunDir) -> Self {
        let mut snapshot = Self::new(run);
        snapshot.refresh(&mut |_, _| {});
        snapshot
    }

    /// Reads what changed since, and calls `take` for each change, with the run as it is after that change.
    pub fn refresh(&mut self, take: &mut dyn FnMut(&Self, &RunChange)) {
        let exists = self.run.path().is_dir();
        if exists != self.exists {
            let run = self.run.clone();
            *self = Self { exists, ..Self::new(run) };
            take(self, if exists { &RunChange::Appeared } else { &RunChange::Gone });
        }
        if !exists {
            return;
        }
        self.refresh_spec(take);
        // The status is read before the events: once it says that the run is over, all events are on disk.
        let status = read_status(&self.run.status()).map_err(|error| UnreadableFile(error.to_string()));
        let changed = status != self.status;
        if let Ok(status) = &status {
            self.watch.look(status);
        }
        self.status = status;
        self.refresh_events(take);
        if changed {
            take(self, &RunChange::Status);
        }
    }

    /// A run that is just being made has no `run.toml` yet. Afterwards it changes when the run is resumed with other
    /// settings or from another folder.
    fn refresh_spec(&mut self, take: &mut dyn FnMut(&Self, &RunChange)) {
        let stamp = fs::metadata(self.run.spec()).ok().map(|file| (file.ino(), file.mtime(), file.mtime_nsec()));
        if self.spec.is_ok() {
            if stamp.is_some()
                && stamp != self.spec_stamp
                && let Ok(spec) = read_run_spec(&self.run.spec())
            {
                (self.spec, self.spec_stamp) = (Ok(spec), stamp);
            }
            return;
        }
        self.spec_stamp = stamp;
        self.spec = read_run_spec(&self.run.spec())
            .map_err(|error| UnreadableFile(format!("{}: {error}", file_name(&self.run.spec()))));
        if self.spec.is_ok() {
            // It names the monitored metric, without which the events so far were folded.
            let had_events = self.tail.offset() > 0;
            self.reset_state();
            self.tail = EventTail::new(&self.run.events());
            if had_events {
                take(self, &RunChange::Entry(TailEntry::Restarted));
            }
        }
    }

    fn refresh_events(&mut self, take: &mut dyn FnMut(&Self, &RunChange)) {
        // Taken out, so that `take` can be given the whole run.
        let mut tail = std::mem::replace(&mut self.tail, EventTail::new(Path::new("")));
        let read = tail.read(|entry| {
            match &entry {
                TailEntry::Restarted => self.reset_state(),
                TailEntry::Event(event) => {
                    self.last_event = Some(event.time);
                    self.state.apply(event);
                }
                TailEntry::BadLine(_) => self.bad_lines += 1,
            }
            take(self, &RunChange::Entry(entry));
        });
        self.tail = tail;
        self.events_problem = read.err().map(|error| format!("{}: {error}", file_name(&self.run.events())));
    }

    fn reset_state(&mut self) {
        self.bad_lines = 0;
        self.state = match &self.spec {
            Ok(spec) => RunState::new(spec.config.monitor, spec.config.epochs),
            Err(_) => RunState::new(Monitor::ValAccuracy, 0),
        };
    }

    #[must_use]
    pub fn run(&self) -> &RunDir {
        &self.run
    }

    /// True if the run directory existed.
    #[must_use]
    pub fn exists(&self) -> bool {
        self.exists
    }

    /// The contents of `run.toml`.
    pub fn spec(&self) -> Result<&RunSpec, &UnreadableFile> {
        self.spec.as_ref()
    }

    /// The contents of `status.json`.
    pub fn status(&self) -> Result<&RunStatus, &UnreadableFile> {
        self.status.as_ref()
    }

    /// The state according to the events.
    #[must_use]
    pub fn state(&self) -> &RunState {
        &self.state
    }

    /// The summary according to the events.
    #[must_use]
    pub fn summary(&self) -> &RunSummary {
        &self.state.summary
    }

    /// The number of lines of the events that cannot be read.
    #[must_use]
    pub fn bad_lines(&self) -> u64 {
        self.bad_lines
    }

    /// The run's condition, with a look at its trainer now. Fails if there is no readable status.
    pub fn condition(&self) -> Result<RunCondition, &UnreadableFile> {
        self.status().map(|status| {
            let mut status = status.clone();
            // Where the status cannot be written, the events say that the run waits.
            let summary = self.summary();
            let is_newer = self.last_event.is_some_and(|time| time > status.updated);
            if is_newer && summary.phase == RunPhase::Paused && !status.state.is_over() {
                (status.state, status.reason) = (RunPhase::Paused, summary.reason.clone());
            }
            condition_of(&self.run, &status, &self.watch)
        })
    }

    /// The reason why `events.jsonl` cannot be read.
    #[must_use]
    pub fn events_problem(&self) -> Option<&str> {
        self.events_problem.as_deref()
    }

    /// Everything that cannot be read, one line each.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        if !self.exists {
            return vec!["the run directory is no longer there: it was removed, renamed or moved".to_owned()];
        }
        let files = [self.spec.as_ref().err(), self.status.as_ref().err()];
        let mut problems: Vec<String> = files.into_iter().flatten().map(ToString::to_string).collect();
        problems.extend(self.events_problem.clone());
        if self.bad_lines > 0 {
            problems.push(format!("events.jsonl: lines that cannot be read: {}", self.bad_lines));
        }
        problems
    }
}

/// The name alone: the reader knows which directory it is in.
fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
