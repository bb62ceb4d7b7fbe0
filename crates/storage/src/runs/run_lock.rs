//! The lock of a run directory, which admits one trainer at a time.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use super::process_evidence::host_name;
use super::run_dir::RunDir;
use super::run_lease::{RunLease, RunLeaseError};
use crate::file_system::has_no_locks;
use mammoscope_domain::text::printable::{printable, printable_path};

/// The time in which a lock that is held is tried again: a reader that asks for its state holds it for an instant.
const RETRY_TIME: Duration = Duration::from_millis(200);
const RETRY_INTERVAL: Duration = Duration::from_millis(10);

/// The lock of a run, held until it is dropped or the process ends in any way. On a file system without locks, a lease
/// takes its place.
#[derive(Debug)]
pub struct RunLock {
    _file: Option<File>,
    lease: Option<RunLease>,
    /// The system's words, if the file system has no locks.
    unsupported: Option<String>,
}

/// A lock that could not be acquired.
#[derive(Debug, thiserror::Error)]
pub enum RunLockError {
    /// Another process holds it.
    #[error("another trainer ({}) holds this run", printable(holder))]
    Held {
        /// The process and host of the holder.
        holder: String,
    },
    /// The lock file cannot be opened or locked.
    #[error("lock {}: {error}", printable_path(path))]
    Io { path: PathBuf, error: io::Error },
}

impl RunLock {
    /// Acquires the lock of a run, and writes the holder into it. Does not wait for a trainer to release it. On a file
    /// system without locks it takes some seconds to see that no other trainer renews its lease.
    pub fn acquire(run: &RunDir) -> Result<Self, RunLockError> {
        let path = run.lock();
        let failed = |error| RunLockError::Io { path: path.clone(), error };
        let mut file =
            OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&path).map_err(failed)?;
        let holder = format!("process {} on {}\n", std::process::id(), host_name());
        let start = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if start.elapsed() < RETRY_TIME => thread::sleep(RETRY_INTERVAL),
                Err(TryLockError::WouldBlock) => {
                    let mut holder = String::new();
                    // The holder is written after locking, so it may be missing for a moment.
                    let _ = file.take(256).read_to_string(&mut holder);
                    let holder = holder.trim();
                    let holder = if holder.is_empty() { "unknown" } else { holder }.to_owned();
                    return Err(RunLockError::Held { holder });
                }
                Err(TryLockError::Error(error)) if has_no_locks(&error) => {
                    let lease = Some(acquire_lease(run, &holder)?);
                    return Ok(Self { _file: None, lease, unsupported: Some(error.to_string()) });
                }
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
        }
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| file.write_all(holder.as_bytes()))
            .map_err(failed)?;
        // Left by a trainer on a host on which this file system has no locks, or held by one.
        let lease = if run.lease().exists() { Some(acquire_lease(run, &holder)?) } else { None };
        Ok(Self { _file: Some(file), lease, unsupported: None })
    }

    /// The system's words if the file system has no locks, so that this is a lease.
    #[must_use]
    pub fn unsupported(&self) -> Option<&str> {
        self.unsupported.as_deref()
    }

    /// True if another process has taken over the lease, for example after this one was suspended.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.lease.as_ref().is_some_and(RunLease::is_lost)
    }
}

fn acquire_lease(run: &RunDir, holder: &str) -> Result<RunLease, RunLockError> {
    Ok(RunLease::acquire(run, holder.trim_end())?)
}

impl From<RunLeaseError> for RunLockError {
    fn from(error: RunLeaseError) -> Self {
        match error {
            RunLeaseError::Held { holder } => Self::Held { holder },
            RunLeaseError::Io { path, error } => Self::Io { path, error },
        }
    }
}

/// The state of a run's lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockState {
    /// A process holds it.
    Held,
    /// No process holds it, as far as this machine can see.
    Free,
    /// It was never acquired.
    Never,
}

/// Asks for the state of a run's lock, without changing anything.
///
/// # Errors
/// If the file cannot be opened, or the file system has no locks.
pub fn lock_state(run: &RunDir) -> io::Result<LockState> {
    let file = match File::open(run.lock()) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(LockState::Never),
        Err(error) => return Err(error),
    };
    // Shared, so that readers do not take each other for a trainer.
    match file.try_lock_shared() {
        Ok(()) => Ok(LockState::Free),
        Err(TryLockError::WouldBlock) => Ok(LockState::Held),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_process_holds_the_lock_and_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::create(folder.path().join("run")).unwrap();
        assert_eq!(lock_state(&run).unwrap(), LockState::Never);
        let held = RunLock::acquire(&run).unwrap();
        assert_eq!(lock_state(&run).unwrap(), LockState::Held);
        assert!(held.unsupported().is_none() && !held.is_lost());
        let error = RunLock::acquire(&run).unwrap_err().to_string();
        let expected = format!("another trainer (process {} on {}) holds this run", std::process::id(), host_name());
        assert_eq!(error, expected);
        drop(held);
        assert_eq!(lock_state(&run).unwrap(), LockState::Free);
        RunLock::acquire(&run).expect("free again");
        let gone = RunLock::acquire(&RunDir::new(folder.path().join("gone"))).unwrap_err();
        assert!(gone.to_string().contains("lock"), "{gone}");
    }

    #[test]
    fn asking_for_the_state_keeps_no_trainer_away() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::create(folder.path().join("run")).unwrap();
        drop(RunLock::acquire(&run).unwrap());
        let asked = File::open(run.lock()).unwrap();
        asked.try_lock_shared().unwrap();
        thread::scope(|scope| {
            scope.spawn(|| {
                thread::sleep(RETRY_INTERVAL);
                drop(asked);
            });
            RunLock::acquire(&run).expect("it is tried again");
        });
    }
}
