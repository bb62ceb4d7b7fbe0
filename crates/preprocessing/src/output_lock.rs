//! The lock of an output folder, which keeps runs and reviews apart.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;

/// The name of the lock in an output folder.
pub(crate) const LOCK: &str = ".preprocess.lock";

/// Locks a folder until the result is dropped; `None` if something else holds the lock. Without locks on its file system,
/// the folder counts as locked: two programs at once are then the user's affair.
pub(crate) fn lock_output(folder: &Path) -> io::Result<Option<File>> {
    let lock = File::create(folder.join(LOCK))?;
    match lock.try_lock() {
        Ok(()) | Err(TryLockError::Error(_)) => Ok(Some(lock)),
        Err(TryLockError::WouldBlock) => Ok(None),
    }
}
