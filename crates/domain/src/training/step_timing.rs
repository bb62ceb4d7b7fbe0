//! The duration of a training run, estimated from a few timed steps.

use serde::{Deserialize, Serialize};

use super::compute_options::{DeviceChoice, Precision};

/// A few training steps, timed on the device that the run is to use.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepTiming {
    /// The device's name.
    pub device: String,
    /// The precision in use.
    pub precision: Precision,
    /// The median of the seconds per batch, the weight update included.
    pub batch_seconds: f64,
    /// Seconds per validation image.
    pub validation_image_seconds: f64,
    /// The peak memory of a step, in bytes.
    pub memory_needed: u64,
    /// The memory available to the process on the device, in bytes; `None` if unknown.
    pub memory_available: Option<u64>,
    /// The number of GPUs of the machine.
    pub gpus: usize,
}

/// The numbers of images that a run processes in an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EpochImages {
    pub train: usize,
    pub validation: usize,
}

impl StepTiming {
    /// Seconds per epoch: its batches, with the last one counted as a full batch, and its validation.
    #[must_use]
    pub fn epoch_seconds(&self, batch_size: usize, images: EpochImages) -> f64 {
        let batches = images.train.div_ceil(batch_size.max(1));
        batches as f64 * self.batch_seconds + images.validation as f64 * self.validation_image_seconds
    }

    /// Seconds until the last of several runs ends: the runs of a share run one after another, the shares in parallel.
    #[must_use]
    pub fn total_seconds(
        &self,
        epochs: u32,
        batch_size: usize,
        runs: &[EpochImages],
        shares: &[(DeviceChoice, Vec<usize>)],
    ) -> f64 {
        let run_seconds = |run: &usize| runs.get(*run).map_or(0.0, |images| self.epoch_seconds(batch_size, *images));
        let share_seconds =
            |(_, share): &(_, Vec<usize>)| share.iter().map(run_seconds).sum::<f64>() * f64::from(epochs);
        shares.iter().map(share_seconds).fold(0.0, f64::max)
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
    fn an_epoch_takes_its_batches_and_its_validation() {
        let seconds = timing().epoch_seconds(4, EpochImages { train: 9, validation: 10 });
        assert!((seconds - 2.5).abs() < 1e-9, "three batches and ten images: {seconds}");
    }

    #[test]
    fn shares_run_in_parallel_and_their_runs_in_sequence() {
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
