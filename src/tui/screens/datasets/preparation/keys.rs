//! The key tables of preprocessing.

use crate::tui::protocol::binding::{Action, Binding, KeyTables, Risk};
use crate::tui::protocol::datasets::DatasetsAction;
use crate::tui::protocol::preparation::PreparationAction as Do;
use crate::tui::protocol::verb::Verb;

const fn shown(action: Do, verbs: &'static [Verb], hint: &'static str, name: &'static str) -> Binding {
    Binding::new(Action::Datasets(DatasetsAction::Preparation(action)), verbs, hint, name)
}

/// The keys while the progress of a run is shown.
pub(in crate::tui::screens::datasets) const RUNNING: KeyTables = &[&[
    shown(Do::Hide, &[Verb::Back, Verb::Open], "work on", "hide the progress; preprocessing continues"),
    shown(Do::Stop, &[Verb::Control], "stop", "stop preprocessing; start it again to continue").risky(Risk::AtOnce),
]];

/// The keys while the outcome of a run is shown.
pub(in crate::tui::screens::datasets) const ENDED: KeyTables = &[&[
    shown(Do::Hide, &[Verb::Open, Verb::Back], "close", "close the outcome"),
    shown(Do::Review, &[Verb::Review], "review", "review the prepared images"),
]];
