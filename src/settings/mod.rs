//! The user's settings: the file `config.toml`, what it may contain, and where each value comes from.

mod places;
mod reading;
mod rows;

use std::path::{Path, PathBuf};

use crate::terminal::input::Key;
use mammoscope_domain::text::printable::printable_path;

pub(crate) use places::{SettingsPlace, tour_marker};
pub(crate) use reading::read_settings;
pub(crate) use rows::SettingRow;

/// The names of the settings that can change during a session.
const THEME: &str = "theme";
const MOUSE: &str = "mouse";

/// The first file of settings, to be edited.
pub(crate) const TEMPLATE: &str = include_str!("template.toml");

/// A choice between values that have a name in the file.
macro_rules! define_choice {
    ($(#[$about:meta])* $Name:ident { $($(#[$what:meta])* $Value:ident = $text:literal,)* }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub(crate) enum $Name {
            $($(#[$what])* $Value,)*
        }

        impl $Name {
            /// All values, in the order of the documentation.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$Value),*];

            /// The name in the file.
            pub(crate) const fn name(self) -> &'static str {
                match self {
                    $(Self::$Value => $text,)*
                }
            }
        }
    };
}

define_choice! {
    /// The colours of the workbench.
    ThemeChoice {
        /// Those for the background that the terminal reports.
        #[default]
        Auto = "auto",
        Light = "light",
        Dark = "dark",
    }
}

define_choice! {
    /// The signal to the terminal when a training run ends, is paused by a fault, or goes stale.
    RunEndSignal {
        #[default]
        Off = "off",
        /// The bell: most terminals mark their window or tab.
        Bell = "bell",
        /// A desktop notification, by the protocol of the terminal; the bell if it has none.
        Terminal = "terminal",
        /// A desktop notification of `iTerm2`, `WezTerm`, Ghostty, `ConEmu` and Windows Terminal.
        Osc9 = "osc9",
        /// A desktop notification of kitty.
        Osc99 = "osc99",
        /// A desktop notification of foot, urxvt, `WezTerm` and Ghostty.
        Osc777 = "osc777",
    }
}

/// The keys of a verb that replace its usual ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct VerbKeys {
    /// The verb's name as written; it may be unknown.
    pub(crate) verb: String,
    /// Empty if the verb has no key.
    pub(crate) keys: Vec<Key>,
    /// The line in the file, counted from 1.
    pub(crate) line: usize,
}

/// Where a setting comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// This line of the file, counted from 1.
    Line(usize),
    /// An option of the command line.
    CommandLine,
    /// A command of this session.
    Session,
}

/// The settings of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The file they were read from, which may not exist; `None` if the user has no folder for settings.
    pub(crate) place: Option<SettingsPlace>,
    pub(crate) theme: ThemeChoice,
    pub(crate) mouse: bool,
    pub(crate) run_end: RunEndSignal,
    /// The workspace where neither the command line nor the current folder has one; absolute.
    pub(crate) workspace: Option<PathBuf>,
    /// In the order of the file.
    pub(crate) keys: Vec<VerbKeys>,
    /// The settings that do not have their defaults, by name, each with its origin.
    pub(crate) given: Vec<(&'static str, Origin)>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            place: None,
            theme: ThemeChoice::default(),
            mouse: true,
            run_end: RunEndSignal::default(),
            workspace: None,
            keys: Vec::new(),
            given: Vec::new(),
        }
    }
}

/// Settings that cannot be used. The text is one line with the file and the line in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{}: {reason}", printable_path(path), line.map(|line| format!(", line {line}")).unwrap_or_default())]
pub struct SettingsError {
    pub(crate) path: PathBuf,
    /// Counted from 1.
    pub(crate) line: Option<usize>,
    /// The problem, and the remedy; safe to print.
    pub(crate) reason: String,
}

impl Settings {
    /// The settings of a user without a file.
    pub(crate) fn of_place(place: SettingsPlace) -> Self {
        Self { place: Some(place), ..Self::default() }
    }

    /// Takes another theme.
    pub(crate) fn choose_theme(&mut self, theme: ThemeChoice, origin: Origin) {
        self.theme = theme;
        self.note_origin(THEME, origin);
    }

    /// Takes the mouse, or leaves it to the terminal.
    pub(crate) fn choose_mouse(&mut self, mouse: bool, origin: Origin) {
        self.mouse = mouse;
        self.note_origin(MOUSE, origin);
    }

    fn note_origin(&mut self, name: &'static str, origin: Origin) {
        self.given.retain(|(other, _)| *other != name);
        self.given.push((name, origin));
    }

    /// An error about a line of the file that these settings were read from.
    pub(crate) fn error_at(&self, line: usize, reason: impl Into<String>) -> SettingsError {
        let path = self.place.as_ref().map_or_else(PathBuf::new, |place| place.path.clone());
        SettingsError { path, line: Some(line), reason: reason.into() }
    }

    /// The workspace to use if the command line names none: that of the settings, unless the current folder has one.
    pub(crate) fn default_workspace(&self) -> Option<&Path> {
        let workspace = self.workspace.as_deref()?;
        let is_local = Path::new(mammoscope_storage::runs::workspace::LOCAL_WORKSPACE).is_dir();
        (!is_local).then_some(workspace)
    }
}
