//! A model for PyTorch: its tensors under the names of a `state_dict`, and a short program that defines the network,
//! loads them and predicts an image with the exact preprocessing. The import takes the tensors back.
//!
//! | file | content |
//! |---|---|
//! | [`TENSORS_FILE`] | every tensor, bit for bit; in the header all metadata of the model |
//! | [`SCRIPT_FILE`] | network, preprocessing and a command line; needs torch, safetensors, numpy and Pillow |

mod import;
mod script;
mod state_dict;

use std::collections::BTreeMap;

use safetensors::tensor::{Dtype, TensorView};

use self::script::script;
use self::state_dict::state_dict;
use super::{ExportError, ExportedModel, INTENDED_USE};
use crate::models::model_file::{CHECKSUM, checksum_of};

pub use self::import::{PytorchError, PytorchImport, import_pytorch, pytorch_export};

/// The metadata entry `format` of the tensors' file.
pub const PYTORCH_FORMAT: &str = "mammoscope-pytorch-1";
/// The file with the tensors.
pub const TENSORS_FILE: &str = "model.safetensors";
/// The program.
pub const SCRIPT_FILE: &str = "model.py";

/// An exported model: the contents of its two files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PytorchFiles {
    /// [`TENSORS_FILE`]
    pub tensors: Vec<u8>,
    /// [`SCRIPT_FILE`]
    pub script: String,
}

/// Returns the files for a model.
pub fn pytorch_files(exported: &ExportedModel<'_>) -> Result<PytorchFiles, ExportError> {
    let metadata = &exported.model.metadata;
    let mut data = BTreeMap::new();
    for entry in state_dict(&metadata.plan()) {
        let values = exported.tensor(&entry.parameter.name)?;
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        data.insert(entry.name, (entry.parameter.shape, bytes));
    }
    let views = data
        .iter()
        .map(|(name, (shape, bytes))| Ok((name.as_str(), TensorView::new(Dtype::F32, shape.clone(), bytes)?)))
        .collect::<Result<Vec<_>, ExportError>>()?;
    let checksum = checksum_of(data.iter().map(|(name, (_, bytes))| (name.as_str(), bytes.as_slice())));
    let mut entries = metadata.entries();
    let more = [
        ("format", PYTORCH_FORMAT),
        (CHECKSUM, checksum.as_str()),
        ("intended_use", INTENDED_USE),
        ("mammoscope_version", env!("CARGO_PKG_VERSION")),
        ("model_sha256", exported.sha256),
    ];
    entries.extend(more.map(|(key, value)| (key.to_owned(), value.to_owned())));
    Ok(PytorchFiles { tensors: safetensors::serialize(views, Some(entries))?, script: script(exported) })
}

#[cfg(test)]
mod tests;
