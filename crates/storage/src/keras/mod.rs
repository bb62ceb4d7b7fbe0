//! Imports the weights of the Keras reference from every HDF5 layout that Keras has written.
//!
//! | written by | location of the weights | layers are numbered |
//! |---|---|---|
//! | `model.save`, Keras 2 (`.h5`) | `model_weights/<layer>/<weight>` | in order of creation |
//! | `save_weights`, Keras 2 (`.h5`) | `<layer>/<weight>` | in order of creation |
//! | `save_weights`, Keras 3 (`.weights.h5`) | `layers/<layer>/vars/<n>` | in the order of `model.layers` |
//!
//! Creation order and `model.layers` differ in each projected block, whose shortcut is created last but listed before
//! the branch's third convolution. Numbers may start anywhere: Keras 2.2.4 starts at 1, later versions at 0 (the first
//! layer has no number), and a second model in one session continues where the first ended.
//!
//! A whole model also contains its `model_config`. Its layers are then matched by following the model from its output
//! to its input, whatever their names, and every setting is compared with the network's.

mod file_form;
mod layer_match;
mod layer_settings;
mod model_config;
mod weight_array;
mod weight_tree;
mod wiring;

use std::collections::BTreeMap;
use std::path::Path;

use self::layer_match::{FoundArray, MatchedArrays, match_by_numbers, match_by_wiring};
use self::model_config::LayerGraph;
use self::weight_array::WeightArray;
use self::weight_tree::WeightFile;
use self::wiring::{InputSize, Wiring};
use super::regular_file::read_regular_file;
use crate::models::model_file::{
    Model, ModelMetadata, SizeOutOfRange, TensorValues, check_size, fault_of_values, list_faults, sha256_hex,
};
use mammoscope_domain::network::input_route::InputRoute;
use mammoscope_domain::network::network_plan::{NetworkPlan, REFERENCE_SIZE, WidthFactor};
use mammoscope_domain::subject::view::View;
use mammoscope_domain::text::printable::{printable, printable_os};

/// The largest file that is read, in bytes: the widest network with the state of an optimiser.
const MAX_FILE: u64 = 2 << 30;

/// A file whose weights cannot be imported.
#[derive(Debug, thiserror::Error)]
pub enum KerasError {
    /// The file cannot be read.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// It is not an HDF5 file.
    #[error("{0}")]
    ForeignFormat(String),
    /// It is shorter than its header states.
    #[error("the HDF5 file has {length} of {expected} bytes; is it cut short?")]
    Truncated {
        length: u64,
        /// The length that the header states.
        expected: u64,
    },
    /// It is a damaged HDF5 file.
    #[error("not a readable HDF5 file ({0})")]
    Hdf5(String),
    /// It is an HDF5 file without Keras weights.
    #[error("an HDF5 file without Keras weights (it has neither 'layer_names' nor 'layers')")]
    NoWeights,
    /// The model's configuration cannot be read.
    #[error("the attribute 'model_config' is damaged: {0}")]
    Config(String),
    /// Layers or weights are missing, superfluous or of the wrong shape, or the model was built differently.
    #[error("not the network of 41 convolutions: {0}")]
    OtherNetwork(String),
    /// The network does not support the input size.
    #[error(transparent)]
    Size(#[from] SizeOutOfRange),
}

/// Settings that the file lacks, or that the user overrides.
#[derive(Clone, Copy, Debug, Default)]
pub struct ImportOptions {
    /// The view that the model was trained on.
    pub view: Option<View>,
    /// The input size; `None` uses the file's, or else the reference's.
    pub size: Option<usize>,
}

/// The origin of the input size of an imported model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SizeSource {
    /// The file's configuration.
    File,
    /// The user ([`ImportOptions::size`]).
    Option,
    /// Assumed to be [`REFERENCE_SIZE`]: the model accepts any size.
    AssumedFree,
    /// Assumed to be [`REFERENCE_SIZE`]: the file holds only weights.
    AssumedWeightsAlone,
}

/// An imported model, and how much the file reveals about it.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The model, in this program's layout.
    pub model: Model,
    pub size_source: SizeSource,
    /// True if the file has no configuration: strides, constants and wiring are then assumed to be the network's.
    pub weights_alone: bool,
}

/// Reads a Keras file, matches its layers to the network, checks every shape and value and, if the file has a
/// configuration, wiring and settings, and converts the layouts: kernels H×W×I×O → O×I×H×W, the dense kernel I×O → O×I.
pub fn import(path: &Path, options: ImportOptions) -> Result<Imported, KerasError> {
    if let Some(form) = file_form::foreign_folder(path) {
        return Err(KerasError::ForeignFormat(form.to_owned()));
    }
    let bytes = read_regular_file(path, MAX_FILE)?;
    if let Some(form) = file_form::foreign_format(&bytes) {
        return Err(KerasError::ForeignFormat(form));
    }
    let other_network = |faults: Vec<String>| KerasError::OtherNetwork(list_faults(&faults));
    let sha256 = sha256_hex(&bytes);
    let file = WeightFile::open(bytes)?;
    let wiring = file.model_config()?.map(|config| wiring_of(&config)).transpose()?;
    let tree = file.weights()?;
    let matched = match &wiring {
        Some(wiring) => match_by_wiring(&tree.layers, &wiring.layers),
        None => match_by_numbers(&tree.layers, tree.numbering),
    };
    let (width, tensors) = matched.and_then(|matched| convert(&matched)).map_err(other_network)?;
    let (size, size_source) = match (options.size, wiring.as_ref().map(|wiring| wiring.input)) {
        (Some(size), _) => (size, SizeSource::Option),
        (None, Some(InputSize::Fixed(size))) => (size, SizeSource::File),
        (None, Some(InputSize::Free)) => (REFERENCE_SIZE, SizeSource::AssumedFree),
        (None, None) => (REFERENCE_SIZE, SizeSource::AssumedWeightsAlone),
    };
    let size = check_size(size)?;
    let dropout = wiring.as_ref().and_then(|wiring| wiring.dropout);
    let mut provenance = BTreeMap::from([
        ("source".to_owned(), path.file_name().map(printable_os).unwrap_or_default()),
        ("source_sha256".to_owned(), sha256),
        ("imported_by".to_owned(), concat!("mammoscope ", env!("CARGO_PKG_VERSION")).to_owned()),
        ("imported_at".to_owned(), chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true)),
        ("dropout".to_owned(), dropout.map_or_else(|| "unknown".to_owned(), |rate| rate.to_string())),
    ]);
    if let Some(version) = tree.keras_version {
        provenance.insert("keras_version".to_owned(), version);
    }
    let metadata = ModelMetadata { width, size, view: options.view, input_route: InputRoute::Training, provenance };
    Ok(Imported { model: Model { metadata, tensors }, size_source, weights_alone: wiring.is_none() })
}

fn wiring_of(config: &str) -> Result<Wiring, KerasError> {
    let config: serde_json::Value =
        serde_json::from_str(config).map_err(|error| KerasError::Config(format!("it is not JSON: {error}")))?;
    let graph = LayerGraph::read(&config)?;
    wiring::trace(&graph).map_err(|faults| KerasError::OtherNetwork(list_faults(&faults)))
}

/// Checks every shape against the plan for the stem's width and converts every array to libtorch's layout.
fn convert(matched: &MatchedArrays<'_>) -> Result<(WidthFactor, TensorValues), Vec<String>> {
    let found = |name: &str| matched.get(name).ok_or_else(|| vec![format!("weight '{name}' is missing")]);
    let stem = found("conv2d_1.kernel")?;
    let width = WidthFactor::of_stem(stem.array.shape.last().copied().unwrap_or(0))
        .map_err(|error| vec![format!("'{}': {error}", stem.name)])?;
    let mut faults = Vec::new();
    let mut tensors = TensorValues::new();
    for parameter in NetworkPlan::new(width).parameters() {
        let found = found(&parameter.name)?;
        match fault_of(found, &keras_shape(&parameter.shape), &parameter.name) {
            Some(fault) => faults.push(format!("'{}' {fault}", found.name)),
            None => {
                tensors.insert(parameter.name, outputs_first(found.array));
            }
        }
    }
    if faults.is_empty() { Ok((width, tensors)) } else { Err(faults) }
}

fn fault_of(found: &FoundArray<'_>, expected: &[usize], ours: &str) -> Option<String> {
    let WeightArray { shape, values } = found.array;
    if shape == expected {
        fault_of_values(ours, values).map(|fault| format!("contains {fault}"))
    } else {
        Some(format!("has shape {}, not {expected:?}", excerpt(&format!("{shape:?}"))))
    }
}

/// Text from a file, made safe to print and cut at 80 characters.
fn excerpt(text: &str) -> String {
    shortened(text, 80)
}

/// Text from a file, made safe to print and cut at `limit` characters.
fn shortened(text: &str, limit: usize) -> String {
    let whole = printable(text);
    let mut shown: String = whole.chars().take(limit).collect();
    if shown.len() < whole.len() {
        shown.push('…');
    }
    shown
}

/// Converts a shape to Keras' layout: O×I×H×W → H×W×I×O, O×I → I×O.
fn keras_shape(ours: &[usize]) -> Vec<usize> {
    match *ours {
        [outputs, inputs, height, width] => vec![height, width, inputs, outputs],
        [outputs, inputs] => vec![inputs, outputs],
        _ => ours.to_vec(),
    }
}

/// Moves the last axis (outputs) to the front, followed by the one before it (inputs).
fn outputs_first(array: &WeightArray) -> Vec<f32> {
    let [.., inputs, outputs] = *array.shape else { return array.values.clone() };
    let positions = array.values.len() / (inputs * outputs);
    let mut values = Vec::with_capacity(array.values.len());
    for output in 0..outputs {
        for input in 0..inputs {
            values.extend((0..positions).map(|position| array.values[(position * inputs + input) * outputs + output]));
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_come_first() {
        // H = 1, W = 2, I = 2, O = 3; the value encodes its index as w·100 + i·10 + o.
        let values = [0., 1., 2., 10., 11., 12., 100., 101., 102., 110., 111., 112.].to_vec();
        let array = WeightArray { shape: vec![1, 2, 2, 3], values };
        assert_eq!(outputs_first(&array), [0., 100., 10., 110., 1., 101., 11., 111., 2., 102., 12., 112.]);
        let dense = WeightArray { shape: vec![2, 3], values: vec![0., 1., 2., 10., 11., 12.] };
        assert_eq!(outputs_first(&dense), [0., 10., 1., 11., 2., 12.]);
    }
}
