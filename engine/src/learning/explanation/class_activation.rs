//! Maps from feature maps and their gradients.
//!
//! `A` are the feature maps of a layer, `g` the gradients of the explained logit: both N×K×H×W of f32. Every map is
//! N×H×W and signed.

use mammoscope_domain::network::network_plan::LEAKY_RELU_SLOPE;
use tch::{Kind, TchError, Tensor};

/// What keras-vis adds to the largest gradient before it divides by it.
const KERAS_VIS_EPSILON: f64 = 1e-7;
const POSITIONS: [i64; 2] = [2, 3];

/// The gradient of the logits at the last sum, without a backward pass: behind it are only the activation, the average
/// over H×W positions and the dense layer, so `g = W[class]/(H·W) · (A > 0 ? 1 : slope)`. `class_weights` is N×K, the row
/// of the dense layer for each image's class.
pub fn head_gradient(feature_maps: &Tensor, class_weights: &Tensor) -> Result<Tensor, TchError> {
    let (images, channels, rows, columns) = feature_maps.size4()?;
    let slope = feature_maps
        .f_gt(0.0)?
        .f_to_kind(Kind::Float)?
        .f_mul_scalar(1.0 - LEAKY_RELU_SLOPE)?
        .f_add_scalar(LEAKY_RELU_SLOPE)?;
    let weights = class_weights.f_div_scalar((rows * columns) as f64)?.f_reshape([images, channels, 1, 1])?;
    slope.f_mul(&weights)
}

/// Grad-CAM: `Σ_k mean(g_k) · A_k`. Selvaraju et al., ICCV 2017.
pub fn grad_cam(feature_maps: &Tensor, gradients: &Tensor) -> Result<Tensor, TchError> {
    weighted_sum(feature_maps, &gradients.f_mean_dim(POSITIONS.as_slice(), true, Kind::Float)?)
}

/// Gradients as keras-vis 0.5 scales them, each image's divided by their signed maximum, and which images (N) have none
/// above zero. There keras-vis divides by a negative number, and so turns the map around; here it keeps its sign.
pub fn keras_vis_scaled(gradients: &Tensor) -> Result<(Tensor, Tensor), TchError> {
    let largest = gradients.f_amax([1_i64, 2, 3].as_slice(), true)?;
    let all_negative = largest.f_lt(0.0)?.f_flatten(0, -1)?;
    // `max + ε` wherever the maximum is not negative.
    let scaled = gradients.f_div(&largest.f_abs()?.f_add_scalar(KERAS_VIS_EPSILON)?)?;
    Ok((scaled, all_negative))
}

/// Grad-CAM++: `Σ_k w_k · A_k` with `w_k = Σ_ij α·max(g, 0)` and `α = g² / (2g² + g³·Σ_ab A)`. Chattopadhay et al., WACV
/// 2018, equation 19.
///
/// `g²` is divided out, so that gradients of any size keep their digits: `α = 1 / (2 + g·Σ_ab A)`, zero where `g` is. The
/// paper's feature maps lie behind a ReLU; ours lie before one, so that a sum below zero counts as zero.
pub fn grad_cam_plus_plus(feature_maps: &Tensor, gradients: &Tensor) -> Result<Tensor, TchError> {
    let sums = feature_maps.f_sum_dim_intlist(POSITIONS.as_slice(), true, Kind::Float)?;
    let denominator = gradients.f_mul(&sums)?.f_clamp_min(0.0)?.f_add_scalar(2.0)?;
    let weights = gradients.f_relu()?.f_div(&denominator)?;
    weighted_sum(feature_maps, &weights.f_sum_dim_intlist(POSITIONS.as_slice(), true, Kind::Float)?)
}

/// HiResCAM: `Σ_k g_k ⊙ A_k`. At the last layer the sum over all positions and the bias make the logit. Draelos and
/// Carin 2020.
pub fn hires_cam(feature_maps: &Tensor, gradients: &Tensor) -> Result<Tensor, TchError> {
    weighted_sum(feature_maps, gradients)
}

/// LayerCAM: `Σ_k max(g_k, 0) ⊙ A_k`. Jiang et al. 2021.
pub fn layer_cam(feature_maps: &Tensor, gradients: &Tensor) -> Result<Tensor, TchError> {
    weighted_sum(feature_maps, &gradients.f_relu()?)
}

/// `Σ_k w_k · A_k` with weights N×K×1×1 or N×K×H×W.
fn weighted_sum(feature_maps: &Tensor, weights: &Tensor) -> Result<Tensor, TchError> {
    feature_maps.f_mul(weights)?.f_sum_dim_intlist([1_i64].as_slice(), false, Kind::Float)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One image, two channels of 1×2 positions.
    fn tensor(values: [f32; 4]) -> Tensor {
        Tensor::from_slice(&values).reshape([1, 2, 1, 2])
    }

    fn values(tensor: Result<Tensor, TchError>) -> Vec<f32> {
        Vec::try_from(tensor.expect("a tensor").flatten(0, -1)).expect("f32")
    }

    fn assert_near(ours: &[f32], expected: &[f32]) {
        assert_eq!(ours.len(), expected.len());
        assert!(ours.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{ours:?} is not {expected:?}");
    }

    #[test]
    fn maps_are_those_computed_by_hand() {
        let maps = tensor([1.0, 2.0, -1.0, 4.0]);
        let gradients = tensor([0.5, 1.5, -1.0, -3.0]);
        assert_near(&values(grad_cam(&maps, &gradients)), &[1.0 + 2.0, 2.0 - 8.0]);
        assert_near(&values(hires_cam(&maps, &gradients)), &[0.5 + 1.0, 3.0 - 12.0]);
        assert_near(&values(layer_cam(&maps, &gradients)), &[0.5, 3.0]);
        // ΣA = 3 in the first channel: α = 1/(2 + 1.5) and 1/(2 + 4.5); the second has no gradient above zero.
        let weight = 0.5 / 3.5 + 1.5 / 6.5;
        assert_near(&values(grad_cam_plus_plus(&maps, &gradients)), &[weight, 2.0 * weight]);
    }

    #[test]
    fn the_heads_gradient_is_written_down() {
        let gradient =
            head_gradient(&tensor([1.0, -2.0, 0.0, 4.0]), &Tensor::from_slice(&[2.0_f32, -4.0]).reshape([1, 2]));
        assert_near(&values(gradient), &[1.0, 0.3, -0.6, -2.0]);
    }

    #[test]
    fn gradients_that_are_all_negative_keep_their_sign_and_are_told() {
        let (scaled, negative) = keras_vis_scaled(&tensor([0.5, -1.0, 0.25, 2.0])).expect("a tensor");
        assert_near(&values(Ok(scaled)), &[0.25, -0.5, 0.125, 1.0]);
        assert_eq!(Vec::<bool>::try_from(negative).expect("flags"), [false]);
        let (scaled, negative) = keras_vis_scaled(&tensor([-0.5, -1.0, -2.0, -0.5])).expect("a tensor");
        assert_near(&values(Ok(scaled)), &[-1.0, -2.0, -4.0, -1.0]);
        assert_eq!(Vec::<bool>::try_from(negative).expect("flags"), [true]);
    }
}
