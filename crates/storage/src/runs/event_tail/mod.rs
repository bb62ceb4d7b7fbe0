//! Reads `events.jsonl`: from the beginning, or from the end of the last reading.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use super::event_line::event_of;
use mammoscope_domain::run::run_event::RunEvent;

/// The longest line that is read: real events are much shorter, and an endless line must not fill the memory.
const MAX_LINE: u64 = 16 << 20;

/// A reader of the event log of a run, which may still grow.
#[derive(Debug)]
pub struct EventTail {
    path: PathBuf,
    offset: u64,
    identity: Option<FileIdentity>,
}

/// An item of a reading, in the order of the file.
#[derive(Clone, Debug, PartialEq)]
pub enum TailEntry {
    /// The file shrank or was replaced: everything read before is void and is read again.
    Restarted,
    Event(RunEvent),
    /// A line that is not an event.
    BadLine(BadLine),
}

/// A line that is not an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadLine {
    /// Its offset in bytes.
    pub offset: u64,
    pub reason: String,
}

/// Device and inode, which a file keeps when it is renamed.
type FileIdentity = (u64, u64);

impl EventTail {
    /// Creates a reader that starts at the first event of the file at `path`, which need not exist yet.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), offset: 0, identity: None }
    }

    /// Returns the number of bytes read, which is the end of the last complete line.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Hands over everything that was appended since the last reading. An incomplete last line is left for the next
    /// reading; a missing file counts as empty.
    pub fn read(&mut self, mut take: impl FnMut(TailEntry)) -> io::Result<()> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "is not a file"));
        }
        let identity = identity(&metadata);
        let mut reader = BufReader::with_capacity(1 << 16, file);
        if self.offset > 0 && (self.identity != identity || !self.ends_with_line(&mut reader)?) {
            self.offset = 0;
            take(TailEntry::Restarted);
        }
        self.identity = identity;
        reader.seek(SeekFrom::Start(self.offset))?;
        let mut line = Vec::new();
        loop {
            line.clear();
            let length = reader.by_ref().take(MAX_LINE).read_until(b'\n', &mut line)? as u64;
            let entry = if line.ends_with(b"\n") {
                self.entry(&line)
            } else if length == MAX_LINE {
                TailEntry::BadLine(BadLine { offset: self.offset, reason: "is longer than any event".to_owned() })
            } else {
                return Ok(());
            };
            self.offset += length;
            take(entry);
        }
    }

    /// Returns true if the bytes read still end with a line: in a file that shrank and grew again they most likely do
    /// not.
    fn ends_with_line(&self, reader: &mut BufReader<File>) -> io::Result<bool> {
        reader.seek(SeekFrom::Start(self.offset - 1))?;
        let mut last = [0];
        match reader.read_exact(&mut last) {
            Ok(()) => Ok(last == *b"\n"),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn entry(&self, line: &[u8]) -> TailEntry {
        match event_of(line) {
            Ok(event) => TailEntry::Event(event),
            Err(reason) => TailEntry::BadLine(BadLine { offset: self.offset, reason }),
        }
    }
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "other systems have no identity")]
fn identity(metadata: &std::fs::Metadata) -> Option<FileIdentity> {
    use std::os::unix::fs::MetadataExt as _;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn identity(_metadata: &std::fs::Metadata) -> Option<FileIdentity> {
    None
}

#[cfg(test)]
mod tests;
