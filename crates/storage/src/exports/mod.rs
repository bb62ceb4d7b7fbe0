//! Models in the forms of other programs, and the way back from PyTorch.

pub mod onnx;
mod preprocessing_text;
pub mod pytorch;

use crate::models::model_file::Model;

/// The statement on the intended use that every exported model carries.
pub const INTENDED_USE: &str = "For research only. Not a medical device; not intended or tested for clinical use.";

/// A model that cannot be exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// A tensor of the network is missing.
    #[error("the tensor '{0}' is missing")]
    Missing(String),
    /// Folding a batch normalisation leaves the range of f32.
    #[error("folding '{0}' into its convolution gives weights that are not finite in f32; ONNX export is not possible")]
    NotFinite(String),
    /// The tensors cannot be laid out as a safetensors file.
    #[error("the tensors cannot be written ({0})")]
    Safetensors(#[from] safetensors::SafeTensorError),
}

/// A model with the SHA-256 of its file.
#[derive(Clone, Copy, Debug)]
pub struct ExportedModel<'a> {
    pub model: &'a Model,
    /// In hexadecimal.
    pub sha256: &'a str,
}

impl<'a> ExportedModel<'a> {
    fn tensor(&self, name: &str) -> Result<&'a [f32], ExportError> {
        let values = self.model.tensors.get(name).map(Vec::as_slice);
        values.ok_or_else(|| ExportError::Missing(name.to_owned()))
    }

    fn view(&self) -> &'static str {
        self.model.metadata.view.map_or("any", mammoscope_domain::subject::view::View::name)
    }
}
