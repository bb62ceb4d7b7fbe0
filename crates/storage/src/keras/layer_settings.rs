//! Compares the settings of a layer, which the shapes of weights do not reveal, with the network's.

use serde_json::Value;

use super::excerpt;
use super::model_config::ConfigLayer;
use mammoscope_domain::network::network_plan::{BATCH_NORM_EPSILON, ConvolutionPlan, LEAKY_RELU_SLOPE};

/// The layer of the network to which a layer of the file is compared.
#[derive(Clone, Copy, Debug)]
pub(super) enum Expected {
    Input,
    Convolution(ConvolutionPlan),
    BatchNorm,
    LeakyRelu,
    MaxPool,
    Sum,
    Dropout,
    GlobalAverage,
    /// With the softmax as its activation, or as a layer after it.
    Dense {
        own_softmax: bool,
    },
    Softmax,
}

impl Expected {
    /// The name of the Keras class.
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Input => "InputLayer",
            Self::Convolution(_) => "Conv2D",
            Self::BatchNorm => "BatchNormalization",
            Self::LeakyRelu => "LeakyReLU",
            Self::MaxPool => "MaxPooling2D",
            Self::Sum => "Add",
            Self::Dropout => "Dropout",
            Self::GlobalAverage => "GlobalAveragePooling2D",
            Self::Dense { .. } => "Dense",
            Self::Softmax => "Activation",
        }
    }

    /// The number of layers that feed it.
    pub(super) fn inputs(self) -> usize {
        match self {
            Self::Input => 0,
            Self::Sum => 2,
            _ => 1,
        }
    }

    /// Returns a message for each setting that differs from the network's.
    pub(super) fn faults(self, layer: &ConfigLayer<'_>) -> Vec<String> {
        let settings = layer.settings;
        let mut faults = Vec::new();
        let mut expect = |key: &str, holds: bool, note: &str| {
            if !holds {
                let has = match &settings[key] {
                    Value::Null => format!("does not state its {key}"),
                    value => format!("has {key} {}", excerpt(&value.to_string())),
                };
                faults.push(format!("layer '{}' {has}{note}", excerpt(layer.name)));
            }
        };
        let channels_last = settings["data_format"] == "channels_last";
        match self {
            Self::Convolution(plan) => {
                expect("strides", is_pair(&settings["strides"], plan.stride), "");
                // A 1×1 kernel needs no padding under either rule.
                expect("padding", settings["padding"] == "same" || plan.kernel == 1, "");
                expect("dilation_rate", is_pair(&settings["dilation_rate"], 1), "");
                expect("data_format", channels_last, "");
                // Keras before 2.3 has no groups.
                expect("groups", settings["groups"].is_null() || settings["groups"] == 1, "");
                expect("activation", activation(settings).is_none_or(|name| name == "linear"), "");
            }
            Self::BatchNorm => {
                expect("epsilon", is_near(&settings["epsilon"], BATCH_NORM_EPSILON), "");
                let axis = settings["axis"].get(0).unwrap_or(&settings["axis"]);
                expect("axis", *axis == -1 || *axis == 3, ", not the channel axis");
            }
            Self::LeakyRelu => {
                let key = if settings["alpha"].is_null() { "negative_slope" } else { "alpha" };
                expect(key, is_near(&settings[key], LEAKY_RELU_SLOPE), "");
            }
            Self::MaxPool => {
                expect("pool_size", is_pair(&settings["pool_size"], 3), "");
                expect("strides", is_pair(&settings["strides"], 2), "");
                expect("padding", settings["padding"] == "same", "");
                expect("data_format", channels_last, "");
            }
            Self::GlobalAverage => {
                expect("data_format", channels_last, "");
                expect("keepdims", settings["keepdims"] != true, "");
            }
            Self::Dense { own_softmax } => {
                let linear = activation(settings).is_none_or(|name| name == "linear");
                if own_softmax {
                    let note = ": the model's outputs are logits, not probabilities; add a softmax after it";
                    let softmax = activation(settings) == Some("softmax");
                    expect("activation", softmax, if linear { note } else { "" });
                } else {
                    expect("activation", linear, " before the softmax");
                }
            }
            Self::Softmax => expect("activation", activation(settings) == Some("softmax"), ""),
            Self::Input | Self::Sum | Self::Dropout => {}
        }
        faults
    }
}

/// The number format in which a layer computes, unless it is f32, like the weights, or the finer f64.
pub(super) fn foreign_precision<'a>(layer: &ConfigLayer<'a>) -> Option<&'a Value> {
    let dtype = &layer.settings["dtype"];
    let policy = if dtype.is_object() { &dtype["config"]["name"] } else { dtype };
    let plain = dtype.is_null() || policy == "float32" || policy == "float64";
    (!plain).then_some(policy)
}

/// The name of the activation, which Keras writes as a string or as an object.
fn activation(settings: &Value) -> Option<&str> {
    let value = &settings["activation"];
    value.as_str().or_else(|| value["config"].as_str())
}

fn is_pair(value: &Value, expected: usize) -> bool {
    let expected = Value::from(expected);
    matches!(value.as_array().map(Vec::as_slice), Some([first, second]) if *first == expected && *second == expected)
}

fn is_near(value: &Value, expected: f64) -> bool {
    // Keras stores some of these as f32.
    value.as_f64().is_some_and(|value| (value - expected).abs() < 1e-6)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn faults(expected: Expected, settings: &Value) -> Vec<String> {
        let (name, class) = ("x", expected.class());
        expected.faults(&ConfigLayer { name, class, settings, inputs: Vec::new(), calls: 1, in_training: false })
    }

    #[test]
    fn the_networks_settings_pass_as_keras_2_and_3_write_them() {
        let plan = ConvolutionPlan { number: 1, inputs: 3, outputs: 64, kernel: 3, stride: 2 };
        let convolution = json!({"strides": [2, 2], "padding": "same", "dilation_rate": [1, 1],
            "data_format": "channels_last", "activation": "linear"});
        assert_eq!(faults(Expected::Convolution(plan), &convolution), [""; 0]);
        for axis in [json!(-1), json!(3), json!([3])] {
            assert_eq!(faults(Expected::BatchNorm, &json!({"axis": axis, "epsilon": 0.001})), [""; 0]);
        }
        for key in ["alpha", "negative_slope"] {
            assert_eq!(faults(Expected::LeakyRelu, &json!({key: 0.300_000_011_920_928_96})), [""; 0]);
        }
        for activation in [json!("softmax"), json!({"class_name": "function", "config": "softmax"})] {
            assert_eq!(faults(Expected::Dense { own_softmax: true }, &json!({"activation": activation})), [""; 0]);
        }
    }

    #[test]
    fn differing_settings_are_named() {
        assert_eq!(faults(Expected::Dense { own_softmax: true }, &json!({"activation": "linear"})).len(), 1);
        assert!(faults(Expected::Dense { own_softmax: true }, &json!({}))[0].contains("logits"));
        assert!(faults(Expected::LeakyRelu, &json!({}))[0].contains("layer 'x' does not state its negative_slope"));
        assert_eq!(faults(Expected::BatchNorm, &json!({"axis": [1], "epsilon": 1e-5})).len(), 2);
        let pool = json!({"pool_size": [3, 3], "strides": [2, 2], "padding": "sa\u{202e}me",
            "data_format": "channels_first"});
        let faults = faults(Expected::MaxPool, &pool);
        assert_eq!(faults.len(), 2);
        assert!(faults[0].contains("sa\\u{202e}me"), "{faults:?}");
    }

    #[test]
    fn coarser_precisions_are_detected() {
        let foreign = |dtype: Value| {
            let settings = json!({"dtype": dtype});
            let layer = ConfigLayer {
                name: "x",
                class: "Conv2D",
                settings: &settings,
                inputs: Vec::new(),
                calls: 1,
                in_training: false,
            };
            foreign_precision(&layer).cloned()
        };
        assert_eq!(foreign(json!("float32")), None);
        assert_eq!(foreign(json!({"class_name": "DTypePolicy", "config": {"name": "float32"}})), None);
        assert_eq!(foreign(json!("float16")), Some(json!("float16")));
        let mixed = json!({"class_name": "Policy", "config": {"name": "mixed_float16"}});
        assert_eq!(foreign(mixed), Some(json!("mixed_float16")));
    }
}
