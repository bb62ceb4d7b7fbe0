//! The division of the images of one weight update into batches, and smaller batches for the same update.

use serde::{Deserialize, Serialize};

use super::training_changes::SettingChange;
use super::training_config::TrainingConfig;

/// How many images go through the network at once, and how many such batches make one update of the weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepBatches {
    pub batch_size: usize,
    pub accumulate: usize,
}

impl StepBatches {
    #[must_use]
    pub fn of(config: &TrainingConfig) -> Self {
        Self { batch_size: config.batch_size, accumulate: config.accumulate }
    }

    /// The images of one update.
    #[must_use]
    pub fn images(self) -> usize {
        self.batch_size * self.accumulate
    }

    /// A configuration with these batches.
    #[must_use]
    pub fn applied_to(self, config: &TrainingConfig) -> TrainingConfig {
        let Self { batch_size, accumulate } = self;
        TrainingConfig { batch_size, accumulate, ..config.clone() }
    }

    /// The batches of at most half the size that divide the same update evenly, the largest first. With only `images`
    /// images in an epoch, no batch had more than these, so that the half is theirs.
    pub fn smaller(self, images: usize) -> impl Iterator<Item = Self> {
        let update = self.images();
        let half = self.batch_size.min(images) / 2;
        let sizes = (1..=half).rev().filter(move |batch_size| update.is_multiple_of(*batch_size));
        sizes.map(move |batch_size| Self { batch_size, accumulate: update / batch_size })
    }

    /// The changes of settings from these batches to others.
    #[must_use]
    pub fn changes_to(self, other: Self) -> Vec<SettingChange> {
        let pairs =
            [("batch_size", self.batch_size, other.batch_size), ("accumulate", self.accumulate, other.accumulate)];
        let changed = pairs.into_iter().filter(|(_, from, to)| from != to);
        changed
            .map(|(key, from, to)| SettingChange { key: key.to_owned(), from: from.to_string(), to: to.to_string() })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::preset::Preset;
    use crate::training::training_changes::{changed_config, initial_config};

    fn smaller(batch_size: usize, accumulate: usize, images: usize) -> Vec<(usize, usize)> {
        let batches = StepBatches { batch_size, accumulate };
        batches.smaller(images).map(|batches| (batches.batch_size, batches.accumulate)).collect()
    }

    #[test]
    fn smaller_batches_make_up_the_same_update() {
        assert_eq!(smaller(8, 1, 100), [(4, 2), (2, 4), (1, 8)]);
        assert_eq!(smaller(6, 1, 100), [(3, 2), (2, 3), (1, 6)]);
        assert_eq!(smaller(3, 2, 100), [(1, 6)], "not two: no more than half");
        assert_eq!(smaller(9, 1, 100), [(3, 3), (1, 9)]);
        // A size that divides the update need not divide the batch.
        assert_eq!(smaller(5, 2, 100), [(2, 5), (1, 10)]);
        assert_eq!(smaller(7, 3, 100), [(3, 7), (1, 21)]);
        assert_eq!(smaller(1, 16, 100), []);
        // Three images were all that the batch held.
        assert_eq!(smaller(8, 1, 3), [(1, 8)]);
        for batch_size in 1..=40 {
            for accumulate in 1..=5 {
                for (size, batches) in smaller(batch_size, accumulate, 1000) {
                    assert_eq!(size * batches, batch_size * accumulate);
                    assert!(2 * size <= batch_size);
                }
            }
        }
    }

    #[test]
    fn changes_lead_to_the_other_batches_and_back() {
        let [from, to] = [(4, 1), (2, 2)].map(|(batch_size, accumulate)| StepBatches { batch_size, accumulate });
        let before = from.applied_to(&Preset::named("seed").unwrap().config);
        let changes = from.changes_to(to);
        let shown: Vec<_> = changes.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["batch_size from 4 to 2", "accumulate from 1 to 2"]);
        let after = changed_config(&before, &changes).unwrap();
        assert_eq!(StepBatches::of(&after), to);
        assert_eq!(initial_config(&after, changes.iter()).unwrap(), before);
    }
}
