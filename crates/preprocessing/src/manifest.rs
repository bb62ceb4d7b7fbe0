//! The manifest of an output folder: one JSON document a line, one line a source.
//!
//! During a run, lines are appended as sources are done, so that an interrupted run loses nothing; at its end the file
//! is written from scratch, sorted, in one step.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use mammoscope_domain::text::printable::printable_path;
use mammoscope_storage::atomic_file::write_atomically;

use crate::record::{Record, SCHEMA};

/// The name of the manifest in an output folder.
pub const MANIFEST: &str = "manifest.jsonl";

/// A manifest that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    #[error("{}: {error}", printable_path(path))]
    Io { path: PathBuf, error: io::Error },
    #[error("{}:{line}: not a line of a manifest: {reason}", printable_path(path))]
    Damaged { path: PathBuf, line: usize, reason: String },
    #[error(
        "{}: the manifest has version {found}, this program reads version {SCHEMA}; use a newer program or another folder",
        printable_path(path)
    )]
    Newer { path: PathBuf, found: u64 },
}

/// Reads the records of a manifest by the pseudonym of their sources' paths; the last line about a source counts. None
/// if there is no manifest. A last line without its end, left by a run that was killed, is dropped.
pub fn read_manifest(folder: &Path) -> Result<BTreeMap<String, Record>, ManifestError> {
    let path = folder.join(MANIFEST);
    let text = match std::fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => return Err(ManifestError::Io { path, error }),
    };
    let mut records = BTreeMap::new();
    let lines: Vec<&[u8]> = text.split(|&byte| byte == b'\n').collect();
    let (unfinished, complete) = lines.split_last().expect("split yields at least one part");
    for (line, bytes) in complete.iter().enumerate().filter(|(_, bytes)| !bytes.is_empty()) {
        let record: Record = parse(bytes).map_err(|fault| fault.at(&path, line + 1))?;
        records.insert(record.source.path.clone(), record);
    }
    // A file whose last line break was lost, for example in an editor, is complete nonetheless.
    if let Ok(record) = parse(unfinished) {
        records.insert(record.source.path.clone(), record);
    }
    Ok(records)
}

enum LineFault {
    Damaged(String),
    Newer(u64),
}

impl LineFault {
    fn at(self, path: &Path, line: usize) -> ManifestError {
        let path = path.to_owned();
        match self {
            Self::Damaged(reason) => ManifestError::Damaged { path, line, reason },
            Self::Newer(found) => ManifestError::Newer { path, found },
        }
    }
}

fn parse(line: &[u8]) -> Result<Record, LineFault> {
    let damaged = |error: serde_json::Error| LineFault::Damaged(error.to_string());
    let document: serde_json::Value = serde_json::from_slice(line).map_err(damaged)?;
    match document.get("schema").and_then(serde_json::Value::as_u64) {
        Some(schema) if schema > u64::from(SCHEMA) => Err(LineFault::Newer(schema)),
        _ => serde_json::from_value(document).map_err(damaged),
    }
}

/// The manifest while a run appends to it.
#[derive(Debug)]
pub struct ManifestJournal {
    path: PathBuf,
    file: Mutex<File>,
}

impl ManifestJournal {
    /// Opens the manifest of an output folder.
    pub fn open(folder: &Path) -> Result<Self, ManifestError> {
        let path = folder.join(MANIFEST);
        let opened = || -> io::Result<File> {
            // A line that a killed run left unfinished is ended, so that the next one is a line of its own.
            let unfinished = std::fs::read(&path).is_ok_and(|text| text.last().is_some_and(|&byte| byte != b'\n'));
            if unfinished {
                let text = std::fs::read(&path)?;
                let end = text.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
                let keep = if parse(&text[end..]).is_ok() { [&text[..], b"\n"].concat() } else { text[..end].to_vec() };
                write_atomically(&path, &keep)?;
            }
            OpenOptions::new().create(true).append(true).open(&path)
        };
        match opened() {
            Ok(file) => Ok(Self { path, file: Mutex::new(file) }),
            Err(error) => Err(ManifestError::Io { path, error }),
        }
    }

    /// Appends a record.
    pub fn append(&self, record: &Record) -> Result<(), ManifestError> {
        let mut file = self.file.lock().expect("no thread panics while it holds the lock");
        file.write_all(&line(record)).map_err(|error| ManifestError::Io { path: self.path.clone(), error })
    }
}

/// Writes a manifest in one step, sorted by outputs, then by sources.
pub fn write_manifest(folder: &Path, records: &BTreeMap<String, Record>) -> Result<(), ManifestError> {
    let path = folder.join(MANIFEST);
    let mut sorted: Vec<&Record> = records.values().collect();
    let output = |record: &&Record| record.output.as_ref().map(|output| output.output.clone());
    sorted.sort_by_cached_key(|record| (output(record).is_none(), output(record), record.source.path.clone()));
    let text: Vec<u8> = sorted.into_iter().flat_map(line).collect();
    write_atomically(&path, &text).map_err(|error| ManifestError::Io { path, error })
}

fn line(record: &Record) -> Vec<u8> {
    let mut line = serde_json::to_vec(record).expect("a record is always serialisable");
    line.push(b'\n');
    line
}
