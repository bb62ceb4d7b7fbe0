//! The forward pass in training: batch statistics, dropout and optionally bf16, with in-place operations to save
//! memory.

use mammoscope_domain::network::network_plan::LEAKY_RELU_SLOPE;
use tch::{Kind, TchError, Tensor};

use super::keras_ops::{for_equal_channels, same_convolution, same_max_pool};
use super::libtorch_ext::{channels_last, leaky_relu_in_place};
use super::resnet::{ConvNorm, ResNet};

/// The settings of a training pass.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrainingPass {
    /// [`Kind::Float`], or [`Kind::BFloat16`] for the convolutions and feature maps; weights, statistics, the last
    /// layer and the loss are always f32.
    pub kind: Kind,
    /// Fraction of the last feature map's values that are set to zero, while the others are scaled up. They are drawn
    /// from libtorch's generator, which the caller seeds.
    pub dropout: f64,
    /// Weight of the old values in the moving statistics.
    pub bn_momentum: f64,
}

impl TrainingPass {
    /// The four logits of each image, f32: N×3×H×W → N×4, or N×1×H×W for three equal channels. Updates the moving
    /// statistics.
    pub fn forward(self, network: &ResNet, input: &Tensor) -> Result<Tensor, TchError> {
        let x = channels_last(&input.f_to_kind(self.kind)?)?;
        let mut x = self.stem(&network.stem, &x)?;
        leaky_relu_in_place(&mut x, LEAKY_RELU_SLOPE)?;
        let mut x = same_max_pool(&x)?;
        for block in &network.blocks {
            let [first, second, third] = &block.branch;
            let y = self.activated(second, &self.activated(first, &x)?)?;
            // The backward pass of a normalisation needs its input, not its output, so the sum and the activation may
            // overwrite the output, which saves two feature maps per block.
            let mut y = self.normalised(third, &y)?;
            let _ = match &block.shortcut {
                Some(projection) => y.f_add_(&self.normalised(projection, &x)?)?,
                None => y.f_add_(&x)?,
            };
            leaky_relu_in_place(&mut y, LEAKY_RELU_SLOPE)?;
            x = y;
        }
        if self.dropout > 0.0 {
            x = x.f_dropout(self.dropout, true)?;
        }
        let features = x.f_mean_dim([2_i64, 3].as_slice(), false, Kind::Float)?;
        features.f_linear(&network.dense_kernel, Some(&network.dense_bias))
    }

    fn stem(self, layer: &ConvNorm, input: &Tensor) -> Result<Tensor, TchError> {
        let kernel = layer.kernel.f_to_kind(self.kind)?;
        let kernel = if input.size4()?.1 == 1 { for_equal_channels(&kernel)? } else { kernel };
        self.convolved(layer, &kernel, input)
    }

    fn activated(self, layer: &ConvNorm, input: &Tensor) -> Result<Tensor, TchError> {
        let mut output = self.normalised(layer, input)?;
        leaky_relu_in_place(&mut output, LEAKY_RELU_SLOPE)?;
        Ok(output)
    }

    fn normalised(self, layer: &ConvNorm, input: &Tensor) -> Result<Tensor, TchError> {
        // No copy if they have that kind already, as those of `HalfPrecision` do.
        self.convolved(layer, &layer.kernel.f_to_kind(self.kind)?, input)
    }

    fn convolved(self, layer: &ConvNorm, kernel: &Tensor, input: &Tensor) -> Result<Tensor, TchError> {
        // A bias would be subtracted again with the mean.
        layer.norm.normalise_in_training(&same_convolution(input, kernel, None, &layer.plan)?, self.bn_momentum)
    }
}

#[cfg(test)]
mod tests {
    use mammoscope_domain::network::network_plan::{NetworkPlan, WidthFactor};
    use tch::Device;

    use super::*;
    use crate::learning::flat_parameters::FlatParameters;
    use crate::learning::folded_resnet::FoldedResNet;
    use crate::learning::initial_weights::initial_model;
    use crate::learning::leaf_gradients::LeafGradients;

    /// Even and odd sides, whose `same` padding differs.
    #[test]
    fn one_channel_stands_for_three_equal_ones() {
        tch::manual_seed(4);
        let plan = NetworkPlan::new(WidthFactor::of_stem(8).unwrap());
        let values = initial_model(WidthFactor::of_stem(8).unwrap(), 64, None, 5).tensors;
        for side in [64, 65] {
            let grey = Tensor::randn([3, 1, side, side], (Kind::Float, Device::Cpu));
            let pass = TrainingPass { kind: Kind::Float, dropout: 0.0, bn_momentum: 0.9 };
            let of = |input: &Tensor| {
                let mut parameters = FlatParameters::new(&plan, &values, Device::Cpu).unwrap();
                let leaves = parameters.leaves().unwrap();
                let network = ResNet::from_tensors(&plan, &parameters.tensors(&leaves).unwrap()).unwrap();
                let logits = pass.forward(&network, input).unwrap();
                logits.square().sum(Kind::Float).backward();
                LeafGradients::new(&parameters, &leaves).take(&mut parameters, None, true).unwrap();
                let folded = tch::no_grad(|| FoldedResNet::new(&network, Kind::Float).unwrap().forward(input).unwrap());
                (logits.detach(), parameters.gradients, parameters.statistics, folded)
            };
            let (one, three) = (of(&grey), of(&grey.repeat([1, 3, 1, 1])));
            for (what, one, three) in [
                ("logits", one.0, three.0),
                ("gradients", one.1, three.1),
                ("statistics", one.2, three.2),
                ("folded logits", one.3, three.3),
            ] {
                let scale = three.abs().max().double_value(&[]);
                let difference = (&one - &three).abs().max().double_value(&[]);
                assert!(scale > 0.1 && difference < 1e-5 * scale, "{what}: {difference:.1e} of {scale:.1e}");
            }
        }
    }
}
