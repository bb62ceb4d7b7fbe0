//! The workspace folder with its runs and cache, and the names of runs.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Local, Utc};

use super::run_dir::RunDir;
use mammoscope_domain::subject::view::View;
use mammoscope_domain::text::printable::printable_path;

/// The default workspace in the current directory, if it exists.
pub const LOCAL_WORKSPACE: &str = "workspace";
/// The format of times in names, which sorts chronologically and is valid on every file system.
const TIME_IN_NAMES: &str = "%Y-%m-%dT%H-%M-%S";
/// The longest label of a run in characters, to keep names within the limits of file systems.
const MAX_LABEL: usize = 64;

/// An existing folder with runs and a cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workspace(PathBuf);

/// A workspace that cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum WorkspaceError {
    /// The system has no folder for user data.
    #[error("no folder for the workspace: neither XDG_DATA_HOME nor HOME is set; give --workspace DIR")]
    NoPlace,
    /// The folder cannot be created.
    #[error("create the workspace {}: {error}; choose another with --workspace DIR", printable_path(path))]
    Make { path: PathBuf, error: io::Error },
}

impl Workspace {
    /// Opens the requested workspace, otherwise `./workspace` if that exists, otherwise `mammoscope` in the user's data
    /// directory. A missing workspace is created.
    pub fn open(requested: Option<&Path>) -> Result<Self, WorkspaceError> {
        let path = requested.map(Path::to_owned).or_else(usual_path).ok_or(WorkspaceError::NoPlace)?;
        // Absolute, because a trainer changes its working directory.
        let path = std::path::absolute(&path).unwrap_or(path);
        let runs = path.join("runs");
        fs::create_dir_all(&runs)
            .or_else(|error| if runs.is_dir() { Ok(()) } else { Err(error) })
            .map_err(|error| WorkspaceError::Make { path: path.clone(), error })?;
        Ok(Self(path))
    }

    /// Finds the workspace that [`Workspace::open`] opens, to read what is in it: nothing is created, and a workspace that
    /// does not exist has no runs.
    pub fn open_to_read(requested: Option<&Path>) -> Result<Self, WorkspaceError> {
        let path = requested.map(Path::to_owned).or_else(usual_path).ok_or(WorkspaceError::NoPlace)?;
        Ok(Self(std::path::absolute(&path).unwrap_or(path)))
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// True if [`Workspace::open`] opens this workspace for this request, in the current folder.
    #[must_use]
    pub fn is_opened_by(&self, requested: Option<&Path>) -> bool {
        let path = requested.map(Path::to_owned).or_else(usual_path);
        path.and_then(|path| std::path::absolute(path).ok()).is_some_and(|path| path == self.0)
    }

    /// Returns the folder of the runs.
    #[must_use]
    pub fn runs(&self) -> PathBuf {
        self.0.join("runs")
    }

    /// Returns the folder of the studies, which may not exist.
    #[must_use]
    pub fn studies(&self) -> PathBuf {
        self.0.join("studies")
    }

    /// Returns the folder of a study, which may not exist.
    #[must_use]
    pub fn study(&self, id: &str) -> PathBuf {
        self.studies().join(id)
    }

    /// Returns the cache folder, whose contents can be recomputed. The folder may not exist.
    #[must_use]
    pub fn cache(&self) -> PathBuf {
        self.0.join("cache")
    }

    /// Returns the bytes available to this user on the workspace's disk; `None` if the system does not report them.
    #[must_use]
    pub fn free_bytes(&self) -> Option<u64> {
        let facts = rustix::fs::statvfs(&self.0).ok()?;
        facts.f_bavail.checked_mul(facts.f_frsize)
    }

    /// Creates the directory of a new run, `<local time>_<view>_<label>`. The label is the preset's name, or the name
    /// given by the user. A taken name gets a suffix `-2`, `-3`, …
    pub fn create_run(&self, time: DateTime<Utc>, view: View, label: &str) -> io::Result<RunDir> {
        let name = run_name(time, view, label);
        let mut path = self.runs().join(&name);
        for number in 2_u32.. {
            match RunDir::create(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    path = self.runs().join(format!("{name}-{number}"));
                }
                made => return made,
            }
        }
        unreachable!("no folder has four billion runs of one second")
    }
}

/// Returns the name of a run in local time, such as `2026-11-23T10-15-02_CC_R_seed`; it may be taken.
#[must_use]
pub fn run_name(time: DateTime<Utc>, view: View, label: &str) -> String {
    format!("{}_{view}_{}", local_time(time), name_part(label))
}

/// Returns a new id for a group or a study, such as `2026-11-23T10-15-02_seed_7f3a`. The last part is random, to
/// distinguish those made in the same second.
#[must_use]
pub fn new_group_id(time: DateTime<Utc>, label: &str) -> String {
    format!("{}_{}_{:04x}", local_time(time), name_part(label), rand::random::<u16>())
}

/// The workspace that is used if none is requested; `None` if the system has no folder for user data.
fn usual_path() -> Option<PathBuf> {
    let local = PathBuf::from(LOCAL_WORKSPACE);
    if local.is_dir() { Some(local) } else { Some(user_data()?.join("mammoscope")) }
}

fn local_time(time: DateTime<Utc>) -> String {
    time.with_timezone(&Local).format(TIME_IN_NAMES).to_string()
}

/// Makes a text a part of a file name: letters, digits, `.`, `+`, `-` and `_` stay, anything else becomes `-`.
fn name_part(text: &str) -> String {
    let kept = |character: char| character.is_alphanumeric() || ['.', '+', '-', '_'].contains(&character);
    let part: String =
        text.trim().chars().map(|character| if kept(character) { character } else { '-' }).take(MAX_LABEL).collect();
    if part.is_empty() { "run".to_owned() } else { part }
}

/// The folder for the user's data of all programs; `None` if the environment names neither it nor a home folder.
#[must_use]
pub fn user_data() -> Option<PathBuf> {
    user_data_folder(env::var_os("XDG_DATA_HOME").map(PathBuf::from), env::home_dir())
}

/// Returns the folder for user data: `XDG_DATA_HOME` if it is absolute, as its specification requires, otherwise
/// `~/.local/share`.
fn user_data_folder(xdg: Option<PathBuf>, home: Option<PathBuf>) -> Option<PathBuf> {
    xdg.filter(|path| path.is_absolute())
        .or_else(|| home.filter(|home| home.is_absolute()).map(|home| home.join(".local/share")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_file_names_and_taken_ones_get_a_number() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace::open(Some(&folder.path().join("new/workspace"))).unwrap();
        let time = DateTime::from_timestamp(1_795_000_000, 0).unwrap();
        let first = workspace.create_run(time, View::CcR, "seed").unwrap();
        let second = workspace.create_run(time, View::CcR, "seed").unwrap();
        let third = workspace.create_run(time, View::CcR, "seed").unwrap();
        assert!(first.name().ends_with("_CC_R_seed"), "{}", first.name());
        assert_eq!(second.name(), format!("{}-2", first.name()));
        assert_eq!(third.name(), format!("{}-3", first.name()));
        assert!(first.requests().is_dir() && first.checkpoints().is_dir());

        for hostile in ["../../etc", "a/b", "", "  ", "line\nbreak", &"x".repeat(500)] {
            let run = workspace.create_run(time, View::MloL, hostile).unwrap();
            assert_eq!(run.path().parent(), Some(workspace.runs().as_path()), "{hostile:?}");
        }
        assert!(run_name(time, View::MloL, "ward 3/Größe").ends_with("_MLO_L_ward-3-Größe"));
        assert_ne!(
            run_name(time, View::CcR, "seed"),
            run_name(time + chrono::TimeDelta::seconds(1), View::CcR, "seed")
        );
    }

    #[test]
    fn reading_creates_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("workspace");
        let workspace = Workspace::open_to_read(Some(&path)).unwrap();
        assert!(crate::runs::run_catalog::list_any_runs(&workspace).unwrap().is_empty());
        assert!(!path.exists());
        assert_eq!(Workspace::open(Some(&path)).unwrap(), workspace);
    }

    #[test]
    fn a_file_in_the_way_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, b"").unwrap();
        let error = Workspace::open(Some(&file)).unwrap_err().to_string();
        assert!(error.contains("file") && error.contains("--workspace"), "{error}");
    }

    #[test]
    fn the_users_data_directory() {
        let (xdg, home) = (Some(PathBuf::from("/data")), Some(PathBuf::from("/users/ada")));
        assert_eq!(user_data_folder(xdg.clone(), home.clone()), xdg);
        assert_eq!(user_data_folder(None, home.clone()), Some("/users/ada/.local/share".into()));
        assert_eq!(user_data_folder(Some("relative".into()), home.clone()), Some("/users/ada/.local/share".into()));
        assert_eq!(user_data_folder(Some(PathBuf::new()), None), None);
    }
}
