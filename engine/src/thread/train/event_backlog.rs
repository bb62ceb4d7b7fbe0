//! The events of a run on their way to disk: what cannot be written now is written later, in order.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};

use mammoscope_domain::run::run_event::{RunEvent, RunEventKind};
use mammoscope_storage::runs::event_log::EventLog;

/// The most events that wait; beyond that the oldest reports of steps are given up.
const MAX_PENDING: usize = 200_000;

/// The event log of a run, with the events that are not in it yet.
#[derive(Debug)]
pub(super) struct EventBacklog {
    path: PathBuf,
    /// `None` after a fault: the file is opened again, since its handle may be stale.
    log: Option<EventLog>,
    /// The length of the file in bytes, as far as it was written whole.
    offset: u64,
    pending: VecDeque<RunEvent>,
    /// The reports of steps that were given up.
    given_up: u64,
}

impl EventBacklog {
    /// Opens the event log at `path`.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let log = EventLog::open(path)?;
        let offset = log.offset();
        Ok(Self { path: path.to_owned(), log: Some(log), offset, pending: VecDeque::new(), given_up: 0 })
    }

    /// Adds an event behind all others.
    pub(super) fn push(&mut self, event: RunEvent) {
        self.pending.push_back(event);
        if self.pending.len() > MAX_PENDING
            && let Some(oldest) = self.pending.iter().position(is_step)
        {
            self.pending.remove(oldest);
            self.given_up += 1;
        }
    }

    /// Writes all events that wait; those that cannot be written keep waiting.
    pub(super) fn write(&mut self) -> io::Result<()> {
        while let Some(event) = self.pending.front() {
            let mut log = match self.log.take() {
                Some(log) => log,
                None => EventLog::reopen(&self.path, self.offset)?,
            };
            log.append(event)?;
            self.offset = log.offset();
            self.log = Some(log);
            self.pending.pop_front();
        }
        Ok(())
    }

    /// Writes all events that wait, and flushes them to disk.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        self.write()?;
        let synced = self.log.as_ref().map_or(Ok(()), EventLog::sync);
        if synced.is_err() {
            self.log = None;
        }
        synced
    }

    /// True if events wait.
    #[must_use]
    pub(super) fn has_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// The events that wait, except for reports of steps, as text for [`EventBacklog::restore`].
    #[must_use]
    pub(super) fn pending_text(&self) -> String {
        let lines =
            self.pending.iter().filter(|event| !is_step(event)).filter_map(|event| serde_json::to_string(event).ok());
        lines.collect::<Vec<_>>().join("\n")
    }

    /// The events in a text by [`EventBacklog::pending_text`].
    pub(super) fn restore(text: &str) -> impl Iterator<Item = RunEvent> {
        text.lines().filter_map(|line| serde_json::from_str(line).ok())
    }

    /// The reports of steps that were given up since the last call.
    pub(super) fn take_given_up(&mut self) -> u64 {
        std::mem::take(&mut self.given_up)
    }

    /// The length of the file in bytes, without what waits.
    #[must_use]
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }
}

fn is_step(event: &RunEvent) -> bool {
    matches!(event.kind, RunEventKind::StepReported(_))
}
