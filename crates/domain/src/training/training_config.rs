//! The configuration of a training run: everything that decides the result.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::compute_options::Precision;
use crate::network::network_plan::WidthFactor;

/// Gives an enum the names of its values in files and on the command line, the same as serde's.
macro_rules! named_choices {
    ($choice:ident { $($variant:ident $name:literal,)* }) => {
        impl $choice {
            /// All choices.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The choice's name in files and on the command line.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }

        impl fmt::Display for $choice {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.name())
            }
        }
    };
}

named_choices!(OptimizerKind { Sgd "sgd", Nesterov "nesterov", AdamW "adamw", RmsProp "rmsprop", });
named_choices!(ScheduleKind { Constant "constant", Plateau "plateau", Cosine "cosine", });
named_choices!(ClassWeighting { None "none", Balanced "balanced", });
named_choices!(Monitor { ValAccuracy "val_accuracy", ValLoss "val_loss", ValKappa "val_kappa", });
named_choices!(NonfinitePolicy { Stop "stop", Rollback "rollback", });
named_choices!(FullDiskPolicy { Wait "wait", Stop "stop", });

/// The update rule of the weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OptimizerKind {
    /// Gradient descent, with momentum if that is above zero.
    Sgd,
    /// Gradient descent with Nesterov momentum.
    Nesterov,
    /// Adam with decoupled weight decay (Loshchilov and Hutter 2019), β₁ = momentum, β₂ = .999, ε = 1e-8.
    #[serde(rename = "adamw")]
    AdamW,
    /// RMSprop (Hinton 2012) with ρ = .9 and ε = 1e-7, as in Keras.
    #[serde(rename = "rmsprop")]
    RmsProp,
}

/// The course of the learning rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ScheduleKind {
    Constant,
    /// Multiplied by `plateau_factor` when the validation loss has not improved for `plateau_patience` epochs, like
    /// Keras' `ReduceLROnPlateau`.
    Plateau,
    /// Half a cosine down to `plateau_min` at the last step (Loshchilov and Hutter 2017).
    Cosine,
}

/// The weight of each class in the loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClassWeighting {
    /// All images count the same.
    None,
    /// All classes count the same: an image's weight is `n / (classes · n_class)`.
    Balanced,
}

/// The metric that decides which epoch is the best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Monitor {
    /// Accuracy on the validation images; larger is better.
    ValAccuracy,
    /// Loss on the validation images; smaller is better.
    ValLoss,
    /// Quadratic-weighted kappa on the validation images; larger is better.
    ValKappa,
}

impl Monitor {
    /// True if `value` is better than `best`. NaN is never better, nor are equal values.
    #[must_use]
    pub fn is_better(self, value: f64, best: f64) -> bool {
        match self {
            Self::ValLoss => value < best,
            Self::ValAccuracy | Self::ValKappa => value > best,
        }
    }
}

/// The reaction to a loss or a gradient that is not finite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NonfinitePolicy {
    /// The run fails, and names the files of the batch.
    Stop,
    /// The run goes back to its last checkpoint and continues with half the learning rate, three times at most.
    Rollback,
}

/// The reaction to a checkpoint or another file of the run that cannot be written, as on a full disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FullDiskPolicy {
    /// Training pauses until the file can be written.
    #[default]
    Wait,
    /// The run fails.
    Stop,
}

impl FullDiskPolicy {
    /// Left out of files, so that configurations from before this key are written as they were read.
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// True for a number that is left out of files, so that configurations from before its key are written as they were read.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// Everything that decides the result of a training run. `mammoscope preset show` lists the keys with their units, ranges
/// and meanings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingConfig {
    /// Passes over the training images.
    pub epochs: u32,
    /// Input height and width in pixels.
    pub size: usize,
    /// Factor on the number of channels of every layer.
    pub width: WidthFactor,
    /// Seed of the initial weights, the order of images, augmentation and dropout.
    pub seed: u64,
    /// Images per forward pass.
    pub batch_size: usize,
    /// Batches whose gradients are averaged into one step.
    pub accumulate: usize,
    pub optimizer: OptimizerKind,
    /// The peak learning rate.
    pub learning_rate: f64,
    /// Momentum of gradient descent and RMSprop, β₁ of AdamW.
    pub momentum: f64,
    /// Decay of the kernels; biases and batch normalisation are never decayed.
    pub weight_decay: f64,
    pub schedule: ScheduleKind,
    /// Epochs in which the learning rate rises linearly from zero.
    pub warmup_epochs: u32,
    /// Factor on the learning rate on a plateau.
    pub plateau_factor: f64,
    /// Epochs without improvement that make a plateau.
    pub plateau_patience: u32,
    /// The lowest learning rate of the schedule.
    pub plateau_min: f64,
    pub precision: Precision,
    /// Share of the last feature map's values set to zero.
    pub dropout: f64,
    /// Share of the old value that moving means and variances keep at an update; .99 in Keras, .9 in PyTorch.
    pub bn_momentum: f64,
    /// Starts moving means and variances as plain averages: at update `n`, from 0, they keep at most `n / (n + 1)`.
    pub bn_warmup: bool,
    /// Rotates, shifts and zooms training images at random.
    pub augment: bool,
    /// Largest rotation, in degrees.
    pub rotation: f64,
    /// Largest shift, as a share of height and width.
    pub shift: f64,
    /// Largest zoom: factors are within 1 ± zoom.
    pub zoom: f64,
    pub class_weights: ClassWeighting,
    /// Share of the target spread over all classes.
    pub label_smoothing: f64,
    /// Decay of the weights' exponential moving average, with which the model is then evaluated; 0 for none.
    pub ema: f64,
    /// Largest norm of the gradient; 0 for no limit.
    pub grad_clip: f64,
    /// Number of best checkpoints that are kept.
    pub keep_best: usize,
    /// Every how many epochs the model is kept; 0 for never.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub keep_every: u32,
    pub monitor: Monitor,
    /// Epochs without a better one after which training ends; 0 for never.
    pub early_stop: u32,
    /// Minutes between checkpoints within an epoch.
    pub checkpoint_minutes: f64,
    pub nonfinite: NonfinitePolicy,
    /// CPU threads; 0 for all cores.
    pub threads: usize,
    #[serde(default, skip_serializing_if = "FullDiskPolicy::is_default")]
    pub on_full: FullDiskPolicy,
}
