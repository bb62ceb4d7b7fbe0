//! The state of a training on disk: named tensors in one safetensors file with a checksum, and the file before it.
//!
//! The tensors hold everything that the training computes with. Their order depends only on their names and types, so
//! that equal states have equal bytes. Time and host of writing are in the header's metadata.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::run_dir::RunDir;
use crate::atomic_file::AtomicFile;
use crate::regular_file::read_regular_file;
use mammoscope_domain::text::printable::printable;

/// The metadata entry `format` of these files.
pub const CHECKPOINT_FORMAT: &str = "mammoscope-checkpoint-1";
/// The largest file that is read: the widest network has 580 MB of weights, and at most four values are kept per
/// weight.
const MAX_BYTES: u64 = 4 << 30;
/// The largest header that is read.
const MAX_HEADER: u64 = 16 << 20;
const CHECKSUM: &str = "tensors_sha256";
/// The checksum of everything else in the header; checkpoints of earlier versions lack it.
const HEADER_CHECKSUM: &str = "header_sha256";

/// The values of a tensor.
#[derive(Clone, Debug, PartialEq)]
pub enum TensorData {
    /// Weights and moments.
    F32(Vec<f32>),
    /// Sums and best values.
    F64(Vec<f64>),
    /// Counters.
    I64(Vec<i64>),
}

/// A named tensor of a checkpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckpointTensor {
    /// The lengths of the axes, the last one innermost.
    pub shape: Vec<usize>,
    /// The values in row-major order.
    pub data: TensorData,
}

/// Everything that a training needs to continue.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Checkpoint {
    /// The state, by name.
    pub tensors: BTreeMap<String, CheckpointTensor>,
    /// Information outside the state: times, host, hashes.
    pub notes: BTreeMap<String, String>,
}

/// A safetensors header.
#[derive(Deserialize)]
struct Header {
    #[serde(rename = "__metadata__", default)]
    notes: BTreeMap<String, String>,
    #[serde(flatten)]
    tensors: BTreeMap<String, TensorLayout>,
}

/// The type and shape of a tensor in a header.
#[derive(Deserialize)]
struct TensorLayout {
    dtype: String,
    shape: Vec<usize>,
}

/// A checkpoint that cannot be used or written.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The file cannot be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is not a safetensors file, or a damaged one.
    #[error("not a readable safetensors file ({0}); is it cut short?")]
    Safetensors(String),
    /// It is a safetensors file of something else.
    #[error("not a checkpoint: its metadata do not state format '{CHECKPOINT_FORMAT}'")]
    NotOurs,
    /// The tensors do not match their checksum.
    #[error("damaged: its tensors do not match its checksum")]
    Checksum,
    /// The header does not match its checksum.
    #[error("damaged: its header does not match its checksum")]
    HeaderChecksum,
    /// A tensor is missing, or its type or size differs from the trained network's.
    #[error("does not fit this run: tensor '{0}' is missing or has another type or size")]
    Mismatch(String),
}

impl From<safetensors::SafeTensorError> for CheckpointError {
    fn from(error: safetensors::SafeTensorError) -> Self {
        Self::Safetensors(printable(&error.to_string()))
    }
}

impl Checkpoint {
    /// Adds a tensor of f32.
    pub fn insert(&mut self, name: impl Into<String>, shape: Vec<usize>, values: Vec<f32>) {
        self.tensors.insert(name.into(), CheckpointTensor { shape, data: TensorData::F32(values) });
    }

    /// Adds a vector of f64.
    pub fn insert_f64(&mut self, name: &str, values: Vec<f64>) {
        let tensor = CheckpointTensor { shape: vec![values.len()], data: TensorData::F64(values) };
        self.tensors.insert(name.to_owned(), tensor);
    }

    /// Adds a vector of i64.
    pub fn insert_i64(&mut self, name: &str, values: Vec<i64>) {
        let tensor = CheckpointTensor { shape: vec![values.len()], data: TensorData::I64(values) };
        self.tensors.insert(name.to_owned(), tensor);
    }

    /// Returns the values of a tensor of f32.
    pub fn values(&self, name: &str) -> Result<&[f32], CheckpointError> {
        match self.tensors.get(name).map(|tensor| &tensor.data) {
            Some(TensorData::F32(values)) => Ok(values),
            _ => Err(CheckpointError::Mismatch(name.to_owned())),
        }
    }

    /// Returns the values of a vector of f64.
    pub fn sums(&self, name: &str) -> Result<&[f64], CheckpointError> {
        match self.tensors.get(name).map(|tensor| &tensor.data) {
            Some(TensorData::F64(values)) => Ok(values),
            _ => Err(CheckpointError::Mismatch(name.to_owned())),
        }
    }

    /// Returns the values of a vector of i64.
    pub fn counters(&self, name: &str) -> Result<&[i64], CheckpointError> {
        match self.tensors.get(name).map(|tensor| &tensor.data) {
            Some(TensorData::I64(values)) => Ok(values),
            _ => Err(CheckpointError::Mismatch(name.to_owned())),
        }
    }

    /// Writes the run's last checkpoint and keeps the replaced one beside it as the previous checkpoint. If this fails,
    /// the last checkpoint is unchanged.
    pub fn write(&self, run: &RunDir) -> Result<(), CheckpointError> {
        let last = run.last_checkpoint();
        let mut file = AtomicFile::create(&last)?;
        file.write_all(&self.to_bytes()?)?;
        // Everything is on disk before the old checkpoint gives up its name: nothing that follows is likely to fail.
        file.sync()?;
        if last.exists() {
            keep_previous(run)?;
        }
        file.commit()?;
        Ok(())
    }

    /// Reads the notes of a checkpoint alone, without its tensors, and verifies the header.
    pub fn read_notes(path: &Path) -> Result<BTreeMap<String, String>, CheckpointError> {
        if !fs::metadata(path)?.is_file() {
            return Err(io::Error::from(io::ErrorKind::InvalidInput).into());
        }
        let mut file = File::open(path)?;
        let mut length = [0; 8];
        file.read_exact(&mut length)?;
        let mut header = Vec::new();
        file.take(u64::from_le_bytes(length).min(MAX_HEADER)).read_to_end(&mut header)?;
        let Header { notes, tensors } = serde_json::from_slice(&header)
            .map_err(|error| CheckpointError::Safetensors(printable(&error.to_string())))?;
        if notes.get("format").map(String::as_str) != Some(CHECKPOINT_FORMAT) {
            return Err(CheckpointError::NotOurs);
        }
        let layout =
            tensors.iter().map(|(name, TensorLayout { dtype, shape })| (name.as_str(), format!("{dtype} {shape:?}")));
        if notes.get(HEADER_CHECKSUM).is_some_and(|stated| *stated != header_checksum(&notes, layout)) {
            return Err(CheckpointError::HeaderChecksum);
        }
        Ok(notes)
    }

    /// Reads a checkpoint and verifies its checksum.
    pub fn read(path: &Path) -> Result<Self, CheckpointError> {
        Self::from_bytes(&read_regular_file(path, MAX_BYTES)?)
    }

    fn to_bytes(&self) -> Result<Vec<u8>, CheckpointError> {
        let data: Vec<(&str, Dtype, &[usize], Vec<u8>)> = self
            .tensors
            .iter()
            .map(|(name, CheckpointTensor { shape, data })| {
                let (dtype, bytes) = data.to_bytes();
                (name.as_str(), dtype, shape.as_slice(), bytes)
            })
            .collect();
        let mut notes: HashMap<String, String> =
            self.notes.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
        notes.insert("format".to_owned(), CHECKPOINT_FORMAT.to_owned());
        notes.insert(CHECKSUM.to_owned(), checksum(data.iter().map(|(name, .., bytes)| (*name, bytes.as_slice()))));
        let layout = data.iter().map(|(name, dtype, shape, _)| (*name, format!("{dtype:?} {shape:?}")));
        notes.insert(HEADER_CHECKSUM.to_owned(), header_checksum(&notes, layout));
        let views = data
            .iter()
            .map(|(name, dtype, shape, bytes)| Ok((*name, TensorView::new(*dtype, shape.to_vec(), bytes)?)))
            .collect::<Result<Vec<_>, CheckpointError>>()?;
        Ok(safetensors::serialize(views, Some(notes))?)
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, CheckpointError> {
        let (_, header) = SafeTensors::read_metadata(bytes)?;
        let notes = header.metadata().clone().unwrap_or_default();
        if notes.get("format").map(String::as_str) != Some(CHECKPOINT_FORMAT) {
            return Err(CheckpointError::NotOurs);
        }
        let file = SafeTensors::deserialize(bytes)?;
        let mut names = file.names();
        names.sort_unstable();
        let data =
            names.iter().map(|name| Ok((*name, file.tensor(name)?))).collect::<Result<Vec<_>, CheckpointError>>()?;
        if notes.get(CHECKSUM) != Some(&checksum(data.iter().map(|(name, view)| (*name, view.data())))) {
            return Err(CheckpointError::Checksum);
        }
        let layout = data.iter().map(|(name, view)| (*name, format!("{:?} {:?}", view.dtype(), view.shape())));
        if notes.get(HEADER_CHECKSUM).is_some_and(|stated| *stated != header_checksum(&notes, layout)) {
            return Err(CheckpointError::HeaderChecksum);
        }
        let tensors = data
            .into_iter()
            .map(|(name, view)| {
                let data = TensorData::from_bytes(view.dtype(), view.data())
                    .ok_or_else(|| CheckpointError::Mismatch(name.to_owned()))?;
                Ok((name.to_owned(), CheckpointTensor { shape: view.shape().to_vec(), data }))
            })
            .collect::<Result<_, CheckpointError>>()?;
        Ok(Self { tensors, notes: notes.into_iter().collect() })
    }
}

impl TensorData {
    fn to_bytes(&self) -> (Dtype, Vec<u8>) {
        match self {
            Self::F32(values) => (Dtype::F32, values.iter().flat_map(|value| value.to_le_bytes()).collect()),
            Self::F64(values) => (Dtype::F64, values.iter().flat_map(|value| value.to_le_bytes()).collect()),
            Self::I64(values) => (Dtype::I64, values.iter().flat_map(|value| value.to_le_bytes()).collect()),
        }
    }

    fn from_bytes(dtype: Dtype, bytes: &[u8]) -> Option<Self> {
        match dtype {
            Dtype::F32 => Some(Self::F32(bytes.as_chunks().0.iter().map(|&value| f32::from_le_bytes(value)).collect())),
            Dtype::F64 => Some(Self::F64(bytes.as_chunks().0.iter().map(|&value| f64::from_le_bytes(value)).collect())),
            Dtype::I64 => Some(Self::I64(bytes.as_chunks().0.iter().map(|&value| i64::from_le_bytes(value)).collect())),
            _ => None,
        }
    }
}

/// Gives the last checkpoint the name of the previous one as well, so that it never lacks a name.
fn keep_previous(run: &RunDir) -> io::Result<()> {
    let (last, previous) = (run.last_checkpoint(), run.previous_checkpoint());
    let second_name = run.checkpoints().join(".previous.link");
    let _ = fs::remove_file(&second_name);
    match fs::hard_link(&last, &second_name) {
        Ok(()) => fs::rename(&second_name, &previous),
        // A file system without hard links: until the commit there is only the previous one, to which a resume falls
        // back.
        Err(_) => fs::rename(&last, &previous),
    }
}

/// Returns the SHA-256 over names and little-endian bytes, ordered by name.
fn checksum<'a>(tensors: impl Iterator<Item = (&'a str, &'a [u8])>) -> String {
    let mut hasher = Sha256::new();
    for (name, bytes) in tensors {
        hasher.update(name.as_bytes());
        hasher.update([0]);
        hasher.update(bytes);
    }
    crate::models::model_file::hexadecimal(&hasher.finalize())
}

/// Returns the SHA-256 over the notes, without this one, and over the names, types and shapes of the tensors.
fn header_checksum<'a>(
    notes: impl IntoIterator<Item = (&'a String, &'a String)>,
    layout: impl Iterator<Item = (&'a str, String)>,
) -> String {
    let mut hasher = Sha256::new();
    let mut add = |part: &str| {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    };
    let mut entries: Vec<_> = notes.into_iter().filter(|(key, _)| *key != HEADER_CHECKSUM).collect();
    entries.sort_unstable();
    for (key, value) in entries {
        add(key);
        add(value);
    }
    for (name, kind) in layout {
        add(name);
        add(&kind);
    }
    crate::models::model_file::hexadecimal(&hasher.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoint(step: i64) -> Checkpoint {
        let mut checkpoint = Checkpoint::default();
        checkpoint.insert("weights/b", vec![2, 1], vec![1.5, f32::NEG_INFINITY]);
        checkpoint.insert("weights/a", vec![1], vec![-0.0]);
        checkpoint.insert_f64("state/sums", vec![1e-300, 2.0]);
        checkpoint.insert_i64("state/step", vec![step]);
        checkpoint.notes.insert("host".to_owned(), "here".to_owned());
        checkpoint
    }

    fn run() -> (tempfile::TempDir, RunDir) {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::create(folder.path().join("run")).unwrap();
        (folder, run)
    }

    #[test]
    fn checkpoints_are_read_back_and_the_previous_one_is_kept() {
        let (_folder, run) = run();
        for step in 1..=3 {
            checkpoint(step).write(&run).unwrap();
        }
        let read = Checkpoint::read(&run.last_checkpoint()).unwrap();
        assert_eq!(read.tensors, checkpoint(3).tensors);
        assert_eq!(read.notes["host"], "here");
        assert_eq!(Checkpoint::read_notes(&run.last_checkpoint()).unwrap(), read.notes);
        assert!(Checkpoint::read_notes(&run.lock()).is_err());
        assert_eq!(Checkpoint::read(&run.previous_checkpoint()).unwrap().counters("state/step").unwrap(), [2]);
        assert_eq!(fs::read_dir(run.checkpoints()).unwrap().count(), 2);
        assert!(matches!(read.values("state/step"), Err(CheckpointError::Mismatch(name)) if name == "state/step"));
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_detected() {
        let bytes = checkpoint(1).to_bytes().unwrap();
        for length in 0..bytes.len() {
            assert!(Checkpoint::from_bytes(&bytes[..length]).is_err(), "cut to {length}");
        }
        let whole = Checkpoint::from_bytes(&bytes).unwrap();
        let header = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        for bit in 0..header * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            // In the name of the header's own checksum, a flip takes nothing but that.
            if let Ok(read) = Checkpoint::from_bytes(&damaged) {
                assert_eq!((&read.tensors, &read.notes["host"]), (&whole.tensors, &whole.notes["host"]), "bit {bit}");
            }
        }
        for byte in header..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[byte] ^= 4;
            assert!(matches!(Checkpoint::from_bytes(&damaged), Err(CheckpointError::Checksum)), "byte {byte}");
        }
    }

    #[test]
    fn a_failed_write_leaves_the_last_checkpoint() {
        let (_folder, run) = run();
        checkpoint(1).write(&run).unwrap();
        let before = fs::read(run.last_checkpoint()).unwrap();
        fs::create_dir(run.previous_checkpoint()).unwrap();
        assert!(matches!(checkpoint(2).write(&run), Err(CheckpointError::Io(_))));
        assert_eq!(fs::read(run.last_checkpoint()).unwrap(), before);
    }
}
