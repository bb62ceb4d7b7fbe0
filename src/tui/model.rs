//! What all screens share.

use std::path::PathBuf;

use chrono::{DateTime, Utc};

use super::theme::Theme;
use crate::terminal::graphics::GraphicsFacts;
use crate::tui::protocol::machine_sample::MachineSample;
use crate::tui::protocol::run_list::RunList;

/// What all screens share. Screens keep cursors and scroll positions only.
#[derive(Debug)]
pub(super) struct Model {
    /// The workspace's folder, absolute.
    pub(super) workspace: PathBuf,
    /// When the last message came.
    pub(super) now: DateTime<Utc>,
    /// How things look.
    pub(super) theme: Theme,
    /// How pictures are drawn.
    pub(super) graphics: GraphicsFacts,
    /// How busy this machine is.
    pub(super) machine: MachineSample,
    /// The runs of the workspace.
    pub(super) runs: RunList,
}
