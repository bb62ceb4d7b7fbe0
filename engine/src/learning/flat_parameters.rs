//! All weights of a network in one piece of memory, so that a step of the optimizer, the norm of the gradient and a
//! moving average are one operation each instead of 166.

use std::collections::BTreeMap;

use mammoscope_domain::network::network_plan::{NetworkPlan, ParameterPlan};
use mammoscope_storage::models::model_file::TensorValues;
use tch::{Device, Kind, TchError, Tensor, no_grad};

use super::libtorch_ext::optimizer_step::set_gradient;

/// Where a tensor lies in its piece of memory.
#[derive(Clone, Debug)]
struct Place {
    name: String,
    /// In the library's own layout: kernels O×I×H×W.
    shape: Vec<i64>,
    offset: i64,
    count: i64,
}

/// How the tensors of a network lie in two pieces of memory: the weights, kernels first, and the moving statistics.
#[derive(Clone, Debug)]
pub struct FlatLayout {
    weights: Vec<Place>,
    statistics: Vec<Place>,
    kernels: i64,
}

/// Shapes and values by name, each row by row.
pub type NamedValues = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

/// Which of the two pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece {
    /// What gradients change.
    Weights,
    /// Moving means and variances.
    Statistics,
}

impl FlatLayout {
    /// The layout for a network.
    #[must_use]
    pub fn new(plan: &NetworkPlan) -> Self {
        let (trained, statistics): (Vec<_>, Vec<_>) =
            plan.parameters().into_iter().partition(|parameter| parameter.trainable);
        let (kernels, others): (Vec<_>, Vec<_>) =
            trained.into_iter().partition(|parameter| parameter.name.ends_with(".kernel"));
        let kernel_count = kernels.iter().map(ParameterPlan::count).sum::<usize>() as i64;
        Self {
            weights: places(kernels.into_iter().chain(others)),
            statistics: places(statistics.into_iter()),
            kernels: kernel_count,
        }
    }

    /// Numbers in a piece.
    #[must_use]
    pub fn count(&self, piece: Piece) -> i64 {
        self.places(piece).last().map_or(0, |place| place.offset + place.count)
    }

    /// How many numbers, at the beginning of the weights, are kernels.
    #[must_use]
    pub fn kernel_count(&self) -> i64 {
        self.kernels
    }

    /// Zeros for a piece.
    pub fn zeros(&self, piece: Piece, device: Device) -> Result<Tensor, TchError> {
        Tensor::f_zeros([self.count(piece)], (Kind::Float, device))
    }

    /// The tensors of a piece by name, each a view in its own shape. Kernels are channels-last.
    pub fn views(&self, piece: Piece, flat: &Tensor) -> Result<Vec<(String, Tensor)>, TchError> {
        self.places(piece).iter().map(|place| Ok((place.name.clone(), place.view(flat)?))).collect()
    }

    /// The values of a piece by name, each row by row in its own shape, on the CPU.
    pub fn values(&self, piece: Piece, flat: &Tensor) -> Result<NamedValues, TchError> {
        let flat = flat.f_detach()?.f_to(Device::Cpu)?;
        self.places(piece)
            .iter()
            .map(|place| {
                let values = Vec::try_from(place.view(&flat)?.f_contiguous()?.f_reshape([-1])?)?;
                let shape = place.shape.iter().map(|&length| length as usize).collect();
                Ok((place.name.clone(), (shape, values)))
            })
            .collect()
    }

    /// Fills a piece with values by name; all of its tensors must be there.
    pub fn fill<'a>(
        &self,
        piece: Piece,
        flat: &Tensor,
        values: impl Fn(&str) -> Option<&'a [f32]>,
    ) -> Result<(), TchError> {
        no_grad(|| {
            for place in self.places(piece) {
                let values = values(&place.name).filter(|values| values.len() == place.count as usize);
                let absent = || TchError::Torch(format!("tensor '{}' is missing or of another size", place.name));
                let source = Tensor::f_from_slice(values.ok_or_else(absent)?)?.f_reshape(place.shape.as_slice())?;
                place.view(flat)?.f_copy_(&source)?;
            }
            Ok(())
        })
    }

    fn places(&self, piece: Piece) -> &[Place] {
        match piece {
            Piece::Weights => &self.weights,
            Piece::Statistics => &self.statistics,
        }
    }
}

impl Place {
    fn view(&self, flat: &Tensor) -> Result<Tensor, TchError> {
        let part = flat.f_narrow(0, self.offset, self.count)?;
        match *self.shape.as_slice() {
            // Convolutions are fastest with the input channels innermost.
            [outputs, inputs, height, width] => part.f_view([outputs, height, width, inputs])?.f_permute([0, 3, 1, 2]),
            ref shape => part.f_view(shape),
        }
    }
}

fn places(parameters: impl Iterator<Item = ParameterPlan>) -> Vec<Place> {
    let mut offset = 0;
    parameters
        .map(|parameter| {
            let place = Place {
                shape: parameter.shape.iter().map(|&length| length as i64).collect(),
                count: parameter.count() as i64,
                name: parameter.name,
                offset,
            };
            offset += place.count;
            place
        })
        .collect()
}

/// The weights and moving statistics of a network in training, and the gradients of the weights.
#[derive(Debug)]
pub struct FlatParameters {
    /// How they lie.
    pub layout: FlatLayout,
    /// The weights. The network's tensors are views of them, so that a step in place changes the network.
    pub weights: Tensor,
    /// The gradients, which backward passes add to.
    pub gradients: Tensor,
    /// Moving means and variances.
    pub statistics: Tensor,
}

impl FlatParameters {
    /// The parameters of a network, with the values of a model, on a device.
    pub fn new(plan: &NetworkPlan, values: &TensorValues, device: Device) -> Result<Self, TchError> {
        let layout = FlatLayout::new(plan);
        let weights = layout.zeros(Piece::Weights, device)?;
        let gradients = layout.zeros(Piece::Weights, device)?;
        let statistics = layout.zeros(Piece::Statistics, device)?;
        for (piece, flat) in [(Piece::Weights, &weights), (Piece::Statistics, &statistics)] {
            layout.fill(piece, flat, |name| values.get(name).map(Vec::as_slice))?;
        }
        Ok(Self { layout, weights, gradients, statistics })
    }

    /// The network's tensors by name: views, the trained ones as leaves whose gradients are views of
    /// [`FlatParameters::gradients`].
    pub fn leaves(&self) -> Result<BTreeMap<String, Tensor>, TchError> {
        let gradients = self.layout.views(Piece::Weights, &self.gradients)?;
        let mut leaves = BTreeMap::new();
        for ((name, view), (_, gradient)) in
            self.layout.views(Piece::Weights, &self.weights)?.into_iter().zip(gradients)
        {
            let leaf = view.f_detach()?.f_set_requires_grad(true)?;
            set_gradient(&leaf, &gradient)?;
            leaves.insert(name, leaf);
        }
        leaves.extend(self.layout.views(Piece::Statistics, &self.statistics)?);
        Ok(leaves)
    }
}

/// A tensor of the same values in memory of its own.
pub fn duplicate(tensor: &Tensor) -> Result<Tensor, TchError> {
    no_grad(|| {
        let mut copy = tensor.f_empty_like()?;
        copy.f_copy_(tensor)?;
        Ok(copy)
    })
}
