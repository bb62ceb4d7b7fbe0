//! Jobs as processes that outlive the workbench: their start, their stop, and what becomes of them.

mod follower;

use std::collections::HashMap;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::mpsc::Sender;
use std::thread;

use chrono::{DateTime, Utc};

use super::datasets::paths::{completions, expand};
use crate::jobs::job_folder::{JobFolder, JobRecord};
use crate::jobs::supervisor::start_supervisor;
use crate::tui::protocol::failure::Failure;
use crate::tui::protocol::jobs::{JobEffect, JobId, JobMessage, JobOrder, PathFacts};
use crate::tui::protocol::message::UiMessage;
use follower::{follow, report_earlier_jobs};
use mammoscope_storage::runs::process_evidence::host_name;

/// Starts the process over a job; the file is the job's lock.
type Start = dyn Fn(&JobFolder, std::fs::File) -> io::Result<Option<Child>> + Send;

/// The service of jobs. They go on when it is dropped.
pub(in crate::tui) struct JobService {
    inbox: Sender<UiMessage>,
    workspace: PathBuf,
    start: Box<Start>,
    folders: HashMap<JobId, JobFolder>,
}

impl JobService {
    /// A service that reports the jobs of a workspace that were started earlier.
    pub(super) fn new(workspace: &Path, inbox: Sender<UiMessage>) -> Self {
        let start = |folder: &JobFolder, lock| start_supervisor(folder, &std::env::current_exe()?, lock).map(Some);
        Self::starting(workspace, inbox, Box::new(start))
    }

    fn starting(workspace: &Path, inbox: Sender<UiMessage>, start: Box<Start>) -> Self {
        let (workspace, found) = (workspace.to_owned(), inbox.clone());
        let (earlier, now) = (workspace.clone(), Utc::now());
        thread::spawn(move || report_earlier_jobs(&earlier, now, &found));
        Self { inbox, workspace, start, folders: HashMap::new() }
    }

    pub(super) fn perform(&mut self, effect: JobEffect) {
        match effect {
            JobEffect::Spawn { id, order, started } => {
                if let Err(error) = self.spawn(id, order, started) {
                    send(&self.inbox, JobMessage::Ended { id, outcome: Err(Failure::new(error)) });
                }
            }
            JobEffect::Follow { id, folder } => self.follow(id, folder),
            JobEffect::Terminate(id) => {
                let asked = self.folders.get(&id).map_or(Ok(()), JobFolder::ask_to_stop);
                if let Err(error) = asked {
                    send(&self.inbox, JobMessage::NotAsked { id, failure: Failure::new(error) });
                }
            }
            JobEffect::LookAt(typed) => {
                let inbox = self.inbox.clone();
                thread::spawn(move || {
                    let facts = PathFacts {
                        exists: expand(&typed).exists(),
                        completions: completions(&typed, Path::is_file),
                        typed,
                    };
                    send(&inbox, JobMessage::LookedAt(facts));
                });
            }
            // Performed by the application.
            JobEffect::Start(_) | JobEffect::Stop(_) | JobEffect::Open(_) | JobEffect::Copy { .. } => {}
        }
    }

    fn spawn(&mut self, id: JobId, order: JobOrder, started: DateTime<Utc>) -> io::Result<()> {
        let arguments = order.arguments.iter().map(expanded).collect();
        let record = JobRecord { started, host: host_name(), directory: std::env::current_dir()?, arguments, order };
        let jobs = |error: io::Error| {
            io::Error::new(error.kind(), format!("{}: {error}", self.workspace.join("jobs").display()))
        };
        let (folder, lock) = JobFolder::create(&self.workspace, &record).map_err(jobs)?;
        let child = match (self.start)(&folder, lock) {
            Ok(child) => child,
            Err(error) => {
                let _ = folder.remove();
                return Err(error);
            }
        };
        if let Some(mut child) = child {
            // It would be a zombie otherwise.
            thread::spawn(move || child.wait());
        }
        // One job more is on the disk: an old one can go. If it cannot, there is one more next time.
        let _ = JobFolder::remove_old(&self.workspace);
        self.follow(id, folder);
        Ok(())
    }

    fn follow(&mut self, id: JobId, folder: JobFolder) {
        self.folders.insert(id, folder.clone());
        let inbox = self.inbox.clone();
        thread::spawn(move || follow(id, &folder, &inbox));
    }
}

/// An argument in which a leading `~` is the home folder.
fn expanded(argument: &OsString) -> OsString {
    match argument.to_str().filter(|text| text.starts_with('~')) {
        Some(text) => expand(text).into_os_string(),
        None => argument.clone(),
    }
}

/// Sends a message; false if the workbench was left.
fn send(inbox: &Sender<UiMessage>, message: JobMessage) -> bool {
    inbox.send(UiMessage::Job(message)).is_ok()
}

#[cfg(test)]
mod tests;
