//! Inference: batches of images in, logits out.

use mammoscope_domain::subject::density::DensityClass;
use mammoscope_imaging::network_input::NetworkInput;
use mammoscope_storage::models::model_file::Model;
use tch::{Device, Kind, TchError, Tensor, no_grad};

use super::augmentation::{AffineParameters, transform};
use super::folded_resnet::FoldedResNet;
use super::libtorch_ext::channels_last;
use super::resnet::ResNet;

/// The largest images that are computed in batches on a CPU, in pixels.
const LARGEST_OF_SEVERAL: usize = 400;

/// A network on a device, ready to predict.
#[derive(Debug)]
pub struct Predictor {
    network: FoldedResNet,
    device: Device,
}

impl Predictor {
    /// Loads a model onto a device; `kind` is [`Kind::Float`] or [`Kind::BFloat16`].
    pub fn new(model: &Model, device: Device, kind: Kind) -> Result<Self, TchError> {
        let network = no_grad(|| FoldedResNet::new(&ResNet::from_model(model, device)?, kind))?;
        Ok(Self { network, device })
    }

    /// The logits of the classes A to D for each image of a batch, whose images all have the same size.
    pub fn logits(&self, batch: &[&NetworkInput]) -> Result<Vec<[f32; DensityClass::COUNT]>, TchError> {
        self.logits_of(batch, None)
    }

    /// The logits of transformed copies of the images of a batch, each with its parameters. As in training, a copy is
    /// centred on zero after its transform.
    pub fn logits_of_copies(
        &self,
        batch: &[&NetworkInput],
        parameters: &[AffineParameters],
    ) -> Result<Vec<[f32; DensityClass::COUNT]>, TchError> {
        self.logits_of(batch, Some(parameters))
    }

    fn logits_of(
        &self,
        batch: &[&NetworkInput],
        parameters: Option<&[AffineParameters]>,
    ) -> Result<Vec<[f32; DensityClass::COUNT]>, TchError> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        no_grad(|| {
            let mut images = batch_tensor(batch)?.f_to(self.device)?;
            if let Some(parameters) = parameters {
                let copies = transform(&images, parameters)?;
                let mean = copies.f_mean_dim([1_i64, 2, 3].as_slice(), true, Kind::Float)?;
                images = channels_last(&copies.f_sub(&mean)?)?;
            }
            let logits = self.network.forward(&images)?;
            let flat = Vec::<f32>::try_from(logits.f_to(Device::Cpu)?.f_reshape([-1])?)?;
            Ok(flat.as_chunks().0.to_vec())
        })
    }
}

/// The default batch size for images of `size` × `size` pixels. Larger batches gain a lot on a GPU; on a CPU they gain
/// something with small images only, and a lone image would be computed as often as the batch is filled up.
#[must_use]
pub fn batch_size(device: Device, size: usize) -> usize {
    match device {
        Device::Cpu if size > LARGEST_OF_SEVERAL => 1,
        Device::Cpu => 4,
        _ => 32,
    }
}

/// Fills up a batch with copies of its last image, so that an image's results do not depend on the number of images that
/// happen to be computed with it: the order in which sums are rounded depends on the batch size, on a GPU and on CPUs
/// with AVX-512 or AMX. Jobs that compute image by image are left alone.
pub fn fill_batch<T: Copy>(images: &mut Vec<T>, batch_size: usize) {
    if let Some(&last) = images.last() {
        images.resize(batch_size.max(images.len()), last);
    }
}

/// Stacks images into a tensor N×3×S×S, which is channels-last since the images are stored pixel by pixel.
pub fn batch_tensor(batch: &[&NetworkInput]) -> Result<Tensor, TchError> {
    let images = batch
        .iter()
        .map(|image| {
            let side = image.size() as i64;
            Tensor::f_from_slice(image.values())?.f_reshape([side, side, NetworkInput::CHANNELS as i64])
        })
        .collect::<Result<Vec<_>, _>>()?;
    Tensor::f_stack(&images, 0)?.f_permute([0, 3, 1, 2])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_are_filled_up_to_their_size() {
        let filled = |images: &[u8], batch_size| {
            let mut images = images.to_vec();
            fill_batch(&mut images, batch_size);
            images
        };
        assert_eq!(filled(&[7], 4), [7, 7, 7, 7]);
        assert_eq!(filled(&[7, 8, 9], 4), [7, 8, 9, 9]);
        assert_eq!(filled(&[7], 1), [7]);
        assert!(filled(&[], 4).is_empty());
    }
}
