//! The evaluation of all images of a set, in smaller batches if GPU memory runs out.

use mammoscope_domain::run::run_event::RunEventKind;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::text::counted::counted;
use tch::{Device, Kind, TchError};

use super::folded_resnet::FoldedResNet;
use super::image_set::ImageSet;
use super::inference;
use super::libtorch_ext::gpu_memory::empty_gpu_cache;
use super::memory_advice::{NotEnoughMemory, is_gpu_out_of_memory};
use super::training_observer::TrainingObserver;

/// The number of images that are evaluated at once. It is not part of a training's configuration, and does not grow
/// again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EvaluationBatch(usize);

impl EvaluationBatch {
    /// The usual number on a device for images of `size` × `size` pixels.
    #[must_use]
    pub fn new(device: Device, size: usize) -> Self {
        Self(inference::batch_size(device, size))
    }

    /// The logits of all images of a set, in order; `None` if a command stops the run first.
    ///
    /// Nothing changes during an evaluation, so that one whose memory runs out continues with half the images.
    pub fn logits(
        &mut self,
        set: &ImageSet<'_>,
        network: &FoldedResNet,
        kind: Kind,
        observer: &mut dyn TrainingObserver,
    ) -> anyhow::Result<Option<Vec<[f32; DensityClass::COUNT]>>> {
        let mut logits = Vec::with_capacity(set.len());
        while logits.len() < set.len() {
            if observer.should_stop() {
                return Ok(None);
            }
            let batch: Vec<usize> = (logits.len()..set.len()).take(self.0).collect();
            match Self::batch_logits(set, network, &batch, kind) {
                Ok(more) => logits.extend(more),
                Err(TchError::Torch(message)) if is_gpu_out_of_memory(&message) => {
                    self.halve(batch.len(), &message, set.device, observer)?;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Some(logits))
    }

    fn batch_logits(
        set: &ImageSet<'_>,
        network: &FoldedResNet,
        batch: &[usize],
        kind: Kind,
    ) -> Result<Vec<[f32; DensityClass::COUNT]>, TchError> {
        #[cfg(debug_assertions)]
        super::test_fault::evaluate_on_request(batch.len())?;
        set.logits(network, batch, kind)
    }

    /// Takes half of a batch of `images` that did not fit.
    fn halve(
        &mut self,
        images: usize,
        message: &str,
        device: Device,
        observer: &mut dyn TrainingObserver,
    ) -> anyhow::Result<()> {
        if images < 2 {
            return Err(NotEnoughMemory::for_evaluation(message).into());
        }
        if device.is_cuda() {
            empty_gpu_cache()?;
        }
        self.0 = images / 2;
        let message = format!(
            "GPU memory ran out in the evaluation of {images} images at once: from here on {} at once, by which \
             probabilities may differ in their last digits",
            counted(self.0, "image")
        );
        observer.record(RunEventKind::Warning { message })
    }
}
