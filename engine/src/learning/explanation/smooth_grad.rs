//! SmoothGrad: the input gradient averaged over noisy copies of the image.

use mammoscope_domain::explanation::explanation_method::NOISY_COPIES;
use mammoscope_domain::random_stream::RandomStream;
use tch::{Kind, TchError, Tensor, no_grad};

use crate::learning::folded_resnet::FoldedResNet;
use crate::learning::learning_stream::LearningStream;
use mammoscope_domain::cancellation::{Cancellation, Completion};

/// Standard deviation of the noise relative to the image's range: within the paper's 10 to 20 %.
const NOISE: f64 = 0.15;
/// Side in pixels of the square that is pooled into one position of the map: gradients of single pixels are speckle.
const POOLED: i64 = 8;

/// The non-negative map ⌈S/8⌉×⌈S/8⌉ of one image 1×3×S×S: the magnitude of the mean gradient over the copies, summed
/// over the channels and averaged over squares of eight pixels. Smilkov et al. 2017.
pub fn smooth_grad(
    network: &FoldedResNet,
    image: &Tensor,
    class: i64,
    seed: u64,
    cancellation: Cancellation<'_>,
) -> Result<Completion<Tensor>, TchError> {
    let deviation = NOISE * (image.f_max()?.f_double_value(&[])? - image.f_min()?.f_double_value(&[])?);
    let mut stream = RandomStream::new(seed, LearningStream::Noise);
    let mut sum = image.f_zeros_like()?;
    for _ in 0..NOISY_COPIES {
        if cancellation.is_cancelled() {
            return Ok(Completion::Cancelled);
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
        magnitudes.f_adaptive_avg_pool2d(pooled)?.f_reshape(pooled).map(Completion::Done)
    })
}

/// Standard normal noise (Box and Muller 1958), the same in all three channels, as the image itself is grey.
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
