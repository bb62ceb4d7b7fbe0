//! The disk space that training runs need, estimated before they start.

use super::training_config::{OptimizerKind, TrainingConfig};
use crate::network::network_plan::NetworkPlan;

/// The bytes of a run's files other than checkpoints, events and predictions.
const OTHER_FILES: u64 = 1 << 20;
/// The bytes of an image in the data set's file and in the predictions.
const PER_IMAGE: u64 = 1 << 10;
/// The bytes of an epoch in the events, the log, the history and the TensorBoard file (measured: 1,630).
const PER_EPOCH: u64 = 2 << 10;
/// The bytes of a report of a step in the events and in the TensorBoard file. Not every step is reported.
const PER_REPORT: u64 = 600;

/// The most bytes that runs of one configuration need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiskEstimate {
    /// In the run directories.
    pub runs: u64,
    /// In the shared cache of decoded and resized images: one 8-bit channel, as mammograms have.
    pub pixel_cache: u64,
}

impl DiskEstimate {
    /// Estimates for `runs` runs on `images` images in all.
    #[must_use]
    pub fn new(config: &TrainingConfig, runs: usize, images: usize) -> Self {
        let weights = 4 * NetworkPlan::new(config.width).parameter_count() as u64;
        let moments = match config.optimizer {
            OptimizerKind::Sgd | OptimizerKind::Nesterov => u64::from(config.momentum > 0.0),
            OptimizerKind::AdamW => 2,
            OptimizerKind::RmsProp => 1 + u64::from(config.momentum > 0.0),
        };
        let checkpoint = weights * (1 + moments + u64::from(config.ema > 0.0));
        // The last, the one before it, and the next while it is being written; likewise for the best.
        let kept_epochs = config.epochs.checked_div(config.keep_every).unwrap_or(0);
        let models = config.keep_best as u64 + 1 + u64::from(kept_epochs);
        let checkpoints = 3 * checkpoint + models * weights;
        let images_of_run = images.div_ceil(runs.max(1));
        let steps_per_epoch = images_of_run.div_ceil((config.batch_size * config.accumulate).max(1)) as u64;
        let history = u64::from(config.epochs) * (PER_EPOCH + steps_per_epoch * PER_REPORT);
        let others = OTHER_FILES + images_of_run as u64 * PER_IMAGE + history;
        let pixels = (config.size * config.size) as u64;
        Self { runs: runs as u64 * (checkpoints + others), pixel_cache: images as u64 * pixels }
    }

    #[must_use]
    pub fn total(self) -> u64 {
        self.runs + self.pixel_cache
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::preset::Preset;

    #[test]
    fn the_reference_on_its_own_data_set() {
        let config = Preset::named("seed").unwrap().config;
        let estimate = DiskEstimate::new(&config, 4, 4 * 1060);
        // 2,262,660 numbers of 4 bytes, the optimizer has no state: 3 + keep_best + 1 files a run.
        let files = 4 + config.keep_best as u64;
        // 100 epochs of at most 265 steps.
        let others = (1 << 20) + 1060 * 1024 + 100 * (2048 + 265 * 600);
        assert_eq!(estimate.runs, 4 * (files * 4 * 2_262_660 + others));
        assert_eq!(estimate.pixel_cache, 4 * 1060 * 650 * 650);
    }

    #[test]
    fn every_kept_epoch_counts() {
        let config = TrainingConfig { epochs: 100, ..Preset::named("seed").unwrap().config };
        let bytes = |keep_every| DiskEstimate::new(&TrainingConfig { keep_every, ..config.clone() }, 2, 0).runs;
        assert_eq!(bytes(8) - bytes(0), 2 * 12 * 4 * 2_262_660);
        assert_eq!(bytes(101), bytes(0));
    }

    #[test]
    fn moments_and_averages_count() {
        let mut config = Preset::named("quick").unwrap().config;
        let with_two_moments = DiskEstimate::new(&config, 1, 0).runs;
        config.ema = 0.99;
        let and_an_average = DiskEstimate::new(&config, 1, 0).runs;
        let weights = 4 * NetworkPlan::new(config.width).parameter_count() as u64;
        assert_eq!(and_an_average - with_two_moments, 3 * weights);
    }
}
