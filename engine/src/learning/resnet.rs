//! The network of 41 convolutions and batch normalisations, with the layers of the reference.

use std::collections::BTreeMap;

use mammoscope_domain::network::network_plan::{ConvolutionPlan, LEAKY_RELU_SLOPE, NetworkPlan};
use mammoscope_storage::models::model_file::Model;
use tch::{Device, TchError, Tensor};

use super::keras_ops::{BatchNorm, POOL_STRIDE, same_convolution, same_max_pool};
use super::libtorch_ext::{channels_last, leaky_relu};

/// A convolution followed by a batch normalisation.
#[derive(Debug)]
pub struct ConvNorm {
    pub plan: ConvolutionPlan,
    /// O×I×H×W.
    pub kernel: Tensor,
    /// One value per output channel; `None` if all are zero, as in training.
    pub bias: Option<Tensor>,
    pub norm: BatchNorm,
}

/// A residual block.
#[derive(Debug)]
pub struct Block {
    /// 1 to 12.
    pub number: usize,
    /// 1×1, 3×3, 1×1.
    pub branch: [ConvNorm; 3],
    /// The projection of the shortcut, in the first block of a stage.
    pub shortcut: Option<ConvNorm>,
}

/// The network in f32.
#[derive(Debug)]
pub struct ResNet {
    /// The convolution before the max-pooling.
    pub stem: ConvNorm,
    pub blocks: Vec<Block>,
    /// 4×features.
    pub dense_kernel: Tensor,
    pub dense_bias: Tensor,
}

impl ResNet {
    /// Loads a model onto a device, with kernels in channels-last layout.
    pub fn from_model(model: &Model, device: Device) -> Result<Self, TchError> {
        let plan = model.metadata.plan();
        let parameters = plan.parameters();
        Self::new(&plan, true, &|name| {
            let values = model.tensors.get(name).ok_or_else(|| absent(name))?;
            let parameter = parameters.iter().find(|parameter| parameter.name == name).ok_or_else(|| absent(name))?;
            let shape: Vec<i64> = parameter.shape.iter().map(|&length| length as i64).collect();
            let tensor = Tensor::f_from_slice(values)?.f_reshape(shape.as_slice())?.f_to(device)?;
            if shape.len() == 4 { channels_last(&tensor) } else { Ok(tensor) }
        })
    }

    /// Builds the network from tensors by name, without the biases of the convolutions. The tensors are shared, so that a
    /// network of views changes with the tensor behind the views.
    pub fn from_tensors(plan: &NetworkPlan, tensors: &BTreeMap<String, Tensor>) -> Result<Self, TchError> {
        Self::new(plan, false, &|name| tensors.get(name).map(Tensor::shallow_clone).ok_or_else(|| absent(name)))
    }

    fn new(plan: &NetworkPlan, has_biases: bool, tensor: TensorSource<'_>) -> Result<Self, TchError> {
        let conv_norm = |plan| conv_norm(plan, has_biases, tensor);
        let blocks = plan
            .blocks
            .iter()
            .map(|block| {
                let [first, second, third] = block.branch;
                Ok(Block {
                    number: block.number,
                    branch: [conv_norm(first)?, conv_norm(second)?, conv_norm(third)?],
                    shortcut: block.shortcut.map(conv_norm).transpose()?,
                })
            })
            .collect::<Result<_, TchError>>()?;
        Ok(Self {
            stem: conv_norm(plan.stem)?,
            blocks,
            dense_kernel: tensor(&format!("{}.kernel", NetworkPlan::DENSE))?,
            dense_bias: tensor(&format!("{}.bias", NetworkPlan::DENSE))?,
        })
    }

    /// Channels, height and width of the last feature map for images of `side` × `side` pixels.
    #[must_use]
    pub fn last_map(&self, side: usize) -> [i64; 3] {
        let strides = self.blocks.iter().map(|block| block.branch[1].plan.stride);
        let side = [self.stem.plan.stride, POOL_STRIDE].into_iter().chain(strides).fold(side, usize::div_ceil);
        let channels = self.blocks.last().map_or(self.stem.plan.outputs, |block| block.branch[2].plan.outputs);
        [channels, side, side].map(|length| length as i64)
    }

    /// The four logits of each image: N×3×H×W → N×4, with the moving statistics and without dropout.
    pub fn forward(&self, input: &Tensor) -> Result<Tensor, TchError> {
        self.forward_observed(input, &mut |_, _| {})
    }

    /// [`ResNet::forward`], passing every layer's output to `observe` with the layer's name in the reference
    /// (`conv2d_1`, `add_12`, …). `dense_1` gives the logits, whereas the reference's layer includes a softmax.
    pub fn forward_observed(&self, input: &Tensor, observe: &mut dyn FnMut(&str, &Tensor)) -> Result<Tensor, TchError> {
        let mut pass = Pass { observe, activations: 0 };
        let x = pass.conv_norm(&self.stem, &channels_last(input)?)?;
        let x = pass.activation(&x)?;
        let mut x = same_max_pool(&x)?;
        pass.report("max_pooling2d_1", &x);
        for block in &self.blocks {
            let [first, second, third] = &block.branch;
            let y = pass.conv_norm(first, &x)?;
            let y = pass.activation(&y)?;
            let y = pass.conv_norm(second, &y)?;
            let y = pass.activation(&y)?;
            let y = pass.conv_norm(third, &y)?;
            let shortcut = match &block.shortcut {
                Some(projection) => pass.conv_norm(projection, &x)?,
                None => x,
            };
            let sum = shortcut.f_add(&y)?;
            pass.report(&format!("add_{}", block.number), &sum);
            x = pass.activation(&sum)?;
        }
        let features = x.f_mean_dim([2_i64, 3].as_slice(), false, None)?;
        pass.report("global_average_pooling2d_1", &features);
        let logits = features.f_linear(&self.dense_kernel, Some(&self.dense_bias))?;
        pass.report(NetworkPlan::DENSE, &logits);
        Ok(logits)
    }
}

/// One forward pass.
struct Pass<'a> {
    observe: &'a mut dyn FnMut(&str, &Tensor),
    activations: usize,
}

impl Pass<'_> {
    fn report(&mut self, name: &str, tensor: &Tensor) {
        (self.observe)(name, tensor);
    }

    fn conv_norm(&mut self, layer: &ConvNorm, input: &Tensor) -> Result<Tensor, TchError> {
        let convolved = same_convolution(input, &layer.kernel, layer.bias.as_ref(), &layer.plan)?;
        self.report(&layer.plan.name(), &convolved);
        let normalised = layer.norm.normalise(&convolved)?;
        self.report(&layer.plan.batch_norm_name(), &normalised);
        Ok(normalised)
    }

    fn activation(&mut self, input: &Tensor) -> Result<Tensor, TchError> {
        let output = leaky_relu(input, LEAKY_RELU_SLOPE)?;
        self.activations += 1;
        self.report(&format!("leaky_re_lu_{}", self.activations), &output);
        Ok(output)
    }
}

/// A source of tensors by name.
type TensorSource<'a> = &'a dyn Fn(&str) -> Result<Tensor, TchError>;

fn conv_norm(plan: ConvolutionPlan, has_bias: bool, tensor: TensorSource<'_>) -> Result<ConvNorm, TchError> {
    let (convolution, norm) = (plan.name(), plan.batch_norm_name());
    Ok(ConvNorm {
        kernel: tensor(&format!("{convolution}.kernel"))?,
        bias: has_bias.then(|| tensor(&format!("{convolution}.bias"))).transpose()?,
        norm: BatchNorm {
            gamma: tensor(&format!("{norm}.gamma"))?,
            beta: tensor(&format!("{norm}.beta"))?,
            moving_mean: tensor(&format!("{norm}.moving_mean"))?,
            moving_variance: tensor(&format!("{norm}.moving_variance"))?,
        },
        plan,
    })
}

fn absent(name: &str) -> TchError {
    TchError::Torch(format!("tensor '{name}' is not in the model"))
}
