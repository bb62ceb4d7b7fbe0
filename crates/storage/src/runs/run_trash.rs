//! Where runs go that nobody wants any more: `<workspace>/trash/`, from which they can be taken back by hand.

use std::fs;
use std::io;
use std::path::PathBuf;

use super::run_dir::RunDir;
use super::workspace::Workspace;

/// Moves a run into the trash of its workspace; gives where it is then. Runs of the same name do not replace each other.
pub fn move_to_trash(workspace: &Workspace, run: &RunDir) -> io::Result<PathBuf> {
    let trash = workspace.path().join("trash");
    fs::create_dir_all(&trash)?;
    let name = run.path().file_name().ok_or(io::ErrorKind::InvalidInput)?;
    for number in 0_u32.. {
        let mut name = name.to_owned();
        if number > 0 {
            name.push(format!(".{number}"));
        }
        let place = trash.join(name);
        if fs::symlink_metadata(&place).is_err() {
            fs::rename(run.path(), &place)?;
            return Ok(place);
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_one_name_lie_beside_each_other() {
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
