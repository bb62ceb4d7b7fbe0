//! The training step: forward, loss, backward, clip, update.

use mammoscope_domain::network::network_plan::NetworkPlan;
use mammoscope_domain::training::training_config::TrainingConfig;
use mammoscope_storage::models::model_file::TensorValues;
use tch::{Device, Kind, TchError, Tensor, no_grad};

use super::flat_parameters::{FlatLayout, FlatParameters, ParameterGroup, duplicate};
use super::folded_resnet::FoldedResNet;
use super::half_precision::HalfPrecision;
use super::loss::CrossEntropy;
use super::optimizer::Optimizer;
use super::resnet::ResNet;
use super::training_pass::TrainingPass;

/// A batch on the device.
#[derive(Debug)]
pub struct Batch {
    /// N×3×S×S, standardised.
    pub images: Tensor,
    /// N class indices, i64.
    pub labels: Tensor,
    /// The distributions over the classes to train on, N×4 of f32; `None` to train on `labels`.
    pub targets: Option<Tensor>,
}

/// The results of one step, still on the device; reading them waits for the device.
#[derive(Debug)]
pub struct StepResult {
    /// Sum of the losses of the step's images, f64.
    pub loss_sum: Tensor,
    /// Number of correctly predicted images, f64.
    pub correct: Tensor,
    /// Norm of the gradient before clipping. The sum of squares is f32, so norms above 1e19 are infinite.
    pub gradient_norm: Tensor,
    /// 1 if loss, gradient or moving statistics were not finite in this step or an earlier one. Such steps leave the
    /// weights, the moving statistics, the optimizer's moments and the moving average unchanged.
    pub skipped: Tensor,
}

/// An exponential moving average of the weights and moving statistics.
#[derive(Debug)]
pub struct MovingAverage {
    decay: f64,
    /// As [`FlatParameters::weights`].
    pub weights: Tensor,
    /// As [`FlatParameters::statistics`].
    pub statistics: Tensor,
}

impl MovingAverage {
    /// Moves the average towards the parameters, unless `skip` (one f32) is 1. The decay is smaller in the first steps
    /// (TensorFlow's `num_updates`), so that the initial weights are forgotten quickly.
    fn update(&mut self, parameters: &FlatParameters, steps: u64, skip: &Tensor) -> Result<(), TchError> {
        let steps = steps as f64;
        let decay = self.decay.min((1.0 + steps) / (10.0 + steps));
        // A weight of zero changes nothing, since the parameters stay finite: a skipped step has not changed them.
        let weight = skip.f_rsub_scalar(1.0)?.f_mul_scalar(1.0 - decay)?;
        no_grad(|| {
            let _ = self.weights.f_lerp_tensor_(&parameters.weights, &weight)?;
            let _ = self.statistics.f_lerp_tensor_(&parameters.statistics, &weight)?;
            Ok(())
        })
    }
}

/// A network in training, with everything that a step changes.
#[derive(Debug)]
pub struct Learner {
    plan: NetworkPlan,
    network: ResNet,
    pub parameters: FlatParameters,
    /// The kernels of bf16 convolutions.
    half: Option<HalfPrecision>,
    pub optimizer: Optimizer,
    pub average: Option<MovingAverage>,
    pass: TrainingPass,
    bn_warmup: bool,
    loss: CrossEntropy,
    gradient_limit: f64,
    skipped: Tensor,
    device: Device,
}

impl Learner {
    /// A network with the given initial values. `kind` is the precision of the convolutions.
    pub fn new(
        config: &TrainingConfig,
        values: &TensorValues,
        loss: CrossEntropy,
        device: Device,
        kind: Kind,
    ) -> Result<Self, TchError> {
        let plan = NetworkPlan::new(config.width);
        let parameters = FlatParameters::new(&plan, values, device)?;
        let half = (kind == Kind::BFloat16).then(|| HalfPrecision::new(&parameters)).transpose()?;
        let tensors = match &half {
            Some(half) => half.tensors(&parameters)?,
            None => parameters.tensors()?,
        };
        let network = ResNet::from_tensors(&plan, &tensors)?;
        let optimizer = Optimizer::new(config, &parameters.layout, device)?;
        let average = (config.ema > 0.0)
            .then(|| {
                Ok::<_, TchError>(MovingAverage {
                    decay: config.ema,
                    weights: duplicate(&parameters.weights)?,
                    statistics: duplicate(&parameters.statistics)?,
                })
            })
            .transpose()?;
        Ok(Self {
            plan,
            network,
            parameters,
            half,
            optimizer,
            average,
            pass: TrainingPass { kind, dropout: config.dropout, bn_momentum: config.bn_momentum },
            bn_warmup: config.bn_warmup,
            loss,
            gradient_limit: config.grad_clip,
            skipped: Tensor::f_zeros([], (Kind::Float, device))?,
            device,
        })
    }

    /// Updates the weights by the gradient of the mean loss over all batches, which hold `images` images in total.
    /// Batches are prepared one at a time, so that only one is in memory, and batch-normalised separately.
    pub fn step(
        &mut self,
        rate: f64,
        images: usize,
        batches: impl Iterator<Item = Result<Batch, TchError>>,
    ) -> Result<StepResult, TchError> {
        let mut pass = self.pass;
        if self.bn_warmup {
            let updates = self.optimizer.steps() as f64;
            pass.bn_momentum = pass.bn_momentum.min(updates / (updates + 1.0));
        }
        if let Some(half) = &mut self.half {
            half.copy_kernels(&self.parameters)?;
        }
        let statistics_before = duplicate(&self.parameters.statistics)?;
        let mut loss_sum = Tensor::f_zeros([], (Kind::Double, self.device))?;
        let mut correct = Tensor::f_zeros([], (Kind::Double, self.device))?;
        let mut is_first = true;
        for batch in batches {
            let Batch { images: input, labels, targets } = batch?;
            let forward = pass.forward(&self.network, &input)?;
            let logits = forward.logits.shallow_clone();
            let count = labels.size1()? as f64;
            let loss = match &targets {
                Some(targets) => self.loss.of_distributions(&logits, targets)?,
                None => self.loss.of(&logits, &labels)?,
            };
            let gradients = forward.gradients(&loss.f_mul_scalar(count / images as f64)?)?;
            #[cfg(debug_assertions)]
            super::test_fault::train_on_request(self.optimizer.steps(), count as usize)?;
            gradients.store(&mut self.parameters, is_first)?;
            is_first = false;
            no_grad(|| {
                let _ = loss_sum.f_add_(&loss.f_to_kind(Kind::Double)?.f_mul_scalar(count)?)?;
                let right = logits.f_argmax(1, false)?.f_eq_tensor(&labels)?.f_sum(Kind::Double)?;
                let _ = correct.f_add_(&right)?;
                Ok::<_, TchError>(())
            })?;
        }
        let gradient_norm = self.parameters.gradients.f_norm()?;
        // The sum is not finite if any term is not. The statistics are included because an activation that overflows
        // makes its variance infinite and is then normalised to zero, which leaves the loss finite.
        let mut total = self.parameters.statistics.f_sum(Kind::Double)?;
        let finite = total.f_add_(&gradient_norm)?.f_add_(&loss_sum)?.f_isfinite()?;
        // All later steps are skipped, too: the flag is not read after each step, and the weights must not change until
        // then.
        self.skipped = self.skipped.f_maximum(&finite.f_logical_not()?.f_to_kind(Kind::Float)?)?;
        if self.gradient_limit > 0.0 {
            let scale = gradient_norm.f_reciprocal()?.f_mul_scalar(self.gradient_limit)?.f_clamp_max(1.0)?;
            let _ = self.parameters.gradients.f_mul_(&scale)?;
        }
        self.optimizer.step(&self.parameters, rate, &self.skipped)?;
        // The forward passes have already updated the moving statistics.
        let skip = self.skipped.f_gt(0.0)?;
        let statistics = statistics_before.f_where_self(&skip, &self.parameters.statistics)?;
        self.parameters.statistics.f_copy_(&statistics)?;
        if let Some(average) = &mut self.average {
            average.update(&self.parameters, self.optimizer.steps(), &self.skipped)?;
        }
        Ok(StepResult { loss_sum, correct, gradient_norm, skipped: self.skipped.shallow_clone() })
    }

    /// Resets what skipped steps leave behind, after the state was restored from a checkpoint.
    pub fn forget_steps(&mut self) -> Result<(), TchError> {
        self.skipped = self.skipped.f_zeros_like()?;
        Ok(())
    }

    /// The folded network for inference in `kind`, with the moving average if there is one.
    pub fn for_inference(&self, kind: Kind) -> Result<FoldedResNet, TchError> {
        no_grad(|| {
            let layout = &self.parameters.layout;
            let (weights, statistics) = self.evaluated();
            let mut tensors = layout.views(ParameterGroup::Weights, weights)?;
            tensors.extend(layout.views(ParameterGroup::Statistics, statistics)?);
            let network = ResNet::from_tensors(&self.plan, &tensors.into_iter().collect())?;
            // Folding copies everything except the dense layer, which must not change with later steps.
            let network = ResNet {
                dense_kernel: duplicate(&network.dense_kernel)?,
                dense_bias: duplicate(&network.dense_bias)?,
                ..network
            };
            FoldedResNet::new(&network, kind)
        })
    }

    /// Every tensor of the evaluated model, as in [`mammoscope_storage::models::model_file::Model`].
    pub fn values(&self) -> Result<TensorValues, TchError> {
        let (weights, statistics) = self.evaluated();
        let mut values = TensorValues::new();
        for (group, flat) in [(ParameterGroup::Weights, weights), (ParameterGroup::Statistics, statistics)] {
            let named = self.parameters.layout.values(group, flat)?;
            values.extend(named.into_iter().map(|(name, (_, values))| (name, values)));
        }
        for bias in self.layout().removed_biases() {
            let zeros = || vec![0.0; bias.count];
            let shifts = self.parameters.biases.get(&bias.name).cloned().unwrap_or_else(zeros);
            for (mean, shift) in values.get_mut(&bias.moving_mean).into_iter().flatten().zip(&shifts) {
                *mean += shift;
            }
            values.insert(bias.name.clone(), shifts);
        }
        Ok(values)
    }

    /// True if all weights and statistics are finite, including those of the moving average.
    pub fn is_finite(&self) -> Result<bool, TchError> {
        let average = self.average.iter().flat_map(|average| [&average.weights, &average.statistics]);
        for flat in [&self.parameters.weights, &self.parameters.statistics].into_iter().chain(average) {
            if !bool::try_from(flat.f_isfinite()?.f_all()?)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    #[must_use]
    pub fn layout(&self) -> &FlatLayout {
        &self.parameters.layout
    }

    fn evaluated(&self) -> (&Tensor, &Tensor) {
        match &self.average {
            Some(average) => (&average.weights, &average.statistics),
            None => (&self.parameters.weights, &self.parameters.statistics),
        }
    }
}
