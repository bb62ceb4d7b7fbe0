//! The residual network of 41 convolutions as a plan without tensors: names, shapes and parameters.
//!
//! One network serves one view: `conv1 3×3/2 → BN → LReLU → max-pool 3×3/2 → 4 stages × 3 blocks → dropout → global
//! average → dense 4`. A block is `1×1 → BN → LReLU → 3×3 (the stride is here) → BN → LReLU → 1×1 → BN`, added to the
//! identity or, in the first block of a stage, to `1×1 (same stride) → BN`; then LReLU. Names and numbers are those of
//! the Keras 2.2 reference (within a projected block the shortcut has the highest number).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::subject::density::DensityClass;

/// The slope of every leaky ReLU at and below zero.
pub const LEAKY_RELU_SLOPE: f64 = 0.3;
/// The epsilon that batch normalisation adds to the variance.
pub const BATCH_NORM_EPSILON: f64 = 1e-3;
/// The dropout probability of the reference, applied before the global average.
pub const DROPOUT: f64 = 0.2;
/// The channels of the input image.
pub const INPUT_CHANNELS: usize = 3;
/// The input height and width of the reference, in pixels.
pub const REFERENCE_SIZE: usize = 650;

const STEM_CHANNELS: usize = 64;
/// The four stages at width 1.
const STAGES: [StagePlan; 4] = [
    StagePlan { inner: 64, outer: 128, first_stride: 1 },
    StagePlan { inner: 128, outer: 256, first_stride: 2 },
    StagePlan { inner: 128, outer: 256, first_stride: 2 },
    StagePlan { inner: 128, outer: 256, first_stride: 2 },
];
const BLOCKS_PER_STAGE: usize = 3;

/// Three blocks of equal shape: the channels inside and after a block, and the stride of the first block.
struct StagePlan {
    inner: usize,
    outer: usize,
    first_stride: usize,
}

/// The factor on every number of channels; 1 is the reference.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct WidthFactor(f64);

/// A width factor outside the supported range.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error(
    "a width factor of {0} is out of range; it must be between {min} and {max}",
    min = WidthFactor::MIN, max = WidthFactor::MAX
)]
pub struct WidthOutOfRange(pub f64);

impl WidthFactor {
    /// The reference's width.
    pub const ONE: Self = Self(1.0);
    /// The narrowest network: one channel in the stem.
    pub const MIN: f64 = 1.0 / STEM_CHANNELS as f64;
    /// The widest network.
    pub const MAX: f64 = 8.0;

    /// A width factor between [`Self::MIN`] and [`Self::MAX`].
    pub fn new(factor: f64) -> Result<Self, WidthOutOfRange> {
        if (Self::MIN..=Self::MAX).contains(&factor) { Ok(Self(factor)) } else { Err(WidthOutOfRange(factor)) }
    }

    /// The width of a network whose first convolution has this many output channels.
    pub fn of_stem(channels: usize) -> Result<Self, WidthOutOfRange> {
        Self::new(channels as f64 / STEM_CHANNELS as f64)
    }

    #[must_use]
    pub fn factor(self) -> f64 {
        self.0
    }

    fn channels(self, at_width_one: usize) -> usize {
        ((at_width_one as f64 * self.0).round() as usize).max(1)
    }
}

impl fmt::Display for WidthFactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl TryFrom<f64> for WidthFactor {
    type Error = WidthOutOfRange;

    fn try_from(factor: f64) -> Result<Self, Self::Error> {
        Self::new(factor)
    }
}

impl From<WidthFactor> for f64 {
    fn from(width: WidthFactor) -> Self {
        width.0
    }
}

/// Elements added before and after one axis: zeros, or −∞ for max-pooling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Padding {
    pub before: usize,
    pub after: usize,
}

/// Keras' `same` padding of one axis.
///
/// `out = ceil(n / s)`, `total = max((out − 1)·s + k − n, 0)`; half of it, rounded down, comes before.
#[must_use]
pub const fn same_padding(length: usize, kernel: usize, stride: usize) -> Padding {
    let out = length.div_ceil(stride);
    let total = ((out - 1) * stride + kernel).saturating_sub(length);
    Padding { before: total / 2, after: total - total / 2 }
}

/// One convolution with bias, and the batch normalisation of the same number after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvolutionPlan {
    /// 1 to 41, in the order in which the reference creates the convolutions.
    pub number: usize,
    /// Input channels.
    pub inputs: usize,
    /// Output channels.
    pub outputs: usize,
    /// Height and width of the kernel.
    pub kernel: usize,
    /// Stride in both directions.
    pub stride: usize,
}

impl ConvolutionPlan {
    /// `conv2d_<number>`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("conv2d_{}", self.number)
    }

    /// `batch_normalization_<number>`.
    #[must_use]
    pub fn batch_norm_name(&self) -> String {
        format!("batch_normalization_{}", self.number)
    }

    /// The number of weights and biases.
    #[must_use]
    pub fn parameters(&self) -> usize {
        self.kernel * self.kernel * self.inputs * self.outputs + self.outputs
    }
}

/// A residual block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockPlan {
    /// 1 to 12; the block's sum is `add_<number>`.
    pub number: usize,
    /// The 1×1, 3×3 and 1×1 convolutions.
    pub branch: [ConvolutionPlan; 3],
    /// The 1×1 convolution of the shortcut, in the first block of a stage only.
    pub shortcut: Option<ConvolutionPlan>,
}

impl BlockPlan {
    /// `add_<number>`: the sum of branch and shortcut, before the last activation.
    #[must_use]
    pub fn sum_name(&self) -> String {
        format!("add_{}", self.number)
    }

    /// The block's convolutions in the order of Keras' `model.layers`, where the shortcut precedes the third
    /// convolution of the branch.
    pub fn in_model_order(&self) -> impl Iterator<Item = ConvolutionPlan> + '_ {
        let [first, second, third] = self.branch;
        [Some(first), Some(second), self.shortcut, Some(third)].into_iter().flatten()
    }
}

/// The name and shape of one tensor of a model, in libtorch's layout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterPlan {
    /// `<layer>.<kernel|bias|gamma|beta|moving_mean|moving_variance>`.
    pub name: String,
    /// O×I×H×W for kernels, O×I for the dense layer's kernel; all other tensors are vectors.
    pub shape: Vec<usize>,
    /// True if the tensor is fitted by gradients; false for moving statistics.
    pub trainable: bool,
}

impl ParameterPlan {
    /// The number of elements.
    #[must_use]
    pub fn count(&self) -> usize {
        self.shape.iter().product()
    }
}

/// The whole network of a given width.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkPlan {
    pub width: WidthFactor,
    /// The first convolution, 3×3 with stride 2.
    pub stem: ConvolutionPlan,
    /// The twelve residual blocks.
    pub blocks: Vec<BlockPlan>,
}

impl NetworkPlan {
    /// The name of the last layer.
    pub const DENSE: &'static str = "dense_1";

    #[must_use]
    pub fn new(width: WidthFactor) -> Self {
        let mut number = 0;
        let mut convolution = |inputs, outputs, kernel, stride| {
            number += 1;
            ConvolutionPlan { number, inputs, outputs, kernel, stride }
        };
        let mut channels = width.channels(STEM_CHANNELS);
        let stem = convolution(INPUT_CHANNELS, channels, 3, 2);
        let mut blocks = Vec::with_capacity(STAGES.len() * BLOCKS_PER_STAGE);
        for StagePlan { inner, outer, first_stride } in STAGES {
            let (inner, outer) = (width.channels(inner), width.channels(outer));
            for position in 0..BLOCKS_PER_STAGE {
                let stride = if position == 0 { first_stride } else { 1 };
                let branch = [
                    convolution(channels, inner, 1, 1),
                    convolution(inner, inner, 3, stride),
                    convolution(inner, outer, 1, 1),
                ];
                let shortcut = (position == 0).then(|| convolution(channels, outer, 1, stride));
                blocks.push(BlockPlan { number: blocks.len() + 1, branch, shortcut });
                channels = outer;
            }
        }
        Self { width, stem, blocks }
    }

    /// The channels of the last feature map, which are the inputs of the dense layer.
    #[must_use]
    pub fn features(&self) -> usize {
        self.blocks.last().map_or(self.stem.outputs, |block| block.branch[2].outputs)
    }

    /// All convolutions in the order of their numbers.
    #[must_use]
    pub fn convolutions(&self) -> Vec<ConvolutionPlan> {
        let mut all = self.convolutions_in_model_order();
        all.sort_by_key(|convolution| convolution.number);
        all
    }

    /// All convolutions in the order of Keras' `model.layers` ([`BlockPlan::in_model_order`]).
    #[must_use]
    pub fn convolutions_in_model_order(&self) -> Vec<ConvolutionPlan> {
        std::iter::once(self.stem).chain(self.blocks.iter().flat_map(BlockPlan::in_model_order)).collect()
    }

    /// Every tensor of the model.
    #[must_use]
    pub fn parameters(&self) -> Vec<ParameterPlan> {
        let plan = |name: String, shape: Vec<usize>, trainable| ParameterPlan { name, shape, trainable };
        let mut all = Vec::new();
        for convolution in self.convolutions() {
            let ConvolutionPlan { inputs, outputs, kernel, .. } = convolution;
            let (name, norm) = (convolution.name(), convolution.batch_norm_name());
            all.push(plan(format!("{name}.kernel"), vec![outputs, inputs, kernel, kernel], true));
            all.push(plan(format!("{name}.bias"), vec![outputs], true));
            for (part, trainable) in
                [("gamma", true), ("beta", true), ("moving_mean", false), ("moving_variance", false)]
            {
                all.push(plan(format!("{norm}.{part}"), vec![outputs], trainable));
            }
        }
        all.push(plan(format!("{}.kernel", Self::DENSE), vec![DensityClass::COUNT, self.features()], true));
        all.push(plan(format!("{}.bias", Self::DENSE), vec![DensityClass::COUNT], true));
        all
    }

    /// The number of parameters, moving statistics included, as Keras counts them.
    #[must_use]
    pub fn parameter_count(&self) -> usize {
        self.parameters().iter().map(ParameterPlan::count).sum()
    }

    /// The number of parameters that are fitted by gradients.
    #[must_use]
    pub fn trainable_count(&self) -> usize {
        self.parameters().iter().filter(|parameter| parameter.trainable).map(ParameterPlan::count).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_has_41_convolutions_and_the_published_parameter_count() {
        let plan = NetworkPlan::new(WidthFactor::ONE);
        let numbers: Vec<usize> = plan.convolutions().iter().map(|convolution| convolution.number).collect();
        assert_eq!(numbers, (1..=41).collect::<Vec<_>>());
        assert_eq!(plan.blocks.len(), 12);
        assert_eq!(plan.parameter_count(), 2_262_660);
        assert_eq!(plan.trainable_count(), 2_249_988);
    }

    #[test]
    fn shortcuts_have_the_highest_number_of_their_block() {
        let plan = NetworkPlan::new(WidthFactor::ONE);
        let shortcuts: Vec<usize> =
            plan.blocks.iter().filter_map(|block| block.shortcut).map(|shortcut| shortcut.number).collect();
        assert_eq!(shortcuts, [5, 15, 25, 35]);
        let order: Vec<usize> =
            plan.convolutions_in_model_order().iter().map(|convolution| convolution.number).collect();
        assert_eq!(order[..6], [1, 2, 3, 5, 4, 6]);
    }

    #[test]
    fn padding_matches_the_reference_at_its_sizes() {
        for (length, kernel, stride, [before, after]) in [
            (650, 3, 2, [0, 1]),
            (325, 3, 2, [1, 1]),
            (163, 3, 2, [1, 1]),
            (82, 3, 2, [0, 1]),
            (41, 3, 2, [1, 1]),
            (128, 3, 2, [0, 1]),
            (163, 3, 1, [1, 1]),
            (163, 1, 2, [0, 0]),
            (1, 3, 2, [1, 1]),
        ] {
            assert_eq!(same_padding(length, kernel, stride), Padding { before, after }, "{length} {kernel}/{stride}");
        }
    }

    #[test]
    fn widths_outside_the_range_are_refused() {
        assert!(
            WidthFactor::new(0.0).is_err() && WidthFactor::new(f64::NAN).is_err() && WidthFactor::new(9.0).is_err()
        );
        assert_eq!(WidthFactor::of_stem(8).map(WidthFactor::factor), Ok(0.125));
        assert_eq!(NetworkPlan::new(WidthFactor::of_stem(8).expect("an eighth")).features(), 32);
    }
}
