//! Insertion and deletion: what the class's probability does while pixels come and go in the order of a map.

use mammoscope_domain::explanation::perturbation_curve::{
    CURVE_STEPS, PerturbationCurves, changed_at_steps, order_of_pixels,
};
use tch::{Device, Kind, TchError, Tensor, no_grad};

use super::explainer::Cancellation;
use crate::learning::folded_resnet::FoldedResNet;

/// The curves of one image 1×3×S×S and a map of S·S values for a class. What is away is zero, the picture's mean: of
/// that input a deletion ends and an insertion begins. `batch` perturbed copies are computed at once. `None` when it is
/// not to go on. Petsiuk, Das and Saenko 2018 (RISE).
pub fn perturbation_curves(
    network: &FoldedResNet,
    image: &Tensor,
    class: i64,
    map: &[f32],
    batch: usize,
    going: &Cancellation<'_>,
) -> Result<Option<PerturbationCurves>, TchError> {
    no_grad(|| {
        let (_, _, rows, columns) = image.size4()?;
        let mut ranks = vec![0_f32; map.len()];
        for (rank, pixel) in order_of_pixels(map).into_iter().enumerate() {
            // Whole numbers up to 4096² are exact in f32.
            ranks[pixel as usize] = rank as f32;
        }
        let ranks = Tensor::f_from_slice(&ranks)?.f_reshape([1, 1, rows, columns])?.f_to(image.device())?;
        let changed = changed_at_steps(map.len(), CURVE_STEPS);
        let curve = |first_are_there: bool| -> Result<Option<Vec<f64>>, TchError> {
            let mut probabilities = Vec::with_capacity(changed.len());
            for changed in changed.chunks(batch.max(1)) {
                if !going.on() {
                    return Ok(None);
                }
                let counts: Vec<f32> = changed.iter().map(|&count| count as f32).collect();
                let counts = Tensor::f_from_slice(&counts)?.f_reshape([-1, 1, 1, 1])?.f_to(image.device())?;
                let first = ranks.f_lt_tensor(&counts)?;
                let there = if first_are_there { first } else { first.f_logical_not()? };
                let copies = image.f_mul(&there.f_to_kind(image.kind())?)?;
                let logits = network.forward(&copies)?.f_to_kind(Kind::Double)?;
                let of_class = logits.f_softmax(1, Kind::Double)?.f_select(1, class)?.f_to(Device::Cpu)?;
                probabilities.extend(Vec::<f64>::try_from(of_class.f_contiguous()?)?);
            }
            Ok(Some(probabilities))
        };
        let Some(insertion) = curve(true)? else { return Ok(None) };
        let Some(deletion) = curve(false)? else { return Ok(None) };
        Ok(Some(PerturbationCurves { insertion, deletion }))
    })
}
