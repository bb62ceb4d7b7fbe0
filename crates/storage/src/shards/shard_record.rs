//! `shard.json`: the record of a finished shard, by which shards are merged.
//!
//! It is written when everything else is done, so that a folder without it is not a finished shard.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::shard_set::ShardSetError;
use crate::atomic_file::write_atomically;
use crate::models::model_file::sha256_hex;
use crate::regular_file::read_regular_file;
use mammoscope_domain::subject::shard::Shard;
use mammoscope_domain::text::printable::printable;

/// The file name in the output folder of a shard.
pub const FILE_NAME: &str = "shard.json";

/// The version of the record.
pub const SCHEMA: u32 = 1;

/// The largest record that is read; a million images take 600 MB.
const MAX_RECORD: u64 = 1 << 30;

/// The largest output of a shard that is read.
const MAX_OUTPUT: u64 = 1 << 32;

/// The record of a finished shard; `T` holds its results.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShardRecord<T> {
    pub schema: u32,
    /// The command that made the shard, such as `predict`.
    pub command: String,
    /// The number of the shard, from 1.
    pub shard: u32,
    /// The number of shards.
    pub shards: u32,
    /// What must be the same in all shards, by name; a shard that computed nothing lacks some.
    pub conditions: BTreeMap<String, String>,
    /// The outputs of the shard.
    pub files: Vec<ShardFile>,
    pub results: T,
}

/// The part of every record that is read first, since the rest depends on it.
#[derive(Deserialize)]
struct RecordHead {
    schema: u32,
    command: String,
}

impl<T: Serialize> ShardRecord<T> {
    /// A record of this version.
    #[must_use]
    pub fn new(command: &str, shard: Shard, conditions: BTreeMap<String, String>, results: T) -> Self {
        let (number, count) = (shard.number(), shard.count());
        let command = command.to_owned();
        Self { schema: SCHEMA, command, shard: number, shards: count, conditions, files: Vec::new(), results }
    }

    /// Writes the record, which makes the folder a finished shard.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        let mut text = serde_json::to_vec(self)?;
        text.push(b'\n');
        write_atomically(&folder.join(FILE_NAME), &text)
    }
}

impl<T: DeserializeOwned> ShardRecord<T> {
    /// Reads the record of a shard of `command`.
    pub fn read(folder: &Path, command: &str) -> Result<Self, ShardSetError> {
        let path = folder.join(FILE_NAME);
        let bytes = read_regular_file(&path, MAX_RECORD).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => ShardSetError::Unfinished(folder.to_owned()),
            _ => ShardSetError::Unreadable { path: path.clone(), error },
        })?;
        let damaged =
            |error: serde_json::Error| ShardSetError::Damaged { path: path.clone(), reason: error.to_string() };
        let head: RecordHead = serde_json::from_slice(&bytes).map_err(damaged)?;
        if head.schema != SCHEMA {
            return Err(ShardSetError::OtherSchema { path, found: head.schema });
        }
        if head.command != command {
            return Err(ShardSetError::OtherCommand { path, found: printable(&head.command) });
        }
        let record: Self = serde_json::from_slice(&bytes).map_err(damaged)?;
        match Shard::new(record.shard, record.shards) {
            Ok(_) => Ok(record),
            Err(_) => Err(ShardSetError::Damaged { path, reason: format!("shard {}/{}", record.shard, record.shards) }),
        }
    }
}

/// The shard whose record is in a folder; `None` if there is none or it cannot be read.
#[must_use]
pub fn shard_in(folder: &Path) -> Option<Shard> {
    #[derive(Deserialize)]
    struct Numbers {
        shard: u32,
        shards: u32,
    }
    let bytes = read_regular_file(&folder.join(FILE_NAME), MAX_RECORD).ok()?;
    let Numbers { shard, shards } = serde_json::from_slice(&bytes).ok()?;
    Shard::new(shard, shards).ok()
}

/// Removes the record from a folder that is about to be written to.
pub fn remove_record(folder: &Path) -> io::Result<()> {
    match std::fs::remove_file(folder.join(FILE_NAME)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// An output of a shard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardFile {
    /// The path below the folder, with `/` between its parts.
    pub path: String,
    pub sha256: String,
}

impl ShardFile {
    /// The output at a path below the folder of a shard.
    pub fn of(folder: &Path, path: &str) -> io::Result<Self> {
        let bytes = read_regular_file(&folder.join(path), MAX_OUTPUT)?;
        Ok(Self { path: path.to_owned(), sha256: sha256_hex(&bytes) })
    }

    /// The contents, which must be those that the shard wrote.
    pub fn read(&self, folder: &Path) -> Result<Vec<u8>, ShardSetError> {
        let path: PathBuf = folder.join(&self.path);
        match read_regular_file(&path, MAX_OUTPUT) {
            Ok(bytes) if sha256_hex(&bytes) == self.sha256 => Ok(bytes),
            Ok(_) => Err(ShardSetError::Changed(path)),
            Err(error) => Err(ShardSetError::Unreadable { path, error }),
        }
    }
}
