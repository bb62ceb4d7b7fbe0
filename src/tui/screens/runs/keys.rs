//! The key table of the screen Runs.

use crate::terminal::input::Key;
use crate::tui::protocol::binding::{Action, Binding, KeyTables};
use crate::tui::protocol::list_motion::LIST_MOTIONS;
use crate::tui::protocol::runs::RunsAction;
use mammoscope_domain::run::request_verb::RequestVerb;

/// The most useful keys first.
pub(super) const BINDINGS: KeyTables = &[
    &[
        shown(RunsAction::Control, &[Key::Char('x')], "control", "control the run and its trainer"),
        shown(RunsAction::OpenEvaluation, &[Key::Enter], "evaluate", "show the run's evaluation"),
        shown(RunsAction::Mark, &[Key::Char(' ')], "mark", "mark or unmark the run, to overlay its curves"),
        shown(RunsAction::Filter, &[Key::Char('/')], "filter", "filter the runs"),
        shown(RunsAction::Smoother, &[Key::Char('s')], "smooth", "smooth the curves more"),
        shown(RunsAction::LogScale, &[Key::Char('l')], "log", "toggle the logarithmic scale"),
        shown(RunsAction::ZoomIn, &[Key::Char('z')], "zoom", "zoom in at the cursor"),
        shown(RunsAction::NextEvent, &[Key::Char('!')], "next event", "go to the next event that needs attention"),
        shown(RunsAction::Lower, &[Key::Char('i'), Key::Char('e')], "events", "show events, log, or charts only"),
        quiet(RunsAction::PreviousLower, &[Key::Char('I')], "show the previous of events, log, or charts only"),
        quiet(RunsAction::Maximise, &[Key::Char('v')], "show events or log at full height"),
        quiet(RunsAction::Label, &[Key::Char('n')], "name, tag or annotate the run"),
        quiet(RunsAction::NextSort, &[Key::Char('o')], "sort the runs by the next column"),
        quiet(RunsAction::ReverseSort, &[Key::Char('O')], "sort the runs in the opposite order"),
        shown(RunsAction::Axis, &[Key::Char('t')], "axis", "switch between steps, epochs and time"),
        quiet(RunsAction::Rougher, &[Key::Char('S')], "smooth the curves less"),
        quiet(RunsAction::ZoomOut, &[Key::Char('Z')], "zoom out"),
        quiet(RunsAction::CursorLeft, &[Key::Left], "move the cursor of the charts to the left"),
        quiet(RunsAction::CursorRight, &[Key::Right], "move the cursor of the charts to the right"),
        quiet(RunsAction::PanLeft, &[Key::ShiftLeft, Key::Char('<')], "pan the charts to the left"),
        quiet(RunsAction::PanRight, &[Key::ShiftRight, Key::Char('>')], "pan the charts to the right"),
        quiet(RunsAction::Tail, &[Key::Char('f')], "follow the end of the curves"),
        quiet(RunsAction::Reset, &[Key::Char('0')], "show the whole curves"),
        quiet(RunsAction::Resume, &[Key::Char('r')], "resume the run"),
        quiet(RunsAction::Delete, &[Key::Delete, Key::Char('D')], "move the run to the trash"),
        quiet(RunsAction::Reference, &[Key::Char('R')], "show or hide a reference under the curves"),
        quiet(RunsAction::Back, &[Key::Escape], "clear the cursor, the overlay or the filter"),
        quiet(RunsAction::Ask(RequestVerb::Checkpoint), &[], "write a checkpoint of the run now"),
        quiet(RunsAction::Ask(RequestVerb::Pause), &[], "pause the run"),
        quiet(RunsAction::Ask(RequestVerb::Continue), &[], "continue the paused run"),
        quiet(RunsAction::Ask(RequestVerb::StopAfterEpoch), &[], "finish the run's epoch and stop it"),
        quiet(RunsAction::Ask(RequestVerb::Stop), &[], "stop the run now"),
        quiet(RunsAction::Kill, &[], "kill the run's trainer"),
        quiet(RunsAction::MarkEnded, &[], "mark the run that lost its trainer as ended"),
    ],
    LIST_MOTIONS,
];

/// The keys while the information pane has the full height.
pub(super) const PAGER_BINDINGS: KeyTables = &[
    &[
        shown(RunsAction::Back, &[Key::Escape], "back", "close the pager, or clear the search"),
        shown(RunsAction::Filter, &[Key::Char('/')], "find", "find a text"),
        shown(RunsAction::NextMatch, &[Key::Char('n')], "next", "go to the next line with the text"),
        shown(RunsAction::PreviousMatch, &[Key::Char('N')], "previous", "go to the previous line with the text"),
        shown(RunsAction::Tail, &[Key::Char('F')], "follow", "follow the end, or no longer"),
        shown(RunsAction::Lower, &[Key::Char('i')], "events or log", "show the log, or the events"),
        shown(RunsAction::NextEvent, &[Key::Char('!')], "next warning", "go to the next line that needs attention"),
        quiet(RunsAction::PreviousLower, &[Key::Char('I')], "show the events, or the log"),
        quiet(RunsAction::Maximise, &[Key::Char('v'), Key::Char('f')], "close the pager"),
    ],
    LIST_MOTIONS,
];

const fn shown(action: RunsAction, keys: &'static [Key], hint: &'static str, name: &'static str) -> Binding {
    Binding::new(Action::Runs(action), keys, hint, name)
}

const fn quiet(action: RunsAction, keys: &'static [Key], name: &'static str) -> Binding {
    Binding::quiet(Action::Runs(action), keys, name)
}
