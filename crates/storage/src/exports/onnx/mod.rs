//! A model as one ONNX file.
//!
//! `image` (N×3×size×size, f32) → `probabilities` and `logits` (N×4, f32). Batch normalisations are folded into their
//! convolutions, in f64 and in the same order as in the engine, so that a runtime computes with the weights that
//! `predict` computes with.

mod folded_convolution;
mod graph;
mod messages;

use prost::Message as _;

use self::graph::graph_of;
use self::messages::{IR_VERSION, ModelProto, OperatorSetIdProto, StringStringEntryProto};
use super::preprocessing_text::preprocessing_text;
use super::{ExportError, ExportedModel, INTENDED_USE};
use crate::models::model_file::ARCHITECTURE;
use mammoscope_domain::subject::density::DensityClass;

/// The version of the operators. Those of the network have not changed since, so runtimes of 2022 and later read it.
pub const OPSET: i64 = 17;
/// The name of the input.
pub const INPUT: &str = "image";
/// The name of the first output: the softmax of [`LOGITS`].
pub const PROBABILITIES: &str = "probabilities";
/// The name of the second output.
pub const LOGITS: &str = "logits";

/// Returns the bytes of an ONNX file, which are the same for the same model.
pub fn onnx_bytes(exported: &ExportedModel<'_>) -> Result<Vec<u8>, ExportError> {
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let model = ModelProto {
        ir_version: Some(IR_VERSION),
        producer_name: "mammoscope".to_owned(),
        producer_version: version.clone(),
        doc_string: format!(
            "Breast density, BI-RADS A to D, of one mammogram, view {}. {INTENDED_USE}",
            exported.view()
        ),
        graph: Some(graph_of(exported)?),
        opset_import: vec![OperatorSetIdProto { domain: Some(String::new()), version: Some(OPSET) }],
        metadata_props: entries(exported, version)
            .into_iter()
            .map(|(key, value)| StringStringEntryProto { key: key.to_owned(), value })
            .collect(),
    };
    Ok(model.encode_to_vec())
}

fn entries(exported: &ExportedModel<'_>, version: String) -> Vec<(&'static str, String)> {
    let metadata = &exported.model.metadata;
    vec![
        ("architecture", ARCHITECTURE.to_owned()),
        ("width", metadata.width.to_string()),
        ("classes", DensityClass::ALL.map(DensityClass::letter).join(",")),
        ("view", exported.view().to_owned()),
        ("size", metadata.size.to_string()),
        ("input_layout", "NCHW".to_owned()),
        ("input_route", metadata.input_route.to_string()),
        ("preprocessing", preprocessing_text(metadata)),
        ("batch_normalization", "folded into the convolutions".to_owned()),
        ("mammoscope_version", version),
        ("model_sha256", exported.sha256.to_owned()),
        ("intended_use", INTENDED_USE.to_owned()),
    ]
}

#[cfg(test)]
mod tests;
