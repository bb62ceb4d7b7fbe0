//! Checks the workspace: its file system, and if trainers can write to it and lock their runs.

use std::fs::TryLockError;
use std::io;
use std::path::Path;

use indicatif::BinaryBytes;

use super::{Check, State};
use mammoscope_domain::text::printable::printable_path;
use mammoscope_storage::file_system::{file_system_name, has_no_locks};
use mammoscope_storage::runs::workspace::Workspace;

/// The check of the workspace that commands would use. Creates nothing that stays.
pub(super) fn check(requested: Option<&Path>) -> Check {
    let workspace = match Workspace::open_to_read(requested) {
        Ok(workspace) => workspace,
        Err(error) => return Check::new("workspace", State::Warning, error.to_string()),
    };
    let path = printable_path(workspace.path());
    if !workspace.path().is_dir() {
        return Check::new("workspace", State::Ok, format!("{path}, which the first training makes"));
    }
    let on = file_system_name(workspace.path()).map_or_else(String::new, |name| format!(" on {name}"));
    let place = format!("{path}{on}");
    match try_lock(workspace.path()) {
        Ok(()) => {
            let free = workspace.free_bytes().map_or_else(String::new, |free| format!(", {} free", BinaryBytes(free)));
            Check::new("workspace", State::Ok, format!("{place}: can be written to, locks work{free}"))
        }
        Err(error) if has_no_locks(&error) => {
            Check::new("workspace", State::Warning, format!("{place}: the file system has no locks ({error})")).advise(
                "trainers keep a lease file instead; to be sure, mount it with locks (Lustre: -o flock, NFS: without \
                 nolock), or choose another with --workspace",
            )
        }
        Err(error) => Check::new("workspace", State::Warning, format!("{place}: cannot be written to: {error}"))
            .advise("runs can be read; to train, choose another with --workspace"),
    }
}

/// Locks a temporary file in a folder.
fn try_lock(folder: &Path) -> io::Result<()> {
    let file = tempfile::Builder::new().prefix(".mammoscope-doctor").tempfile_in(folder)?;
    match file.as_file().try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workspace_is_named_with_its_file_system_and_keeps_nothing_of_the_check() {
        let folder = tempfile::tempdir().unwrap();
        let check = check(Some(folder.path()));
        assert_eq!(check.state, State::Ok, "{check:?}");
        assert!(check.found.contains("locks work"), "{check:?}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        let missing = folder.path().join("none");
        assert!(super::check(Some(&missing)).found.contains("which the first training makes"));
        assert!(!missing.exists());
    }
}
