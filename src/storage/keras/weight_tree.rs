//! The tree of weights in an HDF5 file, as Keras wrote it: layers with named arrays, nothing interpreted.

use std::panic::{AssertUnwindSafe, catch_unwind};

use hdf5_reader::error::Error;
use hdf5_reader::group::Group;
use hdf5_reader::{Dataset, Hdf5File, OpenOptions};

use super::KerasError;
use crate::domain::printable::printable;

/// In which order the numbers in layer names run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Numbering {
    /// In the order in which the layers were created.
    Creation,
    /// In the order in which they stand in `model.layers`.
    ModelLayers,
}

/// An array of weights in Keras' layout, row-major.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct WeightArray {
    pub(super) shape: Vec<usize>,
    pub(super) values: Vec<f32>,
}

/// A layer that has weights.
#[derive(Clone, Debug)]
pub(super) struct WeightLayer {
    pub(super) name: String,
    /// Role (`kernel`, `gamma`, … or a position `0`, `1`, …) and array.
    pub(super) weights: Vec<(String, WeightArray)>,
}

/// All that an import needs of a file.
#[derive(Debug)]
pub(super) struct WeightTree {
    pub(super) numbering: Numbering,
    pub(super) layers: Vec<WeightLayer>,
    pub(super) model_config: Option<String>,
    pub(super) keras_version: Option<String>,
}

impl WeightTree {
    /// Reads the bytes of an HDF5 file.
    pub(super) fn read(bytes: Vec<u8>) -> Result<Self, KerasError> {
        // A damaged file must never end the program: the reader checks its input, and this stands behind it.
        catch_unwind(AssertUnwindSafe(|| Self::read_unguarded(bytes)))
            .unwrap_or_else(|_| Err(KerasError::Hdf5("its structure contradicts itself".to_owned())))
    }

    fn read_unguarded(bytes: Vec<u8>) -> Result<Self, KerasError> {
        // No array of a sound file is larger than the file.
        let length = bytes.len() as u64;
        let options = OpenOptions::default().with_max_read_bytes(bytes.len()).with_max_chunk_bytes(bytes.len());
        let file = Hdf5File::from_vec_with_options(bytes, options).map_err(|error| hdf5(&error))?;
        let expected = file.superblock().eof_address;
        if length < expected {
            return Err(KerasError::Hdf5(format!("it has {length} of {expected} bytes")));
        }
        let root = file.root_group().map_err(|error| hdf5(&error))?;
        let (groups, _) = root.member_names().map_err(|error| hdf5(&error))?;
        let has = |name: &str| groups.iter().any(|group| group == name);
        let (numbering, layers) = if has("model_weights") {
            (Numbering::Creation, named_layers(&root.group("model_weights").map_err(|error| hdf5(&error))?)?)
        } else if root.attribute("layer_names").is_ok() {
            (Numbering::Creation, named_layers(&root)?)
        } else if has("layers") {
            (Numbering::ModelLayers, positional_layers(&root.group("layers").map_err(|error| hdf5(&error))?)?)
        } else {
            return Err(KerasError::NoWeights);
        };
        let text = |name: &str| root.attribute(name).ok().and_then(|attribute| attribute.read_string().ok());
        Ok(Self { numbering, layers, model_config: text("model_config"), keras_version: text("keras_version") })
    }
}

/// Keras 2: the attribute `layer_names` lists the layers, each layer's `weight_names` its arrays.
fn named_layers(group: &Group) -> Result<Vec<WeightLayer>, KerasError> {
    let names = group
        .attribute("layer_names")
        .map_err(|_| KerasError::NoWeights)?
        .read_strings()
        .map_err(|error| hdf5(&error))?;
    let mut layers = Vec::new();
    for name in names {
        let layer = group
            .group(&name)
            .map_err(|_| KerasError::OtherNetwork(format!("layer '{}' is listed but not there", printable(&name))))?;
        let weight_names = layer.attribute("weight_names").map_err(|error| hdf5(&error))?;
        // A layer without weights has an empty array of numbers here, not of strings.
        let weight_names = if weight_names.shape.contains(&0) {
            Vec::new()
        } else {
            weight_names.read_strings().map_err(|error| hdf5(&error))?
        };
        let mut weights = Vec::new();
        for path in weight_names {
            let dataset = dataset_at(&layer, &path).map_err(|_| {
                let (layer, path) = (printable(&name), printable(&path));
                KerasError::OtherNetwork(format!("weight '{path}' of layer '{layer}' is listed but not there"))
            })?;
            let leaf = path.rsplit('/').next().unwrap_or(&path);
            let role = leaf.split(':').next().unwrap_or(leaf);
            weights.push((role.to_owned(), array_of(&dataset, &name)?));
        }
        if !weights.is_empty() {
            layers.push(WeightLayer { name, weights });
        }
    }
    Ok(layers)
}

/// Keras 3: every layer is a group with a group `vars` of numbered arrays.
fn positional_layers(group: &Group) -> Result<Vec<WeightLayer>, KerasError> {
    let mut layers = Vec::new();
    for layer in group.groups().map_err(|error| hdf5(&error))? {
        let Ok(vars) = layer.group("vars") else { continue };
        let mut weights = Vec::new();
        for dataset in vars.datasets().map_err(|error| hdf5(&error))? {
            weights.push((dataset.name().to_owned(), array_of(&dataset, layer.name())?));
        }
        if !weights.is_empty() {
            layers.push(WeightLayer { name: layer.name().to_owned(), weights });
        }
    }
    Ok(layers)
}

fn dataset_at(group: &Group, path: &str) -> Result<Dataset, Error> {
    match path.split_once('/') {
        Some((first, rest)) => dataset_at(&group.group(first)?, rest),
        None => group.dataset(path),
    }
}

fn array_of(dataset: &Dataset, layer: &str) -> Result<WeightArray, KerasError> {
    let array = dataset.read_array::<f32>().map_err(|error| {
        KerasError::Hdf5(printable(&format!("layer '{layer}', weight '{}': {error}", dataset.name())))
    })?;
    let shape = array.shape().to_vec();
    Ok(WeightArray { shape, values: array.into_iter().collect() })
}

fn hdf5(error: &Error) -> KerasError {
    KerasError::Hdf5(printable(&error.to_string()))
}
