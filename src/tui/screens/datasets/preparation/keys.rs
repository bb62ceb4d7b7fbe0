//! The key tables of preprocessing.

use crate::terminal::input::Key;
use crate::tui::protocol::binding::{Action, Binding, KeyTables};
use crate::tui::protocol::datasets::DatasetsAction;
use crate::tui::protocol::preparation::PreparationAction as Do;

const fn shown(action: Do, keys: &'static [Key], hint: &'static str, name: &'static str) -> Binding {
    Binding::new(Action::Datasets(DatasetsAction::Preparation(action)), keys, hint, name)
}

/// The keys while the progress of a run is shown.
pub(super) const RUNNING: KeyTables = &[&[
    shown(Do::Hide, &[Key::Escape, Key::Enter], "work on", "hide the progress; preprocessing continues"),
    shown(Do::Stop, &[Key::Char('x')], "stop", "stop preprocessing; started again, it continues"),
]];

/// The keys while the outcome of a run is shown.
pub(super) const ENDED: KeyTables = &[&[
    shown(Do::Hide, &[Key::Enter, Key::Escape], "close", "close the outcome"),
    shown(Do::Review, &[Key::Char('r')], "review", "review the prepared images"),
]];
