//! The training images, assembled into batches on the device.

use mammoscope_domain::random_stream::RandomStream;
use tch::{Device, Kind, TchError, Tensor, no_grad};

use super::learning_stream::LearningStream;
use super::libtorch_ext::gpu_memory::gpu_memory;
use super::libtorch_ext::{channels_last, upload};

/// All images are uploaded to a GPU if they take less than this share of its free memory; the rest is for training.
const SHARE_OF_FREE_MEMORY: f64 = 0.25;
/// Images per upload.
const UPLOAD: usize = 64;

/// The random order of `count` images in an epoch: a pure function (Fisher and Yates; Durstenfeld 1964).
#[must_use]
pub fn epoch_order(seed: u64, epoch: u32, count: usize) -> Vec<usize> {
    let mut stream = RandomStream::new(seed, LearningStream::Order { epoch });
    let mut order: Vec<usize> = (0..count).collect();
    for last in (1..count).rev() {
        order.swap(last, stream.below(last + 1));
    }
    order
}

/// All images of a set, decoded and resized, as 8-bit pixels.
#[derive(Debug)]
pub struct TrainingImages<'a> {
    size: usize,
    channels: usize,
    device: Device,
    pixels: Pixels<'a>,
}

#[derive(Debug)]
enum Pixels<'a> {
    /// On the host, uploaded batch by batch.
    Host(Vec<&'a [u8]>),
    /// N×S×S×C on the device.
    Device(Tensor),
}

impl<'a> TrainingImages<'a> {
    /// A set of images of `size` × `size` × `channels` (1 or 3) bytes each, for batches on `device`.
    ///
    /// They are uploaded to a GPU at once if they take less than a quarter of its free memory.
    ///
    /// # Panics
    /// If an image has a different number of bytes.
    pub fn new(pixels: Vec<&'a [u8]>, size: usize, channels: usize, device: Device) -> Result<Self, TchError> {
        let bytes = size * size * channels;
        assert!(pixels.iter().all(|image| image.len() == bytes), "images of {size} × {size} × {channels} bytes");
        let mut images = Self { size, channels, device, pixels: Pixels::Host(pixels) };
        if let (Device::Cuda(number), Pixels::Host(pixels)) = (device, &images.pixels) {
            // The memory of a GPU can only be queried after its first tensor.
            let _first = Tensor::f_zeros([1], (Kind::Uint8, device))?;
            let all = (pixels.len() * bytes) as f64;
            if all < SHARE_OF_FREE_MEMORY * gpu_memory(number)?.free as f64 {
                images.pixels = Pixels::Device(images.upload(pixels)?);
            }
        }
        Ok(images)
    }

    #[must_use]
    pub fn count(&self) -> usize {
        match &self.pixels {
            Pixels::Host(pixels) => pixels.len(),
            Pixels::Device(tensor) => tensor.size()[0] as usize,
        }
    }

    /// The memory they take on a GPU, in bytes. On the CPU they are in mapped files, which the system can evict.
    #[must_use]
    pub fn resident_bytes(&self) -> u64 {
        match &self.pixels {
            Pixels::Host(_) => 0,
            Pixels::Device(tensor) => tensor.numel() as u64,
        }
    }

    /// The images with these indices, in the given order, as grey levels 0 to 255: N×C×S×S of f32 on the device.
    ///
    /// # Panics
    /// If an index is out of range.
    pub fn batch(&self, indices: &[usize]) -> Result<Tensor, TchError> {
        let pixels = match &self.pixels {
            Pixels::Host(_) => self.on_host(indices)?.f_to(self.device)?,
            Pixels::Device(all) => {
                let indices: Vec<i64> = indices.iter().map(|&index| index as i64).collect();
                all.f_index_select(0, &Tensor::f_from_slice(&indices)?.f_to(self.device)?)?
            }
        };
        grey_levels(&pixels)
    }

    /// Memory on the device for the pixels of `count` images, N×S×S×C of u8, if the set itself is not there.
    pub fn batch_memory(&self, count: usize) -> Result<Option<Tensor>, TchError> {
        match &self.pixels {
            Pixels::Host(_) => Tensor::f_zeros(self.shape(count), (Kind::Uint8, self.device)).map(Some),
            Pixels::Device(_) => Ok(None),
        }
    }

    /// Uploads the images with these indices into [`TrainingImages::batch_memory`], without a wait for the device.
    ///
    /// # Panics
    /// If an index is out of range.
    pub fn upload_batch(&self, indices: &[usize], memory: &Tensor) -> Result<(), TchError> {
        upload(&self.on_host(indices)?, &mut memory.f_narrow(0, 0, indices.len() as i64)?)
    }

    /// [`TrainingImages::batch`] by operations on the device alone: the images with the given indices, i64, or, if the set
    /// is not on the device, those that were uploaded into `memory`.
    pub fn on_device(&self, indices: &Tensor, memory: Option<&Tensor>) -> Result<Tensor, TchError> {
        match (&self.pixels, memory) {
            (Pixels::Device(all), _) => grey_levels(&all.f_index_select(0, indices)?),
            (Pixels::Host(_), Some(memory)) => grey_levels(&memory.f_narrow(0, 0, indices.size1()?)?),
            (Pixels::Host(_), None) => Err(TchError::Torch("no images were uploaded".to_owned())),
        }
    }

    /// # Panics
    /// If the images are on the device, or an index is out of range.
    fn on_host(&self, indices: &[usize]) -> Result<Tensor, TchError> {
        let Pixels::Host(pixels) = &self.pixels else { panic!("the images are on the device") };
        let chosen: Vec<&[u8]> = indices.iter().map(|&index| pixels[index]).collect();
        self.tensor(&chosen)
    }

    /// N×S×S×C of u8, on the host.
    fn tensor(&self, images: &[&[u8]]) -> Result<Tensor, TchError> {
        Tensor::f_from_data_size(&images.concat(), &self.shape(images.len()), Kind::Uint8)
    }

    fn shape(&self, count: usize) -> [i64; 4] {
        [count, self.size, self.size, self.channels].map(|length| length as i64)
    }

    fn upload(&self, images: &[&[u8]]) -> Result<Tensor, TchError> {
        let all = Tensor::f_empty(self.shape(images.len()), (Kind::Uint8, self.device))?;
        for (part, images) in images.chunks(UPLOAD).enumerate() {
            let mut target = all.f_narrow(0, (part * UPLOAD) as i64, images.len() as i64)?;
            upload(&self.tensor(images)?, &mut target)?;
        }
        Ok(all)
    }

    /// A set whose images are on the device, which may be the CPU.
    #[cfg(test)]
    pub(super) fn resident(pixels: Vec<&'a [u8]>, size: usize, channels: usize) -> Self {
        let mut images = Self::new(pixels, size, channels, Device::Cpu).unwrap();
        if let Pixels::Host(pixels) = &images.pixels {
            images.pixels = Pixels::Device(images.upload(pixels).unwrap());
        }
        images
    }
}

/// Pixels N×S×S×C of u8 as N×C×S×S of f32.
fn grey_levels(pixels: &Tensor) -> Result<Tensor, TchError> {
    pixels.f_permute([0, 3, 1, 2])?.f_to_kind(Kind::Float)
}

/// The network's input, route 1: grey levels 0 to 255, N×C×S×S of f32 with one or three channels, × 1/255, minus the
/// mean over all pixels and channels of each image; N×C×S×S in `kind`, channels-last. One channel stands for three equal
/// ones.
pub fn standardise(levels: &Tensor, kind: Kind) -> Result<Tensor, TchError> {
    no_grad(|| {
        let mut values = levels.f_mul_scalar(1.0 / 255.0)?;
        let mean = values.f_mean_dim([1_i64, 2, 3].as_slice(), true, Kind::Float)?;
        // Rounded to bf16 last: a mean that was rounded before would shift the whole image.
        channels_last(&values.f_sub_(&mean)?.f_to_kind(kind)?)
    })
}

#[cfg(test)]
mod tests {
    use mammoscope_domain::network::input_route::InputRoute;
    use mammoscope_imaging::network_input::NetworkInput;
    use mammoscope_imaging::raster::{Channels, Raster};

    use super::super::inference::batch_tensor;
    use super::super::libtorch_ext::is_channels_last;
    use super::*;

    const SIZE: usize = 48;

    fn image(number: usize, channels: Channels) -> Raster<u8> {
        let samples = (0..SIZE * SIZE * channels.count()).map(|at| (at * (number + 3) % 253) as u8).collect();
        Raster::new(SIZE, SIZE, channels, samples)
    }

    #[test]
    fn every_epoch_visits_each_image_once_in_an_order_of_its_own() {
        let order = epoch_order(1, 2, 100);
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..100).collect::<Vec<_>>());
        assert_eq!(order, epoch_order(1, 2, 100));
        assert_ne!(order, epoch_order(1, 3, 100));
        assert_ne!(order, epoch_order(2, 2, 100));
        assert_eq!(epoch_order(1, 1, 0), Vec::<usize>::new());
    }

    #[test]
    fn every_order_is_equally_likely() {
        let mut counts = std::collections::BTreeMap::new();
        for epoch in 0..6000 {
            *counts.entry(epoch_order(9, epoch, 3)).or_insert(0_u32) += 1;
        }
        assert_eq!(counts.len(), 6);
        // Four standard deviations of a binomial count.
        assert!(counts.values().all(|&count| count.abs_diff(1000) < 116), "{counts:?}");
    }

    #[test]
    fn a_standardised_batch_equals_the_network_input_of_its_images() {
        for channels in [Channels::Grey, Channels::Rgb] {
            let images: Vec<Raster<u8>> = (0..5).map(|number| image(number, channels)).collect();
            let pixels = images.iter().map(Raster::samples).collect();
            let set = TrainingImages::new(pixels, SIZE, channels.count(), Device::Cpu).expect("a set");
            assert_eq!(set.count(), 5);
            let chosen = [3, 0, 4];
            let batch = set.batch(&chosen).expect("a batch");
            let ours = standardise(&batch, Kind::Float).expect("a batch");
            assert!(is_channels_last(&ours).expect("a tensor"));
            let inputs = chosen.map(|index| NetworkInput::from_resized(&images[index], InputRoute::Training));
            let theirs = batch_tensor(&inputs.each_ref()).expect("a batch");
            let difference = (&ours - &theirs).abs().max().double_value(&[]);
            assert!(difference < 1e-6, "{channels:?}: inputs differ by {difference:.1e}");
            let rounded = standardise(&batch, Kind::BFloat16).expect("a batch");
            assert_eq!(rounded, ours.to_kind(Kind::BFloat16));
        }
    }
}
