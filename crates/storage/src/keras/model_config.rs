//! The layer graph in the `model_config` of a Keras file: classes, settings and connections.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{KerasError, excerpt};

/// A layer in the configuration.
#[derive(Clone, Debug)]
pub(super) struct ConfigLayer<'a> {
    pub(super) name: &'a str,
    /// The Keras class, such as `Conv2D`.
    pub(super) class: &'a str,
    pub(super) settings: &'a Value,
    /// The layers whose outputs it consumes.
    pub(super) inputs: Vec<&'a str>,
    /// The number of calls; layers that are called twice share their weights.
    pub(super) calls: usize,
    /// True if it is called with `training=True`, which applies dropout and batch statistics in prediction too.
    pub(super) in_training: bool,
}

/// All layers by name, and the output layer.
#[derive(Clone, Debug)]
pub(super) struct LayerGraph<'a> {
    pub(super) layers: BTreeMap<&'a str, ConfigLayer<'a>>,
    pub(super) output: &'a str,
}

impl<'a> LayerGraph<'a> {
    /// Reads the parsed JSON of a functional model, as written by Keras 2 or 3.
    pub(super) fn read(config: &'a Value) -> Result<Self, KerasError> {
        let damaged = |what: &str| KerasError::Config(what.to_owned());
        let other = |fault: String| Err(KerasError::OtherNetwork(fault));
        let model = &config["config"];
        // Sequential models of Keras before 2.2.3 list their layers without a name of their own.
        let listed =
            model["layers"].as_array().or_else(|| model.as_array()).ok_or_else(|| damaged("it lists no layers"))?;
        let mut layers = BTreeMap::new();
        for layer in listed {
            let name = layer["name"].as_str().or_else(|| layer["config"]["name"].as_str());
            let (Some(name), Some(class)) = (name, layer["class_name"].as_str()) else {
                return Err(damaged("a layer has no name or no class"));
            };
            if ["Functional", "Model", "Sequential"].contains(&class) {
                return other(inner_model(name));
            }
            let inbound = layer["inbound_nodes"].as_array().map_or(&[][..], Vec::as_slice);
            let mut calls = Calls::default();
            calls.collect_all(inbound);
            let (inputs, in_training) = (calls.inputs, calls.in_training);
            let settings = &layer["config"];
            let layer = ConfigLayer { name, class, settings, inputs, calls: inbound.len(), in_training };
            if layers.insert(name, layer).is_some() {
                return other(format!("layer '{}' is listed twice", excerpt(name)));
            }
        }
        let mut outputs = Calls::default();
        outputs.collect(&model["output_layers"]);
        match outputs.inputs[..] {
            [output] => Ok(Self { layers, output }),
            [] => other("no output layer is named; only functional models can be imported".to_owned()),
            _ => other(format!("the model has {} outputs", outputs.inputs.len())),
        }
    }

    /// Returns the layer that feeds layer `name`, if that is of class `class` and has a single input.
    pub(super) fn before(&self, name: &str, class: &str) -> Option<&'a str> {
        match self.layers.get(name) {
            Some(layer) if layer.class == class && layer.inputs.len() == 1 => layer.inputs.first().copied(),
            _ => None,
        }
    }
}

/// Describes a model among the layers, with advice.
pub(super) fn inner_model(name: &str) -> String {
    let name = excerpt(name);
    format!("layer '{name}' is a model inside a model; save it by itself: model.get_layer('{name}').save('inner.h5')")
}

/// The input tensors of one or more calls.
#[derive(Default)]
struct Calls<'a> {
    inputs: Vec<&'a str>,
    in_training: bool,
}

impl<'a> Calls<'a> {
    /// Keras 2 writes a tensor as `["layer", node, index, {keyword arguments}]`, Keras 3 as an object with
    /// `"keras_history": ["layer", node, index]`; both nest them in lists and objects.
    fn collect(&mut self, value: &'a Value) {
        match value {
            Value::Array(items) => {
                if let [Value::String(name), Value::Number(_), Value::Number(_), keywords @ ..] = &items[..] {
                    self.inputs.push(name);
                    self.collect_all(keywords);
                } else {
                    self.collect_all(items);
                }
            }
            Value::Object(entries) => {
                self.in_training |= entries.get("training") == Some(&Value::Bool(true));
                self.collect_all(entries.values());
            }
            _ => {}
        }
    }

    fn collect_all(&mut self, values: impl IntoIterator<Item = &'a Value>) {
        for value in values {
            self.collect(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn calls_of_keras_2_and_3_are_read() {
        let tensor = |name: &str| json!({"class_name": "__keras_tensor__", "config": {"keras_history": [name, 0, 0]}});
        let nodes = [
            json!([[["a", 0, 0, {}], ["b", 0, 0, {}]]]),
            json!([{"args": [[tensor("a"), tensor("b")]], "kwargs": {"training": false}}]),
        ];
        for node in &nodes {
            let mut calls = Calls::default();
            calls.collect(node);
            assert_eq!((&calls.inputs[..], calls.in_training), (&["a", "b"][..], false), "{node}");
        }
        let mut calls = Calls::default();
        let node = json!([[["a", 0, 0, {"training": true}]]]);
        calls.collect(&node);
        assert!(calls.in_training);
    }

    #[test]
    fn models_that_are_not_a_graph_of_layers_are_refused() {
        let fault = |config: &Value| LayerGraph::read(config).unwrap_err().to_string();
        assert!(fault(&json!({})).contains("no layers"));
        assert!(fault(&json!(5)).contains("no layers"));
        let inner = json!({"config": {"layers": [{"name": "m", "class_name": "Functional"}]}});
        assert!(fault(&inner).contains("model inside a model"));
        let layer = json!({"name": "a", "class_name": "Dense"});
        assert!(fault(&json!({"config": {"layers": [layer, layer]}})).contains("listed twice"));
        assert!(fault(&json!({"config": [layer]})).contains("functional"));
        let two = json!({"config": {"layers": [layer], "output_layers": [["a", 0, 0], ["a", 0, 1]]}});
        assert!(fault(&two).contains("2 outputs"));
    }
}
