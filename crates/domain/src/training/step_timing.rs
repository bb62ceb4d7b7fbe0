//! What a training will take, from a few steps that were timed.

use serde::{Deserialize, Serialize};

use super::compute_options::{DeviceChoice, Precision};

/// A few steps of a training, timed on the device that it is to run on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepTiming {
    /// The device in words.
    pub device: String,
    /// The precision in use.
    pub precision: Precision,
    /// Seconds that a batch takes with its step of the weights: the median.
    pub batch_seconds: f64,
    /// Seconds that a validation image takes.
    pub validation_image_seconds: f64,
    /// What a step needs at its peak, in bytes.
    pub memory_needed: u64,
    /// What the process may have on the device, in bytes, where that is known.
    pub memory_available: Option<u64>,
    /// How many GPUs the machine has.
    pub gpus: usize,
}

/// The images that a run works through in an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EpochImages {
    /// Training images.
    pub train: usize,
    /// Validation images.
    pub validation: usize,
}

impl StepTiming {
    /// Seconds of an epoch: its batches, the last one counted whole, and its validation.
    #[must_use]
    pub fn epoch_seconds(&self, batch_size: usize, images: EpochImages) -> f64 {
        let batches = images.train.div_ceil(batch_size.max(1));
        batches as f64 * self.batch_seconds + images.validation as f64 * self.validation_image_seconds
    }

    /// Seconds until the last of several runs is over: those of a share come one after another, shares side by side.
    #[must_use]
    pub fn total_seconds(
        &self,
        epochs: u32,
        batch_size: usize,
        runs: &[EpochImages],
        shares: &[(DeviceChoice, Vec<usize>)],
    ) -> f64 {
        let of_run = |run: &usize| runs.get(*run).map_or(0.0, |images| self.epoch_seconds(batch_size, *images));
        let of_share = |(_, share): &(_, Vec<usize>)| share.iter().map(of_run).sum::<f64>() * f64::from(epochs);
        shares.iter().map(of_share).fold(0.0, f64::max)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn timing() -> StepTiming {
        StepTiming {
            device: "CPU".to_owned(),
            precision: Precision::F32,
            batch_seconds: 0.5,
            validation_image_seconds: 0.1,
            memory_needed: 1,
            memory_available: None,
            gpus: 0,
        }
    }

    #[test]
    fn an_epoch_is_its_batches_and_its_validation() {
        let seconds = timing().epoch_seconds(4, EpochImages { train: 9, validation: 10 });
        assert!((seconds - 2.5).abs() < 1e-9, "three batches and ten images: {seconds}");
    }

    #[test]
    fn shares_run_side_by_side_and_their_runs_one_after_another() {
        let runs = [EpochImages { train: 4, validation: 0 }; 3];
        let shares = [(DeviceChoice::Cuda(0), vec![0, 2]), (DeviceChoice::Cuda(1), vec![1])];
        let seconds = timing().total_seconds(10, 4, &runs, &shares);
        assert!((seconds - 10.0).abs() < 1e-9, "{seconds}");
    }

    proptest! {
        #[test]
        fn more_images_never_take_less(train in 0_usize..5000, more in 0_usize..500, batch in 1_usize..64) {
            let images = |train| EpochImages { train, validation: 3 };
            prop_assert!(
                timing().epoch_seconds(batch, images(train)) <= timing().epoch_seconds(batch, images(train + more))
            );
        }
    }
}
