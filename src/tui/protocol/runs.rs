//! The vocabulary of the screen Runs: actions, effects and messages.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::tui::protocol::run_list::RunRow;
use mammoscope_domain::run::curve_findings::{LossPlateau, LossSpike};
use mammoscope_domain::run::run_event::{RequestVerb, RunEventKind};
use mammoscope_domain::run::run_records::StepPoint;
use mammoscope_domain::run::run_state::RunState;
use mammoscope_runs::control::Answer;
use mammoscope_storage::runs::history_files::ReferenceHistory;
use mammoscope_storage::runs::run_dir::RunDir;

/// What can be done here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum RunsAction {
    Control,
    OpenEvaluation,
    Mark,
    Filter,
    Smoother,
    Rougher,
    LogScale,
    ZoomIn,
    ZoomOut,
    NextEvent,
    Lower,
    Axis,
    CursorLeft,
    CursorRight,
    PanLeft,
    PanRight,
    Tail,
    Reset,
    Resume,
    Kill,
    MarkEnded,
    Delete,
    Reference,
    Up,
    Down,
    PageUp,
    PageDown,
    First,
    Last,
    Back,
    Ask(RequestVerb),
}

/// What is wanted of the world.
#[derive(Debug, PartialEq)]
pub(in crate::tui) enum RunsEffect {
    /// List the runs, now and whenever they change.
    Watch,
    /// Follow these runs and no others.
    Follow(Vec<RunDir>),
    /// Ask a trainer for something.
    Ask { run: RunDir, verb: RequestVerb },
    /// Start a trainer that goes on with a run.
    Resume(RunDir),
    /// Kill a run's trainer.
    Kill(RunDir),
    /// Record that a run that lost its trainer is over.
    MarkEnded(RunDir),
    /// Move a run to the trash.
    Trash(RunDir),
    /// Read the history files of a folder.
    ReadReference(PathBuf),
}

/// What comes back.
#[derive(Debug)]
pub(in crate::tui) enum RunsMessage {
    /// The newest of many runs, before all are listed.
    Newest(Vec<RunRow>),
    /// The runs, or why they cannot be listed.
    Listed(Result<Vec<RunRow>, String>),
    /// Runs of the list that are not as they were.
    Changed(Vec<RunRow>),
    /// What is new of a run that is followed.
    Followed { run: RunDir, news: Box<RunUpdate> },
    /// What became of a request.
    Answered { run: RunDir, verb: RequestVerb, answer: Result<Answer, String> },
    /// A trainer is at work on a run again, or why not.
    Resumed { run: RunDir, outcome: Result<(), String> },
    /// What was done by force to a run or its trainer, in words, or why it was not.
    Forced { run: RunDir, outcome: Result<String, String> },
    /// Where a run is now that was thrown away, or why it was not.
    Trashed { run: RunDir, outcome: Result<PathBuf, String> },
    /// A history to be laid under the curves.
    Reference { folder: PathBuf, outcome: Result<ReferenceHistory, String> },
}

/// What is shown below the charts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::tui) enum Lower {
    /// What happened in the run.
    Events,
    /// The end of its log.
    Log,
    /// Nothing: more room for charts.
    Nothing,
}

/// What is new of a run that is followed.
#[derive(Debug)]
pub(in crate::tui) struct RunUpdate {
    /// How many of the steps told before still hold.
    pub(in crate::tui) kept: usize,
    /// The steps behind them.
    pub(in crate::tui) steps: Vec<StepPoint>,
    /// Whether what happened before is void: the events were replaced or cut.
    pub(in crate::tui) anew: bool,
    /// What happened since, reports of steps left out.
    pub(in crate::tui) notes: Vec<RunNote>,
    /// What it adds up to; without its steps.
    pub(in crate::tui) state: Box<RunState>,
    /// What of it cannot be read.
    pub(in crate::tui) problems: Vec<String>,
    /// The end of its log, where that has changed.
    pub(in crate::tui) log: Option<Vec<String>>,
}

/// Something that happened, and how far the run was then.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tui) struct RunNote {
    pub(in crate::tui) time: DateTime<Utc>,
    pub(in crate::tui) step: u64,
    pub(in crate::tui) kind: NoteKind,
}

/// What happened: told by the run, or found in its curves.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tui) enum NoteKind {
    Event(RunEventKind),
    Spike(LossSpike),
    Plateau(LossPlateau),
}
