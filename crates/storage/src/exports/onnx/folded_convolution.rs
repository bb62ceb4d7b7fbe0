//! Convolutions with their batch normalisation folded in, as the engine folds them for prediction.

use crate::exports::{ExportError, ExportedModel};
use mammoscope_domain::network::network_plan::{BATCH_NORM_EPSILON, ConvolutionPlan};

/// The weights of a convolution that includes its batch normalisation.
pub(super) struct FoldedConvolution {
    /// O×I×H×W.
    pub(super) kernel: Vec<f32>,
    pub(super) bias: Vec<f32>,
}

impl FoldedConvolution {
    /// `BN(W∗x + b) = (sW)∗x + s(b − mean) + β` with `s = γ / √(variance + ε)`, computed in f64 and rounded once.
    pub(super) fn of(exported: &ExportedModel<'_>, plan: &ConvolutionPlan) -> Result<Self, ExportError> {
        let (name, norm) = (plan.name(), plan.batch_norm_name());
        let of_norm = |part: &str| exported.tensor(&format!("{norm}.{part}"));
        let (gamma, beta) = (of_norm("gamma")?, of_norm("beta")?);
        let (mean, variance) = (of_norm("moving_mean")?, of_norm("moving_variance")?);
        let (kernel, bias) = (exported.tensor(&format!("{name}.kernel"))?, exported.tensor(&format!("{name}.bias"))?);
        let scale: Vec<f64> = gamma
            .iter()
            .zip(variance)
            .map(|(&gamma, &variance)| f64::from(gamma) / (f64::from(variance) + BATCH_NORM_EPSILON).sqrt())
            .collect();
        let per_output = plan.inputs * plan.kernel * plan.kernel;
        let kernel: Vec<f32> = kernel
            .chunks(per_output)
            .zip(&scale)
            .flat_map(|(weights, scale)| weights.iter().map(move |&weight| (f64::from(weight) * scale) as f32))
            .collect();
        let bias: Vec<f32> = (bias.iter().zip(mean).zip(scale.iter().zip(beta)))
            .map(|((&bias, &mean), (scale, &beta))| {
                ((f64::from(bias) - f64::from(mean)) * scale + f64::from(beta)) as f32
            })
            .collect();
        if kernel.iter().chain(&bias).all(|value| value.is_finite()) {
            Ok(Self { kernel, bias })
        } else {
            Err(ExportError::NotFinite(norm))
        }
    }
}
