//! The weights in an HDF5 file as Keras wrote them: layers with named arrays, not yet interpreted.

use std::collections::{BTreeMap, BTreeSet};

use hdf5_reader::error::Error;
use hdf5_reader::group::Group;
use hdf5_reader::{Attribute, Dataset, Hdf5File, OpenOptions};

use super::model_config::inner_model;
use super::weight_array::{ReadingLimits, WeightArray};
use super::{KerasError, excerpt, shortened};
use mammoscope_domain::text::contained_panic::contain_panic;

/// The order of the numbers in layer names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Numbering {
    /// The order in which the layers were created.
    Creation,
    /// The order of `model.layers`.
    ModelLayers,
}

/// A layer that has weights.
#[derive(Clone, Debug)]
pub(super) struct WeightLayer {
    pub(super) name: String,
    /// Pairs of role (`kernel`, `gamma`, … or a position `0`, `1`, …) and array.
    pub(super) weights: Vec<(String, WeightArray)>,
}

/// The parts of a file that an import needs.
#[derive(Debug)]
pub(super) struct WeightTree {
    pub(super) numbering: Numbering,
    pub(super) layers: Vec<WeightLayer>,
    pub(super) keras_version: Option<String>,
}

/// An open file, whose configuration can be inspected before its weights are read.
pub(super) struct WeightFile {
    root: Group,
    groups: Vec<String>,
    attributes: Attributes,
}

/// The number of weights of batch normalisation; no layer of the network has more.
const MAX_WEIGHTS_PER_LAYER: usize = 4;

impl WeightFile {
    /// Opens the bytes of an HDF5 file.
    pub(super) fn open(bytes: Vec<u8>) -> Result<Self, KerasError> {
        guarded(|| {
            let length = bytes.len() as u64;
            let largest = ReadingLimits::new().largest_array();
            let options = OpenOptions::default().with_max_read_bytes(largest).with_max_chunk_bytes(largest);
            let file = Hdf5File::from_vec_with_options(bytes, options).map_err(|error| hdf5(&error))?;
            let expected = file.superblock().eof_address;
            if length < expected {
                return Err(KerasError::Truncated { length, expected });
            }
            let root = file.root_group().map_err(|error| hdf5(&error))?;
            let (groups, _) = root.member_names().map_err(|error| hdf5(&error))?;
            let attributes = Attributes::of(&root)?;
            Ok(Self { root, groups, attributes })
        })
    }

    /// Returns the text of `model_config`, if the file holds a whole model.
    pub(super) fn model_config(&self) -> Result<Option<String>, KerasError> {
        guarded(|| {
            let Some(attribute) = self.attributes.0.get("model_config") else { return Ok(None) };
            attribute.read_string().map(Some).map_err(|error| {
                KerasError::Config(match error {
                    Error::TypeMismatch { .. } => "it is not text".to_owned(),
                    error => shortened(&error.to_string(), 200),
                })
            })
        })
    }

    /// Reads every layer's weights.
    pub(super) fn weights(&self) -> Result<WeightTree, KerasError> {
        guarded(|| {
            let has = |name: &str| self.groups.iter().any(|group| group == name);
            let group = |name: &str| self.root.group(name).map_err(|error| hdf5(&error));
            let mut limits = ReadingLimits::new();
            let (numbering, layers) = if has("model_weights") {
                (Numbering::Creation, named_layers(&group("model_weights")?, &mut limits)?)
            } else if self.attributes.has_names("layer_names") {
                (Numbering::Creation, named_layers(&self.root, &mut limits)?)
            } else if has("layers") {
                (Numbering::ModelLayers, positional_layers(&group("layers")?, &mut limits)?)
            } else {
                return Err(KerasError::NoWeights);
            };
            let version = self.attributes.0.get("keras_version").and_then(|version| version.read_string().ok());
            Ok(WeightTree { numbering, layers, keras_version: version.map(|version| excerpt(&version)) })
        })
    }
}

/// Turns a panic of the HDF5 reader into an error: a damaged file must never crash the program.
fn guarded<T>(read: impl FnOnce() -> Result<T, KerasError>) -> Result<T, KerasError> {
    contain_panic(read).unwrap_or_else(|_| Err(KerasError::Hdf5("its structure contradicts itself".to_owned())))
}

/// A group's attributes by name.
struct Attributes(BTreeMap<String, Attribute>);

impl Attributes {
    fn of(group: &Group) -> Result<Self, KerasError> {
        let attributes = group.attributes().map_err(|error| hdf5(&error))?;
        Ok(Self(attributes.into_iter().map(|attribute| (attribute.name.clone(), attribute)).collect()))
    }

    fn has_names(&self, key: &str) -> bool {
        self.0.contains_key(key) || self.0.contains_key(&format!("{key}0"))
    }

    /// Reads a list of names. Attributes are limited to 64 kB; Keras splits longer lists into `<key>0`, `<key>1`, ….
    fn names(&self, key: &str) -> Result<Vec<String>, KerasError> {
        if let Some(attribute) = self.0.get(key) {
            return strings(attribute);
        }
        let parts = (0_usize..).map_while(|part| self.0.get(&format!("{key}{part}")));
        Ok(parts.map(strings).collect::<Result<Vec<_>, _>>()?.concat())
    }
}

fn strings(attribute: &Attribute) -> Result<Vec<String>, KerasError> {
    // A layer without weights has an empty array of numbers here, not of strings.
    if attribute.shape.contains(&0) {
        return Ok(Vec::new());
    }
    attribute
        .read_strings()
        .map_err(|_| KerasError::Hdf5(format!("the attribute '{}' is not a list of names", excerpt(&attribute.name))))
}

/// Keras 2: the attribute `layer_names` lists the layers, each layer's `weight_names` its arrays.
fn named_layers(group: &Group, limits: &mut ReadingLimits) -> Result<Vec<WeightLayer>, KerasError> {
    let attributes = Attributes::of(group)?;
    if !attributes.has_names("layer_names") {
        return Err(KerasError::NoWeights);
    }
    let other = |fault: String| Err(KerasError::OtherNetwork(fault));
    let (mut layers, mut listed) = (Vec::new(), BTreeSet::new());
    for name in attributes.names("layer_names")? {
        if !listed.insert(name.clone()) {
            return other(format!("layer '{}' is listed twice", excerpt(&name)));
        }
        let Ok(layer) = group.group(&name) else {
            return other(format!("layer '{}' is listed but missing", excerpt(&name)));
        };
        let attributes = Attributes::of(&layer)?;
        if !attributes.has_names("weight_names") {
            return other(format!("layer '{}' does not list its weights", excerpt(&name)));
        }
        let weight_names = attributes.names("weight_names")?;
        if weight_names.len() > MAX_WEIGHTS_PER_LAYER {
            return other(inner_model(&name));
        }
        let mut weights = Vec::new();
        for path in weight_names {
            let Some(dataset) = dataset_at(&layer, &path) else {
                let (layer, path) = (excerpt(&name), excerpt(&path));
                return other(format!("weight '{path}' of layer '{layer}' is listed but missing"));
            };
            let leaf = path.rsplit('/').next().unwrap_or(&path);
            let role = leaf.split(':').next().unwrap_or(leaf);
            weights.push((role.to_owned(), WeightArray::read(&dataset, &name, limits)?));
        }
        if !weights.is_empty() {
            layers.push(WeightLayer { name, weights });
        }
    }
    Ok(layers)
}

/// Keras 3: every layer is a group with a group `vars` of numbered arrays.
fn positional_layers(group: &Group, limits: &mut ReadingLimits) -> Result<Vec<WeightLayer>, KerasError> {
    let mut layers = Vec::new();
    for layer in group.groups().map_err(|error| hdf5(&error))? {
        let (members, _) = layer.member_names().map_err(|error| hdf5(&error))?;
        if members.iter().any(|member| member == "layers") {
            return Err(KerasError::OtherNetwork(inner_model(layer.name())));
        }
        if !members.iter().any(|member| member == "vars") {
            continue;
        }
        let vars = layer.group("vars").map_err(|error| hdf5(&error))?;
        let mut weights = Vec::new();
        for dataset in vars.datasets().map_err(|error| hdf5(&error))? {
            weights.push((dataset.name().to_owned(), WeightArray::read(&dataset, layer.name(), limits)?));
        }
        if !weights.is_empty() {
            layers.push(WeightLayer { name: layer.name().to_owned(), weights });
        }
    }
    Ok(layers)
}

/// Returns the dataset at a path below a group. Keras nests weights only a few groups deep; longer paths are refused.
fn dataset_at(group: &Group, path: &str) -> Option<Dataset> {
    const MAX_DEPTH: usize = 8;
    let mut components: Vec<&str> = path.splitn(MAX_DEPTH + 1, '/').collect();
    let leaf = components.pop()?;
    if components.len() == MAX_DEPTH {
        return None;
    }
    let mut at = group.clone();
    for component in components {
        at = at.group(component).ok()?;
    }
    at.dataset(leaf).ok()
}

pub(super) fn hdf5(error: &Error) -> KerasError {
    match error {
        Error::InvalidMagic => KerasError::ForeignFormat("not an HDF5 file".to_owned()),
        error => KerasError::Hdf5(shortened(&error.to_string(), 200)),
    }
}
