//! Keys and what they do: tables that dispatch, footer, help and command palette are all made from.

use crate::terminal::input::Key;
use crate::tui::protocol::app_action::AppAction;
use crate::tui::protocol::datasets::DatasetsAction;
use crate::tui::protocol::evaluate::EvaluateAction;
use crate::tui::protocol::explain::ExplainAction;
use crate::tui::protocol::runs::RunsAction;
use crate::tui::protocol::screen_id::ScreenId;
use crate::tui::protocol::train::TrainAction;
use crate::tui::protocol::viewer::ViewerAction;

/// Everything that can be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum Action {
    /// Everywhere.
    App(AppAction),
    /// On the screen Datasets.
    Datasets(DatasetsAction),
    /// On the screen Train.
    Train(TrainAction),
    /// On the screen Runs.
    Runs(RunsAction),
    /// On the screen Evaluate.
    Evaluate(EvaluateAction),
    /// On the screen Explain.
    Explain(ExplainAction),
    /// In the picture viewer.
    Viewer(ViewerAction),
}

impl Action {
    /// The screen that does it.
    pub(in crate::tui) fn screen(self) -> Option<ScreenId> {
        match self {
            Self::App(_) | Self::Viewer(_) => None,
            Self::Datasets(_) => Some(ScreenId::Datasets),
            Self::Train(_) => Some(ScreenId::Train),
            Self::Runs(_) => Some(ScreenId::Runs),
            Self::Evaluate(_) => Some(ScreenId::Evaluate),
            Self::Explain(_) => Some(ScreenId::Explain),
        }
    }
}

/// An action, how it is called, and the keys that do it.
#[derive(Clone, Copy, Debug)]
pub(in crate::tui) struct Binding {
    /// What is done.
    pub(in crate::tui) action: Action,
    /// Its keys; none for what is only in the command palette.
    pub(in crate::tui) keys: &'static [Key],
    /// One or two words for the footer; empty for what is not shown there.
    pub(in crate::tui) hint: &'static str,
    /// What it does, for help and command palette: begins with a verb, in lower case.
    pub(in crate::tui) name: &'static str,
}

impl Binding {
    /// A binding that the footer shows.
    pub(in crate::tui) const fn new(
        action: Action,
        keys: &'static [Key],
        hint: &'static str,
        name: &'static str,
    ) -> Self {
        Self { action, keys, hint, name }
    }

    /// A binding that only help and command palette show.
    pub(in crate::tui) const fn quiet(action: Action, keys: &'static [Key], name: &'static str) -> Self {
        Self { action, keys, hint: "", name }
    }

    /// The keys as they are written, with spaces between them.
    pub(in crate::tui) fn keys_text(&self) -> String {
        self.keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    }
}

/// The action of a key, in the first table that knows it.
pub(in crate::tui) fn action_of(key: Key, tables: &[&[Binding]]) -> Option<Action> {
    tables.iter().flat_map(|table| table.iter()).find(|binding| binding.keys.contains(&key)).map(|found| found.action)
}
