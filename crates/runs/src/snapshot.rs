//! A run as its files tell it, read once and then kept up to date.

use std::path::Path;

use chrono::Utc;

use mammoscope_domain::run::run_condition::RunCondition;
use mammoscope_domain::run::run_event::RunEvent;
use mammoscope_domain::run::run_spec::RunSpec;
use mammoscope_domain::run::run_state::RunState;
use mammoscope_domain::run::run_status::RunStatus;
use mammoscope_domain::training::training_config::Monitor;
use mammoscope_storage::runs::event_tail::{BadLine, EventTail, TailEntry};
use mammoscope_storage::runs::process_evidence::process_evidence;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::run_spec_file::read_run_spec;
use mammoscope_storage::runs::run_status_file::{RunStatusError, read_status};

/// What happened to a run's files, or in the run.
#[derive(Clone, Debug, PartialEq)]
pub enum RunChange {
    /// The run directory is there now.
    Appeared,
    /// The run directory is there no longer, under this name.
    Gone,
    /// The events were replaced or cut: the state begins anew.
    Restarted,
    /// Something happened in the run.
    Event(RunEvent),
    /// A line of the events that cannot be read.
    BadLine(BadLine),
    /// `status.json` says something else than before, or can be read (no longer).
    Status,
}

/// A run as its files tell it. Whatever cannot be read is kept as a line that says why.
#[derive(Debug)]
pub struct RunSnapshot {
    run: RunDir,
    exists: bool,
    spec: Result<RunSpec, String>,
    status: Result<RunStatus, String>,
    state: RunState,
    bad_lines: u64,
    events_problem: Option<String>,
    tail: EventTail,
}

impl RunSnapshot {
    /// A run that nothing was read of yet.
    #[must_use]
    pub fn new(run: RunDir) -> Self {
        let unread = || "was not read yet".to_owned();
        let tail = EventTail::new(&run.events());
        Self {
            run,
            exists: false,
            spec: Err(unread()),
            status: Err(unread()),
            state: RunState::new(Monitor::ValAccuracy, 0),
            bad_lines: 0,
            events_problem: None,
            tail,
        }
    }

    /// A run as its files are now.
    #[must_use]
    pub fn read(run: RunDir) -> Self {
        let mut snapshot = Self::new(run);
        snapshot.refresh(&mut |_, _| {});
        snapshot
    }

    /// Reads what changed, and hands over each change with the run as it is then.
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
        // The status before the events: whoever reads that a run is over has all of its events then.
        let status = read_status(&self.run.status()).map_err(|error| error.to_string());
        let changed = status != self.status;
        self.status = status;
        self.refresh_events(take);
        if changed {
            take(self, &RunChange::Status);
        }
    }

    /// `run.toml` is written once; a run that is just being made has none yet.
    fn refresh_spec(&mut self, take: &mut dyn FnMut(&Self, &RunChange)) {
        if self.spec.is_ok() {
            return;
        }
        self.spec = read_run_spec(&self.run.spec()).map_err(|error| format!("{}: {error}", named(&self.run.spec())));
        if self.spec.is_ok() {
            // It tells what decides which epoch is the best, which the events read so far were folded without.
            let had_events = self.tail.offset() > 0;
            self.begin_anew();
            self.tail = EventTail::new(&self.run.events());
            if had_events {
                take(self, &RunChange::Restarted);
            }
        }
    }

    fn refresh_events(&mut self, take: &mut dyn FnMut(&Self, &RunChange)) {
        // Taken out, so that the run can be shown while it is read.
        let mut tail = std::mem::replace(&mut self.tail, EventTail::new(Path::new("")));
        let read = tail.read(|entry| {
            let change = match entry {
                TailEntry::Restarted => {
                    self.begin_anew();
                    RunChange::Restarted
                }
                TailEntry::Event(event) => {
                    self.state.apply(&event);
                    RunChange::Event(event)
                }
                TailEntry::BadLine(bad) => {
                    self.bad_lines += 1;
                    RunChange::BadLine(bad)
                }
            };
            take(self, &change);
        });
        self.tail = tail;
        self.events_problem = read.err().map(|error| format!("{}: {error}", named(&self.run.events())));
    }

    fn begin_anew(&mut self) {
        self.bad_lines = 0;
        self.state = match &self.spec {
            Ok(spec) => RunState::new(spec.config.monitor, spec.config.epochs),
            Err(_) => RunState::new(Monitor::ValAccuracy, 0),
        };
    }

    /// The run directory.
    #[must_use]
    pub fn run(&self) -> &RunDir {
        &self.run
    }

    /// Whether the run directory was there.
    #[must_use]
    pub fn exists(&self) -> bool {
        self.exists
    }

    /// What was asked for, or why that cannot be told.
    pub fn spec(&self) -> Result<&RunSpec, &str> {
        self.spec.as_ref().map_err(String::as_str)
    }

    /// What the trainer said last, or why that cannot be told.
    pub fn status(&self) -> Result<&RunStatus, &str> {
        self.status.as_ref().map_err(String::as_str)
    }

    /// What the events add up to.
    #[must_use]
    pub fn state(&self) -> &RunState {
        &self.state
    }

    /// Lines of the events that could not be read.
    #[must_use]
    pub fn bad_lines(&self) -> u64 {
        self.bad_lines
    }

    /// How the run is, with a look at its process now; without a status, why there is none.
    pub fn condition(&self) -> Result<RunCondition, &str> {
        self.status().map(condition_of)
    }

    /// Everything of the run that cannot be read, each in a line.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        if !self.exists {
            return vec!["the run directory is gone".to_owned()];
        }
        let mut problems: Vec<String> =
            [self.spec.as_ref().err(), self.status.as_ref().err(), self.events_problem.as_ref()]
                .into_iter()
                .flatten()
                .cloned()
                .collect();
        if self.bad_lines > 0 {
            problems.push(format!("events.jsonl: lines that cannot be read: {}", self.bad_lines));
        }
        problems
    }
}

/// How a run is now, by its status alone; an error says why there is none.
pub fn current_condition(run: &RunDir) -> Result<RunCondition, RunStatusError> {
    read_status(&run.status()).map(|status| condition_of(&status))
}

/// How a run with this status is now, with a look at its process.
#[must_use]
pub fn condition_of(status: &RunStatus) -> RunCondition {
    RunCondition::new(Utc::now(), status, process_evidence(status))
}

/// A file of the run by its name alone: the reader knows in which directory.
fn named(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
