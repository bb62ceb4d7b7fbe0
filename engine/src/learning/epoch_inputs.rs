//! The batches of an epoch. What they need besides the pixels goes to the device for many steps at once, always into the
//! same memory, from which a number on the device chooses a batch.

use mammoscope_domain::subject::density::DensityClass;
use tch::{Device, Kind, TchError, Tensor, no_grad};

use super::augmentation::{Augmentation, SamplingTerms};
use super::batches::standardise;
use super::device_number::DeviceNumber;
use super::epoch_plan::EpochPlan;
use super::image_set::ImageSet;
use super::learner::{Batch, BatchSource};
use super::libtorch_ext::upload;

/// The images for which inputs are uploaded together: with augmentation at 650 pixels they take 10 MB.
const AT_ONCE: usize = 1024;

/// Makes the batches of one epoch after the other from the images of a set.
#[derive(Debug)]
pub struct EpochInputs<'a> {
    set: &'a ImageSet<'a>,
    augmentation: Option<Augmentation>,
    kind: Kind,
    epoch: EpochPlan,
    /// The position in the epoch of the next image that is not prepared yet.
    next: usize,
    uploaded: Uploaded,
}

/// The inputs of consecutive images of an epoch's order, on the device.
#[derive(Debug)]
struct Uploaded {
    /// The position of the first image in the epoch.
    first: usize,
    /// How many images there are now.
    count: usize,
    /// How many there can be.
    capacity: usize,
    /// N of i64.
    images: Tensor,
    /// N of i64.
    labels: Tensor,
    /// N×4 of f32.
    targets: Option<Tensor>,
    sampling: Option<SamplingTerms>,
    /// The pixels of the prepared batch, unless all are on the device.
    pixels: Option<Tensor>,
    /// Where the prepared batch begins: one i64.
    start: DeviceNumber,
    /// 0, 1, 2 and so on, i64.
    numbers: Tensor,
}

impl<'a> EpochInputs<'a> {
    /// Inputs of batches of at most `batch_size` images in `kind`; `augmentation` transforms the images at random.
    pub fn new(
        set: &'a ImageSet<'a>,
        augmentation: Option<Augmentation>,
        batch_size: usize,
        kind: Kind,
    ) -> Result<Self, TchError> {
        let size = augmentation.map(|augmentation| augmentation.size);
        let uploaded = Uploaded::new(set, size, batch_size)?;
        Ok(Self { set, augmentation, kind, epoch: EpochPlan::default(), next: 0, uploaded })
    }

    /// Continues with the images of an epoch from a position on.
    pub fn start(&mut self, epoch: &EpochPlan, position: usize) {
        self.epoch = epoch.clone();
        self.next = position;
        self.uploaded.count = 0;
    }

    /// Uploads the inputs of the images from a position on.
    fn upload(&mut self, first: usize) -> Result<(), TchError> {
        let uploaded = &mut self.uploaded;
        let entries = self.epoch.entries(first, uploaded.capacity);
        let count = entries.len() as i64;
        let into = |values: &Tensor, memory: &Tensor| upload(values, &mut memory.f_narrow(0, 0, count)?);
        let images: Vec<usize> = entries.iter().map(|entry| entry.image).collect();
        let indices: Vec<i64> = images.iter().map(|&image| image as i64).collect();
        let labels: Vec<i64> = images.iter().map(|&image| self.set.labels[image].index() as i64).collect();
        into(&Tensor::f_from_slice(&indices)?, &uploaded.images)?;
        into(&Tensor::f_from_slice(&labels)?, &uploaded.labels)?;
        if let (Some(targets), Some(memory)) = (&self.set.targets, &uploaded.targets) {
            let chosen: Vec<f32> = images.iter().flat_map(|&image| targets[image]).collect();
            into(&Tensor::f_from_slice(&chosen)?.f_reshape([-1, DensityClass::COUNT as i64])?, memory)?;
        }
        if let (Some(augmentation), Some(memory)) = (&self.augmentation, &mut uploaded.sampling) {
            let number = self.epoch.number;
            let drawn: Vec<_> = entries.iter().map(|entry| augmentation.draw(number, entry.position)).collect();
            memory.upload(&SamplingTerms::new(&drawn, augmentation.size, Device::Cpu)?)?;
        }
        (uploaded.first, uploaded.count) = (first, entries.len());
        Ok(())
    }
}

impl BatchSource for EpochInputs<'_> {
    fn prepare(&mut self, count: usize) -> Result<(), TchError> {
        no_grad(|| {
            let first = self.next;
            if count > self.uploaded.capacity {
                return Err(TchError::Shape(format!("a batch of {count} images, not {}", self.uploaded.capacity)));
            }
            if !self.uploaded.has(first, count) {
                self.upload(first)?;
            }
            let entries = self.epoch.entries(first, count);
            if entries.len() != count {
                return Err(TchError::Shape(format!("{} of {count} images are left in the epoch", entries.len())));
            }
            self.uploaded.start.set((first - self.uploaded.first) as f64)?;
            if let Some(memory) = &self.uploaded.pixels {
                let chosen: Vec<usize> = entries.iter().map(|entry| entry.image).collect();
                self.set.images.upload_batch(&chosen, memory)?;
            }
            self.next += count;
            Ok(())
        })
    }

    fn batch(&self, count: usize) -> Result<Batch, TchError> {
        no_grad(|| {
            let Uploaded { images, labels, targets, sampling, pixels, start, numbers, .. } = &self.uploaded;
            let chosen = numbers.f_narrow(0, 0, count as i64)?.f_add(start.tensor())?;
            let part = |tensor: &Tensor| tensor.f_index_select(0, &chosen);
            let mut levels = self.set.images.on_device(&part(images)?, pixels.as_ref())?;
            if let Some(sampling) = sampling {
                levels = sampling.select(&chosen)?.transform(&levels)?;
            }
            let targets = targets.as_ref().map(part).transpose()?;
            Ok(Batch { images: standardise(&levels, self.kind)?, labels: part(labels)?, targets })
        })
    }
}

impl Uploaded {
    /// Memory for the images of a set, which are transformed if `size` is given.
    fn new(set: &ImageSet<'_>, size: Option<usize>, batch_size: usize) -> Result<Self, TchError> {
        let device = set.device;
        let capacity = AT_ONCE.max(batch_size).min(set.len().max(1));
        let integers = || Tensor::f_zeros([capacity as i64], (Kind::Int64, device));
        let shares = [capacity as i64, DensityClass::COUNT as i64];
        let targets = set.targets.as_ref().map(|_| Tensor::f_zeros(shares, (Kind::Float, device)));
        let sampling = size.map(|size| SamplingTerms::zeros(capacity, size, device));
        Ok(Self {
            first: 0,
            count: 0,
            capacity,
            images: integers()?,
            labels: integers()?,
            targets: targets.transpose()?,
            sampling: sampling.transpose()?,
            pixels: set.images.batch_memory(batch_size.min(capacity))?,
            start: DeviceNumber::new(&[1], Kind::Int64, device)?,
            numbers: Tensor::f_arange(capacity as i64, (Kind::Int64, device))?,
        })
    }

    fn has(&self, first: usize, count: usize) -> bool {
        first >= self.first && first + count <= self.first + self.count
    }
}

#[cfg(test)]
mod tests {
    use tch::Device;

    use super::*;
    use crate::learning::augmentation::transform;
    use crate::learning::batches::TrainingImages;
    use crate::learning::image_set::EpochEntry;

    const SIZE: usize = 20;
    const COUNT: usize = 2500;

    fn bits(tensor: &Tensor) -> Vec<u32> {
        Vec::<f32>::try_from(tensor.contiguous().flatten(0, -1)).unwrap().into_iter().map(f32::to_bits).collect()
    }

    fn set(pixels: &[Vec<u8>], is_resident: bool) -> ImageSet<'_> {
        let pixels = pixels.iter().map(Vec::as_slice).collect();
        ImageSet {
            images: if is_resident {
                TrainingImages::resident(pixels, SIZE, 1)
            } else {
                TrainingImages::new(pixels, SIZE, 1, Device::Cpu).unwrap()
            },
            labels: (0..COUNT).map(|image| DensityClass::ALL[image % 4]).collect(),
            targets: Some((0..COUNT).map(|image| [image as f32, 1.0, 2.0, 3.0]).collect()),
            files: Vec::new(),
            device: Device::Cpu,
        }
    }

    /// Where recorded operations read.
    fn addresses(inputs: &EpochInputs<'_>) -> Vec<usize> {
        let Uploaded { images, labels, targets, sampling, pixels, start, numbers, .. } = &inputs.uploaded;
        let tensors = [images, labels, start.tensor(), numbers].into_iter().chain(targets).chain(pixels);
        let sampling = sampling.iter().flat_map(SamplingTerms::memory);
        tensors.chain(sampling).map(|tensor| tensor.data_ptr() as usize).collect()
    }

    /// An order over three uploads, batches across their borders, and the start in the middle of an epoch; with all images
    /// on the device, and with those of a batch at a time.
    #[test]
    fn batches_are_those_of_their_entries_byte_for_byte() {
        let pixels: Vec<Vec<u8>> =
            (0..COUNT).map(|image| (0..SIZE * SIZE).map(|at| (at * (image % 83 + 3) % 251) as u8).collect()).collect();
        let usable: Vec<usize> = (0..COUNT).filter(|image| image % 7 != 0).collect();
        let epoch = EpochPlan::new(5, 3, &usable, 12);
        let augmentation = Augmentation { seed: 9, size: SIZE, rotation: 12.0, shift: 0.1, zoom: 0.2 };
        for (augmentation, done, is_resident) in
            [(Some(augmentation), 0, false), (None, 0, true), (Some(augmentation), 84, true)]
        {
            let set = set(&pixels, is_resident);
            let mut inputs = EpochInputs::new(&set, augmentation, 5, Kind::Float).unwrap();
            let before = addresses(&inputs);
            inputs.start(&epoch, done as usize * 12);
            let mut steps = 0;
            for entries in epoch.steps(done) {
                for entries in entries.chunks(5) {
                    inputs.prepare(entries.len()).unwrap();
                    assert_batch(&inputs, entries, &pixels, augmentation);
                }
                steps += 1;
            }
            assert_eq!(steps, usable.len().div_ceil(12) - done as usize);
            assert_eq!(addresses(&inputs), before);
        }
    }

    /// Compares the prepared batch with one that is made of its entries alone.
    fn assert_batch(
        inputs: &EpochInputs<'_>,
        entries: &[EpochEntry],
        pixels: &[Vec<u8>],
        augmentation: Option<Augmentation>,
    ) {
        let chosen: Vec<usize> = entries.iter().map(|entry| entry.image).collect();
        let bytes: Vec<u8> = chosen.iter().flat_map(|&image| pixels[image].clone()).collect();
        let shape = [chosen.len() as i64, 1, SIZE as i64, SIZE as i64];
        let mut levels = Tensor::from_slice(&bytes).reshape(shape).to_kind(Kind::Float);
        if let Some(augmentation) = augmentation {
            let drawn: Vec<_> = entries.iter().map(|entry| augmentation.draw(3, entry.position)).collect();
            levels = transform(&levels, &drawn).unwrap();
        }
        let batch = inputs.batch(entries.len()).unwrap();
        assert!(bits(&batch.images) == bits(&standardise(&levels, Kind::Float).unwrap()));
        let labels: Vec<i64> = chosen.iter().map(|&image| image as i64 % 4).collect();
        assert_eq!(Vec::<i64>::try_from(batch.labels).unwrap(), labels);
        let firsts = Vec::<f32>::try_from(batch.targets.unwrap().select(1, 0)).unwrap();
        let expected: Vec<f32> = chosen.iter().map(|&image| image as f32).collect();
        assert_eq!(firsts, expected);
    }

    #[test]
    fn a_batch_beyond_the_epoch_is_refused() {
        let pixels = vec![vec![0; SIZE * SIZE]; COUNT];
        let set = set(&pixels, false);
        let mut inputs = EpochInputs::new(&set, None, 5, Kind::Float).unwrap();
        inputs.start(&EpochPlan::new(5, 3, &[1, 2, 3], 5), 1);
        assert!(inputs.prepare(3).unwrap_err().to_string().contains("2 of 3 images are left in the epoch"));
    }
}
