//! The images of one split with their labels: batches for training, logits for evaluation.

use mammoscope_domain::metrics::agreement::{KappaWeights, cohen_kappa};
use mammoscope_domain::metrics::confusion_matrix::ConfusionMatrix;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::probabilities::Probabilities;
use tch::{Device, Kind, TchError, Tensor, no_grad};

use super::augmentation::{Augmentation, transform};
use super::batches::{TrainingImages, standardise};
use super::folded_resnet::FoldedResNet;
use super::learner::Batch;

/// The images of one split, and what is known of each.
#[derive(Debug)]
pub struct ImageSet<'a> {
    /// The pixels.
    pub images: TrainingImages<'a>,
    /// The true classes.
    pub labels: Vec<DensityClass>,
    /// The files, as the manifest names them.
    pub files: Vec<String>,
    /// Where the batches go.
    pub device: Device,
}

/// Where an image stands in the order of an epoch, and which image it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Position in the epoch, from 0.
    pub position: usize,
    /// Number of the image in its set.
    pub image: usize,
}

/// How well a network does on a set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SetFigures {
    /// Mean cross-entropy, without weights and smoothing; `None` where it is not finite.
    pub loss: Option<f64>,
    /// Share of right predictions.
    pub accuracy: f64,
    /// Quadratic-weighted kappa, where it is defined.
    pub kappa: Option<f64>,
}

impl ImageSet<'_> {
    /// How many images there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// A batch for training, transformed at random where `augmentation` says how.
    pub fn training_batch(
        &self,
        epoch: u32,
        places: &[Place],
        augmentation: Option<&Augmentation>,
        kind: Kind,
    ) -> Result<Batch, TchError> {
        no_grad(|| {
            let chosen: Vec<usize> = places.iter().map(|place| place.image).collect();
            let mut levels = self.images.batch(&chosen)?;
            if let Some(augmentation) = augmentation {
                let drawn: Vec<_> = places.iter().map(|place| augmentation.draw(epoch, place.position)).collect();
                levels = transform(&levels, &drawn)?;
            }
            let labels: Vec<i64> = chosen.iter().map(|&image| self.labels[image].index() as i64).collect();
            Ok(Batch { images: standardise(&levels, kind)?, labels: Tensor::f_from_slice(&labels)?.f_to(self.device)? })
        })
    }

    /// The logits of some images, in their order, by the network for inference.
    pub fn logits(
        &self,
        network: &FoldedResNet,
        images: &[usize],
        kind: Kind,
    ) -> Result<Vec<[f32; DensityClass::COUNT]>, TchError> {
        no_grad(|| {
            let input = standardise(&self.images.batch(images)?, kind)?;
            let logits = network.forward(&input)?.f_to(Device::Cpu)?;
            Ok(Vec::<f32>::try_from(logits.f_reshape([-1])?)?.as_chunks().0.to_vec())
        })
    }
}

impl SetFigures {
    /// The figures of logits and true classes; at least one.
    #[must_use]
    pub fn of(answers: &[([f32; DensityClass::COUNT], DensityClass)]) -> Self {
        let mut matrix = ConfusionMatrix::default();
        let mut loss = 0.0;
        for (logits, label) in answers {
            // A network whose logits are not finite is wrong about everything and unsure of nothing.
            let predicted = Probabilities::from_logits(*logits).map_or(DensityClass::A, |known| known.most_probable());
            matrix.add(*label, predicted, 1);
            loss += cross_entropy(logits, *label);
        }
        let loss = loss / answers.len() as f64;
        Self {
            loss: loss.is_finite().then_some(loss),
            accuracy: matrix.accuracy(),
            kappa: cohen_kappa(&matrix, KappaWeights::Quadratic),
        }
    }
}

/// `ln Σ exp(z) − z_label`, in f64.
fn cross_entropy(logits: &[f32; DensityClass::COUNT], label: DensityClass) -> f64 {
    let largest = f64::from(logits.iter().copied().fold(f32::NEG_INFINITY, f32::max));
    let sum: f64 = logits.iter().map(|&logit| (f64::from(logit) - largest).exp()).sum();
    largest + sum.ln() - f64::from(logits[label.index()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_known_logits() {
        use DensityClass::{A, B, C, D};
        let sure = |class: DensityClass| std::array::from_fn(|at| if at == class.index() { 40.0 } else { 0.0 });
        let figures = SetFigures::of(&[(sure(A), A), (sure(B), B), (sure(C), C), (sure(D), D)]);
        assert_eq!((figures.accuracy, figures.kappa), (1.0, Some(1.0)));
        assert!(figures.loss.is_some_and(|loss| loss < 1e-12));
        let figures = SetFigures::of(&[([0.0; 4], A), ([f32::NAN; 4], B)]);
        assert_eq!((figures.accuracy, figures.loss), (0.5, None));
        let figures = SetFigures::of(&[([0.0; 4], C)]);
        assert!(figures.loss.is_some_and(|loss| (loss - 4.0_f64.ln()).abs() < 1e-12));
    }
}
