//! Batch normalisations in training, with the activation behind them and their gradients, without libtorch's graph. On the
//! CPU all of a layer is done in two passes over its feature map; on a GPU, libtorch has an operation for each.

use std::ffi::{c_char, c_double};
use std::ptr::null_mut;

use mammoscope_domain::network::network_plan::{BATCH_NORM_EPSILON, LEAKY_RELU_SLOPE};
use tch::{TchError, Tensor};
use torch_sys::C_tensor;

use super::{channels_last, checked, leaky_relu_in_place, pointer};

unsafe extern "C" {
    fn mammoscope_normalise(
        input: *mut C_tensor,
        gamma: *mut C_tensor,
        beta: *mut C_tensor,
        mean: *mut C_tensor,
        variance: *mut C_tensor,
        share: c_double,
        epsilon: c_double,
        output: *mut *mut C_tensor,
        saved: *mut *mut C_tensor,
        backend: *mut i64,
    ) -> *mut c_char;
    fn mammoscope_normalisation_gradients(
        gradient: *mut C_tensor,
        input: *mut C_tensor,
        gamma: *mut C_tensor,
        mean: *mut C_tensor,
        variance: *mut C_tensor,
        epsilon: c_double,
        saved: *const *mut C_tensor,
        backend: i64,
        gradients: *mut *mut C_tensor,
    ) -> *mut c_char;
    fn mammoscope_leaky_relu_gradient(gradient: *mut C_tensor, result: *mut C_tensor, slope: c_double) -> *mut c_char;
    fn mammoscope_fused_norm(
        input: *mut C_tensor,
        gamma: *mut C_tensor,
        beta: *mut C_tensor,
        mean: *mut C_tensor,
        variance: *mut C_tensor,
        share: c_double,
        epsilon: c_double,
        added: *mut C_tensor,
        slope: c_double,
        output: *mut *mut C_tensor,
        saved: *mut *mut C_tensor,
    ) -> *mut c_char;
    fn mammoscope_fused_norm_gradients(
        gradient: *mut C_tensor,
        input: *mut C_tensor,
        gamma: *mut C_tensor,
        beta: *mut C_tensor,
        saved: *const *mut C_tensor,
        output: *mut C_tensor,
        slope: c_double,
        gradients: *mut *mut C_tensor,
    ) -> *mut c_char;
}

/// The tensors of a batch normalisation, one f32 per channel each.
#[derive(Clone, Copy, Debug)]
pub struct NormTensors<'a> {
    pub gamma: &'a Tensor,
    pub beta: &'a Tensor,
    pub moving_mean: &'a Tensor,
    pub moving_variance: &'a Tensor,
}

/// What follows a batch normalisation.
#[derive(Clone, Copy, Debug)]
pub enum Behind<'a> {
    Nothing,
    Activation,
    /// The sum with another feature map, then the activation.
    SumAndActivation(&'a Tensor),
}

/// The output of a batch normalisation with what follows, as far as gradients depend on it.
#[derive(Clone, Copy, Debug)]
pub enum Output<'a> {
    /// There is no activation.
    Plain,
    /// The activated output.
    Activated(&'a Tensor),
    /// The activated sum; the gradient of the sum is wanted, too.
    ActivatedSum(&'a Tensor),
}

/// What the gradients of a batch normalisation need besides its input.
#[derive(Debug)]
pub enum SavedNorm {
    /// Mean and inverse deviation of each channel.
    Fused([Tensor; 2]),
    /// What one of libtorch's implementations needs, and its number.
    Libtorch([Tensor; 3], i64),
}

/// A batch normalisation with the statistics of the batch, and what follows; the moving statistics get those of the batch
/// with the weight `share`. If `is_fused`, all is done together, which needs feature maps of f32 or bf16 on the CPU,
/// channels-last.
pub fn normalise(
    input: &Tensor,
    norm: NormTensors<'_>,
    share: f64,
    behind: Behind<'_>,
    is_fused: bool,
) -> Result<(Tensor, SavedNorm), TchError> {
    if is_fused {
        return normalise_fused(input, norm, share, behind);
    }
    let (mut output, mut saved, mut backend) = (null_mut(), [null_mut(); 3], 0);
    // SAFETY: all tensors and pointers outlive the call.
    checked(unsafe {
        mammoscope_normalise(
            pointer(input),
            pointer(norm.gamma),
            pointer(norm.beta),
            pointer(norm.moving_mean),
            pointer(norm.moving_variance),
            share,
            BATCH_NORM_EPSILON,
            &raw mut output,
            saved.as_mut_ptr(),
            &raw mut backend,
        )
    })?;
    // SAFETY: on success the callee has stored new tensors, which we now own.
    let (mut output, saved) = unsafe { (Tensor::from_ptr(output), saved.map(|tensor| Tensor::from_ptr(tensor))) };
    if let Behind::SumAndActivation(added) = behind {
        let _ = output.f_add_(added)?;
    }
    if !matches!(behind, Behind::Nothing) {
        // A normalisation's gradient needs its input, not its output, which can be overwritten.
        leaky_relu_in_place(&mut output, LEAKY_RELU_SLOPE)?;
    }
    Ok((output, SavedNorm::Libtorch(saved, backend)))
}

fn normalise_fused(
    input: &Tensor,
    norm: NormTensors<'_>,
    share: f64,
    behind: Behind<'_>,
) -> Result<(Tensor, SavedNorm), TchError> {
    let (slope, added) = match behind {
        Behind::Nothing => (1.0, None),
        Behind::Activation => (LEAKY_RELU_SLOPE, None),
        Behind::SumAndActivation(added) => (LEAKY_RELU_SLOPE, Some(channels_last(added)?)),
    };
    let (mut output, mut saved) = (null_mut(), [null_mut(); 2]);
    // SAFETY: all tensors and pointers outlive the call, which accepts a null pointer in place of what is added.
    checked(unsafe {
        mammoscope_fused_norm(
            pointer(input),
            pointer(norm.gamma),
            pointer(norm.beta),
            pointer(norm.moving_mean),
            pointer(norm.moving_variance),
            share,
            BATCH_NORM_EPSILON,
            added.as_ref().map_or_else(null_mut, pointer),
            slope,
            &raw mut output,
            saved.as_mut_ptr(),
        )
    })?;
    // SAFETY: on success the callee has stored new tensors, which we now own.
    let (output, saved) = unsafe { (Tensor::from_ptr(output), saved.map(|tensor| Tensor::from_ptr(tensor))) };
    Ok((output, SavedNorm::Fused(saved)))
}

/// The gradients of a batch normalisation's input, gamma and beta, given that of its output. With [`Output::ActivatedSum`]
/// the latter becomes that of the sum; otherwise its values are of no use after the call.
pub fn normalisation_gradients(
    gradient: &mut Tensor,
    input: &Tensor,
    norm: NormTensors<'_>,
    saved: &SavedNorm,
    output: Output<'_>,
) -> Result<[Tensor; 3], TchError> {
    let mut gradients = [null_mut(); 3];
    match saved {
        SavedNorm::Fused(saved) => {
            // Shares its memory, unless the layout differs.
            *gradient = channels_last(gradient)?;
            let (slope, sum) = match output {
                Output::Plain => (1.0, null_mut()),
                Output::Activated(_) => (LEAKY_RELU_SLOPE, null_mut()),
                Output::ActivatedSum(sum) => (LEAKY_RELU_SLOPE, pointer(sum)),
            };
            let saved = saved.each_ref().map(pointer);
            // SAFETY: all tensors and pointers outlive the call, which accepts a null pointer in place of the sum.
            checked(unsafe {
                mammoscope_fused_norm_gradients(
                    pointer(gradient),
                    pointer(input),
                    pointer(norm.gamma),
                    pointer(norm.beta),
                    saved.as_ptr(),
                    sum,
                    slope,
                    gradients.as_mut_ptr(),
                )
            })?;
        }
        SavedNorm::Libtorch(saved, backend) => {
            if let Output::Activated(result) | Output::ActivatedSum(result) = output {
                // SAFETY: both tensors outlive the call, and the gradient is borrowed mutably.
                checked(unsafe {
                    mammoscope_leaky_relu_gradient(pointer(gradient), pointer(result), LEAKY_RELU_SLOPE)
                })?;
            }
            let saved = saved.each_ref().map(pointer);
            // SAFETY: all tensors and pointers outlive the call.
            checked(unsafe {
                mammoscope_normalisation_gradients(
                    pointer(gradient),
                    pointer(input),
                    pointer(norm.gamma),
                    pointer(norm.moving_mean),
                    pointer(norm.moving_variance),
                    BATCH_NORM_EPSILON,
                    saved.as_ptr(),
                    *backend,
                    gradients.as_mut_ptr(),
                )
            })?;
        }
    }
    // SAFETY: on success the callee has stored new tensors, which we now own.
    Ok(unsafe { gradients.map(|tensor| Tensor::from_ptr(tensor)) })
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind};

    use super::super::is_channels_last;
    use super::*;

    struct Case {
        kind: Kind,
        shape: [i64; 4],
        offset: f64,
    }

    fn noise(shape: &[i64], salt: i64) -> Tensor {
        let count: i64 = shape.iter().product();
        let numbers = Tensor::arange(count, (Kind::Double, Device::Cpu)) + salt * 1_000_003;
        // Numbers between -1 and 1 without a pattern.
        ((numbers * 12.9898).sin() * 43_758.545_3).frac().reshape(shape)
    }

    fn largest(tensor: &Tensor) -> f64 {
        tensor.abs().max().double_value(&[])
    }

    fn assert_near(ours: &Tensor, exact: &Tensor, limit: f64, what: &str) {
        let difference = largest(&(ours.to_kind(Kind::Double) - exact)) / largest(exact).max(1e-3);
        assert!(difference < limit, "{what}: {difference:.1e}");
    }

    /// Outputs, statistics and gradients against libtorch's graph in f64.
    #[test]
    fn layers_and_gradients_are_those_of_the_definition() {
        for case in [
            Case { kind: Kind::Float, shape: [4, 8, 32, 32], offset: 0.0 },
            Case { kind: Kind::Float, shape: [2, 33, 2, 2], offset: 3.0 },
            Case { kind: Kind::Float, shape: [3, 64, 41, 41], offset: -100.0 },
            Case { kind: Kind::Float, shape: [2, 300, 1, 1], offset: 0.5 },
            Case { kind: Kind::BFloat16, shape: [4, 64, 21, 21], offset: 0.25 },
            Case { kind: Kind::BFloat16, shape: [2, 8, 33, 65], offset: 0.0 },
        ] {
            for follows in 0..3 {
                assert_case(&case, follows);
            }
        }
    }

    fn assert_case(case: &Case, follows: usize) {
        let &Case { kind, shape, offset } = case;
        let channels = shape[1];
        let map = |salt: i64, offset: f64| channels_last(&(noise(&shape, salt) + offset).to_kind(kind)).unwrap();
        let (input, added, mut gradient) = (map(1, offset), map(2, 0.0), map(3, 0.0));
        let f32s = |salt: i64, offset: f64| (noise(&[channels], salt) + offset).to_kind(Kind::Float);
        let (gamma, beta) = (f32s(4, 1.5), f32s(5, 0.0));
        let (moving_mean, moving_variance) = (f32s(6, 0.0), f32s(7, 2.0));
        let exact = |tensor: &Tensor| tensor.to_kind(Kind::Double).set_requires_grad(true);
        let leaves = [&input, &gamma, &beta, &added].map(exact);
        let (mean, variance) = (moving_mean.to_kind(Kind::Double), moving_variance.to_kind(Kind::Double));
        let [x, g, b, other] = &leaves;
        let normalised =
            x.batch_norm(Some(g), Some(b), Some(&mean), Some(&variance), true, 0.1, BATCH_NORM_EPSILON, false);
        let sum = if follows == 2 { &normalised + other } else { normalised };
        let expected = if follows == 0 { sum.shallow_clone() } else { sum.maximum(&(&sum * LEAKY_RELU_SLOPE)) };

        let norm =
            NormTensors { gamma: &gamma, beta: &beta, moving_mean: &moving_mean, moving_variance: &moving_variance };
        let behind = match follows {
            0 => Behind::Nothing,
            1 => Behind::Activation,
            _ => Behind::SumAndActivation(&added),
        };
        let (output, saved) = normalise(&input, norm, 0.1, behind, true).unwrap();
        assert!(matches!(saved, SavedNorm::Fused(_)) && is_channels_last(&output).unwrap());
        let what = format!("{kind:?} {shape:?}, {behind:?}").chars().take(60).collect::<String>();
        // A value near the kink may fall on either side of it, where gradients differ by the slope.
        let is_clear = sum.detach().abs().gt(if kind == Kind::Float { 1e-4 } else { 0.02 }).to_kind(Kind::Double);
        gradient *= &is_clear.to_kind(kind);
        (&expected * &gradient.to_kind(Kind::Double)).sum(Kind::Double).backward();
        // f32 has 24 bits, bf16 has 8; a mean of 100 costs some of them.
        let limit = if kind == Kind::Float { 3e-6 * (1.0 + offset.abs()) } else { 8e-3 };
        assert_near(&output, &expected.detach(), limit, &format!("{what}: output"));
        assert_near(&moving_mean, &mean, 1e-6, &format!("{what}: moving mean"));
        assert_near(&moving_variance, &variance, 1e-6, &format!("{what}: moving variance"));
        let seen = match follows {
            0 => Output::Plain,
            1 => Output::Activated(&output),
            _ => Output::ActivatedSum(&output),
        };
        let of_weights = normalisation_gradients(&mut gradient, &input, norm, &saved, seen).unwrap();
        for ((ours, leaf), name) in of_weights.iter().zip(&leaves).zip(["input", "gamma", "beta"]) {
            assert_near(ours, &leaf.grad(), limit, &format!("{what}: {name}"));
        }
        if follows == 2 {
            assert_near(&gradient, &other.grad(), limit, &format!("{what}: sum"));
        }
    }
}
