//! What becomes of jobs, from their folders.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::mpsc::Sender;
use std::thread;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::send;
use crate::jobs::job_folder::{JobExit, JobFolder};
use crate::tui::protocol::failure::Failure;
use crate::tui::protocol::jobs::{FoundJob, JobId, JobMessage, JobOrder};
use crate::tui::protocol::message::UiMessage;
use mammoscope_domain::text::printable::printable;
use mammoscope_storage::runs::process_evidence::host_name;

/// The interval between looks at the folder of a job at work.
const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// The end of a job whose supervisor has left none.
const LOST: &str = "its process is gone and has left no exit status; was it killed, or the machine restarted?";

/// Reports what a job does until it has ended.
pub(super) fn follow(id: JobId, folder: &JobFolder, inbox: &Sender<UiMessage>) {
    let mut output = OutputReader::default();
    let (mut process, mut progress) = (None, String::new());
    loop {
        // Looked at first: what is written before the end is read below.
        let is_at_work = folder.is_at_work();
        let end = folder.end();
        if process.is_none() {
            process = folder.process();
            if let Some(pid) = process
                && !send(inbox, JobMessage::Started { id, pid })
            {
                return;
            }
        }
        for text in output.read(folder) {
            if !send(inbox, JobMessage::Line { id, text }) {
                return;
            }
        }
        let now = printable(&folder.progress());
        if now != progress {
            progress.clone_from(&now);
            if !send(inbox, JobMessage::Progress { id, text: now }) {
                return;
            }
        }
        let outcome = match end {
            Some(end) => Ok(end),
            None if is_at_work => {
                thread::sleep(POLL_INTERVAL);
                continue;
            }
            None => Err(Failure::new(LOST)),
        };
        send(inbox, JobMessage::Ended { id, outcome });
        return;
    }
}

/// Reports the jobs of this machine that were started before `now`, the oldest first. What cannot be read is passed over:
/// it may be of another version.
pub(super) fn report_earlier_jobs(workspace: &Path, now: DateTime<Utc>, inbox: &Sender<UiMessage>) {
    for folder in JobFolder::all(workspace).unwrap_or_default().into_iter().rev() {
        let Ok(record) = folder.record::<JobOrder>() else { continue };
        if record.host != host_name() || record.started >= now {
            continue;
        }
        let is_at_work = folder.is_at_work();
        let ended = folder.end().or_else(|| (!is_at_work).then(|| lost(&folder, record.started)));
        let lines = if ended.is_some() { OutputReader::default().read(&folder) } else { Vec::new() };
        // The words that were typed may have had another home folder.
        let order = JobOrder { arguments: record.arguments, ..record.order };
        let found = FoundJob { folder, order, started: record.started, ended, lines };
        if !send(inbox, JobMessage::Found(Box::new(found))) {
            return;
        }
    }
}

/// The end of a job that has left none, at the time of its last line.
fn lost(folder: &JobFolder, started: DateTime<Utc>) -> JobExit {
    let written = std::fs::metadata(folder.output()).and_then(|facts| facts.modified());
    let at = written.map_or(started, DateTime::<Utc>::from);
    JobExit { at, code: None, text: LOST.to_owned(), was_stopped: false }
}

/// The finished lines of a file that grows.
#[derive(Default)]
struct OutputReader {
    file: Option<File>,
    /// The beginning of a line whose end is not written yet.
    rest: Vec<u8>,
}

impl OutputReader {
    /// The lines since the last time; safe to print. None if the file is not there or cannot be read.
    fn read(&mut self, folder: &JobFolder) -> Vec<String> {
        let mut bytes = std::mem::take(&mut self.rest);
        // An interrupted read is continued at the next look.
        let _ = self.read_to_end(folder, &mut bytes);
        let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        self.rest = bytes.split_off(end);
        String::from_utf8_lossy(&bytes).lines().map(printable).collect()
    }

    fn read_to_end(&mut self, folder: &JobFolder, bytes: &mut Vec<u8>) -> io::Result<()> {
        if self.file.is_none() {
            self.file = Some(File::open(folder.output())?);
        }
        let Some(file) = self.file.as_mut() else { return Ok(()) };
        file.read_to_end(bytes).map(drop)
    }
}
