//! The way back: a model from the tensors of a PyTorch export.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use safetensors::tensor::{Dtype, SafeTensors};

use super::state_dict::{StateDictEntry, state_dict};
use super::{PYTORCH_FORMAT, TENSORS_FILE};
use crate::keras::ImportOptions;
use crate::models::model_file::{
    CHECKSUM, FORMAT, Model, ModelError, ModelMetadata, SizeOutOfRange, TensorValues, check_size, check_tensors,
    checksum_of, fault_of_values, sha256_hex,
};
use crate::regular_file::read_regular_file;
use mammoscope_domain::network::network_plan::ParameterPlan;
use mammoscope_domain::text::printable::printable_os;

/// The largest file that is read, in bytes: as for models.
const MAX_BYTES: u64 = 1 << 30;
/// The longest header that is examined, in bytes; those of exports have some 30,000.
const MAX_HEADER: u64 = 1 << 24;
/// The buffers that PyTorch's batch normalisations count batches in; of no use to the network.
const COUNTER: &str = ".num_batches_tracked";

/// A PyTorch export from which no model can be made.
#[derive(Debug, thiserror::Error)]
pub enum PytorchError {
    /// The file cannot be read, or its tensors or metadata do not fit the network.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The network does not support the input size.
    #[error(transparent)]
    Size(#[from] SizeOutOfRange),
    /// The tensors are not those of the checksum.
    #[error(
        "its tensors do not match its checksum: the file is damaged; if they were changed on purpose, save it without the \
         metadata entry '{CHECKSUM}'"
    )]
    Checksum,
}

/// An imported model.
#[derive(Clone, Debug)]
pub struct PytorchImport {
    pub model: Model,
    /// True if the file has no checksum: it was not written by the export, and the weights may be other ones.
    pub changed: bool,
}

/// Returns the file with the tensors if a path is a PyTorch export: the folder, or the file itself.
#[must_use]
pub fn pytorch_export(path: &Path) -> Option<PathBuf> {
    let file = if path.is_dir() { path.join(TENSORS_FILE) } else { path.to_owned() };
    (format_of(&file)? == PYTORCH_FORMAT).then_some(file)
}

/// The metadata entry `format` in the header of a safetensors file.
fn format_of(path: &Path) -> Option<String> {
    // Checked before opening: opening a pipe waits for its writer.
    if !std::fs::metadata(path).ok()?.is_file() {
        return None;
    }
    let mut file = File::open(path).ok()?;
    let mut length = [0; 8];
    file.read_exact(&mut length).ok()?;
    let length = Some(u64::from_le_bytes(length)).filter(|&length| length <= MAX_HEADER)?;
    let mut header = Vec::new();
    file.take(length).read_to_end(&mut header).ok()?;
    let header: serde_json::Value = serde_json::from_slice(&header).ok()?;
    header["__metadata__"]["format"].as_str().map(str::to_owned)
}

/// Reads the tensors' file of an export. Tensors and metadata become those of the exported model, bit for bit; a file
/// without checksum is recorded as their source.
pub fn import_pytorch(path: &Path, options: ImportOptions) -> Result<PytorchImport, PytorchError> {
    let bytes = read_regular_file(path, MAX_BYTES).map_err(ModelError::Io)?;
    let (_, header) = SafeTensors::read_metadata(&bytes).map_err(ModelError::from)?;
    let mut entries = header.metadata().clone().unwrap_or_default();
    entries.insert("format".to_owned(), FORMAT.to_owned());
    let mut metadata = ModelMetadata::from_entries(&entries)?;
    let tensors = tensors_of(&bytes, &metadata, entries.get(CHECKSUM))?;
    if let Some(size) = options.size {
        metadata.size = check_size(size)?;
    }
    metadata.view = options.view.or(metadata.view);
    let changed = !entries.contains_key(CHECKSUM);
    if changed {
        metadata.provenance.extend([
            ("source".to_owned(), path.file_name().map(printable_os).unwrap_or_default()),
            ("source_sha256".to_owned(), sha256_hex(&bytes)),
            ("imported_by".to_owned(), concat!("mammoscope ", env!("CARGO_PKG_VERSION")).to_owned()),
            ("imported_at".to_owned(), chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true)),
        ]);
    }
    Ok(PytorchImport { model: Model { metadata, tensors }, changed })
}

/// Checks every tensor against the network and the checksum, and gives it the name in the model.
fn tensors_of(bytes: &[u8], metadata: &ModelMetadata, checksum: Option<&String>) -> Result<TensorValues, PytorchError> {
    let file = SafeTensors::deserialize(bytes).map_err(ModelError::from)?;
    let entries = state_dict(&metadata.plan());
    let expected: Vec<ParameterPlan> =
        entries.iter().map(|entry| ParameterPlan { name: entry.name.clone(), ..entry.parameter.clone() }).collect();
    let found: Vec<(String, Vec<usize>, Dtype)> = file
        .iter()
        .filter(|(name, _)| !name.ends_with(COUNTER))
        .map(|(name, view)| (name.to_owned(), view.shape().to_vec(), view.dtype()))
        .collect();
    check_tensors(&expected, &found)?;
    let mut data = HashMap::with_capacity(entries.len());
    for StateDictEntry { name, .. } in &entries {
        data.insert(name.as_str(), file.tensor(name).map_err(ModelError::from)?.data());
    }
    if let Some(checksum) = checksum {
        let mut names: Vec<&str> = data.keys().copied().collect();
        names.sort_unstable();
        if *checksum != checksum_of(names.into_iter().map(|name| (name, data[name]))) {
            return Err(PytorchError::Checksum);
        }
    }
    let mut tensors = TensorValues::with_capacity(entries.len());
    for StateDictEntry { parameter, name } in &entries {
        let values: Vec<f32> =
            data[name.as_str()].as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        if let Some(reason) = fault_of_values(&parameter.name, &values) {
            return Err(ModelError::Values { name: name.clone(), reason }.into());
        }
        tensors.insert(parameter.name.clone(), values);
    }
    Ok(tensors)
}
