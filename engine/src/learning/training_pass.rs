//! The forward and backward pass of a training step: batch statistics, dropout and optionally bf16.
//!
//! All layers are differentiated here rather than by libtorch's graph: at small sizes its bookkeeping takes longer than
//! the arithmetic, each feature map is released as soon as its gradient is known, and everything happens on one thread and
//! one stream of a GPU, so that it can be recorded.

use tch::{Kind, TchError, Tensor, no_grad};

use super::flat_parameters::FlatParameters;
use super::keras_ops::{POOL, POOL_STRIDE, SamePadding, for_equal_channels};
use super::libtorch_ext::activated_norm::{Behind, NormTensors, Output, SavedNorm, normalisation_gradients, normalise};
use super::libtorch_ext::channels_last;
use super::libtorch_ext::layer_gradients::{
    Window, convolution_gradients, convolve, gather, max_pool, max_pool_gradient,
};
use super::resnet::{Block, ConvNorm, ResNet};

/// The settings of a training pass.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrainingPass {
    /// [`Kind::Float`], or [`Kind::BFloat16`] for the convolutions and feature maps; weights, statistics, the last
    /// layer and the loss are always f32.
    pub kind: Kind,
    /// Weight of the old values in the moving statistics.
    pub bn_momentum: f64,
    /// Does batch normalisations and activations together, which is possible on the CPU only.
    pub is_fused: bool,
}

/// A forward pass, with what its gradients need.
#[derive(Debug)]
pub struct ForwardPass<'a> {
    /// The four logits of each image, f32: N×4.
    pub logits: Tensor,
    network: &'a ResNet,
    stem: SavedLayer,
    pool: SavedPool,
    blocks: Vec<SavedBlock>,
    /// By which dropout has multiplied the last feature map.
    dropout: Option<Tensor>,
    /// The means of the last feature map: N×K of f32.
    means: Tensor,
}

/// A convolution with its batch normalisation.
#[derive(Debug)]
struct SavedLayer {
    padding: SamePadding,
    window: Window,
    /// With asymmetric padding.
    input: Tensor,
    /// In the kind of the pass; the stem's may have one channel.
    kernel: Tensor,
    convolved: Tensor,
    norm: SavedNorm,
}

#[derive(Debug)]
struct SavedPool {
    padding: SamePadding,
    applied: i64,
    /// The activated output of the stem.
    activated: Tensor,
    /// With asymmetric padding.
    input: Tensor,
    places: Tensor,
}

#[derive(Debug)]
struct SavedBlock {
    branch: [SavedLayer; 3],
    /// The activated outputs of the first two layers.
    activated: [Tensor; 2],
    shortcut: Option<SavedLayer>,
    output: Tensor,
}

/// The gradients of a network's weights.
#[derive(Debug)]
pub struct Gradients {
    /// By convolution, in the kind of the pass.
    kernels: Vec<Tensor>,
    /// Gamma and beta by convolution.
    norms: Vec<[Tensor; 2]>,
    dense_kernel: Tensor,
    dense_bias: Tensor,
}

impl TrainingPass {
    /// Computes the logits of images N×3×H×W, or N×1×H×W for three equal channels. Updates the moving statistics.
    /// `dropout` multiplies the last feature map.
    pub fn forward<'a>(
        &self,
        network: &'a ResNet,
        images: &Tensor,
        dropout: Option<&Tensor>,
    ) -> Result<ForwardPass<'a>, TchError> {
        no_grad(|| {
            let x = channels_last(&images.f_to_kind(self.kind)?)?;
            let kernel = network.stem.kernel.f_to_kind(self.kind)?;
            let kernel = if x.size4()?.1 == 1 { for_equal_channels(&kernel)? } else { kernel };
            let (stem, activated) = self.layer_with(&network.stem, kernel, &x, Behind::Activation)?;
            let (pool, mut x) = SavedPool::new(activated)?;
            let mut blocks = Vec::with_capacity(network.blocks.len());
            for block in &network.blocks {
                let saved = self.block(block, &x)?;
                x = saved.output.shallow_clone();
                blocks.push(saved);
            }
            let kept = dropout.map(|factors| x.f_mul(factors)).transpose()?;
            let means = kept.as_ref().unwrap_or(&x).f_mean_dim([2_i64, 3].as_slice(), false, Kind::Float)?;
            let logits = means.f_linear(&network.dense_kernel, Some(&network.dense_bias))?;
            let dropout = dropout.map(Tensor::shallow_clone);
            Ok(ForwardPass { logits, network, stem, pool, blocks, dropout, means })
        })
    }

    fn block(&self, block: &Block, input: &Tensor) -> Result<SavedBlock, TchError> {
        let [first, second, third] = &block.branch;
        let (first, after_first) = self.layer(first, input, Behind::Activation)?;
        let (second, after_second) = self.layer(second, &after_first, Behind::Activation)?;
        let shortcut =
            block.shortcut.as_ref().map(|projection| self.layer(projection, input, Behind::Nothing)).transpose()?;
        let (shortcut, added) = shortcut.map_or((None, None), |(saved, output)| (Some(saved), Some(output)));
        let behind = Behind::SumAndActivation(added.as_ref().unwrap_or(input));
        let (third, output) = self.layer(third, &after_second, behind)?;
        Ok(SavedBlock { branch: [first, second, third], activated: [after_first, after_second], shortcut, output })
    }

    /// The output of a layer and what is behind it.
    fn layer(&self, layer: &ConvNorm, input: &Tensor, behind: Behind<'_>) -> Result<(SavedLayer, Tensor), TchError> {
        // No copy if they have that kind already, as those of `HalfPrecision` do.
        self.layer_with(layer, layer.kernel.f_to_kind(self.kind)?, input, behind)
    }

    /// [`TrainingPass::layer`] with another kernel.
    fn layer_with(
        &self,
        layer: &ConvNorm,
        kernel: Tensor,
        input: &Tensor,
        behind: Behind<'_>,
    ) -> Result<(SavedLayer, Tensor), TchError> {
        let padding = SamePadding::of(input, layer.plan.kernel, layer.plan.stride)?;
        let (input, applied) = padding.applied(input, 0.0)?;
        let window = Window { stride: layer.plan.stride as i64, padding: applied };
        // A bias would be subtracted again with the mean.
        let convolved = channels_last(&convolve(&input, &kernel, window)?)?;
        // libtorch's momentum is the weight of the new values, Keras' that of the old ones.
        let share = 1.0 - self.bn_momentum;
        let (output, norm) = normalise(&convolved, norm_tensors(layer), share, behind, self.is_fused)?;
        Ok((SavedLayer { padding, window, input, kernel, convolved, norm }, output))
    }
}

impl ForwardPass<'_> {
    /// The gradients of a loss, given that of [`ForwardPass::logits`].
    pub fn gradients(self, of_logits: &Tensor) -> Result<Gradients, TchError> {
        let Self { network, stem, pool, blocks, dropout, means, .. } = self;
        no_grad(|| {
            let dense_kernel = of_logits.f_tr()?.f_matmul(&means)?;
            let dense_bias = of_logits.f_sum_dim_intlist([0_i64].as_slice(), false, Kind::Float)?;
            let last = &blocks.last().expect("a network has blocks").output;
            let (_, _, height, width) = last.size4()?;
            let of_means = of_logits.f_matmul(&network.dense_kernel)?.f_div_scalar((height * width) as f64)?;
            let spread = of_means.f_to_kind(last.kind())?.f_unsqueeze(-1)?.f_unsqueeze(-1)?.f_expand_as(last)?;
            let mut gradient = match dropout {
                Some(factors) => factors.f_mul(&spread)?,
                None => channels_last(&spread)?,
            };
            let mut layers = LayerGradients::default();
            for (block, saved) in network.blocks.iter().zip(blocks).rev() {
                gradient = saved.gradients(block, gradient, &mut layers)?;
            }
            let (mut gradient, activated) = pool.gradient(&gradient)?;
            let output = Output::Activated(&activated);
            stem.convolution_gradients(&network.stem, &mut gradient, output, &mut layers, false)?;
            let (kernels, norms) = layers.in_order();
            Ok(Gradients { kernels, norms, dense_kernel, dense_bias })
        })
    }
}

impl Gradients {
    /// Puts the gradients into the flat ones of the parameters, in f32: in their place if `is_first`, otherwise added to
    /// them.
    pub fn store(&self, parameters: &mut FlatParameters, is_first: bool) -> Result<(), TchError> {
        let kernels: Vec<&Tensor> = self.kernels.iter().collect();
        let others: Vec<&Tensor> =
            [&self.dense_kernel].into_iter().chain(self.norms.iter().flatten()).chain([&self.dense_bias]).collect();
        let all = &parameters.gradients;
        let first = parameters.layout.convolution_kernel_count();
        gather(&kernels, &mut all.f_narrow(0, 0, first)?, is_first)?;
        gather(&others, &mut all.f_narrow(0, first, all.size1()? - first)?, is_first)
    }
}

impl SavedPool {
    /// Pools the activated output of the stem.
    fn new(activated: Tensor) -> Result<(Self, Tensor), TchError> {
        let padding = SamePadding::of(&activated, POOL, POOL_STRIDE)?;
        let (input, applied) = padding.applied(&activated, f64::NEG_INFINITY)?;
        let (output, places) = max_pool(&input, applied)?;
        Ok((Self { padding, applied, activated, input, places }, output))
    }

    /// The gradient of the activated output of the stem, and that output.
    fn gradient(self, gradient: &Tensor) -> Result<(Tensor, Tensor), TchError> {
        let gradient = max_pool_gradient(gradient, &self.input, self.applied, &self.places)?;
        Ok((self.padding.unapplied(gradient)?, self.activated))
    }
}

impl SavedBlock {
    /// The gradient of the block's input, given that of its output.
    fn gradients(self, block: &Block, mut gradient: Tensor, layers: &mut LayerGradients) -> Result<Tensor, TchError> {
        let Self { branch: [first, second, third], activated: [after_first, after_second], shortcut, output } = self;
        let mut inner = third.gradients(&block.branch[2], &mut gradient, Output::ActivatedSum(&output), layers)?;
        drop(output);
        inner = second.gradients(&block.branch[1], &mut inner, Output::Activated(&after_second), layers)?;
        drop(after_second);
        let mut of_input = first.gradients(&block.branch[0], &mut inner, Output::Activated(&after_first), layers)?;
        drop((after_first, inner));
        let through_shortcut = match (shortcut, &block.shortcut) {
            (Some(saved), Some(projection)) => saved.gradients(projection, &mut gradient, Output::Plain, layers)?,
            _ => gradient,
        };
        let _ = of_input.f_add_(&through_shortcut)?;
        Ok(of_input)
    }
}

impl SavedLayer {
    /// The gradient of the layer's input, given that of its output, which is taken: afterwards it is empty or, with
    /// [`Output::ActivatedSum`], that of the sum.
    fn gradients(
        self,
        layer: &ConvNorm,
        gradient: &mut Tensor,
        output: Output<'_>,
        layers: &mut LayerGradients,
    ) -> Result<Tensor, TchError> {
        let padding = self.padding;
        let of_input = self.convolution_gradients(layer, gradient, output, layers, true)?;
        padding.unapplied(of_input.expect("it was wanted"))
    }

    /// The gradients of the layer's weights and, if wanted, of its padded input. What is no longer needed is released
    /// at once: these are the largest tensors of a training.
    fn convolution_gradients(
        self,
        layer: &ConvNorm,
        gradient: &mut Tensor,
        output: Output<'_>,
        layers: &mut LayerGradients,
        is_input_wanted: bool,
    ) -> Result<Option<Tensor>, TchError> {
        let Self { window, input, kernel, convolved, norm, .. } = self;
        let [of_convolved, gamma, beta] =
            normalisation_gradients(gradient, &convolved, norm_tensors(layer), &norm, output)?;
        if !matches!(output, Output::ActivatedSum(_)) {
            *gradient = Tensor::new();
        }
        drop(convolved);
        let (of_input, of_kernel) = convolution_gradients(&of_convolved, &input, &kernel, window, is_input_wanted)?;
        // Each of the equal channels that one stands for.
        let of_kernel = of_kernel.f_expand_as(&layer.kernel)?;
        layers.0.push(LayerGradient { number: layer.plan.number, kernel: of_kernel, norm: [gamma, beta] });
        Ok(of_input)
    }
}

#[derive(Debug)]
struct LayerGradient {
    number: usize,
    kernel: Tensor,
    norm: [Tensor; 2],
}

#[derive(Debug, Default)]
struct LayerGradients(Vec<LayerGradient>);

impl LayerGradients {
    /// The gradients of kernels, and of gammas and betas, in the order of the convolutions' numbers.
    fn in_order(mut self) -> (Vec<Tensor>, Vec<[Tensor; 2]>) {
        self.0.sort_by_key(|layer| layer.number);
        self.0.into_iter().map(|layer| (layer.kernel, layer.norm)).unzip()
    }
}

fn norm_tensors(layer: &ConvNorm) -> NormTensors<'_> {
    let norm = &layer.norm;
    NormTensors {
        gamma: &norm.gamma,
        beta: &norm.beta,
        moving_mean: &norm.moving_mean,
        moving_variance: &norm.moving_variance,
    }
}

#[cfg(test)]
mod tests {
    use mammoscope_domain::network::network_plan::{NetworkPlan, WidthFactor};
    use mammoscope_storage::models::model_file::TensorValues;
    use tch::Device;

    use super::*;
    use crate::learning::folded_resnet::FoldedResNet;
    use crate::learning::initial_weights::initial_model;
    use crate::learning::loss::CrossEntropy;

    fn network() -> (NetworkPlan, TensorValues) {
        let width = WidthFactor::of_stem(8).unwrap();
        (NetworkPlan::new(width), initial_model(width, 64, None, 5).tensors)
    }

    fn images(channels: i64, side: i64) -> Tensor {
        tch::manual_seed(4);
        Tensor::randn([3, channels, side, side], (Kind::Float, Device::Cpu))
    }

    fn of_logits(logits: &Tensor) -> Tensor {
        let labels = Tensor::from_slice(&[0_i64, 2, 3]);
        CrossEntropy::plain().with_gradient(logits, &labels, None, 1.0).unwrap().gradient
    }

    /// Logits, flat gradients and moving statistics after one pass.
    fn ours(pass: TrainingPass, images: &Tensor) -> (Tensor, FlatParameters) {
        let (plan, values) = network();
        let mut parameters = FlatParameters::new(&plan, &values, Device::Cpu).unwrap();
        let network = ResNet::from_tensors(&plan, &parameters.tensors().unwrap()).unwrap();
        let forward = pass.forward(&network, images, None).unwrap();
        let logits = forward.logits.shallow_clone();
        forward.gradients(&of_logits(&logits)).unwrap().store(&mut parameters, true).unwrap();
        (logits, parameters)
    }

    #[test]
    fn one_channel_stands_for_three_equal_ones() {
        for side in [64, 65] {
            let grey = images(1, side);
            let pass = TrainingPass { kind: Kind::Float, bn_momentum: 0.9, is_fused: true };
            let (plan, values) = network();
            let network = FlatParameters::new(&plan, &values, Device::Cpu).unwrap();
            let network = ResNet::from_tensors(&plan, &network.tensors().unwrap()).unwrap();
            let of = |input: &Tensor| {
                let (logits, parameters) = ours(pass, input);
                let folded = FoldedResNet::new(&network, Kind::Float).unwrap().forward(input).unwrap();
                [logits.detach(), parameters.gradients, parameters.statistics, folded]
            };
            let (one, three) = (of(&grey), of(&grey.repeat([1, 3, 1, 1])));
            for (at, (one, three)) in one.iter().zip(&three).enumerate() {
                let scale = three.abs().max().double_value(&[]);
                let difference = (one - three).abs().max().double_value(&[]);
                assert!(scale > 0.1 && difference < 1e-5 * scale, "{at}: {difference:.1e} of {scale:.1e}");
            }
        }
    }
}
