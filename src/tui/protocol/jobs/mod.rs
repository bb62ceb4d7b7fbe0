//! Jobs: commands of this program that run under processes of their own, preprocessing, and the list of both.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::path::PathBuf;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::jobs::job_folder::{JobExit, JobFolder};
use crate::tui::protocol::failure::Failure;
use crate::tui::protocol::job_findings::JobWork;
use mammoscope_domain::text::counted::counted;

/// The number of lines of a job's output that are kept.
const MAX_LINES: usize = 5_000;

/// The identity of a job within this session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in crate::tui) struct JobId(pub(in crate::tui) u64);

/// The outcome of a job that can be opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::tui) enum JobResult {
    /// A folder of predictions, for Evaluate, and the data set of its images.
    Predictions { folder: PathBuf, data: PathBuf },
    /// A data set, for Datasets.
    DataSet(PathBuf),
}

/// A command to run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::tui) struct JobOrder {
    /// A few words, such as `predict ~/density`; safe to print.
    pub(in crate::tui) title: String,
    pub(in crate::tui) work: JobWork,
    /// The arguments of this program; empty for preprocessing.
    pub(in crate::tui) arguments: Vec<OsString>,
    pub(in crate::tui) result: Option<JobResult>,
    /// The command that this one only rehearses, to be started after its output was read.
    pub(in crate::tui) rehearsed: Option<Box<JobOrder>>,
}

/// The state of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::tui) enum JobState {
    /// It has not reported its process yet.
    Starting,
    /// The process is `None` for preprocessing.
    Running {
        pid: Option<u32>,
    },
    /// It was asked to stop and finishes its current file.
    Stopping {
        pid: Option<u32>,
        since: DateTime<Utc>,
    },
    Ended {
        at: DateTime<Utc>,
        end: JobEnd,
    },
}

/// The end of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::tui) enum JobEnd {
    Done,
    /// It did its work; with what it found, such as `14 findings: 3 errors, 11 warnings`.
    Findings(String),
    /// With the exit status or signal in words.
    Failed(String),
    /// It was stopped on request; with the exit status or signal in words.
    Stopped(String),
}

/// A job, of this session or of an earlier one.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tui) struct Job {
    pub(in crate::tui) id: JobId,
    pub(in crate::tui) order: JobOrder,
    pub(in crate::tui) started: DateTime<Utc>,
    pub(in crate::tui) state: JobState,
    /// The line that the command redraws; empty if it has none.
    pub(in crate::tui) progress: String,
    /// The latest lines of its output; safe to print.
    pub(in crate::tui) lines: VecDeque<String>,
}

impl Job {
    /// Adds a line of its output; the oldest is dropped if there are too many.
    pub(in crate::tui) fn add_line(&mut self, line: String) {
        self.lines.push_back(line);
        while self.lines.len() > MAX_LINES {
            self.lines.pop_front();
        }
    }

    /// True until it has ended.
    pub(in crate::tui) const fn is_active(&self) -> bool {
        !matches!(self.state, JobState::Ended { .. })
    }

    /// The time since its start, or its duration.
    pub(in crate::tui) fn age(&self, now: DateTime<Utc>) -> TimeDelta {
        let end = if let JobState::Ended { at, .. } = &self.state { *at } else { now };
        end - self.started
    }

    /// The line that says most about its state: its progress, or its last line.
    pub(in crate::tui) fn summary(&self) -> &str {
        match (&self.state, self.progress.as_str()) {
            (JobState::Ended { end: JobEnd::Findings(text), .. }, _) => text,
            (JobState::Ended { .. }, _) | (_, "") => self.lines.back().map_or("", String::as_str),
            (_, progress) => progress,
        }
    }

    /// The result to open: only that of a job that did its work.
    pub(in crate::tui) fn result(&self) -> Option<&JobResult> {
        let is_done = matches!(self.state, JobState::Ended { end: JobEnd::Done | JobEnd::Findings(_), .. });
        self.order.result.as_ref().filter(|_| is_done)
    }
}

/// The jobs of the workspace, the newest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::tui) struct JobList {
    jobs: VecDeque<Job>,
    count: u64,
}

impl JobList {
    pub(in crate::tui) fn iter(&self) -> impl ExactSizeIterator<Item = &Job> {
        self.jobs.iter()
    }

    pub(in crate::tui) fn get(&self, id: JobId) -> Option<&Job> {
        self.jobs.iter().find(|job| job.id == id)
    }

    /// The preprocessing in progress; there is one at most.
    pub(in crate::tui) fn preparation(&mut self) -> Option<&mut Job> {
        self.jobs.iter_mut().find(|job| job.is_active() && job.order.work == JobWork::Preparation)
    }

    /// Removes the preprocessing that did not start.
    pub(in crate::tui) fn withdraw_preparation(&mut self) {
        let withdrawn = self.preparation().map(|job| job.id);
        self.jobs.retain(|job| Some(job.id) != withdrawn);
    }

    /// Adds a job that is about to start.
    pub(in crate::tui) fn add(&mut self, order: JobOrder, now: DateTime<Utc>) -> JobId {
        self.count += 1;
        let id = JobId(self.count);
        let (state, progress, lines) = (JobState::Starting, String::new(), VecDeque::new());
        self.jobs.push_front(Job { id, order, started: now, state, progress, lines });
        id
    }

    /// Adds a job that was started earlier; returns its identity if it is at work. One that has ended is not to be submitted
    /// again: what it rehearsed may have changed.
    pub(in crate::tui) fn add_found(&mut self, found: FoundJob) -> Option<JobId> {
        self.count += 1;
        let id = JobId(self.count);
        let FoundJob { mut order, started, ended, lines, .. } = found;
        let state = match ended {
            None => JobState::Starting,
            Some(exit) => {
                order.rehearsed = None;
                let at = exit.at;
                JobState::Ended { at, end: end_of(&order, Ok(exit), lines.iter().map(String::as_str), false) }
            }
        };
        let place = self.jobs.iter().position(|job| job.started <= started).unwrap_or(self.jobs.len());
        let mut job = Job { id, order, started, state, progress: String::new(), lines: VecDeque::new() };
        for line in lines {
            job.add_line(line);
        }
        let is_active = job.is_active();
        self.jobs.insert(place, job);
        is_active.then_some(id)
    }

    /// Notes that a job was asked to stop.
    pub(in crate::tui) fn stop(&mut self, id: JobId, now: DateTime<Utc>) {
        if let Some(job) = self.get_mut(id)
            && let JobState::Running { pid } = job.state
        {
            job.state = JobState::Stopping { pid, since: now };
        }
    }

    /// Takes a message about a job; returns the job if it has ended by this.
    pub(in crate::tui) fn take(&mut self, message: JobMessage, now: DateTime<Utc>) -> Option<&Job> {
        match message {
            JobMessage::Started { id, pid } => {
                let job = self.get_mut(id)?;
                job.state = JobState::Running { pid: Some(pid) };
                None
            }
            JobMessage::Progress { id, text } => {
                self.get_mut(id)?.progress = text;
                None
            }
            JobMessage::Line { id, text } => {
                self.get_mut(id)?.add_line(text);
                None
            }
            JobMessage::NotAsked { id, failure } => {
                let job = self.get_mut(id)?;
                if let JobState::Stopping { pid, .. } = job.state {
                    job.state = JobState::Running { pid };
                }
                job.add_line(format!("error: it cannot be asked to stop: {}", failure.text()));
                None
            }
            JobMessage::Found(_) | JobMessage::LookedAt(_) => None,
            JobMessage::Ended { id, outcome } => {
                let job = self.get_mut(id)?;
                let is_stopping = matches!(job.state, JobState::Stopping { .. });
                let at = outcome.as_ref().map_or(now, |exit| exit.at);
                let end = end_of(&job.order, outcome, job.lines.iter().map(String::as_str), is_stopping);
                job.state = JobState::Ended { at, end };
                Some(job)
            }
        }
    }

    /// The active jobs in a few words for the status line; empty if there are none.
    pub(in crate::tui) fn status_text(&self) -> String {
        let mut active = self.jobs.iter().filter(|job| job.is_active());
        match (active.next(), active.count()) {
            (None, _) => String::new(),
            (Some(job), 0) => {
                let title = job.order.title.split(' ').next().unwrap_or_default();
                match (&job.state, short_progress(&job.progress)) {
                    (JobState::Stopping { .. }, _) => format!("{title} stopping"),
                    (_, "") => format!("{title} running"),
                    (_, progress) => format!("{title} {progress}"),
                }
            }
            (Some(_), others) => format!("{} running", counted(others + 1, "job")),
        }
    }

    /// The number of active jobs that continue without the workbench: all but preprocessing.
    pub(in crate::tui) fn lasting(&self) -> usize {
        self.jobs.iter().filter(|job| job.is_active() && job.order.work != JobWork::Preparation).count()
    }

    /// What leaving the workbench does to preprocessing, such as `preprocess ~/density ends with the workbench, after its
    /// current file`; empty if there is none.
    pub(in crate::tui) fn farewell(&self) -> String {
        let preparation = self.jobs.iter().find(|job| job.is_active() && job.order.work == JobWork::Preparation);
        let text = |job: &Job| format!("{} ends with the workbench, after its current file", job.order.title);
        preparation.map_or_else(String::new, text)
    }

    fn get_mut(&mut self, id: JobId) -> Option<&mut Job> {
        self.jobs.iter_mut().find(|job| job.id == id)
    }
}

/// What continues without the workbench, such as `2 runs and 1 job` and if that is more than one; `None` if nothing does.
pub(in crate::tui) fn going_on(runs: usize, jobs: usize) -> Option<(String, bool)> {
    let parts = [(runs, "run"), (jobs, "job")].into_iter().filter(|(count, _)| *count > 0);
    let text: Vec<String> = parts.map(|(count, noun)| counted(count, noun)).collect();
    (!text.is_empty()).then(|| (text.join(" and "), runs + jobs > 1))
}

/// The words of a progress line that contain a slash, such as `120/960`; empty if there are none.
fn short_progress(progress: &str) -> &str {
    let is_count = |word: &&str| {
        word.split_once('/').is_some_and(|(done, all)| {
            [done, all]
                .into_iter()
                .all(|part| !part.is_empty() && part.chars().all(|digit| digit.is_ascii_digit() || digit == ','))
        })
    };
    progress.split_whitespace().find(is_count).unwrap_or_default()
}

/// The end of a job by that of its process. One that was asked to stop may have ended by itself nevertheless.
fn end_of<'a>(
    order: &JobOrder,
    outcome: Result<JobExit, Failure>,
    lines: impl Iterator<Item = &'a str> + Clone,
    is_stopping: bool,
) -> JobEnd {
    match outcome {
        Ok(JobExit { code: Some(0), .. }) => JobEnd::Done,
        Ok(JobExit { text, was_stopped, .. }) if was_stopped || is_stopping => JobEnd::Stopped(text),
        Ok(JobExit { code: Some(1), text, .. }) => {
            order.work.findings(lines).map_or(JobEnd::Failed(text), JobEnd::Findings)
        }
        Ok(JobExit { text, .. }) => JobEnd::Failed(text),
        Err(failure) => JobEnd::Failed(failure.into()),
    }
}

/// Effects on jobs.
#[derive(Debug, PartialEq)]
pub(in crate::tui) enum JobEffect {
    /// Add a job to the list and run it; handled by the application.
    Start(JobOrder),
    /// Note that a job is to stop, and stop it; handled by the application.
    Stop(JobId),
    /// Open the result of a job, or start the command that it rehearsed; handled by the application.
    Open(JobId),
    /// Copy a line of a job's output, or its command; handled by the application.
    Copy { id: JobId, line: Option<usize> },
    /// Run a command under this id.
    Spawn { id: JobId, order: JobOrder, started: DateTime<Utc> },
    /// Report what becomes of a job that was started earlier.
    Follow { id: JobId, folder: JobFolder },
    /// Ask a process to end after its current file; asked again, it ends at once.
    Terminate(JobId),
    /// Look at a typed path.
    LookAt(String),
}

/// What is known of a typed path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::tui) struct PathFacts {
    pub(in crate::tui) typed: String,
    pub(in crate::tui) exists: bool,
    /// Folders that complete it, as they would be typed.
    pub(in crate::tui) completions: Vec<String>,
}

/// Messages from the service of jobs.
#[derive(Debug)]
pub(in crate::tui) enum JobMessage {
    Started {
        id: JobId,
        pid: u32,
    },
    /// The line that the command redraws.
    Progress {
        id: JobId,
        text: String,
    },
    /// A line of its output; safe to print.
    Line {
        id: JobId,
        text: String,
    },
    Ended {
        id: JobId,
        outcome: Result<JobExit, Failure>,
    },
    /// A job could not be asked to stop.
    NotAsked {
        id: JobId,
        failure: Failure,
    },
    /// A job that was started earlier.
    Found(Box<FoundJob>),
    LookedAt(PathFacts),
}

/// A job that was started earlier.
#[derive(Clone, Debug)]
pub(in crate::tui) struct FoundJob {
    pub(in crate::tui) folder: JobFolder,
    pub(in crate::tui) order: JobOrder,
    pub(in crate::tui) started: DateTime<Utc>,
    /// `None` while it is at work.
    pub(in crate::tui) ended: Option<JobExit>,
    /// The output of one that has ended; safe to print.
    pub(in crate::tui) lines: Vec<String>,
}

#[cfg(test)]
mod tests;
