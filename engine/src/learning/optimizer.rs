//! The optimizers, which update all weights at once.

use mammoscope_domain::training::training_config::{OptimizerKind, TrainingConfig};
use tch::{Device, Kind, TchError, Tensor, no_grad};

use super::device_number::DeviceNumber;
use super::flat_parameters::{FlatLayout, FlatParameters, ParameterGroup};
use super::libtorch_ext::optimizer_step::{AdamWMoments, AdamWStep, SgdStep, adamw_step, sgd_step};

/// AdamW's decay of the squared gradients, and the constant that keeps its quotient finite (Kingma and Ba 2015).
const ADAM_BETA2: f64 = 0.999;
const ADAM_EPSILON: f64 = 1e-8;
/// RMSprop's constants as in Keras.
const RMSPROP_RHO: f64 = 0.9;
const RMSPROP_EPSILON: f64 = 1e-7;

/// An optimizer and its state.
#[derive(Debug)]
pub struct Optimizer {
    kind: OptimizerKind,
    momentum: f64,
    weight_decay: f64,
    kernels: i64,
    /// The velocity or the mean of the gradients, if the optimizer has one.
    first: Option<Tensor>,
    /// The mean of the squared gradients, if the optimizer has one.
    second: Option<Tensor>,
    /// Steps taken, including skipped ones.
    steps: u64,
    /// The learning rate.
    rate: DeviceNumber,
    /// AdamW's number of steps, including the one at work.
    number: DeviceNumber,
}

impl Optimizer {
    /// The optimizer of a configuration, with zero moments.
    pub fn new(config: &TrainingConfig, layout: &FlatLayout, device: Device) -> Result<Self, TchError> {
        let zeros = |wanted: bool| wanted.then(|| layout.zeros(ParameterGroup::Weights, device)).transpose();
        let kind = config.optimizer;
        let (first, second) = match kind {
            OptimizerKind::Sgd | OptimizerKind::Nesterov => (config.momentum > 0.0, false),
            OptimizerKind::AdamW => (true, true),
            OptimizerKind::RmsProp => (config.momentum > 0.0, true),
        };
        Ok(Self {
            kind,
            momentum: config.momentum,
            weight_decay: config.weight_decay,
            kernels: layout.kernel_count(),
            first: zeros(first)?,
            second: zeros(second)?,
            steps: 0,
            // libtorch's steps read an f32 on a GPU, and on the CPU whatever there is.
            rate: DeviceNumber::new(&[], if device == Device::Cpu { Kind::Double } else { Kind::Float }, device)?,
            number: DeviceNumber::new(&[], Kind::Float, device)?,
        })
    }

    /// Counts a step and sets its learning rate. Not recorded.
    pub fn start_step(&mut self, rate: f64) -> Result<(), TchError> {
        self.steps += 1;
        self.rate.set(rate)?;
        if self.kind == OptimizerKind::AdamW { self.number.set(self.steps as f64) } else { Ok(()) }
    }

    /// Updates the weights in place. If `skip` (one f32) is 1, nothing changes.
    pub fn update(&self, parameters: &FlatParameters, skip: &Tensor) -> Result<(), TchError> {
        let count = parameters.layout.count(ParameterGroup::Weights);
        // Weight decay regularises the kernels only, not biases and batch normalisations.
        let parts = [(0, self.kernels, self.weight_decay), (self.kernels, count - self.kernels, 0.0)];
        no_grad(|| {
            for (start, length, decay) in parts {
                let part = |tensor: &Tensor| tensor.f_narrow(0, start, length);
                let of = |tensor: &Option<Tensor>| tensor.as_ref().map(part).transpose();
                let part = Part {
                    weights: part(&parameters.weights)?,
                    gradients: part(&parameters.gradients)?,
                    first: of(&self.first)?,
                    second: of(&self.second)?,
                };
                self.update_part(part, decay, skip)?;
            }
            Ok(())
        })
    }

    fn update_part(&self, part: Part, decay: f64, skip: &Tensor) -> Result<(), TchError> {
        let rate = self.rate.tensor();
        let Part { weights, gradients, first, second } = part;
        match (self.kind, first, second) {
            (OptimizerKind::AdamW, Some(mean), Some(square)) => {
                let step = AdamWStep { rate, beta1: self.momentum, beta2: ADAM_BETA2, decay, epsilon: ADAM_EPSILON };
                let moments = AdamWMoments { mean: &mean, square: &square, steps: self.number.tensor() };
                adamw_step(&weights, &gradients, &moments, skip, step)
            }
            (OptimizerKind::RmsProp, velocity, Some(square)) => {
                RmsPropStep { rate, momentum: self.momentum, decay }.apply(&weights, &gradients, velocity, square, skip)
            }
            (kind, velocity, _) => {
                let step = SgdStep {
                    rate,
                    momentum: self.momentum,
                    decay,
                    nesterov: kind == OptimizerKind::Nesterov,
                    // The velocity starts at zero, so that the first step needs no special case.
                    first: false,
                };
                sgd_step(&weights, &gradients, velocity.as_ref(), skip, step)
            }
        }
    }

    /// The moments by name, each a flat tensor of [`ParameterGroup::Weights`], for checkpoints.
    pub fn moments(&self) -> impl Iterator<Item = (&'static str, &Tensor)> {
        [("momentum", self.first.as_ref()), ("square", self.second.as_ref())]
            .into_iter()
            .filter_map(|(name, tensor)| Some((name, tensor?)))
    }

    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The numbers that change from step to step.
    #[cfg(test)]
    pub(super) fn numbers(&self) -> [&Tensor; 2] {
        [self.rate.tensor(), self.number.tensor()]
    }

    /// Restores the number of steps; the moments are restored through [`Optimizer::moments`].
    pub fn set_steps(&mut self, steps: u64) {
        self.steps = steps;
    }
}

/// The same range of weights, gradients and moments.
struct Part {
    weights: Tensor,
    gradients: Tensor,
    first: Option<Tensor>,
    second: Option<Tensor>,
}

/// A step of RMSprop (Hinton 2012).
struct RmsPropStep<'a> {
    /// One number.
    rate: &'a Tensor,
    momentum: f64,
    decay: f64,
}

impl RmsPropStep<'_> {
    /// `s ← ρs + (1 − ρ)g²`, `v ← momentum·v + rate·g / (√s + ε)`, `w ← w − v`, with the decay added to the gradient.
    fn apply(
        &self,
        weights: &Tensor,
        gradients: &Tensor,
        velocity: Option<Tensor>,
        mut square: Tensor,
        skip: &Tensor,
    ) -> Result<(), TchError> {
        let is_applied = skip.f_eq(0)?;
        // If the step is skipped the gradient may be NaN, which a product with zero would not remove.
        let gradients = gradients.f_add(&weights.f_mul_scalar(self.decay)?)?;
        let new_square =
            square.f_mul_scalar(RMSPROP_RHO)?.f_add(&gradients.f_square()?.f_mul_scalar(1.0 - RMSPROP_RHO)?)?;
        let mut update = gradients.f_div(&new_square.f_sqrt()?.f_add_scalar(RMSPROP_EPSILON)?)?.f_mul(self.rate)?;
        if let Some(mut velocity) = velocity {
            update = update.f_add(&velocity.f_mul_scalar(self.momentum)?)?;
            velocity.f_copy_(&update.f_where_self(&is_applied, &velocity)?)?;
        }
        square.f_copy_(&new_square.f_where_self(&is_applied, &square)?)?;
        let mut weights = weights.shallow_clone();
        weights.f_copy_(&weights.f_sub(&update)?.f_where_self(&is_applied, &weights)?)
    }
}
