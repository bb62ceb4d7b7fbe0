//! The saved state of the screens, `view.json` in the workspace.

use std::path::Path;
use std::{fs, io};

use serde::{Deserialize, Serialize};

use crate::tui::protocol::screen_id::ScreenId;
use crate::tui::protocol::screen_table::for_each_screen;
use mammoscope_imaging::intensity_window::WindowChoice;
use mammoscope_storage::atomic_file::write_atomically;

const FILE: &str = "view.json";

macro_rules! define_view_state {
    ($($module:ident: $Name:ident $key:literal $go:literal,
        $Screen:ident $View:ident $Action:ident $Effect:ident $Message:ident $Service:ident;)*) => {
        /// The state of the screens when the workbench was left. Values that a file lacks take their defaults.
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
        #[serde(default)]
        pub(super) struct ViewState {
            pub(super) screen: ScreenId,
            /// The grey window of all pictures.
            pub(super) window: WindowChoice,
            $(pub(super) $module: crate::tui::screens::$module::$View,)*
        }
    };
}

for_each_screen!(define_view_state);

impl ViewState {
    /// Reads the saved state; returns the default if it cannot be read.
    pub(super) fn read(workspace: &Path) -> Self {
        fs::read(workspace.join(FILE)).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
    }

    pub(super) fn write(&self, workspace: &Path) -> io::Result<()> {
        write_atomically(&workspace.join(FILE), &serde_json::to_vec_pretty(self)?)
    }
}
