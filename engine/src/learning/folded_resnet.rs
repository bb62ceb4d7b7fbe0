//! The network for inference, with every batch normalisation folded into the preceding convolution and activations in
//! place.
//!
//! With the moving statistics a batch normalisation is affine: `BN(W∗x + b) = (sW)∗x + s(b − mean) + β` with
//! `s = γ / √(variance + ε)`. Folding saves 41 passes over feature maps; it is computed in f64.

use mammoscope_domain::explanation::explained_layer::ExplainedLayer;
use mammoscope_domain::network::network_plan::{BATCH_NORM_EPSILON, ConvolutionPlan, LEAKY_RELU_SLOPE};
use tch::{Kind, TchError, Tensor};

use super::keras_ops::{for_equal_channels, same_convolution, same_max_pool};
use super::libtorch_ext::{channels_last, leaky_relu, leaky_relu_in_place};
use super::resnet::{ConvNorm, ResNet};

#[derive(Debug)]
struct FoldedConvolution {
    plan: ConvolutionPlan,
    kernel: Tensor,
    bias: Tensor,
}

#[derive(Debug)]
struct FoldedBlock {
    branch: [FoldedConvolution; 3],
    shortcut: Option<FoldedConvolution>,
}

/// The network for inference, in f32 or bf16; the dense layer is always f32.
#[derive(Debug)]
pub struct FoldedResNet {
    kind: Kind,
    stem: FoldedConvolution,
    /// The stem for three equal channels, given as one.
    grey_stem: FoldedConvolution,
    blocks: Vec<FoldedBlock>,
    dense_kernel: Tensor,
    dense_bias: Tensor,
}

impl FoldedResNet {
    /// Folds a network on its device; `kind` is [`Kind::Float`] or [`Kind::BFloat16`].
    pub fn new(network: &ResNet, kind: Kind) -> Result<Self, TchError> {
        let blocks = network
            .blocks
            .iter()
            .map(|block| {
                let [first, second, third] = &block.branch;
                Ok(FoldedBlock {
                    branch: [fold(first, kind)?, fold(second, kind)?, fold(third, kind)?],
                    shortcut: block.shortcut.as_ref().map(|shortcut| fold(shortcut, kind)).transpose()?,
                })
            })
            .collect::<Result<_, TchError>>()?;
        Ok(Self {
            kind,
            stem: fold(&network.stem, kind)?,
            grey_stem: fold_kernel(
                &network.stem,
                &for_equal_channels(&network.stem.kernel.f_to_kind(Kind::Double)?)?,
                kind,
            )?,
            blocks,
            dense_kernel: network.dense_kernel.shallow_clone(),
            dense_bias: network.dense_bias.shallow_clone(),
        })
    }

    /// The four logits of each image, f32: N×3×H×W → N×4, or N×1×H×W for three equal channels. Call it within `no_grad` unless gradients are needed.
    pub fn forward(&self, input: &Tensor) -> Result<Tensor, TchError> {
        let mut x = self.before_blocks(input)?;
        for block in &self.blocks {
            x = block.sum(&x)?;
            leaky_relu_in_place(&mut x, LEAKY_RELU_SLOPE)?;
        }
        self.head(&x)
    }

    /// The sum of a block before its activation: N×3×H×W → N×K×H'×W'.
    pub fn sum_of(&self, input: &Tensor, layer: ExplainedLayer) -> Result<Tensor, TchError> {
        let (last, before) =
            self.blocks[..layer.block()].split_last().expect("the blocks of a network are counted from 1");
        let mut x = self.before_blocks(input)?;
        for block in before {
            x = block.sum(&x)?;
            leaky_relu_in_place(&mut x, LEAKY_RELU_SLOPE)?;
        }
        last.sum(&x)
    }

    /// The logits, f32, from the result of [`FoldedResNet::sum_of`]. The sum is not modified, so that it can be a leaf
    /// whose gradient is computed.
    pub fn logits_of(&self, sum: &Tensor, layer: ExplainedLayer) -> Result<Tensor, TchError> {
        let mut x = leaky_relu(sum, LEAKY_RELU_SLOPE)?;
        for block in &self.blocks[layer.block()..] {
            x = block.sum(&x)?;
            leaky_relu_in_place(&mut x, LEAKY_RELU_SLOPE)?;
        }
        self.head(&x)
    }

    /// The weights of the dense layer, f32: 4×K.
    pub fn dense_kernel(&self) -> &Tensor {
        &self.dense_kernel
    }

    fn before_blocks(&self, input: &Tensor) -> Result<Tensor, TchError> {
        let x = channels_last(&input.f_to_kind(self.kind)?)?;
        let stem = if x.size4()?.1 == 1 { &self.grey_stem } else { &self.stem };
        same_max_pool(&stem.activated(&x)?)
    }

    fn head(&self, activated: &Tensor) -> Result<Tensor, TchError> {
        // The mean over hundreds of positions needs more than the 8 bits of a bf16 mantissa.
        let features = activated.f_mean_dim([2_i64, 3].as_slice(), false, Kind::Float)?;
        features.f_linear(&self.dense_kernel, Some(&self.dense_bias))
    }
}

impl FoldedBlock {
    /// Branch plus shortcut, before the activation.
    fn sum(&self, input: &Tensor) -> Result<Tensor, TchError> {
        let [first, second, third] = &self.branch;
        let y = second.activated(&first.activated(input)?)?;
        let mut y = third.convolve(&y)?;
        let _ = match &self.shortcut {
            Some(projection) => y.f_add_(&projection.convolve(input)?)?,
            None => y.f_add_(input)?,
        };
        Ok(y)
    }
}

impl FoldedConvolution {
    fn convolve(&self, input: &Tensor) -> Result<Tensor, TchError> {
        same_convolution(input, &self.kernel, Some(&self.bias), &self.plan)
    }

    fn activated(&self, input: &Tensor) -> Result<Tensor, TchError> {
        let mut output = self.convolve(input)?;
        leaky_relu_in_place(&mut output, LEAKY_RELU_SLOPE)?;
        Ok(output)
    }
}

fn fold(layer: &ConvNorm, kind: Kind) -> Result<FoldedConvolution, TchError> {
    fold_kernel(layer, &layer.kernel.f_to_kind(Kind::Double)?, kind)
}

/// Folds a layer with another kernel, in f64.
fn fold_kernel(layer: &ConvNorm, kernel: &Tensor, kind: Kind) -> Result<FoldedConvolution, TchError> {
    let in_f64 = |tensor: &Tensor| tensor.f_to_kind(Kind::Double);
    let norm = &layer.norm;
    let deviation = in_f64(&norm.moving_variance)?.f_add_scalar(BATCH_NORM_EPSILON)?.f_sqrt()?;
    let scale = in_f64(&norm.gamma)?.f_div(&deviation)?;
    let kernel = kernel.f_mul(&scale.f_reshape([-1, 1, 1, 1])?)?;
    let mean = in_f64(&norm.moving_mean)?;
    let shift = match &layer.bias {
        Some(bias) => in_f64(bias)?.f_sub(&mean)?,
        None => mean.f_neg()?,
    };
    let bias = shift.f_mul(&scale)?.f_add(&in_f64(&norm.beta)?)?;
    Ok(FoldedConvolution {
        plan: layer.plan,
        kernel: channels_last(&kernel.f_to_kind(kind)?)?,
        bias: bias.f_to_kind(kind)?,
    })
}
