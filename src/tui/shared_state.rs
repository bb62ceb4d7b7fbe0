//! The state that all screens share.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use super::theme::Theme;
use crate::settings::Settings;
use crate::terminal::graphics::GraphicsFacts;
use crate::tui::protocol::jobs::JobList;
use crate::tui::protocol::machine_sample::MachineSample;
use crate::tui::protocol::run_list::RunList;
use crate::tui::protocol::verb::KeyMap;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_imaging::intensity_window::WindowChoice;

/// The state that all screens share. The screens themselves keep only cursors, scroll positions and the like.
#[derive(Debug)]
pub(super) struct SharedState {
    /// Absolute.
    pub(super) workspace: PathBuf,
    /// The user's home folder, which shown paths abbreviate to `~`.
    pub(super) home: Option<PathBuf>,
    /// The time of the last message.
    pub(super) now: DateTime<Utc>,
    pub(super) theme: Theme,
    pub(super) keymap: KeyMap,
    pub(super) graphics: GraphicsFacts,
    pub(super) machine: MachineSample,
    pub(super) runs: RunList,
    pub(super) jobs: JobList,
    /// The grey window of all pictures of images as they are stored.
    pub(super) window: WindowChoice,
    pub(super) settings: Settings,
}

impl SharedState {
    /// A path, safe to print; `~` for the home folder.
    pub(super) fn shown_path(&self, path: &Path) -> String {
        let below = self.home.as_deref().filter(|home| home.parent().is_some()).map(|home| path.strip_prefix(home));
        match below {
            Some(Ok(rest)) if rest.as_os_str().is_empty() => "~".to_owned(),
            Some(Ok(rest)) => format!("~/{}", printable_path(rest)),
            _ => printable_path(path),
        }
    }
}
