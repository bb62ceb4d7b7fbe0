//! What was shown last, saved in the workspace: `view.json`.

use std::path::Path;
use std::{fs, io};

use serde::{Deserialize, Serialize};

use super::screens::datasets::DatasetsView;
use super::screens::evaluate::EvaluateView;
use super::screens::explain::ExplainView;
use super::screens::runs::RunsView;
use super::screens::train::TrainView;
use crate::tui::protocol::screen_id::ScreenId;
use mammoscope_storage::atomic_file::write_atomically;

const FILE: &str = "view.json";

/// What was shown last. What a file does not tell, or tells in another version's words, is as at the first start.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct ViewState {
    pub(super) screen: ScreenId,
    pub(super) datasets: DatasetsView,
    pub(super) train: TrainView,
    pub(super) runs: RunsView,
    pub(super) evaluate: EvaluateView,
    pub(super) explain: ExplainView,
}

impl ViewState {
    /// Reads what was saved; anything that cannot be read is as at the first start.
    pub(super) fn read(workspace: &Path) -> Self {
        fs::read(workspace.join(FILE)).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
    }

    /// Saves it.
    pub(super) fn write(&self, workspace: &Path) -> io::Result<()> {
        write_atomically(&workspace.join(FILE), &serde_json::to_vec_pretty(self)?)
    }
}
