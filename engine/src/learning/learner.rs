//! The training step: forward, loss, backward, clip, update.

use std::collections::VecDeque;

use mammoscope_domain::network::network_plan::NetworkPlan;
use mammoscope_domain::training::training_config::TrainingConfig;
use mammoscope_storage::models::model_file::TensorValues;
use tch::{Device, Kind, TchError, Tensor, no_grad};

use super::device_number::DeviceNumber;
use super::dropout::Dropout;
use super::flat_parameters::{FlatLayout, FlatParameters, ParameterGroup, duplicate};
use super::folded_resnet::FoldedResNet;
use super::half_precision::HalfPrecision;
use super::loss::CrossEntropy;
use super::optimizer::Optimizer;
use super::replay::{Eager, Replay, StepPart};
use super::resnet::ResNet;
use super::step_log::{StepLog, StepResult};
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

/// The source of a step's batches.
pub trait BatchSource {
    /// Makes ready the next `count` images. What this does is never recorded.
    fn prepare(&mut self, count: usize) -> Result<(), TchError>;

    /// The batch of these images. It is the same for every batch of a size, but for the values of tensors that
    /// [`BatchSource::prepare`] has written in place, so that it can be recorded.
    fn batch(&self, count: usize) -> Result<Batch, TchError>;
}

/// Batches that are at hand.
struct GivenBatches(VecDeque<Batch>);

impl BatchSource for GivenBatches {
    fn prepare(&mut self, _count: usize) -> Result<(), TchError> {
        // The first one is that of the last pass.
        self.0.pop_front();
        Ok(())
    }

    fn batch(&self, _count: usize) -> Result<Batch, TchError> {
        let Batch { images, labels, targets } = self.0.front().expect("a batch for every count");
        let targets = targets.as_ref().map(Tensor::shallow_clone);
        Ok(Batch { images: images.shallow_clone(), labels: labels.shallow_clone(), targets })
    }
}

/// An exponential moving average of the weights and moving statistics.
#[derive(Debug)]
pub struct MovingAverage {
    decay: f64,
    /// The weight of the new values, f32.
    share: DeviceNumber,
    /// As [`FlatParameters::weights`].
    pub weights: Tensor,
    /// As [`FlatParameters::statistics`].
    pub statistics: Tensor,
}

impl MovingAverage {
    /// Sets the share of the new values in a step, from 1. It is larger in the first steps (TensorFlow's `num_updates`),
    /// so that the initial weights are forgotten quickly. Not recorded.
    fn start_step(&mut self, steps: u64) -> Result<(), TchError> {
        let steps = steps as f64;
        self.share.set(1.0 - self.decay.min((1.0 + steps) / (10.0 + steps)))
    }

    /// Moves the average towards the parameters, unless `skip` (one f32) is 1.
    fn update(&mut self, parameters: &FlatParameters, skip: &Tensor) -> Result<(), TchError> {
        // A weight of zero changes nothing, since the parameters stay finite: a skipped step has not changed them.
        let weight = skip.f_rsub_scalar(1.0)?.f_mul(self.share.tensor())?;
        let _ = self.weights.f_lerp_tensor_(&parameters.weights, &weight)?;
        let _ = self.statistics.f_lerp_tensor_(&parameters.statistics, &weight)?;
        Ok(())
    }
}

/// A network in training, with everything that a step changes. All of it keeps its memory, since recorded steps use the
/// same again.
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
    dropout: Option<Dropout>,
    loss: CrossEntropy,
    gradient_limit: f64,
    /// 1 from the first step on whose loss, gradient or moving statistics were not finite: one f32.
    skipped: Tensor,
    /// The moving statistics before the step at work.
    statistics_before: Tensor,
    log: StepLog,
    /// The height and width of images in pixels.
    size: usize,
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
                    share: DeviceNumber::new(&[], Kind::Float, device)?,
                    weights: duplicate(&parameters.weights)?,
                    statistics: duplicate(&parameters.statistics)?,
                })
            })
            .transpose()?;
        Ok(Self {
            plan,
            network,
            statistics_before: duplicate(&parameters.statistics)?,
            parameters,
            half,
            optimizer,
            average,
            pass: TrainingPass { kind, bn_momentum: config.bn_momentum, is_fused: device == Device::Cpu },
            bn_warmup: config.bn_warmup,
            dropout: Dropout::new(config.dropout, kind, device)?,
            loss,
            gradient_limit: config.grad_clip,
            skipped: Tensor::f_zeros([], (Kind::Float, device))?,
            log: StepLog::new(device)?,
            size: config.size,
        })
    }

    /// Updates the weights by the gradient of the mean loss over all images of a step, in batches of `counts` images.
    /// Batches are made one at a time, so that only one is in memory, and batch-normalised separately. Does not wait for
    /// the device. What `replay` has recorded must be a step with the same `counts`.
    pub fn step(
        &mut self,
        rate: f64,
        counts: &[usize],
        source: &mut dyn BatchSource,
        replay: &mut dyn Replay,
    ) -> Result<(), TchError> {
        let mut pass = self.pass;
        let updates = self.optimizer.steps() as f64;
        // The momentum is a constant of what is recorded.
        let is_constant = !self.bn_warmup || updates / (updates + 1.0) >= pass.bn_momentum;
        if !is_constant {
            pass.bn_momentum = updates / (updates + 1.0);
        }
        let replay: &mut dyn Replay = if is_constant { replay } else { &mut Eager };
        self.optimizer.start_step(rate)?;
        self.log.start_step()?;
        if let Some(average) = &mut self.average {
            average.start_step(self.optimizer.steps())?;
        }
        let images: usize = counts.iter().sum();
        no_grad(|| {
            for (number, &count) in counts.iter().enumerate() {
                source.prepare(count)?;
                if let Some(dropout) = &mut self.dropout {
                    dropout.draw(&self.network, count, self.size)?;
                }
                let is_first = number == 0;
                let part = if is_first { StepPart::FirstPass } else { StepPart::FurtherPass };
                replay.run(part, &mut || {
                    let batch = source.batch(count)?;
                    self.pass(pass, &batch, count as f64 / images as f64, is_first)
                })?;
            }
            replay.run(StepPart::Update, &mut || self.update())
        })
    }

    /// Takes a step with batches that are at hand and waits for its result.
    pub fn step_on(&mut self, rate: f64, batches: Vec<Batch>) -> Result<StepResult, TchError> {
        let counts: Vec<usize> = batches.iter().map(|batch| batch.labels.numel()).collect();
        let mut batches: VecDeque<Batch> = batches.into();
        batches.push_front(Batch { images: Tensor::new(), labels: Tensor::new(), targets: None });
        self.step(rate, &counts, &mut GivenBatches(batches), &mut Eager)?;
        Ok(self.results(1)?[0])
    }

    /// Forward and backward pass of a batch, whose share of the step's images is given.
    fn pass(&mut self, pass: TrainingPass, batch: &Batch, share: f64, is_first: bool) -> Result<(), TchError> {
        if is_first {
            if let Some(half) = &mut self.half {
                half.copy_kernels(&self.parameters)?;
            }
            self.statistics_before.f_copy_(&self.parameters.statistics)?;
            self.log.clear()?;
        }
        let Batch { images, labels, targets } = batch;
        let count = labels.size1()?;
        let factors = self.dropout.as_ref().map(|dropout| dropout.factors(count)).transpose()?.flatten();
        let forward = pass.forward(&self.network, images, factors.as_ref())?;
        let loss = self.loss.with_gradient(&forward.logits, labels, targets.as_ref(), share)?;
        let correct = forward.logits.f_argmax(1, false)?.f_eq_tensor(labels)?.f_sum(Kind::Double)?;
        let gradients = forward.gradients(&loss.gradient)?;
        #[cfg(debug_assertions)]
        super::test_fault::train_on_request(self.optimizer.steps() - 1, count as usize)?;
        gradients.store(&mut self.parameters, is_first)?;
        self.log.add(&loss.mean, count, &correct)
    }

    /// Updates the weights by the gradients of the passes.
    fn update(&mut self) -> Result<(), TchError> {
        let gradient_norm = self.parameters.gradients.f_norm()?;
        // The sum is not finite if any term is not. The statistics are included because an activation that overflows
        // makes its variance infinite and is then normalised to zero, which leaves the loss finite.
        let mut total = self.parameters.statistics.f_sum(Kind::Double)?;
        let finite = total.f_add_(&gradient_norm)?.f_add_(self.log.loss_sum())?.f_isfinite()?;
        // All later steps are skipped, too: the flag is not read after each step, and the weights must not change until
        // then.
        let skipped = self.skipped.f_maximum(&finite.f_logical_not()?.f_to_kind(Kind::Float)?)?;
        self.skipped.f_copy_(&skipped)?;
        if self.gradient_limit > 0.0 {
            let scale = gradient_norm.f_reciprocal()?.f_mul_scalar(self.gradient_limit)?.f_clamp_max(1.0)?;
            let _ = self.parameters.gradients.f_mul_(&scale)?;
        }
        self.optimizer.update(&self.parameters, &self.skipped)?;
        // The forward passes have already updated the moving statistics.
        let skip = self.skipped.f_gt(0.0)?;
        let statistics = self.statistics_before.f_where_self(&skip, &self.parameters.statistics)?;
        self.parameters.statistics.f_copy_(&statistics)?;
        if let Some(average) = &mut self.average {
            average.update(&self.parameters, &self.skipped)?;
        }
        self.log.finish_step(&gradient_norm, &self.skipped)
    }

    /// The results of the last `count` steps in order; waits for the device.
    ///
    /// # Panics
    /// As [`StepLog::last`].
    pub fn results(&self, count: usize) -> Result<Vec<StepResult>, TchError> {
        self.log.last(count)
    }

    /// Makes the dropout of the following steps a function of the seed.
    pub fn seed_dropout(&mut self, seed: u64) -> Result<(), TchError> {
        self.dropout.as_mut().map_or(Ok(()), |dropout| dropout.seed(seed))
    }

    /// Resets what skipped steps leave behind, after the state was restored from a checkpoint.
    pub fn forget_steps(&mut self) -> Result<(), TchError> {
        no_grad(|| self.skipped.f_zero_()).map(drop)
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

    /// Every tensor whose values recorded steps read or write, by name.
    #[cfg(test)]
    pub(super) fn memory(&self) -> Vec<(String, &Tensor)> {
        let mut memory = vec![
            ("weights", &self.parameters.weights),
            ("gradients", &self.parameters.gradients),
            ("statistics", &self.parameters.statistics),
            ("statistics before", &self.statistics_before),
            ("skipped", &self.skipped),
        ];
        memory.extend(self.optimizer.moments());
        memory.extend(self.optimizer.numbers().map(|number| ("number of the optimizer", number)));
        memory.extend(self.log.memory().map(|tensor| ("log", tensor)));
        memory.extend(self.half.iter().map(|half| ("bf16 kernels", half.memory())));
        memory.extend(self.dropout.iter().filter_map(|dropout| Some(("dropout", dropout.memory()?))));
        if let Some(MovingAverage { share, weights, statistics, .. }) = &self.average {
            memory.extend([("share", share.tensor()), ("average", weights), ("average statistics", statistics)]);
        }
        memory.extend([("dense kernel", &self.network.dense_kernel), ("dense bias", &self.network.dense_bias)]);
        memory.into_iter().map(|(name, tensor)| (name.to_owned(), tensor)).collect()
    }

    fn evaluated(&self) -> (&Tensor, &Tensor) {
        match &self.average {
            Some(average) => (&average.weights, &average.statistics),
            None => (&self.parameters.weights, &self.parameters.statistics),
        }
    }
}
