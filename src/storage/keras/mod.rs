//! Weights of the Keras reference, from every HDF5 form in which Keras has written them.
//!
//! | form | weights lie in | layers are numbered |
//! |---|---|---|
//! | `model.save`, Keras 2 (`.h5`) | `model_weights/<layer>/<weight>` | as they were created |
//! | `save_weights`, Keras 2 (`.h5`) | `<layer>/<weight>` | as they were created |
//! | `save_weights`, Keras 3 (`.weights.h5`) | `layers/<layer>/vars/<n>` | as they stand in `model.layers` |
//!
//! Creation order and `model.layers` differ in each projected block, whose shortcut is created last but listed before
//! the branch's third convolution. Numbers may begin anywhere: Keras 2.2.4 begins at 1, later versions at 0 (the first
//! layer has no number), and a second model of one session goes on where the first ended.

mod layer_match;
mod model_config;
mod weight_tree;

use std::collections::BTreeMap;
use std::path::Path;

use self::layer_match::{Matched, match_layers};
use self::model_config::ConfigFacts;
use self::weight_tree::{WeightArray, WeightTree};
use super::model_file::{Model, ModelMetadata, SizeOutOfRange, TensorValues, check_size, list_faults, sha256_hex};
use crate::domain::input_route::InputRoute;
use crate::domain::network_plan::{NetworkPlan, REFERENCE_SIZE, WidthFactor};
use crate::domain::printable::printable_os;
use crate::domain::view::View;

/// Why a file's weights cannot be taken over.
#[derive(Debug, thiserror::Error)]
pub enum KerasError {
    /// It cannot be read.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// It is no HDF5 file, or a damaged one.
    #[error("not a readable HDF5 file ({0}); is it cut short?")]
    Hdf5(String),
    /// It is an HDF5 file without Keras weights.
    #[error("an HDF5 file without Keras weights (neither 'layer_names' nor 'layers' is there)")]
    NoWeights,
    /// Layers or weights are missing, superfluous or misshaped, or the model was built differently.
    #[error("not the network of 41 convolutions: {0}")]
    OtherNetwork(String),
    /// The input size is no size for this network.
    #[error(transparent)]
    Size(#[from] SizeOutOfRange),
}

/// What the file does not tell, or what the user wants otherwise.
#[derive(Clone, Copy, Debug, Default)]
pub struct ImportOptions {
    /// The view that the model was trained on.
    pub view: Option<View>,
    /// Input size; where it is not given, the file's own, or the reference's.
    pub size: Option<usize>,
}

/// An imported model, and whether its input size was told by anybody.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The model, in this program's layout.
    pub model: Model,
    /// Neither the file nor the user told the input size: it is [`REFERENCE_SIZE`].
    pub size_assumed: bool,
}

/// Reads a Keras file, matches its layers to the network, checks every shape and value, and converts the layouts:
/// kernels H×W×I×O → O×I×H×W, the dense kernel I×O → O×I.
pub fn import(path: &Path, options: ImportOptions) -> Result<Imported, KerasError> {
    let bytes = std::fs::read(path)?;
    let sha256 = sha256_hex(&bytes);
    let tree = WeightTree::read(bytes)?;
    let matched =
        match_layers(&tree.layers, tree.numbering).map_err(|faults| KerasError::OtherNetwork(list_faults(&faults)))?;
    let config = tree
        .model_config
        .as_deref()
        .map(|config| ConfigFacts::check(config, &matched))
        .transpose()
        .map_err(|faults| KerasError::OtherNetwork(list_faults(&faults)))?
        .unwrap_or_default();
    let (width, tensors) = convert(&matched).map_err(|faults| KerasError::OtherNetwork(list_faults(&faults)))?;
    let size = check_size(options.size.or(config.size).unwrap_or(REFERENCE_SIZE))?;
    let mut provenance = BTreeMap::from([
        ("source".to_owned(), path.file_name().map(printable_os).unwrap_or_default()),
        ("source_sha256".to_owned(), sha256),
        ("imported_by".to_owned(), concat!("mammoscope ", env!("CARGO_PKG_VERSION")).to_owned()),
        ("imported_at".to_owned(), chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true)),
        ("dropout".to_owned(), config.dropout.map_or_else(|| "unknown".to_owned(), |rate| rate.to_string())),
    ]);
    if let Some(version) = tree.keras_version {
        provenance.insert("keras_version".to_owned(), version);
    }
    let metadata = ModelMetadata { width, size, view: options.view, input_route: InputRoute::One, provenance };
    let size_assumed = options.size.is_none() && config.size.is_none();
    Ok(Imported { model: Model { metadata, tensors }, size_assumed })
}

/// Checks every shape against the plan of the stem's width and brings every array into the library's layout.
fn convert(matched: &Matched<'_>) -> Result<(WidthFactor, TensorValues), Vec<String>> {
    let stem = &matched.arrays["conv2d_1.kernel"];
    let width = WidthFactor::of_stem(stem.array.shape.last().copied().unwrap_or(0))
        .map_err(|error| vec![format!("'{}': {error}", stem.name)])?;
    let mut faults = Vec::new();
    let mut tensors = TensorValues::new();
    for parameter in NetworkPlan::new(width).parameters() {
        let found = &matched.arrays[&parameter.name];
        let expected = keras_shape(&parameter.shape);
        if found.array.shape != expected {
            faults.push(format!("'{}' has shape {:?}, not {expected:?}", found.name, found.array.shape));
        } else if !found.array.values.iter().all(|value| value.is_finite()) {
            faults.push(format!("'{}' holds values that are not finite", found.name));
        } else {
            tensors.insert(parameter.name, outputs_first(found.array));
        }
    }
    if faults.is_empty() { Ok((width, tensors)) } else { Err(faults) }
}

/// The shape that Keras gives to a tensor of our shape: H×W×I×O for O×I×H×W, I×O for O×I.
fn keras_shape(ours: &[usize]) -> Vec<usize> {
    match *ours {
        [outputs, inputs, height, width] => vec![height, width, inputs, outputs],
        [outputs, inputs] => vec![inputs, outputs],
        _ => ours.to_vec(),
    }
}

/// Moves the last axis (outputs) to the front and the one before it (inputs) behind that.
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
        // H = 1, W = 2, I = 2, O = 3; the value tells its index as w·100 + i·10 + o.
        let values = [0., 1., 2., 10., 11., 12., 100., 101., 102., 110., 111., 112.].to_vec();
        let array = WeightArray { shape: vec![1, 2, 2, 3], values };
        assert_eq!(outputs_first(&array), [0., 100., 10., 110., 1., 101., 11., 111., 2., 102., 12., 112.]);
        let dense = WeightArray { shape: vec![2, 3], values: vec![0., 1., 2., 10., 11., 12.] };
        assert_eq!(outputs_first(&dense), [0., 10., 1., 11., 2., 12.]);
    }
}
