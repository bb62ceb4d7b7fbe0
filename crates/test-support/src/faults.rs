//! Faults of the system on demand: a library that is preloaded into the program and its trainers.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{engine, script, skipped, stderr_of};

const SOURCE: &str = include_str!("../shims/faults.c");

/// The numbers of errors, as Linux has them.
pub const EIO: i32 = 5;
pub const ENOSPC: i32 = 28;
pub const EROFS: i32 = 30;
pub const ENOSYS: i32 = 38;
pub const ESTALE: i32 = 116;
pub const EDQUOT: i32 = 122;

/// A compiled library of faults with its switches.
pub struct Faults {
    folder: tempfile::TempDir,
}

impl Faults {
    /// Compiles the library; `None`, with a visible line, where there is no C compiler.
    pub fn new() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("faults.c");
        fs::write(&source, SOURCE).unwrap();
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-O1", "-o"]).arg(folder.path().join("faults.so")).arg(&source).arg("-ldl");
        match compiler.output() {
            Ok(output) if output.status.success() => Some(Self { folder }),
            Ok(output) => panic!("{}", String::from_utf8_lossy(&output.stderr)),
            Err(_) => {
                skipped("faults of the system: there is no C compiler");
                None
            }
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Lets a program and its children have these faults once they are switched on.
    pub fn preload(&self, command: &mut Command) {
        command
            .env("LD_PRELOAD", self.path("faults.so"))
            .env("FAULT_SWITCH", self.path("switch"))
            .env("FAULT_CLOCK", self.path("clock"));
    }

    /// A program that is the engine with these faults, once they are switched on.
    pub fn engine(&self) -> PathBuf {
        let variables = format!(
            "LD_PRELOAD='{}' FAULT_SWITCH='{}' exec '{}' \"$@\"",
            self.path("faults.so").display(),
            self.path("switch").display(),
            engine().display()
        );
        script(&self.path("engine"), &variables)
    }

    /// Lets a program have these faults and be killed before its `call`-th system call that changes a path with this part.
    pub fn kill_before(&self, command: &mut Command, call: u32, part: &str) {
        self.preload(command);
        command.env("FAULT_KILL", format!("{call} {part}"));
    }

    /// From now on writing to paths that contain one of these parts fails with its error number.
    pub fn refuse(&self, faults: &[(i32, &str)]) {
        let lines: Vec<String> = faults.iter().map(|(error, part)| format!("{error} {part}\n")).collect();
        let staged = self.path("switch.new");
        fs::write(&staged, lines.concat()).unwrap();
        fs::rename(staged, self.path("switch")).unwrap();
    }

    /// From now on nothing is refused.
    pub fn relent(&self) {
        let _ = fs::remove_file(self.path("switch"));
    }

    /// Sets the wall clock of the preloaded programs ahead, or back.
    pub fn shift_clock(&self, seconds: i64) {
        fs::write(self.path("clock"), seconds.to_string()).unwrap();
    }
}

/// A copy of a folder with everything in it. Of a run at work, staged files may be gone before they are copied.
pub fn copy_folder(from: &Path, to: &Path) {
    assert!(from.is_dir(), "{}", from.display());
    let output = Command::new("cp").env("LC_ALL", "C").arg("-r").arg(from).arg(to).output().unwrap();
    let message = stderr_of(&output);
    let is_staged_alone = message.lines().all(|line| line.ends_with("No such file or directory"));
    assert!(to.is_dir() && is_staged_alone, "{message}");
}
