//! The batches of an epoch. What they need besides the pixels goes to the device for many steps at once: each upload waits
//! for a GPU to finish what it has been given.

use mammoscope_domain::subject::density::DensityClass;
use tch::{Kind, TchError, Tensor, no_grad};

use super::augmentation::{Augmentation, SamplingTerms};
use super::batches::standardise;
use super::epoch_plan::EpochPlan;
use super::image_set::{EpochEntry, ImageSet};
use super::learner::Batch;

/// The images for which inputs are uploaded together: with augmentation at 650 pixels they take 10 MB.
const AT_ONCE: usize = 1024;

/// Makes the batches of an epoch from the images of a set.
#[derive(Debug)]
pub struct EpochInputs<'a> {
    set: &'a ImageSet<'a>,
    epoch: &'a EpochPlan,
    augmentation: Option<&'a Augmentation>,
    uploaded: Option<Uploaded>,
}

/// The inputs of consecutive images of the epoch's order, on the device.
#[derive(Debug)]
struct Uploaded {
    /// The position of the first image.
    first: usize,
    count: usize,
    /// N of i64.
    images: Tensor,
    /// N of i64.
    labels: Tensor,
    /// N×4 of f32.
    targets: Option<Tensor>,
    sampling: Option<SamplingTerms>,
}

impl<'a> EpochInputs<'a> {
    /// `augmentation` transforms the images at random.
    #[must_use]
    pub fn new(set: &'a ImageSet<'a>, epoch: &'a EpochPlan, augmentation: Option<&'a Augmentation>) -> Self {
        Self { set, epoch, augmentation, uploaded: None }
    }

    /// The batch of consecutive entries of the epoch.
    pub fn batch(&mut self, entries: &[EpochEntry], kind: Kind) -> Result<Batch, TchError> {
        no_grad(|| {
            let first = entries.first().map_or(0, |entry| entry.position);
            let uploaded = match self.uploaded.take().filter(|uploaded| uploaded.has(first, entries.len())) {
                Some(uploaded) => uploaded,
                None => self.upload(first, entries.len())?,
            };
            let chosen: Vec<usize> = entries.iter().map(|entry| entry.image).collect();
            let batch = uploaded.batch(self.set, first - uploaded.first, &chosen, kind);
            self.uploaded = Some(uploaded);
            batch
        })
    }

    /// Uploads the inputs of at least `count` images from a position on.
    fn upload(&self, first: usize, count: usize) -> Result<Uploaded, TchError> {
        let entries = self.epoch.entries(first, count.max(AT_ONCE));
        let device = self.set.device;
        let images: Vec<usize> = entries.iter().map(|entry| entry.image).collect();
        let labels: Vec<i64> = images.iter().map(|&image| self.set.labels[image].index() as i64).collect();
        let targets = self.set.targets.as_ref().map(|targets| {
            let chosen: Vec<f32> = images.iter().flat_map(|&image| targets[image]).collect();
            Tensor::f_from_slice(&chosen)?.f_reshape([-1, DensityClass::COUNT as i64])?.f_to(device)
        });
        let sampling = self.augmentation.map(|augmentation| {
            let number = self.epoch.number;
            let drawn: Vec<_> = entries.iter().map(|entry| augmentation.draw(number, entry.position)).collect();
            SamplingTerms::new(&drawn, augmentation.size, device)
        });
        Ok(Uploaded {
            first,
            count: entries.len(),
            images: self.set.images.upload_indices(&images)?,
            labels: Tensor::f_from_slice(&labels)?.f_to(device)?,
            targets: targets.transpose()?,
            sampling: sampling.transpose()?,
        })
    }
}

impl Uploaded {
    fn has(&self, first: usize, count: usize) -> bool {
        first >= self.first && first + count <= self.first + self.count
    }

    /// The batch of the images `chosen`, the first of which is at `start` here.
    fn batch(&self, set: &ImageSet<'_>, start: usize, chosen: &[usize], kind: Kind) -> Result<Batch, TchError> {
        let part = |tensor: &Tensor| tensor.f_narrow(0, start as i64, chosen.len() as i64);
        let mut levels = set.images.selected(chosen, Some(&part(&self.images)?))?;
        if let Some(sampling) = &self.sampling {
            levels = sampling.narrow(start, chosen.len())?.transform(&levels)?;
        }
        let targets = self.targets.as_ref().map(part).transpose()?;
        Ok(Batch { images: standardise(&levels, kind)?, labels: part(&self.labels)?, targets })
    }
}

#[cfg(test)]
mod tests {
    use tch::Device;

    use super::*;
    use crate::learning::augmentation::transform;
    use crate::learning::batches::TrainingImages;

    const SIZE: usize = 20;
    const COUNT: usize = 2500;

    fn bits(tensor: &Tensor) -> Vec<u32> {
        Vec::<f32>::try_from(tensor.contiguous().flatten(0, -1)).unwrap().into_iter().map(f32::to_bits).collect()
    }

    /// An order over three uploads, batches across their borders, and the start in the middle of an epoch.
    #[test]
    fn batches_are_those_of_their_entries_byte_for_byte() {
        let pixels: Vec<Vec<u8>> =
            (0..COUNT).map(|image| (0..SIZE * SIZE).map(|at| (at * (image % 83 + 3) % 251) as u8).collect()).collect();
        let set = ImageSet {
            images: TrainingImages::new(pixels.iter().map(Vec::as_slice).collect(), SIZE, 1, Device::Cpu).unwrap(),
            labels: (0..COUNT).map(|image| DensityClass::ALL[image % 4]).collect(),
            targets: Some((0..COUNT).map(|image| [image as f32, 1.0, 2.0, 3.0]).collect()),
            files: Vec::new(),
            device: Device::Cpu,
        };
        let usable: Vec<usize> = (0..COUNT).filter(|image| image % 7 != 0).collect();
        let epoch = EpochPlan::new(5, 3, &usable, 12);
        let augmentation = Augmentation { seed: 9, size: SIZE, rotation: 12.0, shift: 0.1, zoom: 0.2 };
        for (augmentation, done) in [(Some(&augmentation), 0), (None, 0), (Some(&augmentation), 84)] {
            let mut inputs = EpochInputs::new(&set, &epoch, augmentation);
            let mut steps = 0;
            for entries in epoch.steps(done) {
                for entries in entries.chunks(5) {
                    let chosen: Vec<usize> = entries.iter().map(|entry| entry.image).collect();
                    let mut levels = set.images.batch(&chosen).unwrap();
                    if let Some(augmentation) = augmentation {
                        let drawn: Vec<_> = entries.iter().map(|entry| augmentation.draw(3, entry.position)).collect();
                        levels = transform(&levels, &drawn).unwrap();
                    }
                    let batch = inputs.batch(entries, Kind::Float).unwrap();
                    assert!(bits(&batch.images) == bits(&standardise(&levels, Kind::Float).unwrap()));
                    let labels: Vec<i64> = chosen.iter().map(|&image| image as i64 % 4).collect();
                    assert_eq!(Vec::<i64>::try_from(batch.labels).unwrap(), labels);
                    let firsts = Vec::<f32>::try_from(batch.targets.unwrap().select(1, 0)).unwrap();
                    let expected: Vec<f32> = chosen.iter().map(|&image| image as f32).collect();
                    assert_eq!(firsts, expected);
                }
                steps += 1;
            }
            assert_eq!(steps, usable.len().div_ceil(12) - done as usize);
        }
    }
}
