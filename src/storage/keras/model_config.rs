//! What a Keras file's `model_config` tells: the input size, and whether strides, paddings and constants are those of
//! the network, which no shape of a weight can show.

use serde_json::Value;

use super::layer_match::Matched;
use crate::domain::network_plan::{BATCH_NORM_EPSILON, INPUT_CHANNELS, LEAKY_RELU_SLOPE};
use crate::domain::printable::printable;

/// What an import takes from the configuration.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct ConfigFacts {
    /// Input height and width, when they are fixed and equal.
    pub(super) size: Option<usize>,
    /// Dropout probability.
    pub(super) dropout: Option<f64>,
}

impl ConfigFacts {
    /// Reads the JSON text and compares what it says with the network; every difference is a line of the error.
    pub(super) fn check(config: &str, matched: &Matched<'_>) -> Result<Self, Vec<String>> {
        let config: Value =
            serde_json::from_str(config).map_err(|error| vec![format!("'model_config' is not JSON: {error}")])?;
        let mut facts = Self::default();
        let mut faults = Vec::new();
        let layers = config["config"]["layers"].as_array().map_or(&[][..], Vec::as_slice);
        for layer in layers {
            let (class, settings) = (layer["class_name"].as_str().unwrap_or_default(), &layer["config"]);
            let name = settings["name"].as_str().unwrap_or(class);
            let mut expect = |key: &str, holds: bool| {
                if !holds {
                    faults.push(format!("layer '{}' has {key} {}", printable(name), settings[key]));
                }
            };
            match class {
                "InputLayer" => {
                    let shape = ["batch_input_shape", "batch_shape"].map(|key| settings[key].as_array());
                    if let Some([_, height, width, channels]) = shape.into_iter().flatten().next().map(Vec::as_slice) {
                        if height != width || channels.as_u64() != Some(INPUT_CHANNELS as u64) {
                            faults
                                .push(format!("the input is {height}×{width}×{channels}, not square with 3 channels"));
                        }
                        facts.size = height.as_u64().and_then(|size| usize::try_from(size).ok());
                    }
                }
                "Conv2D" => {
                    let stride = matched.convolutions.get(name).map(|plan| plan.stride as u64);
                    expect("strides", is_pair(&settings["strides"], stride));
                    expect("padding", settings["padding"] == "same" || is_pair(&settings["kernel_size"], Some(1)));
                    expect("dilation_rate", is_pair(&settings["dilation_rate"], Some(1)));
                    expect("activation", matches!(settings["activation"].as_str(), None | Some("linear")));
                }
                "BatchNormalization" => expect("epsilon", is_near(&settings["epsilon"], BATCH_NORM_EPSILON)),
                "LeakyReLU" => {
                    let key = if settings["alpha"].is_null() { "negative_slope" } else { "alpha" };
                    expect(key, is_near(&settings[key], LEAKY_RELU_SLOPE));
                }
                "MaxPooling2D" => {
                    expect("pool_size", is_pair(&settings["pool_size"], Some(3)));
                    expect("strides", is_pair(&settings["strides"], Some(2)));
                    expect("padding", settings["padding"] == "same");
                }
                "Dropout" => facts.dropout = settings["rate"].as_f64(),
                "Dense" => {
                    expect("activation", matches!(settings["activation"].as_str(), None | Some("softmax" | "linear")));
                }
                "Add" | "GlobalAveragePooling2D" => {}
                _ => faults.push(format!("layer '{}' is a {}", printable(name), printable(class))),
            }
        }
        if faults.is_empty() { Ok(facts) } else { Err(faults) }
    }
}

/// Whether a setting is `[n, n]`; a setting that is not there is the default, which the reference relies on too.
fn is_pair(value: &Value, expected: Option<u64>) -> bool {
    match value.as_array().map(Vec::as_slice) {
        Some([first, second]) => first == second && (expected.is_none() || first.as_u64() == expected),
        _ => value.is_null(),
    }
}

fn is_near(value: &Value, expected: f64) -> bool {
    // Keras stores some of these as f32.
    value.as_f64().is_none_or(|value| (value - expected).abs() < 1e-6)
}
