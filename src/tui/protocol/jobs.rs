//! Jobs: commands of this program that the workbench runs as child processes, preprocessing, and the list of both.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::path::PathBuf;

use chrono::{DateTime, TimeDelta, Utc};

use crate::tui::protocol::failure::Failure;
use crate::tui::protocol::job_findings::JobWork;
use mammoscope_domain::text::counted::counted;

/// The number of lines of a job's output that are kept.
const MAX_LINES: usize = 5_000;

/// The most jobs that are named when the workbench is left.
const MAX_NAMED: usize = 3;

/// The identity of a job within this session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in crate::tui) struct JobId(pub(in crate::tui) u64);

/// The outcome of a job that can be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::tui) enum JobResult {
    /// A folder of predictions, for Evaluate, and the data set of its images.
    Predictions { folder: PathBuf, data: PathBuf },
    /// A data set, for Datasets.
    DataSet(PathBuf),
}

/// A command to run.
#[derive(Clone, Debug, PartialEq, Eq)]
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

/// A job of this session.
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

/// The jobs of this session, the newest first.
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

    /// The number of jobs that have not ended.
    pub(in crate::tui) fn active(&self) -> usize {
        self.jobs.iter().filter(|job| job.is_active()).count()
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
            JobMessage::LookedAt(_) => None,
            JobMessage::Ended { id, outcome } => {
                let job = self.get_mut(id)?;
                let was_stopped = matches!(job.state, JobState::Stopping { .. });
                let lines = job.lines.iter().map(String::as_str);
                let end = match outcome {
                    Ok(ExitText { code: Some(0), .. }) => JobEnd::Done,
                    Ok(ExitText { text, .. }) if was_stopped => JobEnd::Stopped(text),
                    Ok(ExitText { code: Some(1), text }) => {
                        job.order.work.findings(lines).map_or(JobEnd::Failed(text), JobEnd::Findings)
                    }
                    Ok(ExitText { text, .. }) => JobEnd::Failed(text),
                    Err(failure) => JobEnd::Failed(failure.into()),
                };
                job.state = JobState::Ended { at: now, end };
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

    /// What leaving the workbench does to the active jobs, such as `predict ~/density ends with the workbench, after its
    /// current file`; empty if there are none.
    pub(in crate::tui) fn farewell(&self) -> String {
        let active: Vec<&str> = self.jobs.iter().filter(|job| job.is_active()).map(|job| &*job.order.title).collect();
        match &active[..] {
            [] => String::new(),
            [only] => format!("{only} ends with the workbench, after its current file"),
            [named @ .., last] if active.len() <= MAX_NAMED => {
                format!("{} and {last} end with the workbench, each after its current file", named.join(", "))
            }
            many => {
                let (named, others) = (many[..MAX_NAMED - 1].join(", "), many.len() + 1 - MAX_NAMED);
                format!("{named} and {others} others end with the workbench, each after its current file")
            }
        }
    }

    fn get_mut(&mut self, id: JobId) -> Option<&mut Job> {
        self.jobs.iter_mut().find(|job| job.id == id)
    }
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

/// The end of a process in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::tui) struct ExitText {
    /// The exit status; `None` if a signal ended it.
    pub(in crate::tui) code: Option<i32>,
    /// Such as `exit status 1` or `killed by signal 9`.
    pub(in crate::tui) text: String,
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
    Spawn { id: JobId, arguments: Vec<OsString> },
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
        outcome: Result<ExitText, Failure>,
    },
    LookedAt(PathFacts),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::testing::fixed_time;

    fn order(title: &str) -> JobOrder {
        let result = Some(JobResult::DataSet("/data".into()));
        JobOrder { title: title.to_owned(), work: JobWork::Audit, arguments: Vec::new(), result, rehearsed: None }
    }

    fn exit(code: i32) -> ExitText {
        ExitText { code: Some(code), text: format!("exit status {code}") }
    }

    #[test]
    fn the_state_follows_the_messages() {
        let (mut list, now) = (JobList::default(), fixed_time());
        let id = list.add(order("predict /data"), now);
        assert_eq!((list.active(), list.status_text().as_str()), (1, "predict running"));
        list.take(JobMessage::Started { id, pid: 7 }, now);
        list.take(JobMessage::Progress { id, text: "CC_R ███░ 12/60 images".to_owned() }, now);
        assert_eq!(list.status_text(), "predict 12/60");
        list.stop(id, now);
        assert_eq!(list.status_text(), "predict stopping");
        list.take(JobMessage::Line { id, text: "wrote 12 images".to_owned() }, now);
        let ended = list.take(JobMessage::Ended { id, outcome: Ok(exit(130)) }, now).unwrap();
        let JobState::Ended { end, .. } = &ended.state else { panic!("{ended:?}") };
        assert_eq!(end, &JobEnd::Stopped("exit status 130".to_owned()));
        assert_eq!((ended.summary(), ended.result()), ("wrote 12 images", None), "what was stopped has no result");
        assert_eq!((list.active(), list.status_text().as_str()), (0, ""));
    }

    #[test]
    fn only_a_successful_job_has_a_result() {
        let (mut list, now) = (JobList::default(), fixed_time());
        let [first, second] = ["phantom a", "phantom b"].map(|title| list.add(order(title), now));
        assert_eq!(list.status_text(), "2 jobs running");
        list.take(JobMessage::Ended { id: first, outcome: Ok(exit(0)) }, now);
        list.take(JobMessage::Ended { id: second, outcome: Ok(exit(1)) }, now);
        assert!(list.get(first).unwrap().result().is_some() && list.get(second).unwrap().result().is_none());
        assert_eq!(list.iter().map(|job| job.id).collect::<Vec<_>>(), [second, first], "the newest first");
    }

    #[test]
    fn findings_are_not_a_failure() {
        let (mut list, now) = (JobList::default(), fixed_time());
        let end_of = |list: &mut JobList, line: &str| {
            let id = list.add(order("audit /data"), now);
            list.take(JobMessage::Line { id, text: line.to_owned() }, now);
            list.take(JobMessage::Ended { id, outcome: Ok(exit(1)) }, now).cloned().unwrap()
        };
        let found = end_of(&mut list, "/data: 60 images of 15 subjects, 3 errors, 11 warnings");
        let text = "14 findings: 3 errors, 11 warnings";
        assert_eq!(found.state, JobState::Ended { at: now, end: JobEnd::Findings(text.to_owned()) });
        assert_eq!((found.summary(), found.result().is_some()), (text, true), "it did its work");
        let failed = end_of(&mut list, "error: /data: Permission denied");
        assert_eq!(failed.state, JobState::Ended { at: now, end: JobEnd::Failed("exit status 1".to_owned()) });
    }

    #[test]
    fn old_lines_are_dropped() {
        let (mut list, now) = (JobList::default(), fixed_time());
        let id = list.add(order("audit /data"), now);
        for number in 0..MAX_LINES + 3 {
            list.take(JobMessage::Line { id, text: number.to_string() }, now);
        }
        let lines = &list.get(id).unwrap().lines;
        assert_eq!((lines.len(), lines.front().map(String::as_str)), (MAX_LINES, Some("3")));
    }
}
