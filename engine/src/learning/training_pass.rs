//! The forward pass in training: batch statistics, dropout and optionally bf16, with in-place operations to save
//! memory.

use mammoscope_domain::network::network_plan::LEAKY_RELU_SLOPE;
use tch::{Kind, TchError, Tensor};

use super::keras_ops::{same_convolution, same_max_pool};
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
    /// The four logits of each image, f32: N×3×H×W → N×4. Updates the moving statistics.
    pub fn forward(self, network: &ResNet, input: &Tensor) -> Result<Tensor, TchError> {
        let x = channels_last(&input.f_to_kind(self.kind)?)?;
        let x = self.activated(&network.stem, &x)?;
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

    fn activated(self, layer: &ConvNorm, input: &Tensor) -> Result<Tensor, TchError> {
        let mut output = self.normalised(layer, input)?;
        leaky_relu_in_place(&mut output, LEAKY_RELU_SLOPE)?;
        Ok(output)
    }

    fn normalised(self, layer: &ConvNorm, input: &Tensor) -> Result<Tensor, TchError> {
        // No copy if they have that kind already, as those of `HalfPrecision` do.
        let kernel = layer.kernel.f_to_kind(self.kind)?;
        let bias = layer.bias.f_to_kind(self.kind)?;
        layer.norm.normalise_in_training(&same_convolution(input, &kernel, &bias, &layer.plan)?, self.bn_momentum)
    }
}
