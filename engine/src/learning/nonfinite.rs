//! Detects losses, gradients and weights that are not finite.

use tch::Tensor;

use super::image_set::{EpochEntry, ImageSet};
use super::learner::StepResult;

/// A loss, a gradient or weights that are not finite. Such a step has not changed the weights, and such weights are not
/// saved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} became NaN or infinite at step {step}{}", files_of(files))]
pub struct Nonfinite {
    /// Updates of the weights so far, including the failed one.
    pub step: u64,
    /// `loss`, `gradient` or `weights`.
    pub what: &'static str,
    /// The files of the step's images.
    pub files: Vec<String>,
}

fn files_of(files: &[String]) -> String {
    if files.is_empty() { String::new() } else { format!(", with the images {}", files.join(", ")) }
}

/// Steps whose results are still on the device.
#[derive(Debug, Default)]
pub struct UnreadSteps(Vec<UnreadStep>);

#[derive(Debug)]
struct UnreadStep {
    step: u64,
    images: Vec<usize>,
    result: StepResult,
}

impl UnreadSteps {
    /// Keeps a step's result until it is read.
    pub fn push(&mut self, step: u64, entries: &[EpochEntry], result: StepResult) {
        self.0.push(UnreadStep { step, images: entries.iter().map(|entry| entry.image).collect(), result });
    }

    /// Waits for the device and returns the gradient norm of the last step; `None` if there is nothing to read. If a
    /// step was not finite, the first one becomes a [`Nonfinite`] error that names its images.
    pub fn read(&mut self, images: &ImageSet<'_>) -> anyhow::Result<Option<f64>> {
        let steps = std::mem::take(&mut self.0);
        let Some(last) = steps.last() else { return Ok(None) };
        let flags: Vec<&Tensor> = steps.iter().map(|step| &step.result.skipped).collect();
        let flags = Vec::<f32>::try_from(Tensor::f_stack(&flags, 0)?)?;
        if let Some(first) = steps.iter().zip(&flags).find_map(|(step, &flag)| (flag != 0.0).then_some(step)) {
            let loss = f64::try_from(&first.result.loss_sum)?;
            let files = first.images.iter().map(|&image| images.files[image].clone()).collect();
            let gradient_norm = f64::try_from(&first.result.gradient_norm)?;
            let what = match (loss.is_finite(), gradient_norm.is_finite()) {
                (false, _) => "loss",
                (true, false) => "gradient",
                // The moving statistics, which are weights of the evaluated network.
                (true, true) => "weights",
            };
            return Err(Nonfinite { step: first.step, what, files }.into());
        }
        Ok(Some(f64::try_from(&last.result.gradient_norm)?))
    }
}
