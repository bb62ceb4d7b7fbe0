//! The process that holds the lock of a run: the only proof that a process is the run's trainer.
//!
//! A process ID in a file proves nothing: it may belong to another PID namespace (a container), to another host, or to a
//! run that was copied, and numbers are used again. What proves a trainer is that it has this very lock file open, by
//! device and inode, with the lock on it. Source: `proc_pid_fdinfo(5)`.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;

use super::run_dir::RunDir;
use crate::file_system::has_no_locks;

/// The beginning of the names of the programs that train.
const PROGRAM: &str = "mammoscope";

/// The holder of a run's lock, as far as it can be seen from here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockHolder {
    /// This process, by its number in the caller's PID namespace.
    Process(u32),
    /// No process: the run has no trainer, or it is a copy of a run that has one.
    Free,
    /// A process that cannot be seen from here: on another host, in another PID namespace, or of another user.
    Unseen,
}

/// Looks for the holder of a run's lock, first among these processes.
///
/// # Errors
/// If the lock file exists and cannot be examined.
pub fn lock_holder(run: &RunDir, likely: Option<u32>) -> io::Result<LockHolder> {
    let path = run.lock();
    let lock = match fs::metadata(&path) {
        Ok(lock) => lock,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(LockHolder::Free),
        Err(error) => return Err(error),
    };
    let found = likely.into_iter().chain(processes()).find(|pid| holds(*pid, &lock));
    if let Some(pid) = found {
        return Ok(LockHolder::Process(pid));
    }
    match File::open(&path)?.try_lock_shared() {
        Ok(()) => Ok(LockHolder::Free),
        Err(TryLockError::WouldBlock) => Ok(LockHolder::Unseen),
        // Without locks there is no proof.
        Err(TryLockError::Error(error)) if has_no_locks(&error) => Ok(LockHolder::Unseen),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// True if a process has this file open with a lock on it, and is one of the programs that train.
#[cfg(target_os = "linux")]
fn holds(pid: u32, lock: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;

    let process = Path::new("/proc").join(pid.to_string());
    let program = fs::read_link(process.join("exe")).ok();
    let name = program.as_deref().and_then(Path::file_name);
    if pid == std::process::id() || !name.is_some_and(|name| name.to_string_lossy().starts_with(PROGRAM)) {
        return false;
    }
    let Ok(descriptors) = fs::read_dir(process.join("fd")) else { return false };
    descriptors.flatten().any(|descriptor| {
        // By name first: to examine any other open file may take for ever where its server is away.
        let is_a_lock = fs::read_link(descriptor.path()).is_ok_and(|target| target.ends_with("lock"));
        let is_it =
            || fs::metadata(descriptor.path()).is_ok_and(|open| (open.dev(), open.ino()) == (lock.dev(), lock.ino()));
        let is_locked = || {
            let facts = fs::read_to_string(process.join("fdinfo").join(descriptor.file_name())).unwrap_or_default();
            facts.lines().any(|line| line.starts_with("lock:") && line.contains("FLOCK") && line.contains("WRITE"))
        };
        is_a_lock && is_it() && is_locked()
    })
}

#[cfg(not(target_os = "linux"))]
fn holds(_pid: u32, _lock: &fs::Metadata) -> bool {
    false
}

/// The processes that can be seen.
fn processes() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::process::{Child, Command, Stdio};
    use std::time::{Duration, Instant};

    use super::*;
    use crate::runs::run_lock::RunLock;

    /// A process of a program with this name that holds the lock of a run; `None` without `flock`.
    fn holder(run: &RunDir, folder: &Path, name: &str) -> Option<Child> {
        let program = folder.join(name);
        fs::copy("/bin/sleep", &program).expect("a copy of sleep");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("a program");
        // With --no-fork, the program itself has the lock.
        let mut flock = Command::new("flock");
        flock.arg("--no-fork").arg(run.lock()).arg(&program).arg("60").stdout(Stdio::null());
        let Ok(child) = flock.spawn() else {
            eprintln!("skipped: flock is not installed");
            return None;
        };
        let end = Instant::now() + Duration::from_secs(20);
        while RunLock::acquire(run).is_ok() {
            assert!(Instant::now() < end, "the lock is taken");
            std::thread::sleep(Duration::from_millis(5));
        }
        Some(child)
    }

    fn is(run: &RunDir, likely: Option<u32>) -> LockHolder {
        lock_holder(run, likely).expect("a lock that can be examined")
    }

    #[test]
    fn only_the_process_that_holds_this_very_lock_is_the_trainer() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::create(folder.path().join("run")).unwrap();
        assert_eq!(is(&run, None), LockHolder::Free, "there is no lock file yet");
        let Some(mut trainer) = holder(&run, folder.path(), "mammoscope-engine") else { return };
        // The program takes the place of `flock` a moment after the lock was taken.
        let end = Instant::now() + Duration::from_secs(20);
        while is(&run, None) != LockHolder::Process(trainer.id()) {
            assert!(Instant::now() < end, "it is found without its number");
        }
        // A number that belongs to another process is not believed.
        assert_eq!(is(&run, Some(std::process::id())), LockHolder::Process(trainer.id()));
        // A copy has a lock of its own, which no process holds.
        let copy = RunDir::create(folder.path().join("copy")).unwrap();
        fs::copy(run.lock(), copy.lock()).unwrap();
        assert_eq!(is(&copy, Some(trainer.id())), LockHolder::Free);
        trainer.kill().unwrap();
        trainer.wait().unwrap();
        assert_eq!(is(&run, Some(trainer.id())), LockHolder::Free);
        // Another program with the lock is not a trainer.
        let Some(mut other) = holder(&run, folder.path(), "backup") else { return };
        assert_eq!(is(&run, Some(other.id())), LockHolder::Unseen);
        other.kill().unwrap();
        other.wait().unwrap();
    }
}
