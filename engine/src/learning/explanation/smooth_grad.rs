//! SmoothGrad: the gradient at the input, averaged over noisy copies of the image.

use mammoscope_domain::explanation::explanation_method::NOISY_COPIES;
use tch::{Kind, TchError, Tensor, no_grad};

use super::explainer::Cancellation;
use crate::learning::folded_resnet::FoldedResNet;
use crate::learning::random_stream::{Purpose, RandomStream};

/// Deviation of the noise as a share of the image's range: within the paper's 10 to 20 %.
const NOISE: f64 = 0.15;
/// Pixels that one position of the map stands for, in each direction: single pixels' gradients are speckle.
const POOLED: i64 = 8;

/// The map of one image 1×3×S×S, ⌈S/8⌉×⌈S/8⌉ and nowhere below zero: the gradient's mean over the copies, its
/// magnitudes added over the channels and averaged over squares of eight pixels. `None` when it is not to go on. Smilkov
/// et al. 2017.
pub fn smooth_grad(
    network: &FoldedResNet,
    image: &Tensor,
    class: i64,
    seed: u64,
    going: &Cancellation<'_>,
) -> Result<Option<Tensor>, TchError> {
    let deviation = NOISE * (image.f_max()?.f_double_value(&[])? - image.f_min()?.f_double_value(&[])?);
    let mut stream = RandomStream::new(seed, Purpose::Noise, 0, 0);
    let mut sum = image.f_zeros_like()?;
    for _ in 0..NOISY_COPIES {
        if !going.on() {
            return Ok(None);
        }
        let noise = gaussian_like(image, &mut stream)?.f_mul_scalar(deviation)?;
        let noisy = image.f_add(&noise)?.f_set_requires_grad(true)?;
        let logit = network.forward(&noisy)?.f_select(1, class)?.f_sum(Kind::Float)?;
        let gradient = Tensor::f_run_backward(&[&logit], &[&noisy], false, false)?;
        no_grad(|| sum.f_add_(&gradient[0]).map(drop))?;
    }
    no_grad(|| {
        let (_, _, rows, columns) = image.size4()?;
        let magnitudes =
            sum.f_div_scalar(NOISY_COPIES as f64)?.f_abs()?.f_sum_dim_intlist([1_i64].as_slice(), true, Kind::Float)?;
        let pooled = [(rows + POOLED - 1) / POOLED, (columns + POOLED - 1) / POOLED];
        magnitudes.f_adaptive_avg_pool2d(pooled)?.f_reshape(pooled).map(Some)
    })
}

/// Grey noise, the same in the three channels as the image itself is, with deviation 1 (Box and Muller 1958).
fn gaussian_like(image: &Tensor, stream: &mut RandomStream) -> Result<Tensor, TchError> {
    let (_, channels, rows, columns) = image.size4()?;
    let values: Vec<f32> = (0..rows * columns)
        .map(|_| {
            let (radius, angle) = (1.0 - stream.uniform(0.0, 1.0), stream.uniform(0.0, std::f64::consts::TAU));
            ((-2.0 * radius.ln()).sqrt() * angle.cos()) as f32
        })
        .collect();
    let noise = Tensor::f_from_slice(&values)?.f_reshape([1, 1, rows, columns])?.f_to(image.device())?;
    noise.f_expand([1, channels, rows, columns], false)
}
