//! The lease of a run directory, in place of the lock where the file system has none: a file that its holder renews.
//!
//! A lease that changes between two looks is held; one that does not is taken over. Only the reader's own clock counts.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::run_dir::RunDir;
use crate::atomic_file::write_atomically;
use crate::regular_file::read_regular_file;

/// The interval between renewals.
const RENEWAL: Duration = Duration::from_secs(1);
/// The time in which an existing lease has to be renewed if it is held.
const WATCH: Duration = Duration::from_secs(6);
/// The time after which a lease that was taken must still be the own one. Longer than any wait between the last look at
/// the old lease and the writing of the new one.
const SETTLING: Duration = Duration::from_secs(2);
const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// The largest lease that is read.
const MAX_BYTES: u64 = 4096;

/// The contents of a lease.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Contents {
    holder: String,
    /// Different for each holder.
    token: u64,
    /// Counts the renewals.
    renewals: u64,
}

/// A lease that this process holds and renews until it is dropped.
#[derive(Debug)]
pub(super) struct RunLease {
    is_lost: Arc<AtomicBool>,
    /// Ends the renewing thread when it is dropped.
    end: Option<Sender<()>>,
    renewing: Option<JoinHandle<()>>,
}

/// A lease that could not be acquired.
#[derive(Debug)]
pub(super) enum RunLeaseError {
    /// Another process renews it.
    Held {
        holder: String,
    },
    Io {
        path: PathBuf,
        error: io::Error,
    },
}

impl RunLease {
    /// Fails if a process renews the lease of a run; if there is one, that takes some seconds to see. Changes nothing.
    pub(super) fn check_free(run: &RunDir) -> Result<(), RunLeaseError> {
        let path = run.lease();
        let failed = |error| RunLeaseError::Io { path: path.clone(), error };
        let Some(before) = read(&path).map_err(failed)? else { return Ok(()) };
        let start = Instant::now();
        while start.elapsed() < WATCH {
            thread::sleep(POLL_INTERVAL);
            match read(&path).map_err(failed)? {
                Some(now) if now != before => return Err(RunLeaseError::Held { holder: now.holder }),
                // Its holder has just given it back.
                None => break,
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// Acquires the lease of a run, after a look that lasts for some seconds if there is one already.
    pub(super) fn acquire(run: &RunDir, holder: &str) -> Result<Self, RunLeaseError> {
        let path = run.lease();
        let failed = |error| RunLeaseError::Io { path: path.clone(), error };
        Self::check_free(run)?;
        let token = rand::random();
        let mut own = Contents { holder: holder.to_owned(), token, renewals: 0 };
        write(&path, &own).map_err(failed)?;
        thread::sleep(SETTLING);
        match read(&path).map_err(failed)? {
            Some(now) if now.token == token => {}
            Some(now) => return Err(RunLeaseError::Held { holder: now.holder }),
            None => return Err(RunLeaseError::Held { holder: "unknown".to_owned() }),
        }
        let is_lost = Arc::new(AtomicBool::new(false));
        let (end, ended) = channel::<()>();
        let lost = Arc::clone(&is_lost);
        let renewing = thread::spawn(move || {
            while ended.recv_timeout(RENEWAL) == Err(RecvTimeoutError::Timeout) {
                match read(&path) {
                    Ok(Some(now)) if now.token != token => {
                        lost.store(true, Ordering::Release);
                        return;
                    }
                    // A passing fault: it is renewed a moment later.
                    Err(_) => continue,
                    Ok(_) => {}
                }
                own.renewals += 1;
                let _ = write(&path, &own);
            }
            if read(&path).is_ok_and(|now| now.is_some_and(|now| now.token == token)) {
                let _ = std::fs::remove_file(&path);
            }
        });
        Ok(Self { is_lost, end: Some(end), renewing: Some(renewing) })
    }

    /// True if another process has taken it over.
    pub(super) fn is_lost(&self) -> bool {
        self.is_lost.load(Ordering::Acquire)
    }
}

impl Drop for RunLease {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(renewing) = self.renewing.take() {
            let _ = renewing.join();
        }
    }
}

/// The contents of a lease; `None` if there is none, or one that is damaged, which no process can renew.
fn read(path: &Path) -> io::Result<Option<Contents>> {
    match read_regular_file(path, MAX_BYTES) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn write(path: &Path, contents: &Contents) -> io::Result<()> {
    write_atomically(path, &serde_json::to_vec(contents)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_held_while_it_is_renewed_and_taken_over_after_that() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::create(folder.path().join("run")).unwrap();
        let held = RunLease::acquire(&run, "process 1 on here").expect("a free lease");
        match RunLease::acquire(&run, "process 2 on there") {
            Err(RunLeaseError::Held { holder }) => assert_eq!(holder, "process 1 on here"),
            other => panic!("{other:?}"),
        }
        let left = std::fs::read(run.lease()).unwrap();
        drop(held);
        assert!(!run.lease().exists());
        // Left by a process that was killed, it does not change any more.
        std::fs::write(run.lease(), left).unwrap();
        let taken = RunLease::acquire(&run, "process 3 on here").expect("a lease that is not renewed");
        assert!(!taken.is_lost());
        // Taken over while its holder was suspended.
        let other = Contents { holder: "process 4 on there".to_owned(), token: 4, renewals: 0 };
        write(&run.lease(), &other).unwrap();
        while !taken.is_lost() {
            thread::sleep(POLL_INTERVAL);
        }
        drop(taken);
        assert_eq!(read(&run.lease()).unwrap(), Some(other), "it belongs to the other one");
    }
}
