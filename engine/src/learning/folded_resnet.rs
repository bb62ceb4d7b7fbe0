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
        let grey = for_equal_channels(&network.stem.kernel.f_to_kind(Kind::Double)?)?;
        let layers = network.blocks.iter().flat_map(|block| block.branch.iter().chain(&block.shortcut));
        let layers: Vec<_> = [&network.stem].into_iter().chain(layers).map(|layer| (layer, &layer.kernel)).collect();
        // In f64 already, unlike the others.
        let mut grey_stem = fold(&[(&network.stem, &grey)], kind)?;
        let mut folded = fold(&layers, kind)?.into_iter();
        let mut next = || folded.next().expect("as many as layers");
        let (grey_stem, stem) = (grey_stem.remove(0), next());
        let blocks = network.blocks.iter().map(|block| FoldedBlock {
            branch: [next(), next(), next()],
            shortcut: block.shortcut.as_ref().map(|_| next()),
        });
        Ok(Self {
            kind,
            stem,
            grey_stem,
            blocks: blocks.collect(),
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

/// The values of kernels that are folded together: 64 MB in f64. The reference's network has 2.2 million.
const TOGETHER: usize = 8 << 20;

/// Folds layers, each with a kernel O×I×H×W, many at a time: operations on single layers are so short that a GPU would
/// mostly wait for their start.
fn fold(mut layers: &[(&ConvNorm, &Tensor)], kind: Kind) -> Result<Vec<FoldedConvolution>, TchError> {
    let mut folded = Vec::with_capacity(layers.len());
    while !layers.is_empty() {
        let mut values = 0;
        let fits = |(_, kernel): &&(&ConvNorm, &Tensor)| {
            values += kernel.numel();
            values <= TOGETHER
        };
        // A larger kernel comes alone.
        let (group, others) = layers.split_at(layers.iter().take_while(fits).count().max(1));
        folded.extend(fold_group(group, kind)?);
        layers = others;
    }
    Ok(folded)
}

/// Folds layers together, in f64.
fn fold_group(layers: &[(&ConvNorm, &Tensor)], kind: Kind) -> Result<Vec<FoldedConvolution>, TchError> {
    let joined = |part: &dyn Fn(&ConvNorm) -> Result<Tensor, TchError>| {
        let parts = layers.iter().map(|(layer, _)| part(layer)).collect::<Result<Vec<_>, _>>()?;
        Tensor::f_cat(&parts, 0)?.f_to_kind(Kind::Double)
    };
    let deviation =
        joined(&|layer| Ok(layer.norm.moving_variance.shallow_clone()))?.f_add_scalar(BATCH_NORM_EPSILON)?.f_sqrt()?;
    let scales = joined(&|layer| Ok(layer.norm.gamma.shallow_clone()))?.f_div(&deviation)?;
    let means = joined(&|layer| Ok(layer.norm.moving_mean.shallow_clone()))?;
    // Networks in training have no biases, models have one in each layer.
    let shifts = if layers.iter().any(|(layer, _)| layer.bias.is_some()) {
        let biases = joined(&|layer| {
            layer.bias.as_ref().map_or_else(|| layer.norm.moving_mean.f_zeros_like(), |bias| Ok(bias.shallow_clone()))
        })?;
        biases.f_sub(&means)?
    } else {
        means.f_neg()?
    };
    let betas = joined(&|layer| Ok(layer.norm.beta.shallow_clone()))?;
    let biases = shifts.f_mul(&scales)?.f_add(&betas)?.f_to_kind(kind)?;

    let flat = |(_, kernel): &(&ConvNorm, &Tensor)| kernel.f_permute([0, 2, 3, 1])?.f_reshape([-1]);
    let mut kernels =
        Tensor::f_cat(&layers.iter().map(flat).collect::<Result<Vec<_>, _>>()?, 0)?.f_to_kind(Kind::Double)?;
    // How many values each output channel has.
    let per_channel = |(_, kernel): &(&ConvNorm, &Tensor)| {
        let outputs = kernel.size()[0] as usize;
        std::iter::repeat_n((kernel.numel() / outputs) as i64, outputs)
    };
    let repeats: Vec<i64> = layers.iter().flat_map(per_channel).collect();
    let repeats = Tensor::f_from_slice(&repeats)?.f_to(kernels.device())?;
    let total = kernels.numel() as i64;
    let _ = kernels.f_mul_(&scales.f_repeat_interleave_self_tensor(&repeats, 0, total)?)?;
    let kernels = kernels.f_to_kind(kind)?;

    let (mut value, mut channel) = (0, 0);
    let split = |(layer, kernel): &(&ConvNorm, &Tensor)| {
        let [outputs, inputs, height, width] = kernel.size()[..] else {
            return Err(TchError::Shape(format!("a kernel of {:?}", kernel.size())));
        };
        let count = kernel.numel() as i64;
        let part = kernels.f_narrow(0, value, count)?.f_view([outputs, height, width, inputs])?;
        let bias = biases.f_narrow(0, channel, outputs)?;
        (value, channel) = (value + count, channel + outputs);
        Ok(FoldedConvolution { plan: layer.plan, kernel: channels_last(&part.f_permute([0, 3, 1, 2])?)?, bias })
    };
    layers.iter().map(split).collect()
}

#[cfg(test)]
mod tests {
    use mammoscope_domain::network::network_plan::{NetworkPlan, WidthFactor};
    use tch::Device;

    use super::*;
    use crate::learning::initial_weights::initial_model;

    /// Random values everywhere, with biases.
    fn network() -> ResNet {
        let width = WidthFactor::of_stem(8).unwrap();
        let mut model = initial_model(width, 64, None, 5);
        for (name, values) in &mut model.tensors {
            for (at, value) in values.iter_mut().enumerate() {
                *value += ((at * 7919 + name.len() * 104_729) % 1000) as f32 * 1e-3;
            }
        }
        ResNet::from_model(&model, Device::Cpu).unwrap()
    }

    fn bits(tensor: &Tensor) -> Vec<u32> {
        let values = tensor.to_kind(Kind::Float).contiguous().flatten(0, -1);
        Vec::<f32>::try_from(values).unwrap().into_iter().map(f32::to_bits).collect()
    }

    #[test]
    fn layers_are_folded_together_as_they_are_alone() {
        let network = network();
        let branches = network.blocks.iter().flat_map(|block| block.branch.iter().chain(&block.shortcut));
        let layers: Vec<_> = [&network.stem].into_iter().chain(branches).map(|layer| (layer, &layer.kernel)).collect();
        assert_eq!(layers.len(), NetworkPlan::new(WidthFactor::of_stem(8).unwrap()).convolutions().len());
        for kind in [Kind::Float, Kind::BFloat16] {
            let together = fold(&layers, kind).unwrap();
            assert_eq!(together.len(), layers.len());
            for (folded, layer) in together.iter().zip(&layers) {
                let alone = fold_group(&[*layer], kind).unwrap().remove(0);
                assert_eq!((folded.plan, folded.kernel.size()), (layer.0.plan, layer.1.size()));
                assert!(bits(&folded.kernel) == bits(&alone.kernel) && bits(&folded.bias) == bits(&alone.bias));
            }
        }
    }

    /// The definition in f64, layer by layer.
    #[test]
    fn folded_layers_are_scaled_and_shifted() {
        let network = network();
        let layer = &network.blocks[3].branch[1];
        let folded = fold(&[(layer, &layer.kernel)], Kind::Float).unwrap().remove(0);
        let norm = &layer.norm;
        let outputs = layer.plan.outputs;
        let value = |tensor: &Tensor, at: usize| tensor.double_value(&[at as i64]);
        for channel in 0..outputs {
            let scale =
                value(&norm.gamma, channel) / (value(&norm.moving_variance, channel) + BATCH_NORM_EPSILON).sqrt();
            let shift = value(layer.bias.as_ref().unwrap(), channel) - value(&norm.moving_mean, channel);
            let bias = shift * scale + value(&norm.beta, channel);
            assert!((value(&folded.bias, channel) - bias).abs() < 1e-6, "channel {channel}");
            let of = |kernel: &Tensor| kernel.double_value(&[channel as i64, 2, 1, 0]);
            assert!((of(&folded.kernel) - of(&layer.kernel) * scale).abs() < 1e-6, "channel {channel}");
        }
    }
}
