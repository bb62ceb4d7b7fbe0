//! Follows a Keras model from its output to its input and compares it, layer by layer, with the network.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::excerpt;
use super::layer_settings::{Expected, foreign_precision};
use super::model_config::{ConfigLayer, LayerGraph};
use mammoscope_domain::network::network_plan::{BlockPlan, ConvolutionPlan, INPUT_CHANNELS, NetworkPlan, WidthFactor};

/// The input size in a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum InputSize {
    /// A square of this height and width.
    Fixed(usize),
    /// Any size.
    Free,
}

/// The facts in a configuration that is known to describe the network.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Wiring {
    /// The file's names of the layers with weights, by the network's names.
    pub(super) layers: BTreeMap<String, String>,
    /// Dropout probability.
    pub(super) dropout: Option<f64>,
    pub(super) input: InputSize,
}

/// Compares a model's layers with the network; the error lists every difference.
pub(super) fn trace(graph: &LayerGraph<'_>) -> Result<Wiring, Vec<String>> {
    let mut trace =
        Trace { graph, seen: BTreeSet::new(), layers: BTreeMap::new(), dropout: None, setting_faults: Vec::new() };
    // Names and order are the same at every width.
    let input = trace.network(&NetworkPlan::new(WidthFactor::ONE));
    let mut faults = Vec::new();
    if let Err(fault) = &input {
        faults.push(fault.clone());
    } else {
        let unseen = graph.layers.values().filter(|layer| !trace.seen.contains(layer.name));
        faults.extend(unseen.map(|layer| format!("{} is superfluous", described(layer))));
    }
    if let Some((layer, precision)) = graph.layers.values().find_map(|layer| Some((layer, foreign_precision(layer)?))) {
        faults.push(format!(
            "layer '{}' computes in {}, not in f32: build the model with float32, or import its weights alone \
             (save_weights)",
            excerpt(layer.name),
            excerpt(&precision.to_string())
        ));
    }
    // The trace runs from output to input; people read from input to output.
    faults.extend(trace.setting_faults.into_iter().rev());
    match input {
        Ok(input) if faults.is_empty() => Ok(Wiring { layers: trace.layers, dropout: trace.dropout, input }),
        _ => Err(faults),
    }
}

struct Trace<'g, 'a> {
    graph: &'g LayerGraph<'a>,
    seen: BTreeSet<&'a str>,
    layers: BTreeMap<String, String>,
    dropout: Option<f64>,
    setting_faults: Vec<String>,
}

impl<'a> Trace<'_, 'a> {
    fn network(&mut self, plan: &NetworkPlan) -> Result<InputSize, String> {
        let mut dense = self.graph.output;
        let own_softmax = self.graph.before(dense, Expected::Softmax.class()).is_none();
        if !own_softmax {
            dense = self.single(dense, Expected::Softmax, "the output")?;
        }
        let mut at = self.single(dense, Expected::Dense { own_softmax }, "the output")?;
        self.layers.insert(NetworkPlan::DENSE.to_owned(), dense.to_owned());
        at = self.single(at, Expected::GlobalAverage, "before the dense layer")?;
        if self.graph.before(at, Expected::Dropout.class()).is_some() {
            self.dropout = self.graph.layers.get(at).and_then(|layer| layer.settings["rate"].as_f64());
            at = self.single(at, Expected::Dropout, "before the global average")?;
        }
        for block in plan.blocks.iter().rev() {
            at = self.block(at, block)?;
        }
        at = self.single(at, Expected::MaxPool, "before the first block")?;
        at = self.single(at, Expected::LeakyRelu, "before the max-pool")?;
        at = self.convolution(at, &plan.stem, "the stem")?;
        self.step(at, Expected::Input, "before the stem")?;
        self.graph.layers.get(at).map_or(Ok(InputSize::Free), input_size)
    }

    /// Follows a block from its output to the layer that feeds it.
    fn block(&mut self, at: &'a str, plan: &BlockPlan) -> Result<&'a str, String> {
        let place = format!("block {}", plan.number);
        let sum = self.single(at, Expected::LeakyRelu, &format!("the end of {place}"))?;
        let mut arms = self.step(sum, Expected::Sum, &place)?;
        // Either arm may be listed first.
        if self.likeness_to_branch(arms[0]) < self.likeness_to_branch(arms[1]) {
            arms.reverse();
        }
        let [first, second, third] = &plan.branch;
        let mut branch = self.convolution(arms[0], third, &place)?;
        for convolution in [second, first] {
            branch = self.single(branch, Expected::LeakyRelu, &place)?;
            branch = self.convolution(branch, convolution, &place)?;
        }
        let shortcut_input = match &plan.shortcut {
            Some(shortcut) => self.convolution(arms[1], shortcut, &format!("the shortcut of {place}"))?,
            None => arms[1],
        };
        if branch == shortcut_input {
            Ok(branch)
        } else {
            let [branch, shortcut] = [branch, shortcut_input].map(excerpt);
            Err(format!("the branch of {place} starts at layer '{branch}', its shortcut at '{shortcut}'"))
        }
    }

    /// Counts the layers of one arm of a sum that follow the order of a branch; 8 if the arm is a branch.
    fn likeness_to_branch(&self, arm: &'a str) -> usize {
        let classes = ["BatchNormalization", "Conv2D", "LeakyReLU"];
        let mut at = Some(arm);
        let steps = classes.iter().cycle().take(8).map_while(|class| {
            at = self.graph.before(at?, class);
            at
        });
        steps.count()
    }

    /// Follows a convolution from its batch normalisation to the layer that feeds it.
    fn convolution(&mut self, at: &'a str, plan: &ConvolutionPlan, place: &str) -> Result<&'a str, String> {
        let convolution = self.single(at, Expected::BatchNorm, place)?;
        let input = self.single(convolution, Expected::Convolution(*plan), place)?;
        self.layers.insert(plan.batch_norm_name(), at.to_owned());
        self.layers.insert(plan.name(), convolution.to_owned());
        Ok(input)
    }

    fn single(&mut self, at: &'a str, expected: Expected, place: &str) -> Result<&'a str, String> {
        self.step(at, expected, place).map(|inputs| inputs[0])
    }

    /// Returns the layers that feed a layer, as many as in the network, and checks its settings.
    fn step(&mut self, at: &'a str, expected: Expected, place: &str) -> Result<Vec<&'a str>, String> {
        let Some(layer) = self.graph.layers.get(at) else {
            return Err(format!("layer '{}' feeds other layers but is not listed", excerpt(at)));
        };
        if layer.class != expected.class() {
            return Err(format!("{} is in the place of {} ({place})", described(layer), expected.class()));
        }
        if layer.calls > 1 || !self.seen.insert(layer.name) {
            return Err(format!("{} is used more than once ({place})", described(layer)));
        }
        if layer.inputs.len() != expected.inputs() {
            let (has, needs) = (layer.inputs.len(), expected.inputs());
            return Err(format!("{} has {has} inputs, not {needs} ({place})", described(layer)));
        }
        if layer.in_training {
            self.setting_faults.push(format!("layer '{}' is called with training=True", excerpt(layer.name)));
        }
        self.setting_faults.extend(expected.faults(layer));
        Ok(layer.inputs.clone())
    }
}

fn described(layer: &ConfigLayer<'_>) -> String {
    format!("layer '{}' ({})", excerpt(layer.name), excerpt(layer.class))
}

fn input_size(layer: &ConfigLayer<'_>) -> Result<InputSize, String> {
    let shape = ["batch_input_shape", "batch_shape"].iter().find_map(|key| layer.settings[*key].as_array());
    let Some([_, height, width, channels]) = shape.map(Vec::as_slice) else {
        return Err(format!("{} has no shape of four axes", described(layer)));
    };
    let size = match (height, width) {
        (Value::Null, Value::Null) => Some(InputSize::Free),
        _ if height == width => height.as_u64().and_then(|size| usize::try_from(size).ok()).map(InputSize::Fixed),
        _ => None,
    };
    match size {
        Some(size) if *channels == INPUT_CHANNELS => Ok(size),
        _ => {
            let [height, width, channels] = [height, width, channels].map(|value| excerpt(&value.to_string()));
            Err(format!("the input is {height}×{width}×{channels}, not square with {INPUT_CHANNELS} channels"))
        }
    }
}
