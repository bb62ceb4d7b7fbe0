//! All weights of a network in one flat tensor, so that an optimizer step, the gradient norm and a moving average are
//! one operation each instead of 166.

use std::collections::BTreeMap;

use mammoscope_domain::network::network_plan::{NetworkPlan, ParameterPlan};
use mammoscope_storage::models::model_file::TensorValues;
use tch::{Device, Kind, TchError, Tensor, no_grad};

use super::libtorch_ext::optimizer_step::set_gradient;

/// The slice of a flat tensor that holds one tensor.
#[derive(Clone, Debug)]
struct Slot {
    name: String,
    /// In libtorch's order: kernels are O×I×H×W.
    shape: Vec<i64>,
    offset: i64,
    count: i64,
}

/// The layout of a network's tensors in two flat tensors: the weights, kernels first, and the moving statistics.
#[derive(Clone, Debug)]
pub struct FlatLayout {
    weights: Vec<Slot>,
    statistics: Vec<Slot>,
    kernels: i64,
}

/// Shapes and values by name, each row by row.
pub type NamedValues = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

/// One of the two flat tensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterGroup {
    /// The trainable parameters.
    Weights,
    /// Moving means and variances.
    Statistics,
}

impl FlatLayout {
    #[must_use]
    pub fn new(plan: &NetworkPlan) -> Self {
        let (trained, statistics): (Vec<_>, Vec<_>) =
            plan.parameters().into_iter().partition(|parameter| parameter.trainable);
        let (kernels, others): (Vec<_>, Vec<_>) =
            trained.into_iter().partition(|parameter| parameter.name.ends_with(".kernel"));
        let kernel_count = kernels.iter().map(ParameterPlan::count).sum::<usize>() as i64;
        Self {
            weights: slots(kernels.into_iter().chain(others)),
            statistics: slots(statistics.into_iter()),
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

    /// A flat tensor of zeros.
    pub fn zeros(&self, group: ParameterGroup, device: Device) -> Result<Tensor, TchError> {
        Tensor::f_zeros([self.count(group)], (Kind::Float, device))
    }

    /// The tensors of a group by name, as views in their own shapes. Kernels are channels-last.
    pub fn views(&self, group: ParameterGroup, flat: &Tensor) -> Result<Vec<(String, Tensor)>, TchError> {
        self.slots(group).iter().map(|slot| Ok((slot.name.clone(), slot.view(flat)?))).collect()
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

    /// Fills a group with values by name; every tensor must be present.
    pub fn fill<'a>(
        &self,
        group: ParameterGroup,
        flat: &Tensor,
        values: impl Fn(&str) -> Option<&'a [f32]>,
    ) -> Result<(), TchError> {
        no_grad(|| {
            for slot in self.slots(group) {
                let values = values(&slot.name).filter(|values| values.len() == slot.count as usize);
                let absent = || TchError::Torch(format!("tensor '{}' is missing or has a different size", slot.name));
                let source = Tensor::f_from_slice(values.ok_or_else(absent)?)?.f_reshape(slot.shape.as_slice())?;
                slot.view(flat)?.f_copy_(&source)?;
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
    /// Backward passes add to these.
    pub gradients: Tensor,
    /// Moving means and variances.
    pub statistics: Tensor,
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
        Ok(Self { layout, weights, gradients, statistics })
    }

    /// The network's tensors by name, as views. The trainable ones are leaves whose gradients are views of
    /// [`FlatParameters::gradients`].
    pub fn leaves(&self) -> Result<BTreeMap<String, Tensor>, TchError> {
        let gradients = self.layout.views(ParameterGroup::Weights, &self.gradients)?;
        let mut leaves = BTreeMap::new();
        for ((name, view), (_, gradient)) in
            self.layout.views(ParameterGroup::Weights, &self.weights)?.into_iter().zip(gradients)
        {
            let leaf = view.f_detach()?.f_set_requires_grad(true)?;
            set_gradient(&leaf, &gradient)?;
            leaves.insert(name, leaf);
        }
        leaves.extend(self.layout.views(ParameterGroup::Statistics, &self.statistics)?);
        Ok(leaves)
    }
}

/// A copy of a tensor in its own memory.
pub fn duplicate(tensor: &Tensor) -> Result<Tensor, TchError> {
    no_grad(|| {
        let mut copy = tensor.f_empty_like()?;
        copy.f_copy_(tensor)?;
        Ok(copy)
    })
}
