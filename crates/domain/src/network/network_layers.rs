//! The network layer by layer, with its shapes for an input size, as `mammoscope model summary` prints it.

use serde::Serialize;

use super::network_plan::{BlockPlan, ConvolutionPlan, INPUT_CHANNELS, NetworkPlan};
use crate::subject::density::DensityClass;

/// One layer of Keras' `model.layers`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LayerRow {
    /// The name in the reference.
    pub name: String,
    /// The operation, as in `conv 3×3/2`.
    pub kind: &'static str,
    /// Height, width and channels of the output; channels only for the last two layers.
    pub output: Vec<usize>,
    /// The number of parameters, moving statistics included.
    pub parameters: usize,
}

impl NetworkPlan {
    /// All layers in the order of Keras' `model.layers`, for a square input of `size` pixels.
    #[must_use]
    pub fn layers(&self, size: usize) -> Vec<LayerRow> {
        let mut rows = Rows { layers: Vec::new(), activations: 0, side: size };
        rows.push("input_1", "input", INPUT_CHANNELS, 0);
        rows.convolution(&self.stem);
        rows.batch_norm(&self.stem);
        rows.activation(self.stem.outputs);
        rows.side = rows.side.div_ceil(2);
        rows.push("max_pooling2d_1", "max-pool 3×3/2", self.stem.outputs, 0);
        for block in &self.blocks {
            rows.block(block);
        }
        let features = self.features();
        rows.push("dropout_1", "dropout", features, 0);
        let mut rows = rows.layers;
        rows.push(LayerRow {
            name: "global_average_pooling2d_1".into(),
            kind: "global average",
            output: vec![features],
            parameters: 0,
        });
        rows.push(LayerRow {
            name: Self::DENSE.into(),
            kind: "dense, softmax",
            output: vec![DensityClass::COUNT],
            parameters: DensityClass::COUNT * (features + 1),
        });
        rows
    }
}

struct Rows {
    layers: Vec<LayerRow>,
    activations: usize,
    side: usize,
}

impl Rows {
    fn push(&mut self, name: impl Into<String>, kind: &'static str, channels: usize, parameters: usize) {
        self.layers.push(LayerRow {
            name: name.into(),
            kind,
            output: vec![self.side, self.side, channels],
            parameters,
        });
    }

    fn convolution(&mut self, plan: &ConvolutionPlan) {
        self.side = self.side.div_ceil(plan.stride);
        let kind = match (plan.kernel, plan.stride) {
            (1, 1) => "conv 1×1",
            (1, _) => "conv 1×1/2",
            (_, 1) => "conv 3×3",
            _ => "conv 3×3/2",
        };
        self.push(plan.name(), kind, plan.outputs, plan.parameters());
    }

    fn batch_norm(&mut self, plan: &ConvolutionPlan) {
        self.push(plan.batch_norm_name(), "batch norm", plan.outputs, 4 * plan.outputs);
    }

    fn activation(&mut self, channels: usize) {
        self.activations += 1;
        self.push(format!("leaky_re_lu_{}", self.activations), "leaky ReLU", channels, 0);
    }

    fn block(&mut self, block: &BlockPlan) {
        let side_in = self.side;
        let [first, second, third] = &block.branch;
        for plan in [first, second] {
            self.convolution(plan);
            self.batch_norm(plan);
            self.activation(plan.outputs);
        }
        if let Some(shortcut) = &block.shortcut {
            let side_out = self.side;
            self.side = side_in;
            self.convolution(shortcut);
            self.side = side_out;
        }
        self.convolution(third);
        for plan in block.shortcut.iter().chain([third]) {
            self.batch_norm(plan);
        }
        self.push(block.sum_name(), "sum", third.outputs, 0);
        self.activation(third.outputs);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::network_plan::WidthFactor;

    #[test]
    fn shapes_and_counts_are_those_of_the_reference() {
        let plan = NetworkPlan::new(WidthFactor::ONE);
        let layers = plan.layers(650);
        let side = |name: &str| layers.iter().find(|row| row.name == name).expect("a layer of the network").output[0];
        assert_eq!(layers.len(), 136);
        assert_eq!(
            [side("conv2d_1"), side("max_pooling2d_1"), side("add_3"), side("add_6"), side("add_9"), side("add_12")],
            [325, 163, 163, 82, 41, 21]
        );
        assert_eq!(layers.iter().map(|row| row.parameters).sum::<usize>(), plan.parameter_count());
        let names: Vec<&str> = layers.iter().map(|row| row.name.as_str()).collect();
        assert_eq!(
            names[11..17],
            ["conv2d_5", "conv2d_4", "batch_normalization_5", "batch_normalization_4", "add_1", "leaky_re_lu_4"]
        );
        assert_eq!(names[names.len() - 4..], ["leaky_re_lu_37", "dropout_1", "global_average_pooling2d_1", "dense_1"]);
    }
}
