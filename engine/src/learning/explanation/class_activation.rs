//! The class activation maps: combinations of feature maps and their gradients.
//!
//! `A` are the feature maps of a layer and `g` the gradients of the explained logit, both N×K×H×W of f32. The resulting
//! maps are N×H×W and signed.

use mammoscope_domain::network::network_plan::LEAKY_RELU_SLOPE;
use tch::{Kind, TchError, Tensor};

/// Added by keras-vis to the largest gradient before the division.
const KERAS_VIS_EPSILON: f64 = 1e-7;
const POSITIONS: [i64; 2] = [2, 3];

/// The gradient of the logits at the last sum, without a backward pass: only the activation, the average over H×W
/// positions and the dense layer follow it, so `g = W[class]/(H·W) · (A > 0 ? 1 : slope)`. `class_weights` is N×K: the
/// dense layer's row for each image's class.
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

/// Scales gradients as keras-vis 0.5 does, by each image's signed maximum, and flags the images (N) whose gradients are
/// all negative. There keras-vis divides by a negative number and so inverts the map; here the map keeps its sign.
pub fn keras_vis_scaled(gradients: &Tensor) -> Result<(Tensor, Tensor), TchError> {
    let largest = gradients.f_amax([1_i64, 2, 3].as_slice(), true)?;
    let all_negative = largest.f_lt(0.0)?.f_flatten(0, -1)?;
    // `max + ε` wherever the maximum is not negative.
    let scaled = gradients.f_div(&largest.f_abs()?.f_add_scalar(KERAS_VIS_EPSILON)?)?;
    Ok((scaled, all_negative))
}

/// Grad-CAM++: `Σ_k w_k · A_k` with `w_k = Σ_ij α·max(g, 0)` and `α = g² / (2g² + g³·Σ_ab A)`. Chattopadhay et al.,
/// WACV 2018, equation 19.
///
/// `g²` is cancelled, so that gradients of any magnitude keep their precision: `α = 1 / (2 + g·Σ_ab A)`, zero where `g`
/// is zero. The paper's feature maps come after a ReLU; ours come before one, so that a sum below zero counts as zero.
pub fn grad_cam_plus_plus(feature_maps: &Tensor, gradients: &Tensor) -> Result<Tensor, TchError> {
    let sums = feature_maps.f_sum_dim_intlist(POSITIONS.as_slice(), true, Kind::Float)?;
    let denominator = gradients.f_mul(&sums)?.f_clamp_min(0.0)?.f_add_scalar(2.0)?;
    let weights = gradients.f_relu()?.f_div(&denominator)?;
    weighted_sum(feature_maps, &weights.f_sum_dim_intlist(POSITIONS.as_slice(), true, Kind::Float)?)
}

/// HiResCAM: `Σ_k g_k ⊙ A_k`. At the last layer the sum over all positions plus the bias is the logit. Draelos and
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
    fn maps_match_hand_computed_values() {
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
    fn the_gradient_of_the_head_matches_its_closed_form() {
        let gradient =
            head_gradient(&tensor([1.0, -2.0, 0.0, 4.0]), &Tensor::from_slice(&[2.0_f32, -4.0]).reshape([1, 2]));
        assert_near(&values(gradient), &[1.0, 0.3, -0.6, -2.0]);
    }

    #[test]
    fn all_negative_gradients_keep_their_sign_and_are_flagged() {
        let (scaled, negative) = keras_vis_scaled(&tensor([0.5, -1.0, 0.25, 2.0])).expect("a tensor");
        assert_near(&values(Ok(scaled)), &[0.25, -0.5, 0.125, 1.0]);
        assert_eq!(Vec::<bool>::try_from(negative).expect("flags"), [false]);
        let (scaled, negative) = keras_vis_scaled(&tensor([-0.5, -1.0, -2.0, -0.5])).expect("a tensor");
        assert_near(&values(Ok(scaled)), &[-1.0, -2.0, -4.0, -1.0]);
        assert_eq!(Vec::<bool>::try_from(negative).expect("flags"), [true]);
    }
}
