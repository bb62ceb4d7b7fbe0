//! The key tables of the screen Train.

use crate::terminal::input::Key;
use crate::tui::protocol::binding::{Action, Binding, KeyTables};
use crate::tui::protocol::list_motion::{LIST_MOTIONS, ListMotion};
use crate::tui::protocol::train::TrainAction;

const fn act(action: TrainAction) -> Action {
    Action::Train(action)
}

/// The keys in the form.
pub(super) const FORM: KeyTables = &[
    &[
        Binding::new(act(TrainAction::Edit), &[Key::Enter], "edit", "edit the field, or choose its next value"),
        Binding::new(act(TrainAction::Start), &[Key::Ctrl('s')], "start", "start training"),
        Binding::new(act(TrainAction::Estimate), &[Key::Char('w')], "estimate", "show the whole estimate"),
        Binding::new(act(TrainAction::Layers), &[Key::Char('m')], "model", "show the network, layer by layer"),
        Binding::new(act(TrainAction::Filter), &[Key::Char('/')], "filter", "find fields by name"),
        Binding::new(act(TrainAction::Reset), &[Key::Delete, Key::Backspace], "reset", "reset the field to the preset"),
        Binding::quiet(act(TrainAction::Toggle), &[Key::Char(' ')], "check the view, or choose the next value"),
        Binding::quiet(act(TrainAction::AllViews), &[Key::Char('a')], "check all views"),
        Binding::quiet(act(TrainAction::Next), &[Key::Right, Key::Char('l')], "choose the next value"),
        Binding::quiet(act(TrainAction::Previous), &[Key::Left, Key::Char('h')], "choose the previous value"),
        Binding::quiet(act(TrainAction::ResetAll), &[Key::Char('R')], "reset all fields to the preset"),
        Binding::quiet(act(TrainAction::TimeAgain), &[Key::Char('t')], "time three steps again"),
        Binding::quiet(act(TrainAction::Back), &[Key::Escape], "show all fields again"),
    ],
    LIST_MOTIONS,
];

/// The keys while a field is being typed.
pub(super) const EDITING: KeyTables = &[&[
    Binding::new(act(TrainAction::Apply), &[Key::Enter], "apply", "apply the value"),
    Binding::new(act(TrainAction::Back), &[Key::Escape], "cancel", "keep the old value"),
    Binding::new(act(TrainAction::Start), &[Key::Ctrl('s')], "apply and start", "apply the value and start training"),
]];

/// The keys in the panes that are only read.
pub(super) const READING: KeyTables = &[
    &[
        Binding::new(act(TrainAction::Back), &[Key::Escape], "back to the form", "go back to the form"),
        Binding::new(act(TrainAction::Start), &[Key::Ctrl('s')], "start", "start training"),
        Binding::new(act(TrainAction::Estimate), &[Key::Char('w')], "estimate", "show the whole estimate"),
        Binding::new(act(TrainAction::Layers), &[Key::Char('m')], "model", "show the network, layer by layer"),
        Binding::quiet(Action::Move(ListMotion::PageDown), &[Key::Char(' ')], "move down a page"),
    ],
    LIST_MOTIONS,
];
