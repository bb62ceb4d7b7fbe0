//! Finds the engine's executable.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use mammoscope_domain::text::printable::printable_path;

/// The environment variable that holds the path of the engine.
pub const ENGINE_VARIABLE: &str = "MAMMOSCOPE_ENGINE";

/// The file name of the engine.
pub const ENGINE_NAME: &str = "mammoscope-engine";

/// The engine's executable, and how it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineLocation {
    pub path: PathBuf,
    pub found_by: FoundBy,
}

/// The origin of the engine's path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FoundBy {
    /// Named by the environment variable [`ENGINE_VARIABLE`].
    Variable,
    /// Found beside this program.
    BesideThisProgram,
}

/// The engine was not found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EngineNotFound {
    /// The variable names no file.
    #[error("{ENGINE_VARIABLE} is set to {}, which is not a file", printable_path(.0))]
    NotAFile(PathBuf),
    /// The variable is not set, and there is no engine beside this program.
    #[error(
        "no engine beside this program ({}): build it there with `cargo xtask setup` and `cargo build --release`, or \
         set {ENGINE_VARIABLE} to its path",
        printable_path(.0)
    )]
    NotBesideThisProgram(PathBuf),
}

/// Finds the engine: the file that `MAMMOSCOPE_ENGINE` names, otherwise `mammoscope-engine` beside this program.
pub fn locate_engine() -> Result<EngineLocation, EngineNotFound> {
    // Without a path of this program no engine is found, and the error shows the bare name.
    let program = env::current_exe().unwrap_or_default();
    locate(env::var_os(ENGINE_VARIABLE), &program)
}

fn locate(variable: Option<OsString>, program: &Path) -> Result<EngineLocation, EngineNotFound> {
    if let Some(named) = variable.filter(|value| !value.is_empty()) {
        let path = PathBuf::from(named);
        return if path.is_file() {
            Ok(EngineLocation { path, found_by: FoundBy::Variable })
        } else {
            Err(EngineNotFound::NotAFile(path))
        };
    }
    // A link to the program, say in ~/bin, leads to the folder that holds both.
    let real = program.canonicalize().unwrap_or_else(|_| program.to_owned());
    let path = real.with_file_name(ENGINE_NAME);
    if path.is_file() {
        Ok(EngineLocation { path, found_by: FoundBy::BesideThisProgram })
    } else {
        Err(EngineNotFound::NotBesideThisProgram(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_wins_over_the_neighbour() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("mammoscope");
        let neighbour = folder.path().join(ENGINE_NAME);
        let other = folder.path().join("other engine");
        assert_eq!(locate(None, &program), Err(EngineNotFound::NotBesideThisProgram(neighbour.clone())));
        std::fs::write(&neighbour, b"").unwrap();
        std::fs::write(&other, b"").unwrap();
        let beside = EngineLocation { path: neighbour, found_by: FoundBy::BesideThisProgram };
        assert_eq!(locate(None, &program), Ok(beside.clone()));
        assert_eq!(locate(Some(OsString::new()), &program), Ok(beside), "an empty variable counts as unset");
        let named = locate(Some(other.clone().into()), &program);
        assert_eq!(named, Ok(EngineLocation { path: other, found_by: FoundBy::Variable }));
    }

    #[test]
    fn a_wrong_variable_is_an_error_even_with_a_neighbour() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(ENGINE_NAME), b"").unwrap();
        let wrong = folder.path().join("gone");
        let found = locate(Some(wrong.clone().into()), &folder.path().join("mammoscope"));
        assert_eq!(found, Err(EngineNotFound::NotAFile(wrong)));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_the_program_leads_to_its_neighbour() {
        let folder = tempfile::tempdir().unwrap();
        let installed = folder.path().canonicalize().unwrap().join("installed");
        std::fs::create_dir(&installed).unwrap();
        std::fs::write(installed.join("mammoscope"), b"").unwrap();
        std::fs::write(installed.join(ENGINE_NAME), b"").unwrap();
        let link = folder.path().join("mammoscope");
        std::os::unix::fs::symlink(installed.join("mammoscope"), &link).unwrap();
        assert_eq!(locate(None, &link).map(|found| found.path), Ok(installed.join(ENGINE_NAME)));
    }
}
