//! The folder of a job: what it is, its output so far, and its end.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Local, Utc};
use rustix::process::{Pid, test_kill_process};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use mammoscope_storage::atomic_file::write_atomically;
use mammoscope_storage::file_system::has_no_locks;
use mammoscope_storage::regular_file::read_regular_file;

/// The number of ended jobs that a workspace keeps.
const KEPT: usize = 50;
/// The longest record that is read. A command line is shorter.
const MAX_RECORD: u64 = 1 << 20;

/// `<workspace>/jobs/<local time>_<number>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobFolder(PathBuf);

/// What a job is; `job.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct JobRecord<Order> {
    pub started: DateTime<Utc>,
    /// The machine on which it runs.
    pub host: String,
    /// Which folder relative paths of the command begin at.
    pub directory: PathBuf,
    pub arguments: Vec<OsString>,
    /// What the workbench wants to know of it.
    pub order: Order,
}

/// The end of a command; `end.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobExit {
    pub at: DateTime<Utc>,
    /// The exit status; `None` if a signal ended it, or if it could not be started.
    pub code: Option<i32>,
    /// Such as `exit status 1` or `ended by signal 9`.
    pub text: String,
    /// True if it was asked to stop.
    pub was_stopped: bool,
}

impl JobFolder {
    /// Makes the folder of a new job, and returns it with its lock. The process that holds the lock is at work on the job.
    pub fn create<Order: Serialize>(workspace: &Path, record: &JobRecord<Order>) -> io::Result<(Self, File)> {
        let jobs = workspace.join("jobs");
        fs::create_dir_all(&jobs)?;
        let time = Local::now().format("%Y-%m-%dT%H-%M-%S");
        let mut number = 1;
        let folder = loop {
            let folder = jobs.join(format!("{time}_{number}"));
            match fs::create_dir(&folder) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
                made => break made.map(|()| Self(folder))?,
            }
        };
        let lock = File::create(folder.path("lock"))?;
        match lock.try_lock() {
            Err(TryLockError::Error(error)) if !has_no_locks(&error) => return Err(error),
            _ => {}
        }
        write_atomically(&folder.path("job.json"), &serde_json::to_vec(record)?)?;
        Ok((folder, lock))
    }

    /// The folder of a job that was made before.
    #[must_use]
    pub const fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// All jobs of a workspace, the newest first.
    pub fn all(workspace: &Path) -> io::Result<Vec<Self>> {
        let entries = match fs::read_dir(workspace.join("jobs")) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut folders: Vec<(Option<DateTime<Utc>>, PathBuf)> = Vec::new();
        for entry in entries {
            let path = entry?.path();
            let made = fs::metadata(path.join("job.json")).and_then(|facts| facts.modified());
            if let Ok(made) = made {
                folders.push((Some(made.into()), path));
            }
        }
        folders.sort_by(|one, other| other.cmp(one));
        Ok(folders.into_iter().map(|(_, path)| Self(path)).collect())
    }

    /// Removes the oldest ended jobs beyond the number that is kept.
    pub fn remove_old(workspace: &Path) -> io::Result<()> {
        for folder in Self::all(workspace)?.into_iter().skip(KEPT).filter(|folder| !folder.is_at_work()) {
            fs::remove_dir_all(&folder.0)?;
        }
        Ok(())
    }

    /// Removes a job that could not be begun.
    pub fn remove(self) -> io::Result<()> {
        fs::remove_dir_all(self.0)
    }

    #[must_use]
    pub fn as_path(&self) -> &Path {
        &self.0
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The finished lines of the command's output.
    #[must_use]
    pub fn output(&self) -> PathBuf {
        self.path("output.txt")
    }

    pub fn record<Order: DeserializeOwned>(&self) -> io::Result<JobRecord<Order>> {
        Ok(serde_json::from_slice(&read_regular_file(&self.path("job.json"), MAX_RECORD)?)?)
    }

    /// The process of the command, once it has one.
    #[must_use]
    pub fn process(&self) -> Option<u32> {
        fs::read_to_string(self.path("process")).ok()?.trim().parse().ok()
    }

    pub(super) fn set_process(&self, process: u32) -> io::Result<()> {
        write_atomically(&self.path("process"), process.to_string().as_bytes())
    }

    /// The line that the command redraws; empty if it has none.
    #[must_use]
    pub fn progress(&self) -> String {
        fs::read_to_string(self.path("progress")).unwrap_or_default()
    }

    /// Replaces the line that the command redraws. It need not survive a power failure, so nothing is flushed.
    pub(super) fn set_progress(&self, line: &str) -> io::Result<()> {
        fs::write(self.path("progress.new"), line)?;
        fs::rename(self.path("progress.new"), self.path("progress"))
    }

    /// The end of the command, once it has ended.
    #[must_use]
    pub fn end(&self) -> Option<JobExit> {
        serde_json::from_slice(&read_regular_file(&self.path("end.json"), MAX_RECORD).ok()?).ok()
    }

    pub(super) fn set_end(&self, end: &JobExit) -> io::Result<()> {
        write_atomically(&self.path("end.json"), &serde_json::to_vec(end)?)
    }

    /// True while a process is at work on the job: while its lock is held or, where that cannot be seen, until its end is
    /// recorded or the command's process is gone.
    #[must_use]
    pub fn is_at_work(&self) -> bool {
        let path = self.path("lock");
        // Some network file systems lock only files that are open for writing; the job of another user can only be read.
        let opened = OpenOptions::new().read(true).write(true).open(&path).or_else(|_| File::open(&path));
        let locked = match opened {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return false,
            Err(error) => Err(TryLockError::Error(error)),
            Ok(lock) => lock.try_lock_shared(),
        };
        match locked {
            Ok(()) => false,
            Err(TryLockError::WouldBlock) => true,
            Err(TryLockError::Error(_)) => {
                let process = self.process().and_then(|id| Pid::from_raw(id as i32));
                let is_there = |process| test_kill_process(process) != Err(rustix::io::Errno::SRCH);
                self.end().is_none() && process.is_some_and(is_there)
            }
        }
    }

    /// Asks the command to end after its current file; asked again, it ends at once.
    pub fn ask_to_stop(&self) -> io::Result<()> {
        OpenOptions::new().create(true).append(true).open(self.path("stop"))?.write_all(b".")
    }

    /// How often the command was asked to end.
    pub(super) fn stop_requests(&self) -> u64 {
        fs::metadata(self.path("stop")).ok().filter(fs::Metadata::is_file).map_or(0, |facts| facts.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(order: &str) -> JobRecord<String> {
        let arguments = ["audit", "/data"].map(OsString::from).to_vec();
        let (host, directory) = ("node7".to_owned(), PathBuf::from("/work"));
        JobRecord { started: DateTime::UNIX_EPOCH, host, directory, arguments, order: order.to_owned() }
    }

    #[test]
    fn a_job_is_at_work_while_its_lock_is_held() {
        let workspace = tempfile::tempdir().unwrap();
        assert!(JobFolder::all(workspace.path()).unwrap().is_empty());
        let (folder, lock) = JobFolder::create(workspace.path(), &record("audit")).unwrap();
        assert!(folder.is_at_work() && folder.is_at_work(), "looking does not take the lock");
        let held = lock.try_clone().unwrap();
        drop(lock);
        assert!(folder.is_at_work(), "another process can hold it");
        drop(held);
        assert!(!folder.is_at_work());
        assert_eq!(JobFolder::all(workspace.path()).unwrap(), std::slice::from_ref(&folder));
        let read = folder.record::<String>().unwrap();
        assert_eq!((read.order, read.arguments.len(), read.started), ("audit".to_owned(), 2, DateTime::UNIX_EPOCH));
    }

    #[test]
    fn what_happens_to_a_job_is_kept_and_half_made_folders_are_passed_over() {
        let workspace = tempfile::tempdir().unwrap();
        let (folder, _lock) = JobFolder::create(workspace.path(), &record("audit")).unwrap();
        fs::create_dir(workspace.path().join("jobs/2026-01-01T00-00-00_1")).unwrap();
        assert_eq!(JobFolder::all(workspace.path()).unwrap().len(), 1);
        assert_eq!((folder.process(), folder.progress(), folder.end()), (None, String::new(), None));
        folder.set_process(17).unwrap();
        folder.set_progress("1/2 images").unwrap();
        folder.ask_to_stop().unwrap();
        folder.ask_to_stop().unwrap();
        let text = "exit status 130".to_owned();
        let end = JobExit { at: DateTime::UNIX_EPOCH, code: Some(130), text, was_stopped: true };
        folder.set_end(&end).unwrap();
        assert_eq!((folder.process(), folder.progress().as_str()), (Some(17), "1/2 images"));
        assert_eq!((folder.stop_requests(), folder.end()), (2, Some(end)));
    }

    #[test]
    fn old_jobs_are_removed_but_not_one_at_work() {
        let workspace = tempfile::tempdir().unwrap();
        let (first, lock) = JobFolder::create(workspace.path(), &record("0")).unwrap();
        let second = JobFolder::create(workspace.path(), &record("1")).unwrap().0;
        for (folder, seconds) in [(&first, 1), (&second, 2)] {
            let time = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
            File::options().write(true).open(folder.path("job.json")).unwrap().set_modified(time).unwrap();
        }
        for number in 2..KEPT + 2 {
            JobFolder::create(workspace.path(), &record(&number.to_string())).unwrap();
        }
        JobFolder::remove_old(workspace.path()).unwrap();
        let left = JobFolder::all(workspace.path()).unwrap();
        assert_eq!((left.len(), left.last()), (KEPT + 1, Some(&first)), "the oldest one is at work");
        drop(lock);
        JobFolder::remove_old(workspace.path()).unwrap();
        assert_eq!(JobFolder::all(workspace.path()).unwrap().len(), KEPT);
    }
}
