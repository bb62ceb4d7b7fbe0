//! An array of weights, read from an HDF5 dataset.

use half::f16;
use hdf5_reader::{Dataset, Datatype};

use super::weight_tree::hdf5;
use super::{KerasError, excerpt};
use mammoscope_domain::network::network_plan::{NetworkPlan, ParameterPlan, WidthFactor};

/// An array of weights in Keras' layout, row-major.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct WeightArray {
    pub(super) shape: Vec<usize>,
    pub(super) values: Vec<f32>,
}

/// Limits on the values read from a file, so that a small file of compressed zeros cannot fill the memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct ReadingLimits {
    /// The largest number of values in one array.
    largest: u64,
    /// The number of values that may still be read.
    remaining: u64,
}

impl ReadingLimits {
    /// The size in bytes of the largest number type.
    const MAX_VALUE_BYTES: usize = size_of::<f64>();

    /// The limits of the widest network.
    pub(super) fn new() -> Self {
        let widest = WidthFactor::new(WidthFactor::MAX).expect("the widest network is a network");
        let counts = NetworkPlan::new(widest).parameters();
        let counts = counts.iter().map(|parameter: &ParameterPlan| parameter.count() as u64);
        Self { largest: counts.clone().max().unwrap_or(0), remaining: counts.sum() }
    }

    /// The size of the largest array in bytes.
    pub(super) fn largest_array(self) -> usize {
        usize::try_from(self.largest).unwrap_or(usize::MAX).saturating_mul(Self::MAX_VALUE_BYTES)
    }
}

impl WeightArray {
    /// Reads a dataset of 16-, 32- or 64-bit floating-point numbers as f32.
    pub(super) fn read(dataset: &Dataset, layer: &str, limits: &mut ReadingLimits) -> Result<Self, KerasError> {
        let name = format!("'{}/{}'", excerpt(layer), excerpt(dataset.name()));
        let count = dataset.num_elements().map_err(|error| hdf5(&error))?;
        if count > limits.largest || count > limits.remaining {
            return Err(KerasError::OtherNetwork(format!(
                "{name} has shape {}, more values than the widest network holds",
                excerpt(&format!("{:?}", dataset.shape()))
            )));
        }
        limits.remaining -= count;
        let raw = dataset.raw_datatype().map_err(|error| hdf5(&error))?;
        let width = match dataset.dtype() {
            Datatype::FloatingPoint { size, .. } => Some(*size),
            _ => None,
        };
        // Byte 13 of the type description is the number of exponent bits, which distinguishes bfloat16 from half.
        let (width, exponent) = (width.unwrap_or(0), raw.get(13).copied());
        let bytes = || dataset.read_native_bytes().map_err(|error| hdf5(&error));
        let values: Vec<f32> = match (width, exponent) {
            (2, Some(5)) => bytes()?.as_chunks().0.iter().map(|bytes| f16::from_ne_bytes(*bytes).to_f32()).collect(),
            (4, Some(8)) => bytes()?.as_chunks().0.iter().map(|bytes| f32::from_ne_bytes(*bytes)).collect(),
            (8, Some(11)) => bytes()?.as_chunks().0.iter().map(|bytes| f64::from_ne_bytes(*bytes) as f32).collect(),
            _ => {
                let kind = excerpt(&kind_of(dataset.dtype()));
                return Err(KerasError::OtherNetwork(format!("{name} holds {kind}, not floating-point numbers")));
            }
        };
        let shape = dataset.shape().iter().map(|&length| length as usize).collect();
        Ok(Self { shape, values })
    }
}

fn kind_of(kind: &Datatype) -> String {
    match kind {
        Datatype::FixedPoint { size, signed: true, .. } => format!("int{}", 8 * u32::from(*size)),
        Datatype::FixedPoint { size, signed: false, .. } => format!("uint{}", 8 * u32::from(*size)),
        Datatype::FloatingPoint { size, .. } => format!("numbers of {size} bytes in an unknown form"),
        Datatype::String { .. } => "text".to_owned(),
        other => format!("{other:?}"),
    }
}
