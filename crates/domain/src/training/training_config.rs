//! Everything that decides what a training computes.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::compute_options::Precision;
use crate::network::network_plan::WidthFactor;

/// Gives an enum the names that its values have in files and on the command line, the same as serde's.
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

/// How weights follow from gradients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OptimizerKind {
    /// Gradient descent, with momentum where that is above zero.
    Sgd,
    /// Gradient descent with Nesterov's momentum.
    Nesterov,
    /// Adam with decoupled weight decay (Loshchilov and Hutter 2019), β₁ = momentum, β₂ = .999, ε = 1e-8.
    #[serde(rename = "adamw")]
    AdamW,
    /// RMSprop (Hinton 2012) with ρ = .9 and ε = 1e-7, as in Keras.
    #[serde(rename = "rmsprop")]
    RmsProp,
}

/// How the learning rate changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ScheduleKind {
    /// It does not.
    Constant,
    /// Multiplied by `plateau_factor` when the validation loss has not improved for `plateau_patience` epochs, as Keras'
    /// `ReduceLROnPlateau`.
    Plateau,
    /// Half a cosine down to `plateau_min` at the last step (Loshchilov and Hutter 2017).
    Cosine,
}

/// How much each class counts in the loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClassWeighting {
    /// All images count the same.
    None,
    /// All classes count the same: an image's weight is `n / (classes · n_class)`.
    Balanced,
}

/// What decides which epoch was the best.
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
    /// Whether `value` is better than `best`. A number that is no number is never better.
    #[must_use]
    pub fn is_better(self, value: f64, best: f64) -> bool {
        match self {
            Self::ValLoss => value < best,
            Self::ValAccuracy | Self::ValKappa => value > best,
        }
    }
}

/// What becomes of a training whose loss or gradient is not finite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NonfinitePolicy {
    /// It fails, with the files of the batch named.
    Stop,
    /// It goes back to its last checkpoint and on with half the learning rate, three times at most.
    Rollback,
}

/// Everything that decides what a training computes. The keys, their units, ranges and meanings are listed by
/// `mammoscope preset show`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingConfig {
    /// Passes over the training images.
    pub epochs: u32,
    /// Input height and width in pixels.
    pub size: usize,
    /// Factor on all numbers of channels.
    pub width: WidthFactor,
    /// Seed of the initial weights, the order of images, augmentation and dropout.
    pub seed: u64,
    /// Images a forward pass.
    pub batch_size: usize,
    /// Batches whose gradients are averaged into one step.
    pub accumulate: usize,
    /// How weights follow from gradients.
    pub optimizer: OptimizerKind,
    /// Learning rate at its highest.
    pub learning_rate: f64,
    /// Momentum of gradient descent and RMSprop, β₁ of AdamW.
    pub momentum: f64,
    /// Decay of the kernels; biases and batch normalisations are never decayed.
    pub weight_decay: f64,
    /// How the learning rate changes.
    pub schedule: ScheduleKind,
    /// Epochs in which the learning rate rises from zero.
    pub warmup_epochs: u32,
    /// What the learning rate is multiplied by on a plateau.
    pub plateau_factor: f64,
    /// Epochs without improvement that make a plateau.
    pub plateau_patience: u32,
    /// The learning rate never falls below it.
    pub plateau_min: f64,
    /// f32, bf16 or auto.
    pub precision: Precision,
    /// Share of the last feature map's values that are set to zero.
    pub dropout: f64,
    /// Share of the old value that moving means and variances keep at an update; Keras' is .99, PyTorch's .9.
    pub bn_momentum: f64,
    /// Whether they begin as plain averages: at update `n`, from 0, they keep at most `n / (n + 1)`.
    pub bn_warmup: bool,
    /// Whether training images are rotated, shifted and zoomed at random.
    pub augment: bool,
    /// Largest rotation, in degrees.
    pub rotation: f64,
    /// Largest shift, as a share of height and width.
    pub shift: f64,
    /// Largest zoom: factors lie within 1 ± zoom.
    pub zoom: f64,
    /// How much each class counts in the loss.
    pub class_weights: ClassWeighting,
    /// Share of the target that is spread over all classes.
    pub label_smoothing: f64,
    /// Decay of the weights' exponential moving average, by which the model is evaluated then; 0 for none.
    pub ema: f64,
    /// Largest norm of the gradient; 0 for no limit.
    pub grad_clip: f64,
    /// How many best checkpoints are kept.
    pub keep_best: usize,
    /// What decides which epoch was the best.
    pub monitor: Monitor,
    /// Epochs without a better one after which the training ends; 0 for never.
    pub early_stop: u32,
    /// Minutes between checkpoints within an epoch.
    pub checkpoint_minutes: f64,
    /// What becomes of a training whose loss or gradient is not finite.
    pub nonfinite: NonfinitePolicy,
    /// CPU threads; 0 for all cores.
    pub threads: usize,
}
