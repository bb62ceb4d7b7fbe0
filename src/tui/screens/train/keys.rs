//! The key tables of the screen Train.

use crate::tui::protocol::binding::{Action, Binding, KeyTables, Risk, StateTables};
use crate::tui::protocol::list_motion::LIST_MOTIONS;
use crate::tui::protocol::train::TrainAction;
use crate::tui::protocol::verb::Verb;

const fn act(action: TrainAction) -> Action {
    Action::Train(action)
}

/// The keys in the form.
pub(super) const FORM: KeyTables = &[
    &[
        Binding::new(act(TrainAction::Edit), &[Verb::Open], "edit", "edit the field, or choose its next value"),
        Binding::new(act(TrainAction::Start), &[Verb::Start], "start", "start training"),
        Binding::new(act(TrainAction::Estimate), &[Verb::NextPane], "estimate", "show the whole estimate"),
        Binding::new(act(TrainAction::Layers), &[Verb::PreviousPane], "model", "show the network, layer by layer"),
        Binding::new(act(TrainAction::Filter), &[Verb::Find], "filter", "find fields by name"),
        Binding::new(act(TrainAction::Reset), &[Verb::Remove], "reset", "reset the field to the preset"),
        Binding::quiet(act(TrainAction::Toggle), &[Verb::Mark], "check the view, or choose the next value"),
        Binding::quiet(act(TrainAction::AllViews), &[Verb::MarkAll], "check all views"),
        Binding::quiet(act(TrainAction::Copy), &[Verb::Copy], "copy the command line that starts this training"),
        Binding::quiet(act(TrainAction::Next), &[Verb::Right], "choose the next value"),
        Binding::quiet(act(TrainAction::Previous), &[Verb::Left], "choose the previous value"),
        Binding::quiet(act(TrainAction::ResetAll), &[], "reset all fields to the preset").risky(Risk::AtOnce),
        Binding::quiet(act(TrainAction::TimeAgain), &[Verb::Again], "time three steps again"),
        Binding::quiet(act(TrainAction::Back), &[Verb::Back], "show all fields again"),
    ],
    LIST_MOTIONS,
];

/// The keys while a field is being typed.
pub(super) const EDITING: KeyTables = &[&[
    Binding::new(act(TrainAction::Apply), &[Verb::Open], "apply", "apply the value"),
    Binding::new(act(TrainAction::Back), &[Verb::Back], "cancel", "keep the old value"),
    Binding::new(act(TrainAction::Start), &[Verb::Start], "apply and start", "apply the value and start training"),
]];

/// The keys in the panes that are only read.
pub(super) const READING: KeyTables = &[
    &[
        Binding::new(act(TrainAction::Back), &[Verb::Back], "back to the form", "go back to the form"),
        Binding::new(act(TrainAction::Start), &[Verb::Start], "start", "start training"),
        Binding::new(act(TrainAction::Estimate), &[Verb::NextPane], "estimate", "show the whole estimate"),
        Binding::new(act(TrainAction::Layers), &[Verb::PreviousPane], "model", "show the network, layer by layer"),
        Binding::quiet(act(TrainAction::Copy), &[Verb::Copy], "copy the command line that starts this training"),
    ],
    LIST_MOTIONS,
];

/// All states, the most common first.
pub(super) const STATES: &[StateTables] = &[
    StateTables::new(FORM, "needs the form"),
    StateTables::new(READING, "needs the estimate or the layers"),
    StateTables::mode(EDITING, "needs a field being edited"),
];
