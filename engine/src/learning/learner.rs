//! A network that learns: forward, loss, backward, clip, step.

use mammoscope_domain::network::network_plan::NetworkPlan;
use mammoscope_domain::training::training_config::TrainingConfig;
use mammoscope_storage::models::model_file::TensorValues;
use tch::{Device, Kind, TchError, Tensor, no_grad};

use super::flat_parameters::{FlatLayout, FlatParameters, Piece, duplicate};
use super::folded_resnet::FoldedResNet;
use super::half_precision::HalfPrecision;
use super::loss::CrossEntropy;
use super::optimizer::Optimizer;
use super::resnet::ResNet;
use super::training_pass::TrainingPass;

/// A batch on the device.
#[derive(Debug)]
pub struct Batch {
    /// N×3×S×S, as the network takes it.
    pub images: Tensor,
    /// N class indices, i64.
    pub labels: Tensor,
}

/// What one step of the weights gave, still on the device: reading it waits for the device.
#[derive(Debug)]
pub struct StepResult {
    /// Sum of the losses of the step's images, f64.
    pub loss_sum: Tensor,
    /// How many of them were predicted rightly, f64.
    pub correct: Tensor,
    /// Norm of the gradient before it was clipped. The sum of squares is f32, so that norms above 1e19 are infinite.
    pub gradient_norm: Tensor,
    /// 1 where loss, gradient or moving statistics were not finite, in this step or in one before it: weights, moving statistics, the
    /// optimizer's moments and the moving average were not touched then.
    pub skipped: Tensor,
}

/// The weights' exponential moving average.
#[derive(Debug)]
pub struct MovingAverage {
    decay: f64,
    /// As [`FlatParameters::weights`].
    pub weights: Tensor,
    /// As [`FlatParameters::statistics`].
    pub statistics: Tensor,
}

impl MovingAverage {
    /// Follows the parameters, unless `skip` (one f32) is 1. The first steps count more (Tensorflow's `num_updates`), so
    /// that the average does not remember the initial weights.
    fn follow(&mut self, parameters: &FlatParameters, steps: u64, skip: &Tensor) -> Result<(), TchError> {
        let steps = steps as f64;
        let decay = self.decay.min((1.0 + steps) / (10.0 + steps));
        // A share of zero leaves everything as it is: what is followed is finite, or was the same at the step before.
        let share = skip.f_rsub_scalar(1.0)?.f_mul_scalar(1.0 - decay)?;
        no_grad(|| {
            let _ = self.weights.f_lerp_tensor_(&parameters.weights, &share)?;
            let _ = self.statistics.f_lerp_tensor_(&parameters.statistics, &share)?;
            Ok(())
        })
    }
}

/// A network in training with all that changes in it.
#[derive(Debug)]
pub struct Learner {
    plan: NetworkPlan,
    network: ResNet,
    /// Weights, gradients, moving statistics.
    pub parameters: FlatParameters,
    /// What convolutions in bf16 compute with.
    half: Option<HalfPrecision>,
    /// The optimizer.
    pub optimizer: Optimizer,
    /// The moving average, where one is wanted.
    pub average: Option<MovingAverage>,
    pass: TrainingPass,
    bn_warmup: bool,
    loss: CrossEntropy,
    gradient_limit: f64,
    skipped: Tensor,
    device: Device,
}

impl Learner {
    /// A network with the values of a model. `kind` is what convolutions are computed in.
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
        let leaves = match &half {
            Some(half) => half.leaves(&plan, &parameters)?,
            None => parameters.leaves()?,
        };
        let network = ResNet::from_tensors(&plan, &leaves)?;
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

    /// One step of the weights by the mean loss over the images of all batches, which hold `images` images together.
    /// Batches are made one at a time, so that only one is in memory; each is normalised by itself.
    pub fn step(
        &mut self,
        rate: f64,
        images: usize,
        batches: impl Iterator<Item = Result<Batch, TchError>>,
    ) -> Result<StepResult, TchError> {
        let _ = self.parameters.gradients.f_zero_()?;
        let mut pass = self.pass;
        if self.bn_warmup {
            let updates = self.optimizer.steps() as f64;
            pass.bn_momentum = pass.bn_momentum.min(updates / (updates + 1.0));
        }
        if let Some(half) = &mut self.half {
            half.follow(&self.parameters)?;
        }
        let statistics_before = duplicate(&self.parameters.statistics)?;
        let mut loss_sum = Tensor::f_zeros([], (Kind::Double, self.device))?;
        let mut correct = Tensor::f_zeros([], (Kind::Double, self.device))?;
        for batch in batches {
            let Batch { images: input, labels } = batch?;
            let logits = pass.forward(&self.network, &input)?;
            let count = labels.size1()? as f64;
            let loss = self.loss.of(&logits, &labels)?;
            loss.f_mul_scalar(count / images as f64)?.f_backward()?;
            if let Some(half) = &mut self.half {
                half.hand_over_gradients(&mut self.parameters)?;
            }
            no_grad(|| {
                let _ = loss_sum.f_add_(&loss.f_to_kind(Kind::Double)?.f_mul_scalar(count)?)?;
                let right = logits.f_argmax(1, false)?.f_eq_tensor(&labels)?.f_sum(Kind::Double)?;
                let _ = correct.f_add_(&right)?;
                Ok::<_, TchError>(())
            })?;
        }
        let gradient_norm = self.parameters.gradients.f_norm()?;
        // What is not finite makes the sum so. An activation that overflows shows in its variance first: normalised by that
        // it is zero, and the loss a number.
        let mut total = self.parameters.statistics.f_sum(Kind::Double)?;
        let finite = total.f_add_(&gradient_norm)?.f_add_(&loss_sum)?.f_isfinite()?;
        // Once skipped, always skipped: a device is not asked after each step, and must not go on in the meantime.
        self.skipped = self.skipped.f_maximum(&finite.f_logical_not()?.f_to_kind(Kind::Float)?)?;
        if self.gradient_limit > 0.0 {
            let scale = gradient_norm.f_reciprocal()?.f_mul_scalar(self.gradient_limit)?.f_clamp_max(1.0)?;
            let _ = self.parameters.gradients.f_mul_(&scale)?;
        }
        self.optimizer.step(&self.parameters, rate, &self.skipped)?;
        // The forward passes have brought the moving statistics forward already.
        let skip = self.skipped.f_gt(0.0)?;
        let statistics = statistics_before.f_where_self(&skip, &self.parameters.statistics)?;
        self.parameters.statistics.f_copy_(&statistics)?;
        if let Some(average) = &mut self.average {
            average.follow(&self.parameters, self.optimizer.steps(), &self.skipped)?;
        }
        Ok(StepResult { loss_sum, correct, gradient_norm, skipped: self.skipped.shallow_clone() })
    }

    /// Forgets that steps were skipped, after everything was set back to a checkpoint.
    pub fn clear_skipped(&mut self) -> Result<(), TchError> {
        self.skipped = self.skipped.f_zeros_like()?;
        Ok(())
    }

    /// The network for inference, of the moving average where there is one, computed in `kind`.
    pub fn for_inference(&self, kind: Kind) -> Result<FoldedResNet, TchError> {
        no_grad(|| {
            let layout = &self.parameters.layout;
            let (weights, statistics) = self.evaluated();
            let mut tensors = layout.views(Piece::Weights, weights)?;
            tensors.extend(layout.views(Piece::Statistics, statistics)?);
            let network = ResNet::from_tensors(&self.plan, &tensors.into_iter().collect())?;
            // The folded network copies all but the dense layer, which must not follow later steps.
            let network = ResNet {
                dense_kernel: duplicate(&network.dense_kernel)?,
                dense_bias: duplicate(&network.dense_bias)?,
                ..network
            };
            FoldedResNet::new(&network, kind)
        })
    }

    /// Every tensor of the model that is evaluated, as [`mammoscope_storage::models::model_file::Model`] holds them.
    pub fn values(&self) -> Result<TensorValues, TchError> {
        let (weights, statistics) = self.evaluated();
        let mut values = TensorValues::new();
        for (piece, flat) in [(Piece::Weights, weights), (Piece::Statistics, statistics)] {
            let of_piece = self.parameters.layout.values(piece, flat)?;
            values.extend(of_piece.into_iter().map(|(name, (_, values))| (name, values)));
        }
        Ok(values)
    }

    /// Whether all weights and statistics, those of the moving average too, are finite.
    pub fn is_finite(&self) -> Result<bool, TchError> {
        let average = self.average.iter().flat_map(|average| [&average.weights, &average.statistics]);
        for flat in [&self.parameters.weights, &self.parameters.statistics].into_iter().chain(average) {
            if !bool::try_from(flat.f_isfinite()?.f_all()?)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The layout of its pieces.
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
