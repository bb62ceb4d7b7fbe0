//! The forward pass in training: batch statistics, dropout, bf16 between the layers, and as little memory as it takes.

use mammoscope_domain::network::network_plan::LEAKY_RELU_SLOPE;
use tch::{Kind, TchError, Tensor};

use super::keras_ops::{same_convolution, same_max_pool};
use super::libtorch_ext::{channels_last, leaky_relu_in_place};
use super::resnet::{ConvNorm, ResNet};

/// How a training pass is computed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrainingPass {
    /// [`Kind::Float`], or [`Kind::BFloat16`] for the convolutions and what lies between them; weights, statistics, the
    /// last layer and the loss are f32 all the same.
    pub kind: Kind,
    /// Share of the last feature map's values that are set to zero, the others being scaled up. They are drawn from
    /// libtorch's generator, which the caller seeds.
    pub dropout: f64,
    /// Share of the old value that the moving statistics keep.
    pub bn_momentum: f64,
}

impl TrainingPass {
    /// The four logits of each image, f32: N×3×H×W → N×4. The moving statistics are brought forward.
    pub fn forward(self, network: &ResNet, input: &Tensor) -> Result<Tensor, TchError> {
        let x = channels_last(&input.f_to_kind(self.kind)?)?;
        let x = self.activated(&network.stem, &x)?;
        let mut x = same_max_pool(&x)?;
        for block in &network.blocks {
            let [first, second, third] = &block.branch;
            let y = self.activated(second, &self.activated(first, &x)?)?;
            // The backward pass of a normalisation needs its input, not its output: the sum and the activation may
            // overwrite that, which saves two feature maps a block.
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
        // Shared where they are of that kind already, as those of `HalfPrecision` are.
        let kernel = layer.kernel.f_to_kind(self.kind)?;
        let bias = layer.bias.f_to_kind(self.kind)?;
        layer.norm.normalise_in_training(&same_convolution(input, &kernel, &bias, &layer.plan)?, self.bn_momentum)
    }
}
