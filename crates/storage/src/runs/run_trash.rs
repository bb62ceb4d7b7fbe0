//! The trash of a workspace, `<workspace>/trash/`, from which runs can be restored by hand.

use std::fs;
use std::io;
use std::path::PathBuf;

use super::run_dir::RunDir;
use super::workspace::Workspace;

/// Moves a run into the trash of its workspace and returns its new path. Runs of the same name do not replace each
/// other.
pub fn move_to_trash(workspace: &Workspace, run: &RunDir) -> io::Result<PathBuf> {
    let trash = workspace.path().join("trash");
    fs::create_dir_all(&trash)?;
    let name = run.path().file_name().ok_or(io::ErrorKind::InvalidInput)?;
    for number in 0_u32.. {
        let mut name = name.to_owned();
        if number > 0 {
            name.push(format!(".{number}"));
        }
        let target = trash.join(name);
        if fs::symlink_metadata(&target).is_err() {
            fs::rename(run.path(), &target)?;
            return Ok(target);
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_the_same_name_are_kept_side_by_side() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace::open(Some(folder.path())).unwrap();
        for expected in ["run", "run.1"] {
            let run = RunDir::create(workspace.runs().join("run")).unwrap();
            fs::write(run.events(), expected).unwrap();
            let place = move_to_trash(&workspace, &run).unwrap();
            assert_eq!(place, folder.path().join("trash").join(expected));
            assert_eq!(fs::read_to_string(place.join("events.jsonl")).unwrap(), expected);
            assert!(!run.path().exists());
        }
    }
}
