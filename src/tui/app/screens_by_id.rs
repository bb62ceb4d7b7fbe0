//! The screens, each by its own type and by its id.

use crate::tui::model::Model;
use crate::tui::protocol::effect::Effect;
use crate::tui::protocol::screen_id::ScreenId;
use crate::tui::screens::datasets::DatasetsScreen;
use crate::tui::screens::evaluate::EvaluateScreen;
use crate::tui::screens::explain::ExplainScreen;
use crate::tui::screens::runs::RunsScreen;
use crate::tui::screens::screen::Screen;
use crate::tui::screens::train::TrainScreen;
use crate::tui::view_state::ViewState;

/// The screens.
pub(in crate::tui) struct Screens {
    pub(in crate::tui) datasets: DatasetsScreen,
    pub(in crate::tui) train: TrainScreen,
    pub(in crate::tui) runs: RunsScreen,
    pub(in crate::tui) evaluate: EvaluateScreen,
    pub(in crate::tui) explain: ExplainScreen,
}

impl Screens {
    /// The screens as they were left.
    pub(in crate::tui) fn new(view: ViewState) -> Self {
        Self {
            datasets: DatasetsScreen::new(view.datasets),
            train: TrainScreen::new(view.train),
            runs: RunsScreen::new(view.runs),
            evaluate: EvaluateScreen::new(view.evaluate),
            explain: ExplainScreen::new(view.explain),
        }
    }

    /// What is shown, to be restored.
    pub(in crate::tui) fn view_state(&self, screen: ScreenId) -> ViewState {
        ViewState {
            screen,
            datasets: self.datasets.view_state(),
            train: self.train.view_state(),
            runs: self.runs.view_state(),
            evaluate: self.evaluate.view_state(),
            explain: self.explain.view_state(),
        }
    }

    /// What each wants done before it is shown.
    pub(in crate::tui) fn start(&mut self, model: &Model) -> Vec<Effect> {
        self.runs.start(model)
    }

    /// The screen of this id.
    pub(in crate::tui) fn get(&mut self, screen: ScreenId) -> &mut dyn Screen {
        match screen {
            ScreenId::Datasets => &mut self.datasets,
            ScreenId::Train => &mut self.train,
            ScreenId::Runs => &mut self.runs,
            ScreenId::Evaluate => &mut self.evaluate,
            ScreenId::Explain => &mut self.explain,
        }
    }
}
