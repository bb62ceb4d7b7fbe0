//! Writes `events.jsonl`: one event per line, only ever appended.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use mammoscope_domain::run::run_event::RunEvent;

/// The event log of a run, open for appending. The only writer is the holder of the run's lock.
#[derive(Debug)]
pub struct EventLog {
    file: File,
    offset: u64,
    /// True if the last line is incomplete: the disk was full, or a trainer was killed while writing.
    torn: bool,
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
        Ok(Self { file, offset, torn: last != *b"\n" })
    }

    /// Appends an event in one write. Readers see the whole line, or a part that they leave for the next reading.
    pub fn append(&mut self, event: &RunEvent) -> io::Result<()> {
        let mut line = if self.torn { vec![b'\n'] } else { Vec::new() };
        serde_json::to_writer(&mut line, event)?;
        line.push(b'\n');
        let written = self.file.write_all(&line);
        let end = self.file.seek(SeekFrom::End(0));
        match (&written, end) {
            (_, Ok(end)) => {
                // A write that failed half-way leaves a part of the line.
                self.torn = written.is_err() && (self.torn || end > self.offset);
                self.offset = end;
            }
            (_, Err(_)) => self.torn = true,
        }
        written
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
        assert_eq!(line, "{\"time\":\"2026-11-18T11:06:40.000000005Z\",\"event\":\"paused\",\"step\":12}\n");
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
}
