//! A look at the lock of a run that changes nothing.

use std::fs::{OpenOptions, TryLockError};
use std::io::{self, Read as _};

use super::run_dir::RunDir;
use super::run_lease::RunLease;
use super::run_lock::RunLockError;
use crate::file_system::has_no_locks;

/// Fails like [`RunLock::acquire`](super::run_lock::RunLock::acquire) if a trainer holds the lock of a run or if the lock
/// cannot be examined, but neither creates the file nor writes a holder into it.
pub fn probe_lock(run: &RunDir) -> Result<(), RunLockError> {
    let path = run.lock();
    let failed = |error| RunLockError::Io { path: path.clone(), error };
    // Some network file systems lock only files that are open for writing.
    let opened =
        OpenOptions::new().read(true).write(true).open(&path).or_else(|_| OpenOptions::new().read(true).open(&path));
    let mut file = match opened {
        // A run that was never trained.
        Err(error) if error.kind() == io::ErrorKind::NotFound && run.path().is_dir() => return Ok(()),
        opened => opened.map_err(failed)?,
    };
    // Shared, so that readers do not take each other for a trainer.
    match file.try_lock_shared() {
        Ok(()) => Ok(RunLease::check_free(run)?),
        Err(TryLockError::Error(error)) if has_no_locks(&error) => Ok(RunLease::check_free(run)?),
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let _ = (&mut file).take(256).read_to_string(&mut holder);
            let holder = holder.trim();
            Err(RunLockError::Held { holder: if holder.is_empty() { "unknown" } else { holder }.to_owned() })
        }
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runs::run_lock::RunLock;

    #[test]
    fn looking_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::create(folder.path().join("run")).unwrap();
        probe_lock(&run).expect("never locked");
        assert!(!run.lock().exists());
        let held = RunLock::acquire(&run).unwrap();
        let (by_probe, by_lock) = (probe_lock(&run).unwrap_err(), RunLock::acquire(&run).unwrap_err());
        assert_eq!(by_probe.to_string(), by_lock.to_string());
        drop(held);
        std::fs::write(run.lock(), "of another time\n").unwrap();
        probe_lock(&run).expect("free again");
        assert_eq!(std::fs::read_to_string(run.lock()).unwrap(), "of another time\n");
        RunLock::acquire(&run).expect("the look did not keep it");
        assert!(probe_lock(&RunDir::new(folder.path().join("gone"))).is_err());
    }
}
