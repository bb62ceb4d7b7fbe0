//! Detects losses, gradients and weights that are not finite.

use super::image_set::{EpochEntry, ImageSet};
use super::learner::Learner;
use super::step_log::{LOGGED_STEPS, StepResult};

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
}

/// The results of steps that were all finite.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReadSteps {
    /// The sum of their images' losses, and the number predicted correctly.
    pub totals: [f64; 2],
    /// That of the last step.
    pub gradient_norm: f64,
}

impl UnreadSteps {
    /// Notes a step whose results are to be read.
    pub fn push(&mut self, step: u64, entries: &[EpochEntry]) {
        self.0.push(UnreadStep { step, images: entries.iter().map(|entry| entry.image).collect() });
    }

    /// True if the next step would overwrite results that are not read yet.
    #[must_use]
    pub fn are_many(&self) -> bool {
        self.0.len() >= LOGGED_STEPS
    }

    /// Waits for the device and returns the results, added to the totals of earlier steps; `None` if there is nothing to
    /// read. If a step was not finite, the first one becomes a [`Nonfinite`] error that names its images.
    pub fn read(
        &mut self,
        learner: &Learner,
        totals: [f64; 2],
        images: &ImageSet<'_>,
    ) -> anyhow::Result<Option<ReadSteps>> {
        let steps = std::mem::take(&mut self.0);
        let results = learner.results(steps.len())?;
        if let Some((first, result)) = steps.iter().zip(&results).find(|(_, result)| result.is_skipped) {
            let files = first.images.iter().map(|&image| images.files[image].clone()).collect();
            let what = match (result.loss_sum.is_finite(), result.gradient_norm.is_finite()) {
                (false, _) => "loss",
                (true, false) => "gradient",
                // The moving statistics, which are weights of the evaluated network.
                (true, true) => "weights",
            };
            return Err(Nonfinite { step: first.step, what, files }.into());
        }
        // One after the other, so that the sums do not depend on how many steps are read at once.
        let add = |[loss, correct]: [f64; 2], result: &StepResult| [loss + result.loss_sum, correct + result.correct];
        let totals = results.iter().fold(totals, add);
        Ok(results.last().map(|last| ReadSteps { totals, gradient_norm: last.gradient_norm }))
    }
}
