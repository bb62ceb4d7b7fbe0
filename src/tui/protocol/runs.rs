//! The vocabulary of the screen Runs: actions, effects and messages.

use std::path::PathBuf;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::tui::protocol::failure::Failure;
use crate::tui::protocol::run_list::RunRow;
use crate::tui::protocol::run_log::LogLine;
use mammoscope_domain::run::curve_findings::{LossPlateau, LossSpike};
use mammoscope_domain::run::machine_record::MachineRecord;
use mammoscope_domain::run::metric_series::MetricSeries;
use mammoscope_domain::run::request_verb::RequestVerb;
use mammoscope_domain::run::run_event::RunEventKind;
use mammoscope_domain::run::run_labels::RunLabels;
use mammoscope_domain::run::run_records::{CheckpointKind, SavedCheckpoint, StepReport, Timed};
use mammoscope_domain::run::run_summary::RunSummary;
use mammoscope_runs::control::RequestOutcome;
use mammoscope_storage::runs::history_files::ReferenceHistory;
use mammoscope_storage::runs::run_dir::RunDir;

/// Actions of the screen Runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum RunsAction {
    Control,
    OpenEvaluation,
    /// Lists the runs of a group or study, or no longer.
    Fold,
    Mark,
    Filter,
    Smoother,
    Rougher,
    LogScale,
    ZoomIn,
    ZoomOut,
    NextEvent,
    Lower,
    PreviousLower,
    NextChart,
    PreviousChart,
    /// Choose the metrics that are charted.
    Metrics,
    /// Choose the columns of the list.
    Columns,
    Export,
    /// Train with the run's data and settings.
    Clone,
    /// Show the information pane at full height, or no longer.
    Maximise,
    /// Copy the line, or the path of the run.
    Copy,
    NextMatch,
    PreviousMatch,
    NextSort,
    ReverseSort,
    /// Edit the name, the tags and the note of the run.
    Label,
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
    Back,
    Ask(RequestVerb),
}

/// Effects for the service of the screen Runs.
#[derive(Debug, PartialEq)]
pub(in crate::tui) enum RunsEffect {
    /// List the runs, now and whenever they change.
    Watch,
    /// Follow these runs and no others.
    Follow(Vec<RunDir>),
    /// Send a request to a run's trainer.
    Ask { run: RunDir, verb: RequestVerb },
    /// Start a trainer that resumes a run.
    Resume(RunDir),
    /// Start trainers that resume the runs of a study that can be resumed.
    ResumeStudy { study: String, runs: Vec<RunDir> },
    /// Kill a run's trainer.
    Kill(RunDir),
    /// Record that a run without a trainer has ended.
    MarkEnded(RunDir),
    /// Replace the labels of a run.
    Label { run: RunDir, labels: RunLabels },
    /// Move a run to the trash.
    Trash(RunDir),
    /// Read the sketches of runs on screen.
    Sketch(Vec<RunDir>),
    /// Write runs as a table.
    ExportTable(Vec<RunRow>),
    /// Write the curves of a chart, whose metric is given, as a table.
    ExportCurves { metric: String, curves: Vec<ExportedCurve> },
    /// Read the history files of a folder.
    ReadReference(PathBuf),
}

/// Messages from the service of the screen Runs.
#[derive(Debug)]
pub(in crate::tui) enum RunsMessage {
    /// The newest runs, if there are too many to list all at once.
    Newest(Vec<RunRow>),
    /// All runs.
    Listed(Result<Vec<RunRow>, Failure>),
    /// The listed runs that changed.
    Changed(Vec<RunRow>),
    /// The latest changes of a followed run.
    Followed { run: RunDir, update: Box<RunUpdate> },
    /// The outcome of a request to a trainer.
    Answered { run: RunDir, verb: RequestVerb, answer: Result<RequestOutcome, Failure> },
    /// A trainer has resumed a run.
    Resumed { run: RunDir, outcome: Result<(), Failure> },
    /// Trainers have resumed runs of a study; the text describes how many.
    StudyResumed { study: String, outcome: Result<String, Failure> },
    /// A trainer was killed, or a run marked as ended; the text describes it.
    Forced { run: RunDir, outcome: Result<String, Failure> },
    /// The labels of a run were replaced.
    Labelled { run: RunDir, outcome: Result<RunLabels, Failure> },
    /// A run was moved to this place in the trash.
    Trashed { run: RunDir, outcome: Result<PathBuf, Failure> },
    /// The validation losses of a run on screen.
    Sketched { run: RunDir, sketch: RunSketch },
    /// A table was written to this place.
    Exported { outcome: Result<PathBuf, Failure> },
    /// A history to show under the curves.
    Reference { folder: PathBuf, outcome: Result<ReferenceHistory, Failure> },
}

/// The validation losses of a run's epochs, for a small curve.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::tui) struct RunSketch {
    pub(in crate::tui) losses: Vec<f32>,
}

/// The content of the pane below the charts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::tui) enum Lower {
    Events,
    /// The end of the log.
    Log,
    /// The keys that differ from the preset, and the provenance.
    Configuration,
    /// No pane, to leave more room for the charts.
    Nothing,
}

impl Lower {
    /// The title of the pane.
    pub(in crate::tui) const fn title(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Log => "log",
            Self::Configuration => "configuration",
            Self::Nothing => "",
        }
    }

    /// The next content, or the previous one.
    pub(in crate::tui) const fn next(self, forwards: bool) -> Self {
        match (self, forwards) {
            (Self::Nothing, true) | (Self::Log, false) => Self::Events,
            (Self::Events, true) | (Self::Configuration, false) => Self::Log,
            (Self::Log, true) | (Self::Nothing, false) => Self::Configuration,
            (Self::Configuration, true) | (Self::Events, false) => Self::Nothing,
        }
    }
}

/// The changes of a followed run since the last update.
#[derive(Debug)]
pub(in crate::tui) struct RunUpdate {
    /// Of the reports sent before, those of earlier steps still hold.
    pub(in crate::tui) valid_below: u64,
    /// The reports after those.
    pub(in crate::tui) steps: Vec<Timed<StepReport>>,
    /// True if all notes sent before are void, since the events were replaced or truncated.
    pub(in crate::tui) is_restart: bool,
    /// New events, without those that every epoch has.
    pub(in crate::tui) notes: Vec<RunNote>,
    pub(in crate::tui) summary: Box<RunSummary>,
    /// Files that cannot be read, with the reasons.
    pub(in crate::tui) problems: Vec<String>,
    /// The end of the log, if it has changed.
    pub(in crate::tui) log: Option<Vec<LogLine>>,
    /// New records of the machine.
    pub(in crate::tui) machine: Vec<MachineRecord>,
    /// True if all records of the machine sent before are void.
    pub(in crate::tui) is_machine_restart: bool,
    /// The hashes of the run's files, if they were read again.
    pub(in crate::tui) hashes: Option<RunHashes>,
}

/// SHA-256 of the files that define a run, in hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::tui) struct RunHashes {
    pub(in crate::tui) dataset: String,
    pub(in crate::tui) spec: String,
}

/// A curve of a run to export.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tui) struct ExportedCurve {
    pub(in crate::tui) run: String,
    pub(in crate::tui) metric: String,
    /// Steps, epochs and seconds of each value.
    pub(in crate::tui) places: [Vec<f64>; 3],
    pub(in crate::tui) series: MetricSeries,
}

/// Something that happened at a step of a run.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tui) struct RunNote {
    /// The time since the run was started.
    pub(in crate::tui) elapsed: TimeDelta,
    pub(in crate::tui) step: u64,
    pub(in crate::tui) kind: NoteKind,
}

impl RunNote {
    /// A note of an event; `None` for one that every epoch has, and for reports of steps.
    pub(in crate::tui) fn of(event: &RunEventKind, summary: &RunSummary) -> Option<Self> {
        let is_routine = matches!(
            event,
            RunEventKind::EpochStarted { .. }
                | RunEventKind::StepReported(_)
                | RunEventKind::CheckpointSaved(SavedCheckpoint {
                    kind: CheckpointKind::Last | CheckpointKind::Kept,
                    ..
                })
        );
        let kind = || NoteKind::Event(event.clone());
        (!is_routine).then(|| Self { elapsed: summary.clock.elapsed(), step: summary.step, kind: kind() })
    }
}

/// An event of the run, or a finding in its curves.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tui) enum NoteKind {
    Event(RunEventKind),
    Spike(LossSpike),
    Plateau(LossPlateau),
}
