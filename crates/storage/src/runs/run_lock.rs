//! The lock of a run directory, which admits one trainer at a time.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::PathBuf;

use super::process_evidence::host_name;
use super::run_dir::RunDir;
use mammoscope_domain::text::printable::{printable, printable_path};

/// The lock of a run, held until it is dropped or the process ends in any way.
#[derive(Debug)]
pub struct RunLock {
    _file: File,
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
    /// Acquires the lock of a run without waiting, and writes the holder into it.
    pub fn acquire(run: &RunDir) -> Result<Self, RunLockError> {
        let path = run.lock();
        let failed = |error| RunLockError::Io { path: path.clone(), error };
        let mut file =
            OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // The holder is written after locking, so it may be missing for a moment.
                let _ = file.take(256).read_to_string(&mut holder);
                let holder = holder.trim();
                let holder = if holder.is_empty() { "unknown" } else { holder }.to_owned();
                return Err(RunLockError::Held { holder });
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let holder = format!("process {} on {}\n", std::process::id(), host_name());
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| file.write_all(holder.as_bytes()))
            .map_err(failed)?;
        Ok(Self { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_process_holds_the_lock_and_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::create(folder.path().join("run")).unwrap();
        let held = RunLock::acquire(&run).unwrap();
        let error = RunLock::acquire(&run).unwrap_err().to_string();
        let expected = format!("another trainer (process {} on {}) holds this run", std::process::id(), host_name());
        assert_eq!(error, expected);
        drop(held);
        RunLock::acquire(&run).expect("free again");
        let gone = RunLock::acquire(&RunDir::new(folder.path().join("gone"))).unwrap_err();
        assert!(gone.to_string().contains("lock"), "{gone}");
    }
}
