//! The command that a user has run at events of training runs: that of a run, or that of its workspace.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::run_dir::RunDir;
use crate::regular_file::read_regular_file;
use mammoscope_domain::run::run_spec::RunSpec;
use mammoscope_domain::text::printable::{printable, printable_path};

/// The largest `config.toml` that is read.
const LIMIT: u64 = 1 << 18;

/// The command of a run or of its workspace that is not run, with the reason.
#[derive(Debug, thiserror::Error)]
pub enum EventCommandError {
    /// Another user could have written the command.
    #[error(
        "the command for events in {} is not run: the file belongs to another user, or others may write to it",
        printable_path(.0)
    )]
    NotOwn(PathBuf),
    #[error("no command for events: {}: {reason}", printable_path(path))]
    Invalid { path: PathBuf, reason: String },
}

/// The contents of a workspace's `config.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct WorkspaceConfig {
    on_event: Option<String>,
}

/// The command of a run, otherwise that of its workspace's `config.toml`; `None` if there is neither. Only a file that no
/// other user could have written counts, since the command is run with the rights of this user.
pub fn event_command(run: &RunDir, spec: &RunSpec) -> Result<Option<String>, EventCommandError> {
    if let Some(command) = &spec.on_event {
        check_owner(&run.spec())?;
        return Ok(Some(command.clone()));
    }
    let Some(path) = run.workspace().map(|workspace| workspace.join("config.toml")) else { return Ok(None) };
    let invalid = |reason: &dyn ToString| EventCommandError::Invalid {
        path: path.clone(),
        reason: printable(reason.to_string().lines().next().unwrap_or_default()),
    };
    let bytes = match read_regular_file(&path, LIMIT) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(invalid(&error)),
    };
    let text = std::str::from_utf8(&bytes).map_err(|error| invalid(&error))?;
    let config: WorkspaceConfig = toml::from_str(text).map_err(|error| invalid(&error.message()))?;
    if config.on_event.is_some() {
        check_owner(&path)?;
    }
    Ok(config.on_event)
}

fn check_owner(path: &Path) -> Result<(), EventCommandError> {
    use std::os::unix::fs::MetadataExt as _;

    let own = rustix::process::geteuid().as_raw();
    let is_own = fs::metadata(path).is_ok_and(|facts| {
        // A group of one's own is usual, and may write; everyone else may not.
        (facts.uid() == own || facts.uid() == 0) && facts.mode() & 0o002 == 0
    });
    if is_own { Ok(()) } else { Err(EventCommandError::NotOwn(path.to_owned())) }
}
