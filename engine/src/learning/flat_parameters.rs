//! All weights of a network in one flat tensor, so that an optimizer step, the gradient norm and a moving average are
//! one operation each instead of 125.
//!
//! The biases of the convolutions are not among them: a batch normalisation subtracts the mean of its input and with it
//! the bias, whose gradient is therefore zero. A bias only shifts the moving mean. It is subtracted from it when values
//! are loaded and added again when the values of a model are read, so that the network in training computes the same
//! function without them.

use std::collections::BTreeMap;

use mammoscope_domain::network::network_plan::{ConvolutionPlan, NetworkPlan, ParameterPlan};
use mammoscope_storage::models::model_file::TensorValues;
use tch::{Device, Kind, TchError, Tensor, no_grad};

/// The slice of a flat tensor that holds one tensor.
#[derive(Clone, Debug)]
struct Slot {
    name: String,
    /// In libtorch's order: kernels are O×I×H×W.
    shape: Vec<i64>,
    offset: i64,
    count: i64,
}

/// A bias that a batch normalisation removes.
#[derive(Clone, Debug)]
pub struct RemovedBias {
    /// `conv2d_<n>.bias`.
    pub name: String,
    /// The moving mean that it shifts, `batch_normalization_<n>.moving_mean`.
    pub moving_mean: String,
    /// One value per output channel.
    pub count: usize,
}

/// The layout of a network's tensors in two flat tensors: the weights, kernels first, and the moving statistics.
#[derive(Clone, Debug)]
pub struct FlatLayout {
    /// The kernels of the convolutions, that of the dense layer, all others.
    weights: Vec<Slot>,
    statistics: Vec<Slot>,
    removed_biases: Vec<RemovedBias>,
    convolutions: usize,
    kernels: i64,
}

/// Shapes and values by name, each row by row.
pub type NamedValues = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

/// One of the two flat tensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterGroup {
    /// The trainable parameters without the biases of the convolutions.
    Weights,
    /// Moving means and variances.
    Statistics,
}

impl FlatLayout {
    #[must_use]
    pub fn new(plan: &NetworkPlan) -> Self {
        let convolutions = plan.convolutions();
        let removed_biases: Vec<RemovedBias> = convolutions.iter().map(RemovedBias::new).collect();
        let is_removed = |name: &str| removed_biases.iter().any(|bias| bias.name == name);
        let (trained, statistics): (Vec<_>, Vec<_>) = plan
            .parameters()
            .into_iter()
            .filter(|parameter| !is_removed(&parameter.name))
            .partition(|parameter| parameter.trainable);
        // The dense layer is the last one, so that its kernel comes after those of the convolutions.
        let (kernels, others): (Vec<_>, Vec<_>) =
            trained.into_iter().partition(|parameter| parameter.name.ends_with(".kernel"));
        let kernel_count = kernels.iter().map(ParameterPlan::count).sum::<usize>() as i64;
        Self {
            weights: slots(kernels.into_iter().chain(others)),
            statistics: slots(statistics.into_iter()),
            convolutions: convolutions.len(),
            removed_biases,
            kernels: kernel_count,
        }
    }

    /// The number of values in a group.
    #[must_use]
    pub fn count(&self, group: ParameterGroup) -> i64 {
        self.slots(group).last().map_or(0, |slot| slot.offset + slot.count)
    }

    /// The number of kernel values, which come first among the weights.
    #[must_use]
    pub fn kernel_count(&self) -> i64 {
        self.kernels
    }

    /// The number of values in the kernels of the convolutions, which come first among the kernels.
    #[must_use]
    pub fn convolution_kernel_count(&self) -> i64 {
        self.weights[self.convolutions].offset
    }

    /// The biases that are not among the weights.
    #[must_use]
    pub fn removed_biases(&self) -> &[RemovedBias] {
        &self.removed_biases
    }

    /// A flat tensor of zeros.
    pub fn zeros(&self, group: ParameterGroup, device: Device) -> Result<Tensor, TchError> {
        Tensor::f_zeros([self.count(group)], (Kind::Float, device))
    }

    /// The tensors of a group by name, as views in their own shapes. Kernels are channels-last.
    pub fn views(&self, group: ParameterGroup, flat: &Tensor) -> Result<Vec<(String, Tensor)>, TchError> {
        self.slots(group).iter().map(|slot| Ok((slot.name.clone(), slot.view(flat)?))).collect()
    }

    /// The kernels of the convolutions by name, as views of a flat tensor of at least
    /// [`FlatLayout::convolution_kernel_count`] values.
    pub fn convolution_kernels(&self, flat: &Tensor) -> Result<Vec<(String, Tensor)>, TchError> {
        self.weights[..self.convolutions].iter().map(|slot| Ok((slot.name.clone(), slot.view(flat)?))).collect()
    }

    /// The shapes and row-major values of a group's tensors by name.
    pub fn values(&self, group: ParameterGroup, flat: &Tensor) -> Result<NamedValues, TchError> {
        let flat = flat.f_detach()?.f_to(Device::Cpu)?;
        self.slots(group)
            .iter()
            .map(|slot| {
                let values = Vec::try_from(slot.view(&flat)?.f_contiguous()?.f_reshape([-1])?)?;
                let shape = slot.shape.iter().map(|&length| length as usize).collect();
                Ok((slot.name.clone(), (shape, values)))
            })
            .collect()
    }

    /// Fills a group with values by name; every tensor must be present, and with moving statistics every bias, which is
    /// subtracted from its moving mean.
    pub fn fill<'a>(
        &self,
        group: ParameterGroup,
        flat: &Tensor,
        values: impl Fn(&str) -> Option<&'a [f32]>,
    ) -> Result<(), TchError> {
        no_grad(|| {
            let tensor = |name: &str, count: usize| {
                let values = values(name).filter(|values| values.len() == count);
                let absent = || TchError::Torch(format!("tensor '{name}' is missing or has a different size"));
                Tensor::f_from_slice(values.ok_or_else(absent)?)
            };
            for slot in self.slots(group) {
                let mut source = tensor(&slot.name, slot.count as usize)?;
                if let Some(bias) = self.removed_biases.iter().find(|bias| bias.moving_mean == slot.name) {
                    let _ = source.f_sub_(&tensor(&bias.name, bias.count)?)?;
                }
                slot.view(flat)?.f_copy_(&source.f_reshape(slot.shape.as_slice())?)?;
            }
            Ok(())
        })
    }

    fn slots(&self, group: ParameterGroup) -> &[Slot] {
        match group {
            ParameterGroup::Weights => &self.weights,
            ParameterGroup::Statistics => &self.statistics,
        }
    }
}

impl RemovedBias {
    fn new(convolution: &ConvolutionPlan) -> Self {
        Self {
            name: format!("{}.bias", convolution.name()),
            moving_mean: format!("{}.moving_mean", convolution.batch_norm_name()),
            count: convolution.outputs,
        }
    }
}

impl Slot {
    fn view(&self, flat: &Tensor) -> Result<Tensor, TchError> {
        let part = flat.f_narrow(0, self.offset, self.count)?;
        match *self.shape.as_slice() {
            // Convolutions are fastest with the input channels innermost.
            [outputs, inputs, height, width] => part.f_view([outputs, height, width, inputs])?.f_permute([0, 3, 1, 2]),
            ref shape => part.f_view(shape),
        }
    }
}

fn slots(parameters: impl Iterator<Item = ParameterPlan>) -> Vec<Slot> {
    let mut offset = 0;
    parameters
        .map(|parameter| {
            let slot = Slot {
                shape: parameter.shape.iter().map(|&length| length as i64).collect(),
                count: parameter.count() as i64,
                name: parameter.name,
                offset,
            };
            offset += slot.count;
            slot
        })
        .collect()
}

/// The weights and moving statistics of a network in training, and the gradients of the weights.
#[derive(Debug)]
pub struct FlatParameters {
    pub layout: FlatLayout,
    /// The network's tensors are views of these, so that an update in place changes the network.
    pub weights: Tensor,
    /// The gradients of a step, filled by each backward pass.
    pub gradients: Tensor,
    /// Moving means, without the biases, and variances.
    pub statistics: Tensor,
    /// The biases of the convolutions by name, which do not change in training; those that are absent are zero.
    pub biases: TensorValues,
}

impl FlatParameters {
    /// The parameters of a network on a device, with the values of a model.
    pub fn new(plan: &NetworkPlan, values: &TensorValues, device: Device) -> Result<Self, TchError> {
        let layout = FlatLayout::new(plan);
        let weights = layout.zeros(ParameterGroup::Weights, device)?;
        let gradients = layout.zeros(ParameterGroup::Weights, device)?;
        let statistics = layout.zeros(ParameterGroup::Statistics, device)?;
        for (group, flat) in [(ParameterGroup::Weights, &weights), (ParameterGroup::Statistics, &statistics)] {
            layout.fill(group, flat, |name| values.get(name).map(Vec::as_slice))?;
        }
        let biases = layout.removed_biases.iter().filter_map(|bias| values.get_key_value(&bias.name));
        let biases = biases.map(|(name, values)| (name.clone(), values.clone())).collect();
        Ok(Self { layout, weights, gradients, statistics, biases })
    }

    /// The network's tensors by name, as views.
    pub fn tensors(&self) -> Result<BTreeMap<String, Tensor>, TchError> {
        let mut tensors = self.layout.views(ParameterGroup::Weights, &self.weights)?;
        tensors.extend(self.layout.views(ParameterGroup::Statistics, &self.statistics)?);
        Ok(tensors.into_iter().collect())
    }
}

/// A copy of a tensor on the host, in its own memory.
pub fn host_copy(tensor: &Tensor) -> Result<Tensor, TchError> {
    no_grad(|| {
        let mut copy = Tensor::f_empty(tensor.size(), (tensor.kind(), Device::Cpu))?;
        copy.f_copy_(tensor)?;
        Ok(copy)
    })
}

/// A copy of a tensor in its own memory.
pub fn duplicate(tensor: &Tensor) -> Result<Tensor, TchError> {
    no_grad(|| {
        let mut copy = tensor.f_empty_like()?;
        copy.f_copy_(tensor)?;
        Ok(copy)
    })
}
