//! The files of a user: where the settings are read from, and where the workbench remembers its first start.

use std::env;
use std::path::{Path, PathBuf};

/// The variable that names another file of settings.
pub(crate) const CONFIG_VARIABLE: &str = "MAMMOSCOPE_CONFIG";

/// A file of settings, which may not exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SettingsPlace {
    /// Absolute.
    pub(crate) path: PathBuf,
    /// True if `MAMMOSCOPE_CONFIG` names the file, which must exist then.
    pub(crate) is_named: bool,
}

impl SettingsPlace {
    /// The user's file; `None` if there is no folder for it, or `MAMMOSCOPE_CONFIG` is set to nothing.
    pub(crate) fn of_user() -> Option<Self> {
        let named = env::var_os(CONFIG_VARIABLE).map(PathBuf::from);
        Self::of(named, env::var_os("XDG_CONFIG_HOME").map(PathBuf::from), env::home_dir())
    }

    fn of(named: Option<PathBuf>, xdg: Option<PathBuf>, home: Option<PathBuf>) -> Option<Self> {
        match named {
            Some(named) if named.as_os_str().is_empty() => None,
            Some(named) => {
                let path = std::path::absolute(&named).unwrap_or(named);
                Some(Self { path, is_named: true })
            }
            None => {
                let path = user_folder(xdg, home, ".config")?.join("mammoscope/config.toml");
                Some(Self { path, is_named: false })
            }
        }
    }
}

/// The file whose presence means that this user has seen the tour; `None` if there is no folder for it.
pub(crate) fn tour_marker() -> Option<PathBuf> {
    marker(env::var_os("XDG_STATE_HOME").map(PathBuf::from), env::home_dir())
}

fn marker(xdg: Option<PathBuf>, home: Option<PathBuf>) -> Option<PathBuf> {
    Some(user_folder(xdg, home, ".local/state")?.join("mammoscope/tour_seen"))
}

/// A base directory of the user: the XDG variable's if it is absolute, as its specification requires, otherwise a folder
/// of the home.
fn user_folder(xdg: Option<PathBuf>, home: Option<PathBuf>, usual: &str) -> Option<PathBuf> {
    let is_absolute = |path: &PathBuf| Path::is_absolute(path);
    xdg.filter(is_absolute).or_else(|| home.filter(is_absolute).map(|home| home.join(usual)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> PathBuf {
        PathBuf::from(text)
    }

    #[test]
    fn the_settings_are_named_or_in_the_users_folder() {
        let of = |named, xdg, home| SettingsPlace::of(named, xdg, home).map(|place| (place.path, place.is_named));
        let usual = Some(("/users/ada/.config/mammoscope/config.toml".into(), false));
        assert_eq!(of(None, None, Some(path("/users/ada"))), usual);
        assert_eq!(of(None, Some(path("relative")), Some(path("/users/ada"))), usual);
        assert_eq!(
            of(None, Some(path("/etc/ada")), Some(path("/users/ada"))),
            Some(("/etc/ada/mammoscope/config.toml".into(), false))
        );
        assert_eq!(
            of(Some(path("/etc/mine.toml")), Some(path("/etc/ada")), None),
            Some(("/etc/mine.toml".into(), true))
        );
        assert_eq!(
            of(Some(path("")), Some(path("/etc/ada")), Some(path("/users/ada"))),
            None,
            "an empty name means no file"
        );
        assert_eq!(of(None, None, None), None);
    }

    #[test]
    fn the_marker_of_the_tour_is_in_the_users_state() {
        assert_eq!(marker(None, Some(path("/users/ada"))), Some(path("/users/ada/.local/state/mammoscope/tour_seen")));
        assert_eq!(
            marker(Some(path("/var/ada")), Some(path("/users/ada"))),
            Some(path("/var/ada/mammoscope/tour_seen"))
        );
        assert_eq!(marker(Some(path("state")), None), None);
    }
}
