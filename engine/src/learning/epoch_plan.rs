//! Which images make which step of an epoch.

use anyhow::ensure;
use mammoscope_domain::training::training_config::TrainingConfig;

use super::batches::epoch_order;
use super::image_set::Place;

/// The order of an epoch's images, cut into steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EpochPlan {
    /// The epoch, from 1.
    pub number: u32,
    places: Vec<Place>,
    images_per_step: usize,
}

impl EpochPlan {
    /// The plan of an epoch over some images of a set: a pure function of its arguments.
    #[must_use]
    pub fn new(seed: u64, number: u32, images: &[usize], images_per_step: usize) -> Self {
        let order = epoch_order(seed, number, images.len());
        let places =
            order.into_iter().enumerate().map(|(position, at)| Place { position, image: images[at] }).collect();
        Self { number, places, images_per_step }
    }

    /// The images of each step behind the first `done` ones; the last step may have fewer.
    pub fn steps(&self, done: u64) -> impl Iterator<Item = &[Place]> {
        self.places.chunks(self.images_per_step).skip(usize::try_from(done).unwrap_or(usize::MAX))
    }
}

/// Steps an epoch has.
#[must_use]
pub fn steps_per_epoch(images: usize, images_per_step: usize) -> u64 {
    images.div_ceil(images_per_step) as u64
}

/// An error where an epoch over so many images has a batch that cannot be normalised.
pub fn check_batches(config: &TrainingConfig, images: usize) -> anyhow::Result<()> {
    let &TrainingConfig { size, batch_size, .. } = config;
    // Up to 32 pixels a channel of the last feature map is one number an image: of one image it has no variance.
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
    use super::*;

    #[test]
    fn steps_cover_the_images_once_and_can_be_taken_up_anywhere() {
        let images = [3, 5, 7, 8, 9, 11, 20];
        let plan = EpochPlan::new(1, 4, &images, 3);
        let steps: Vec<_> = plan.steps(0).collect();
        assert_eq!(steps.len() as u64, steps_per_epoch(images.len(), 3));
        let mut seen: Vec<usize> = steps.concat().iter().map(|place| place.image).collect();
        seen.sort_unstable();
        assert_eq!(seen, images);
        assert!(steps.concat().iter().map(|place| place.position).eq(0..images.len()));
        assert_eq!(plan.steps(2).collect::<Vec<_>>(), steps[2..]);
        assert_eq!(plan.steps(3).count(), 0);
    }
}
