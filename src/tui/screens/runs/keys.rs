//! The key table of the screen Runs.

use crate::tui::protocol::binding::{Action, Binding, KeyTables, Risk, StateTables};
use crate::tui::protocol::list_motion::LIST_MOTIONS;
use crate::tui::protocol::runs::RunsAction;
use crate::tui::protocol::verb::Verb;
use mammoscope_domain::run::request_verb::RequestVerb;

const CONTROL: Binding = shown(RunsAction::Control, &[Verb::Control], "control", "control the run and its trainer");

/// The keys on a run.
pub(super) const BINDINGS: KeyTables = &[
    &[CONTROL, shown(RunsAction::OpenEvaluation, &[Verb::Open], "evaluate", "show the run's evaluation")],
    OF_LIST,
    LIST_MOTIONS,
];

/// The keys on a group or study.
pub(super) const FOLDER_BINDINGS: KeyTables = &[
    &[CONTROL, shown(RunsAction::Fold, &[Verb::Open], "fold", "open or close the group or study")],
    OF_LIST,
    LIST_MOTIONS,
];

/// The keys on every line of the list, the most useful first.
const OF_LIST: &[Binding] = &[
    shown(RunsAction::Mark, &[Verb::Mark], "mark", "mark or unmark the run, to overlay its curves"),
    shown(RunsAction::Filter, &[Verb::Find], "filter", "filter the runs"),
    shown(RunsAction::Smoother, &[Verb::Smoother], "smooth", "smooth the curves more"),
    shown(RunsAction::LogScale, &[Verb::LogScale], "log", "toggle the logarithmic scale"),
    shown(RunsAction::ZoomIn, &[Verb::ZoomIn], "zoom", "zoom in at the cursor"),
    shown(RunsAction::NextEvent, &[Verb::NextWarning], "next event", "go to the next event that needs attention"),
    shown(RunsAction::Lower, &[Verb::NextPane], "info", "go through events, log, configuration and charts only"),
    shown(RunsAction::Maximise, &[Verb::FullScreen], "full screen", "show one chart, the events or the log alone"),
    shown(RunsAction::NextSort, &[Verb::Sort], "sort", "sort the runs by the next column"),
    shown(RunsAction::Label, &[Verb::Edit], "rename", "name, tag or annotate the run"),
    quiet(
        RunsAction::PreviousLower,
        &[Verb::PreviousPane],
        "go back through events, log, configuration and charts only",
    ),
    shown(RunsAction::Clone, &[Verb::Train], "train again", "train with the run's data and settings"),
    quiet(RunsAction::NextChart, &[Verb::NextTab], "choose the next chart"),
    quiet(RunsAction::PreviousChart, &[Verb::PreviousTab], "choose the previous chart"),
    quiet(RunsAction::Metrics, &[Verb::Choose], "choose the metrics that are charted"),
    quiet(RunsAction::Columns, &[Verb::Columns], "choose the columns of the list"),
    quiet(RunsAction::Export, &[Verb::Export], "export the list, or the chosen chart, as CSV"),
    quiet(RunsAction::Copy, &[Verb::Copy], "copy the path of the run, or the id of the group"),
    quiet(RunsAction::ReverseSort, &[Verb::ReverseSort], "sort the runs in the opposite order"),
    shown(RunsAction::Axis, &[Verb::Axis], "axis", "switch between steps, epochs and time"),
    quiet(RunsAction::Rougher, &[Verb::Rougher], "smooth the curves less"),
    quiet(RunsAction::ZoomOut, &[Verb::ZoomOut], "zoom out"),
    quiet(RunsAction::CursorLeft, &[Verb::Left], "move the cursor of the charts to the left"),
    quiet(RunsAction::CursorRight, &[Verb::Right], "move the cursor of the charts to the right"),
    quiet(RunsAction::PanLeft, &[Verb::PanLeft], "pan the charts to the left"),
    quiet(RunsAction::PanRight, &[Verb::PanRight], "pan the charts to the right"),
    quiet(RunsAction::Tail, &[Verb::Follow], "follow the end of the curves"),
    quiet(RunsAction::Reset, &[Verb::ResetView], "show the whole curves"),
    quiet(RunsAction::Resume, &[Verb::Again], "resume the run"),
    quiet(RunsAction::Delete, &[Verb::Remove], "move the run to the trash")
        .also(&["delete", "remove"])
        .risky(Risk::Confirmed),
    quiet(RunsAction::Reference, &[Verb::Reference], "show or hide a reference under the curves"),
    quiet(RunsAction::Back, &[Verb::Back], "clear the cursor, the overlay or the filter"),
    quiet(RunsAction::Ask(RequestVerb::Checkpoint), &[], "write a checkpoint of the run now"),
    quiet(RunsAction::Ask(RequestVerb::Pause), &[], "pause the run"),
    quiet(RunsAction::Ask(RequestVerb::Continue), &[], "continue the paused run"),
    quiet(RunsAction::Ask(RequestVerb::StopAfterEpoch), &[], "finish the run's epoch and stop it").risky(Risk::AtOnce),
    quiet(RunsAction::Ask(RequestVerb::Stop), &[], "stop the run now").risky(Risk::Confirmed),
    quiet(RunsAction::Kill, &[], "kill the run's trainer").risky(Risk::Confirmed),
    quiet(RunsAction::MarkEnded, &[], "mark the run that lost its trainer as ended"),
];

/// The keys while the information pane has the full height.
pub(super) const PAGER_BINDINGS: KeyTables = &[
    &[
        shown(RunsAction::Back, &[Verb::Back], "back", "close the pager, or clear the search"),
        shown(RunsAction::Filter, &[Verb::Find], "find", "find a text"),
        shown(RunsAction::NextMatch, &[Verb::NextHit], "next", "go to the next line with the text"),
        shown(RunsAction::PreviousMatch, &[Verb::PreviousHit], "previous", "go to the previous line with the text"),
        shown(RunsAction::Tail, &[Verb::Follow], "follow", "follow the end, or stop following it"),
        shown(RunsAction::Lower, &[Verb::NextPane], "next pane", "go on to the next of events, log and configuration"),
        shown(RunsAction::NextEvent, &[Verb::NextWarning], "next warning", "go to the next line that needs attention"),
        quiet(
            RunsAction::PreviousLower,
            &[Verb::PreviousPane],
            "go back to the previous of events, log and configuration",
        ),
        quiet(RunsAction::Copy, &[Verb::Copy], "copy the line"),
        quiet(RunsAction::Maximise, &[Verb::FullScreen], "close the pager"),
    ],
    LIST_MOTIONS,
];

const fn shown(action: RunsAction, verbs: &'static [Verb], hint: &'static str, name: &'static str) -> Binding {
    Binding::new(Action::Runs(action), verbs, hint, name)
}

const fn quiet(action: RunsAction, verbs: &'static [Verb], name: &'static str) -> Binding {
    Binding::quiet(Action::Runs(action), verbs, name)
}

/// All states, the most common first.
pub(super) const STATES: &[StateTables] = &[
    StateTables::new(BINDINGS, "needs the list of runs"),
    StateTables::new(FOLDER_BINDINGS, "needs a group or study"),
    StateTables::mode(PAGER_BINDINGS, "needs the pager"),
];
