//! The assignment of an epoch's images to its steps.

use anyhow::ensure;
use mammoscope_domain::training::training_config::TrainingConfig;

use super::batches::epoch_order;
use super::image_set::EpochEntry;

/// The order of an epoch's images, divided into steps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EpochPlan {
    /// The epoch, from 1.
    pub number: u32,
    entries: Vec<EpochEntry>,
    images_per_step: usize,
}

impl EpochPlan {
    /// The plan of an epoch over the images with the given indices: a pure function of its arguments.
    #[must_use]
    pub fn new(seed: u64, number: u32, images: &[usize], images_per_step: usize) -> Self {
        let order = epoch_order(seed, number, images.len());
        let entries =
            order.into_iter().enumerate().map(|(position, at)| EpochEntry { position, image: images[at] }).collect();
        Self { number, entries, images_per_step }
    }

    /// The images of each step after the first `done` ones; the last step may have fewer images.
    pub fn steps(&self, done: u64) -> impl Iterator<Item = &[EpochEntry]> {
        self.entries.chunks(self.images_per_step).skip(usize::try_from(done).unwrap_or(usize::MAX))
    }

    /// At most `count` images from a position on.
    #[must_use]
    pub fn entries(&self, first: usize, count: usize) -> &[EpochEntry] {
        let entries = self.entries.get(first..).unwrap_or_default();
        &entries[..count.min(entries.len())]
    }
}

#[must_use]
pub fn steps_per_epoch(images: usize, images_per_step: usize) -> u64 {
    images.div_ceil(images_per_step) as u64
}

/// Checks that every batch of an epoch over `images` images can be normalised.
pub fn check_batches(config: &TrainingConfig, images: usize) -> anyhow::Result<()> {
    let &TrainingConfig { size, batch_size, .. } = config;
    // At up to 32 pixels the last feature map has one value per channel and image: a single image has no variance.
    let lonely = batch_size == 1 || images % batch_size == 1;
    ensure!(
        size > 32 || !lonely,
        "at {size} pixels a batch of one image cannot be normalised, and {images} training images in batches of \
         {batch_size} leave one; choose another batch_size or a larger size"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use mammoscope_domain::training::step_batches::StepBatches;

    use super::*;

    #[test]
    fn smaller_batches_leave_the_images_of_every_update_as_they_are() {
        let images: Vec<usize> = (0..32).collect();
        let whole = StepBatches { batch_size: 6, accumulate: 2 };
        let plan = EpochPlan::new(7, 3, &images, whole.images());
        let updates: Vec<Vec<EpochEntry>> = plan.steps(0).map(<[_]>::to_vec).collect();
        assert_eq!(updates.iter().map(Vec::len).collect::<Vec<_>>(), [12, 12, 8]);
        let mut tried = 0;
        for batches in whole.smaller(images.len()) {
            let split = EpochPlan::new(7, 3, &images, batches.images());
            assert_eq!(split, plan, "{batches:?}");
            for (entries, update) in split.steps(0).zip(&updates) {
                let parts: Vec<&[EpochEntry]> = entries.chunks(batches.batch_size).collect();
                assert!(parts.len() <= batches.accumulate && parts.concat() == *update, "{batches:?}");
            }
            tried += 1;
        }
        assert_eq!(tried, 3);
    }

    #[test]
    fn steps_cover_the_images_once_and_can_be_resumed_anywhere() {
        let images = [3, 5, 7, 8, 9, 11, 20];
        let plan = EpochPlan::new(1, 4, &images, 3);
        let steps: Vec<_> = plan.steps(0).collect();
        assert_eq!(steps.len() as u64, steps_per_epoch(images.len(), 3));
        let mut seen: Vec<usize> = steps.concat().iter().map(|entry| entry.image).collect();
        seen.sort_unstable();
        assert_eq!(seen, images);
        assert!(steps.concat().iter().map(|entry| entry.position).eq(0..images.len()));
        assert_eq!(plan.steps(2).collect::<Vec<_>>(), steps[2..]);
        assert_eq!(plan.steps(3).count(), 0);
    }
}
