//! A model on disk: one self-describing safetensors file, readable without libtorch.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::atomic_file::AtomicFile;
use crate::regular_file::read_regular_file;
use mammoscope_domain::image::grey_range::GreyRange;
use mammoscope_domain::network::input_route::InputRoute;
use mammoscope_domain::network::network_plan::{NetworkPlan, ParameterPlan, WidthFactor};
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::view::View;
use mammoscope_domain::text::foreign_file::ForeignFile;
pub(crate) use mammoscope_domain::text::hexadecimal::hexadecimal;
use mammoscope_domain::text::printable::printable;

/// The metadata entry `format` of these files.
pub const FORMAT: &str = "mammoscope-model-1";
/// The largest model file: the widest network has 580 MB of weights.
const MAX_BYTES: u64 = 1 << 30;
/// The provenance entry with the grey range of the training images.
const GREY_RANGE: &str = "grey_range";
/// The metadata entry with the SHA-256 of all tensors, ordered by name.
pub(crate) const CHECKSUM: &str = "tensors_sha256";
/// The metadata entry `architecture`: the network of [`NetworkPlan`].
pub const ARCHITECTURE: &str = "resnet41";

/// The description of a model in its file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ModelMetadata {
    /// The factor on all channel counts.
    pub width: WidthFactor,
    /// Input height and width in pixels.
    pub size: usize,
    /// The view that the model was trained on; `None` serves any view.
    pub view: Option<View>,
    /// The conversion of images to network input.
    pub input_route: InputRoute,
    /// The origin of the weights: free-text entries such as `source` and `source_sha256`.
    pub provenance: std::collections::BTreeMap<String, String>,
}

/// The entry of [`ModelMetadata::provenance`] that states the white level of 16-bit training images.
#[must_use]
pub fn grey_range_entry(range: GreyRange) -> (String, String) {
    let text = match range {
        GreyRange::Auto => "auto".to_owned(),
        GreyRange::White(white) => white.to_string(),
    };
    (GREY_RANGE.to_owned(), text)
}

impl ModelMetadata {
    /// The white level of 16-bit training images; automatic if the model does not state it.
    #[must_use]
    pub fn grey_range(&self) -> GreyRange {
        let white = self.provenance.get(GREY_RANGE).and_then(|text| text.parse().ok());
        white.map_or(GreyRange::Auto, GreyRange::White)
    }

    /// The plan of the network that the weights belong to.
    #[must_use]
    pub fn plan(&self) -> NetworkPlan {
        NetworkPlan::new(self.width)
    }

    /// Reads the header of a file without checking its tensors.
    pub fn read(path: &Path) -> Result<Self, ModelError> {
        metadata_of(&read_regular_file(path, MAX_BYTES)?).map(|(metadata, _)| metadata)
    }

    pub(crate) fn entries(&self) -> HashMap<String, String> {
        let classes = DensityClass::ALL.map(DensityClass::letter).join(",");
        let mut entries: HashMap<String, String> =
            self.provenance.iter().map(|(key, value)| (format!("provenance.{key}"), value.clone())).collect();
        entries.extend([
            ("format".to_owned(), FORMAT.to_owned()),
            ("architecture".to_owned(), ARCHITECTURE.to_owned()),
            ("width".to_owned(), self.width.to_string()),
            ("size".to_owned(), self.size.to_string()),
            ("classes".to_owned(), classes),
            ("view".to_owned(), self.view.map_or("any", View::name).to_owned()),
            ("input_route".to_owned(), self.input_route.to_string()),
        ]);
        entries
    }

    pub(crate) fn from_entries(entries: &HashMap<String, String>) -> Result<Self, ModelError> {
        let entry = |key: &str| entries.get(key).map(String::as_str);
        let wrong = |key: &str, reason: String| ModelError::Metadata { key: key.to_owned(), reason };
        let required = |key: &'static str| entry(key).ok_or_else(|| wrong(key, "it is missing".to_owned()));
        match entry("format") {
            None => return Err(ModelError::NotOurs),
            Some(FORMAT) => {}
            // Each of these formats is another file of this program.
            Some("mammoscope-checkpoint-1") => {
                let advice = "the file is a checkpoint of a training run, not a model; name the run, or one of its \
                              best-*.safetensors";
                return Err(wrong("format", advice.to_owned()));
            }
            Some("mammoscope-pytorch-1") => {
                let advice = "the file is a model exported for PyTorch; `mammoscope import` makes a model of it";
                return Err(wrong("format", advice.to_owned()));
            }
            Some(other) => return Err(wrong("format", format!("'{}' is not '{FORMAT}'", printable(other)))),
        }
        let architecture = required("architecture")?;
        if architecture != ARCHITECTURE {
            return Err(wrong("architecture", format!("'{}' is not '{ARCHITECTURE}'", printable(architecture))));
        }
        let classes = required("classes")?;
        if classes != DensityClass::ALL.map(DensityClass::letter).join(",") {
            return Err(wrong("classes", format!("'{}' is not 'A,B,C,D'", printable(classes))));
        }
        let width = required("width")?
            .parse::<f64>()
            .map_err(|error| wrong("width", error.to_string()))
            .and_then(|factor| WidthFactor::new(factor).map_err(|error| wrong("width", error.to_string())))?;
        let size = required("size")?.parse::<usize>().map_err(|error| wrong("size", error.to_string()))?;
        check_size(size).map_err(|error| wrong("size", error.to_string()))?;
        let view = match required("view")? {
            "any" => None,
            name => Some(name.parse().map_err(|_| wrong("view", format!("'{}' is not a view", printable(name))))?),
        };
        let input_route = required("input_route")?;
        let input_route = input_route
            .parse()
            .map_err(|_| wrong("input_route", format!("'{}' is unknown", printable(input_route))))?;
        let provenance = entries
            .iter()
            .filter_map(|(key, value)| Some((key.strip_prefix("provenance.")?.to_owned(), value.clone())))
            .collect();
        Ok(Self { width, size, view, input_route, provenance })
    }
}

/// An input size that the network does not support.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an input of {0} pixels is outside 32 to 4096")]
pub struct SizeOutOfRange(pub usize);

/// Checks an input size: 32 (the last feature map has one position) to 4096 pixels.
pub fn check_size(size: usize) -> Result<usize, SizeOutOfRange> {
    if (32..=4096).contains(&size) { Ok(size) } else { Err(SizeOutOfRange(size)) }
}

/// A file that is not a usable model.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The file cannot be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is not a safetensors file, or a damaged one.
    #[error("not a readable safetensors file ({0}); is it cut short?")]
    Safetensors(String),
    /// It is another kind of file, perhaps a Keras model.
    #[error("is {0}, not a mammoscope model; {advice}", advice = .0.advice())]
    Foreign(ForeignFile),
    /// It is a safetensors file of something else.
    #[error(
        "a safetensors file, but not a mammoscope model (its metadata have no 'format' entry); import Keras models with `mammoscope import`"
    )]
    NotOurs,
    /// An entry of the metadata is missing or wrong.
    #[error("metadata entry '{key}': {reason}")]
    Metadata { key: String, reason: String },
    /// Tensors are missing, superfluous or of the wrong shape.
    #[error("the tensors do not fit the network: {0}")]
    Tensors(String),
    /// A tensor contains values that are not finite, or negative variances.
    #[error("tensor '{name}' contains {reason}")]
    Values { name: String, reason: &'static str },
    /// The tensors do not match their checksum.
    #[error("the file is damaged: its tensors do not match its checksum")]
    Checksum,
}

impl From<safetensors::SafeTensorError> for ModelError {
    fn from(error: safetensors::SafeTensorError) -> Self {
        Self::Safetensors(printable(&error.to_string()))
    }
}

/// Checks that the values of a tensor are finite and that variances are not negative; returns the fault, if any.
pub(crate) fn fault_of_values(name: &str, values: &[f32]) -> Option<&'static str> {
    if !values.iter().all(|value| value.is_finite()) {
        Some("values that are not finite")
    } else if name.ends_with("moving_variance") && values.iter().any(|&value| value < 0.0) {
        Some("variances below zero")
    } else {
        None
    }
}

/// Values by tensor name.
pub type TensorValues = HashMap<String, Vec<f32>>;

/// A model in memory: metadata, and every tensor of [`NetworkPlan::parameters`] as f32 in row-major order.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    pub metadata: ModelMetadata,
    /// Values by tensor name.
    pub tensors: TensorValues,
}

impl Model {
    /// Reads a model file and checks every tensor against the network in the metadata.
    pub fn read(path: &Path) -> Result<Self, ModelError> {
        Self::from_bytes(&read_regular_file(path, MAX_BYTES)?)
    }

    /// Like [`Model::read`], with the SHA-256 of the file in hexadecimal.
    pub fn read_with_sha256(path: &Path) -> Result<(Self, String), ModelError> {
        let bytes = read_regular_file(path, MAX_BYTES)?;
        Ok((Self::from_bytes(&bytes)?, sha256_hex(&bytes)))
    }

    /// Reads the bytes of a model file, like [`Model::read`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ModelError> {
        let (metadata, checksum) = metadata_of(bytes)?;
        let file = SafeTensors::deserialize(bytes)?;
        let parameters = metadata.plan().parameters();
        let found: Vec<(String, Vec<usize>, Dtype)> =
            file.iter().map(|(name, view)| (name.to_owned(), view.shape().to_vec(), view.dtype())).collect();
        check_tensors(&parameters, &found)?;
        let data = parameters
            .iter()
            .map(|parameter| Ok((parameter.name.as_str(), file.tensor(&parameter.name)?.data())))
            .collect::<Result<Vec<_>, ModelError>>()?;
        // Files of other tools may lack it. Nothing else detects a flipped bit in the weights.
        if checksum.is_some_and(|checksum| checksum != checksum_of(data.into_iter())) {
            return Err(ModelError::Checksum);
        }
        let mut tensors = HashMap::with_capacity(parameters.len());
        for ParameterPlan { name, .. } in parameters {
            let values: Vec<f32> =
                file.tensor(&name)?.data().as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
            if let Some(reason) = fault_of_values(&name, &values) {
                return Err(ModelError::Values { name, reason });
            }
            tensors.insert(name, values);
        }
        Ok(Self { metadata, tensors })
    }

    /// Writes the model to a file, atomically.
    pub fn write(&self, path: &Path) -> Result<(), ModelError> {
        let parameters = self.metadata.plan().parameters();
        let mut data = Vec::with_capacity(parameters.len());
        for ParameterPlan { name, shape, .. } in parameters {
            let values = self.tensors.get(&name).ok_or_else(|| ModelError::Tensors(format!("'{name}' is missing")))?;
            let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
            data.push((name, shape, bytes));
        }
        let views = data
            .iter()
            .map(|(name, shape, bytes)| Ok((name.as_str(), TensorView::new(Dtype::F32, shape.clone(), bytes)?)))
            .collect::<Result<Vec<_>, ModelError>>()?;
        let checksum = checksum_of(data.iter().map(|(name, _, bytes)| (name.as_str(), bytes.as_slice())));
        let mut entries = self.metadata.entries();
        entries.insert(CHECKSUM.to_owned(), checksum);
        let bytes = safetensors::serialize(views, Some(entries))?;
        let mut file = AtomicFile::create(path)?;
        file.write_all(&bytes)?;
        file.commit()?;
        Ok(())
    }
}

/// The facts that `model info` prints about a file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ModelFacts {
    #[serde(flatten)]
    pub metadata: ModelMetadata,
    /// The number of values in all tensors.
    pub parameters: usize,
    /// The size of the file in bytes.
    pub bytes: u64,
    /// The SHA-256 of the file, in hexadecimal.
    pub sha256: String,
}

impl ModelFacts {
    /// Reads and checks a model file ([`Model::read`]).
    pub fn read(path: &Path) -> Result<Self, ModelError> {
        let bytes = read_regular_file(path, MAX_BYTES)?;
        let model = Model::from_bytes(&bytes)?;
        Ok(Self {
            parameters: model.metadata.plan().parameter_count(),
            metadata: model.metadata,
            bytes: bytes.len() as u64,
            sha256: sha256_hex(&bytes),
        })
    }
}

/// Returns the SHA-256 of some bytes, in hexadecimal.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

/// Reads the metadata and the checksum in a header.
fn metadata_of(bytes: &[u8]) -> Result<(ModelMetadata, Option<String>), ModelError> {
    if let Some(file) = ForeignFile::of(bytes) {
        return Err(ModelError::Foreign(file));
    }
    let (_, header) = SafeTensors::read_metadata(bytes)?;
    let entries = header.metadata().as_ref().ok_or(ModelError::NotOurs)?;
    Ok((ModelMetadata::from_entries(entries)?, entries.get(CHECKSUM).cloned()))
}

/// Returns the SHA-256 over the names and little-endian bytes of the tensors.
pub(crate) fn checksum_of<'a>(tensors: impl Iterator<Item = (&'a str, &'a [u8])>) -> String {
    let mut hasher = Sha256::new();
    for (name, bytes) in tensors {
        hasher.update(name.as_bytes());
        hasher.update(bytes);
    }
    hexadecimal(&hasher.finalize())
}

pub(crate) fn check_tensors(
    parameters: &[ParameterPlan],
    found: &[(String, Vec<usize>, Dtype)],
) -> Result<(), ModelError> {
    let mut faults = Vec::new();
    for ParameterPlan { name, shape, .. } in parameters {
        match found.iter().find(|(found_name, ..)| found_name == name) {
            None => faults.push(format!("'{name}' is missing")),
            Some((_, found_shape, _)) if found_shape != shape => {
                faults.push(format!("'{name}' has shape {found_shape:?}, not {shape:?}"));
            }
            Some((.., dtype)) if *dtype != Dtype::F32 => faults.push(format!("'{name}' is {dtype:?}, not F32")),
            Some(_) => {}
        }
    }
    for (name, ..) in found {
        if !parameters.iter().any(|parameter| parameter.name == *name) {
            faults.push(format!("'{}' is superfluous", printable(name)));
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(ModelError::Tensors(list_faults(&faults))) }
}

/// Joins the first faults of a list into one line and counts the rest.
#[must_use]
pub fn list_faults(faults: &[String]) -> String {
    const SHOWN: usize = 6;
    let mut line = faults.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join("; ");
    if faults.len() > SHOWN {
        // Writing to a string cannot fail.
        let _ = write!(line, "; and {} more", faults.len() - SHOWN);
    }
    line
}
