//! Insertion and deletion: the class's probability as pixels are added or removed in the order of a map.

use mammoscope_domain::explanation::perturbation_curve::{
    CURVE_STEPS, PerturbationCurves, changed_at_steps, order_of_pixels,
};
use tch::{Device, Kind, TchError, Tensor, no_grad};

use crate::learning::folded_resnet::FoldedResNet;
use mammoscope_domain::cancellation::{Cancellation, Completion};

/// The curves of one image 1×3×S×S for a class and a map of S·S values. Removed pixels are zero, the image's mean: a
/// deletion ends and an insertion starts with a blank input. `batch` perturbed copies are computed at once. Petsiuk,
/// Das and Saenko 2018 (RISE).
pub fn perturbation_curves(
    network: &FoldedResNet,
    image: &Tensor,
    class: i64,
    map: &[f32],
    batch: usize,
    cancellation: Cancellation<'_>,
) -> Result<Completion<PerturbationCurves>, TchError> {
    no_grad(|| {
        let (_, _, rows, columns) = image.size4()?;
        let mut ranks = vec![0_f32; map.len()];
        for (rank, pixel) in order_of_pixels(map).into_iter().enumerate() {
            // Whole numbers up to 4096² are exact in f32.
            ranks[pixel as usize] = rank as f32;
        }
        let ranks = Tensor::f_from_slice(&ranks)?.f_reshape([1, 1, rows, columns])?.f_to(image.device())?;
        let changed = changed_at_steps(map.len(), CURVE_STEPS);
        let curve = |keeps_first: bool| -> Result<Completion<Vec<f64>>, TchError> {
            let mut probabilities = Vec::with_capacity(changed.len());
            for changed in changed.chunks(batch.max(1)) {
                if cancellation.is_cancelled() {
                    return Ok(Completion::Cancelled);
                }
                let counts: Vec<f32> = changed.iter().map(|&count| count as f32).collect();
                let counts = Tensor::f_from_slice(&counts)?.f_reshape([-1, 1, 1, 1])?.f_to(image.device())?;
                let first = ranks.f_lt_tensor(&counts)?;
                let kept = if keeps_first { first } else { first.f_logical_not()? };
                let copies = image.f_mul(&kept.f_to_kind(image.kind())?)?;
                let logits = network.forward(&copies)?.f_to_kind(Kind::Double)?;
                let of_class = logits.f_softmax(1, Kind::Double)?.f_select(1, class)?.f_to(Device::Cpu)?;
                probabilities.extend(Vec::<f64>::try_from(of_class.f_contiguous()?)?);
            }
            Ok(Completion::Done(probabilities))
        };
        let Completion::Done(insertion) = curve(true)? else { return Ok(Completion::Cancelled) };
        let Completion::Done(deletion) = curve(false)? else { return Ok(Completion::Cancelled) };
        Ok(Completion::Done(PerturbationCurves { insertion, deletion }))
    })
}
