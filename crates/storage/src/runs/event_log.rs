//! Writes `events.jsonl`: one event per line, only ever appended.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use super::event_line::line_of;
use mammoscope_domain::run::run_event::RunEvent;

/// The event log of a run, open for appending. The only writer is the holder of the run's lock.
#[derive(Debug)]
pub struct EventLog {
    file: File,
    offset: u64,
    /// True if the last line is incomplete: the disk was full, or a trainer was killed while writing.
    torn: bool,
    /// True if a write of this log failed, so that a part of its line may follow the offset.
    unfinished: bool,
}

impl EventLog {
    /// Opens the event log at `path` for appending; a missing file is created. A half-written last line is closed
    /// before the next event, so that only that line is lost.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut file = OpenOptions::new().create(true).read(true).append(true).open(path)?;
        let offset = file.seek(SeekFrom::End(0))?;
        let mut last = [b'\n'];
        if offset > 0 {
            file.seek(SeekFrom::Start(offset - 1))?;
            file.read_exact(&mut last)?;
        }
        Ok(Self { file, offset, torn: last != *b"\n", unfinished: false })
    }

    /// Opens the event log again after a fault, when `offset` bytes of it were written whole. What a failed write left
    /// behind them is removed.
    pub fn reopen(path: &Path, offset: u64) -> io::Result<Self> {
        let log = Self::open(path)?;
        let unfinished = log.offset > offset;
        let (offset, torn) = if unfinished { (offset, false) } else { (log.offset, log.torn) };
        let mut log = Self { offset, torn, unfinished, ..log };
        log.remove_unfinished()?;
        Ok(log)
    }

    /// Appends an event in one write. Readers see the whole line, or a part that they leave for the next reading. After a
    /// failure the event may be appended again: nothing of the first attempt remains.
    pub fn append(&mut self, event: &RunEvent) -> io::Result<()> {
        self.remove_unfinished()?;
        let mut line = if self.torn { vec![b'\n'] } else { Vec::new() };
        line.extend(line_of(event)?);
        // A write that fails half-way leaves a part of the line.
        self.unfinished = true;
        self.file.write_all(&line)?;
        self.unfinished = false;
        self.torn = false;
        self.offset += line.len() as u64;
        Ok(())
    }

    fn remove_unfinished(&mut self) -> io::Result<()> {
        if self.unfinished {
            self.file.set_len(self.offset)?;
            self.unfinished = false;
        }
        Ok(())
    }

    /// Flushes all appended events to disk, where they survive a power loss.
    pub fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    /// Returns the length of the file, which is the offset of the next event.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use mammoscope_domain::run::run_event::RunEventKind;

    #[test]
    fn a_torn_line_is_closed_before_the_next_event() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        let event = RunEvent {
            time: DateTime::from_timestamp(1_795_000_000, 5).unwrap(),
            kind: RunEventKind::Paused { step: 12 },
        };
        let mut log = EventLog::open(&path).unwrap();
        assert_eq!(log.offset(), 0);
        log.append(&event).unwrap();
        let line = std::fs::read_to_string(&path).unwrap();
        let expected = "{\"time\":\"2026-11-18T11:06:40.000000005Z\",\"event\":\"paused\",\"step\":12,\"crc32c\":\"";
        assert!(line.starts_with(expected) && line.ends_with("\"}\n"), "{line}");
        assert_eq!(log.offset(), line.len() as u64);
        drop(log);

        std::fs::write(&path, format!("{line}{{\"time\":\"20")).unwrap();
        let mut log = EventLog::open(&path).unwrap();
        log.append(&event).unwrap();
        log.append(&event).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text, format!("{line}{{\"time\":\"20\n{line}{line}"));
        assert_eq!(log.offset(), text.len() as u64);
    }

    #[test]
    fn a_log_that_is_opened_again_has_nothing_of_a_failed_write() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        let event = |step| RunEvent {
            time: DateTime::from_timestamp(1_795_000_000, 5).unwrap(),
            kind: RunEventKind::Paused { step },
        };
        let mut log = EventLog::open(&path).unwrap();
        log.append(&event(1)).unwrap();
        let good = log.offset();
        drop(log);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, format!("{text}{{\"time\":\"20")).unwrap();
        let mut log = EventLog::reopen(&path, good).unwrap();
        log.append(&event(2)).unwrap();
        let steps = std::fs::read_to_string(&path).unwrap().lines().count();
        assert_eq!(steps, 2);
        assert!(!std::fs::read_to_string(&path).unwrap().contains("20\n"));
        // Without the old part, as on a file server that lost it, the log continues at its end.
        std::fs::write(&path, "").unwrap();
        let mut log = EventLog::reopen(&path, good).unwrap();
        log.append(&event(3)).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 1);
    }
}
