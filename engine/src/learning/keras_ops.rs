//! Keras layers that differ from libtorch's: `same` padding, which can be asymmetric, and batch normalisation.

use mammoscope_domain::network::network_plan::{BATCH_NORM_EPSILON, ConvolutionPlan, same_padding};
use tch::{TchError, Tensor};

use super::libtorch_ext::channels_last;

pub const POOL: usize = 3;
pub const POOL_STRIDE: usize = 2;

/// The padding of Keras' `same` mode.
#[derive(Clone, Copy, Debug)]
pub struct SamePadding {
    top: i64,
    bottom: i64,
    left: i64,
    right: i64,
}

impl SamePadding {
    /// The padding of an input N×C×H×W.
    pub fn of(input: &Tensor, kernel: usize, stride: usize) -> Result<Self, TchError> {
        let (_, _, height, width) = input.size4()?;
        let vertical = same_padding(height as usize, kernel, stride);
        let horizontal = same_padding(width as usize, kernel, stride);
        Ok(Self {
            top: vertical.before as i64,
            bottom: vertical.after as i64,
            left: horizontal.before as i64,
            right: horizontal.after as i64,
        })
    }

    /// The padding that libtorch can apply by itself, without a copy.
    fn symmetric(&self) -> Option<[i64; 2]> {
        (self.top == self.bottom && self.left == self.right).then_some([self.top, self.left])
    }

    fn pad(&self, input: &Tensor, value: f64) -> Result<Tensor, TchError> {
        input.f_pad([self.left, self.right, self.top, self.bottom], "constant", value)
    }

    /// The input that libtorch gets, and the padding that it applies itself in both directions; asymmetric padding by
    /// `value` is a copy.
    pub fn applied(&self, input: &Tensor, value: f64) -> Result<(Tensor, i64), TchError> {
        match self.symmetric() {
            Some([vertical, horizontal]) if vertical == horizontal => Ok((input.shallow_clone(), vertical)),
            _ => Ok((self.pad(input, value)?, 0)),
        }
    }

    /// The gradient of an input, from that of what [`SamePadding::applied`] made of it.
    pub fn unapplied(&self, gradient: Tensor) -> Result<Tensor, TchError> {
        if matches!(self.symmetric(), Some([vertical, horizontal]) if vertical == horizontal) {
            return Ok(gradient);
        }
        let (_, _, height, width) = gradient.size4()?;
        let rows = gradient.f_narrow(2, self.top, height - self.top - self.bottom)?;
        channels_last(&rows.f_narrow(3, self.left, width - self.left - self.right)?)
    }
}

/// Convolution with Keras' `same` padding: N×I×H×W → N×O×⌈H/s⌉×⌈W/s⌉.
pub fn same_convolution(
    input: &Tensor,
    kernel: &Tensor,
    bias: Option<&Tensor>,
    plan: &ConvolutionPlan,
) -> Result<Tensor, TchError> {
    let stride = [plan.stride as i64; 2];
    let padding = SamePadding::of(input, plan.kernel, plan.stride)?;
    match padding.symmetric() {
        Some(padding) => input.f_conv2d(kernel, bias, stride, padding, [1, 1], 1),
        None => padding.pad(input, 0.0)?.f_conv2d(kernel, bias, stride, [0, 0], [1, 1], 1),
    }
}

/// The kernel O×1×H×W that does with one channel what a kernel O×I×H×W does with I equal ones: its sum over them.
pub fn for_equal_channels(kernel: &Tensor) -> Result<Tensor, TchError> {
    kernel.f_sum_dim_intlist([1_i64].as_slice(), true, None)
}

/// 3×3 max-pooling with stride 2 and Keras' `same` padding, by −∞.
pub fn same_max_pool(input: &Tensor) -> Result<Tensor, TchError> {
    let (kernel, stride) = ([POOL as i64; 2], [POOL_STRIDE as i64; 2]);
    let padding = SamePadding::of(input, POOL, POOL_STRIDE)?;
    match padding.symmetric() {
        Some(padding) => input.f_max_pool2d(kernel, stride, padding, [1, 1], false),
        None => padding.pad(input, f64::NEG_INFINITY)?.f_max_pool2d(kernel, stride, [0, 0], [1, 1], false),
    }
}

/// A batch normalisation; every tensor has one value per channel.
#[derive(Debug)]
pub struct BatchNorm {
    pub gamma: Tensor,
    pub beta: Tensor,
    pub moving_mean: Tensor,
    pub moving_variance: Tensor,
}

impl BatchNorm {
    /// `γ · (x − mean) / √(variance + ε) + β` with the moving statistics.
    pub fn normalise(&self, input: &Tensor) -> Result<Tensor, TchError> {
        let (mean, variance) = (Some(&self.moving_mean), Some(&self.moving_variance));
        input.f_batch_norm(Some(&self.gamma), Some(&self.beta), mean, variance, false, 0.0, BATCH_NORM_EPSILON, true)
    }
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind};

    use super::*;

    #[test]
    fn an_even_side_is_padded_only_below_and_on_the_right() {
        // Ones everywhere: each output counts the input positions that its kernel covers.
        let plan = ConvolutionPlan { number: 1, inputs: 1, outputs: 1, kernel: 3, stride: 2 };
        let ones = |size: &[i64]| Tensor::ones(size, (Kind::Float, Device::Cpu));
        let counts = |side: i64| {
            let output = same_convolution(&ones(&[1, 1, side, side]), &ones(&[1, 1, 3, 3]), None, &plan)
                .expect("a small convolution");
            Vec::<f32>::try_from(output.flatten(0, -1)).expect("f32")
        };
        assert_eq!(counts(4), [9.0, 6.0, 6.0, 4.0]);
        assert_eq!(counts(3), [4.0, 4.0, 4.0, 4.0]);
    }

    #[test]
    fn max_pooling_ignores_its_padding() {
        let input = Tensor::full([1, 1, 4, 4], -5.0, (Kind::Float, Device::Cpu));
        let output = same_max_pool(&input).expect("a small pool");
        assert_eq!(output.size(), [1, 1, 2, 2]);
        assert_eq!(Vec::<f32>::try_from(output.flatten(0, -1)).expect("f32"), [-5.0; 4]);
    }
}
