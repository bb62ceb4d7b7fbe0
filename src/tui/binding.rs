//! Keys and what they do: tables that dispatch, footer, help and command palette are all made from.

use super::app::AppAction;
use super::input::Key;
use super::popups::viewer::ViewerAction;
use super::screens::ScreenId;
use super::screens::datasets::DatasetsAction;
use super::screens::evaluate::EvaluateAction;
use super::screens::explain::ExplainAction;
use super::screens::runs::RunsAction;
use super::screens::train::TrainAction;

/// Everything that can be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
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
    pub(super) fn screen(self) -> Option<ScreenId> {
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
pub(super) struct Binding {
    /// What is done.
    pub(super) action: Action,
    /// Its keys; none for what is only in the command palette.
    pub(super) keys: &'static [Key],
    /// One or two words for the footer; empty for what is not shown there.
    pub(super) hint: &'static str,
    /// What it does, for help and command palette: begins with a verb, in lower case.
    pub(super) name: &'static str,
}

impl Binding {
    /// A binding that the footer shows.
    pub(super) const fn new(action: Action, keys: &'static [Key], hint: &'static str, name: &'static str) -> Self {
        Self { action, keys, hint, name }
    }

    /// A binding that only help and command palette show.
    pub(super) const fn quiet(action: Action, keys: &'static [Key], name: &'static str) -> Self {
        Self { action, keys, hint: "", name }
    }

    /// The keys as they are written, with spaces between them.
    pub(super) fn keys_text(&self) -> String {
        self.keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    }
}

/// The action of a key, in the first table that knows it.
pub(super) fn action_of(key: Key, tables: &[&[Binding]]) -> Option<Action> {
    tables.iter().flat_map(|table| table.iter()).find(|binding| binding.keys.contains(&key)).map(|found| found.action)
}
