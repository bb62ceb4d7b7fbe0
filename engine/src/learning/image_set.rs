//! The labelled images of one split, and the logits and metrics of their evaluation.

use mammoscope_domain::metrics::agreement::{KappaWeights, cohen_kappa};
use mammoscope_domain::metrics::confusion_matrix::ConfusionMatrix;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::probabilities::Probabilities;
use tch::{Device, Kind, TchError, no_grad};

use super::batches::{TrainingImages, standardise};
use super::folded_resnet::FoldedResNet;

/// The images of one split with their labels and files.
#[derive(Debug)]
pub struct ImageSet<'a> {
    pub images: TrainingImages<'a>,
    pub labels: Vec<DensityClass>,
    /// The distributions over the classes to train on instead of the labels, if any image has several readers.
    pub targets: Option<Vec<[f32; DensityClass::COUNT]>>,
    /// The files as named in the manifest.
    pub files: Vec<String>,
    pub device: Device,
}

/// An image in the order of an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EpochEntry {
    /// Position in the epoch, from 0.
    pub position: usize,
    /// Index of the image in its set.
    pub image: usize,
}

/// The metrics of a network on a set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SetMetrics {
    /// Mean cross-entropy without class weights and smoothing; `None` if it is not finite.
    pub loss: Option<f64>,
    pub accuracy: f64,
    /// Quadratic-weighted kappa; `None` if it is undefined.
    pub kappa: Option<f64>,
}

impl ImageSet<'_> {
    #[must_use]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The logits of the images with these indices, in the given order.
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

impl SetMetrics {
    /// The metrics of the given logits and true classes, of which there must be at least one.
    #[must_use]
    pub fn of(outputs: &[([f32; DensityClass::COUNT], DensityClass)]) -> Self {
        let mut matrix = ConfusionMatrix::default();
        let mut loss = 0.0;
        for (logits, label) in outputs {
            // Non-finite logits count as a prediction of A.
            let predicted = Probabilities::from_logits(*logits).map_or(DensityClass::A, |known| known.most_probable());
            matrix.add(*label, predicted, 1);
            loss += cross_entropy(logits, *label);
        }
        let loss = loss / outputs.len() as f64;
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
    fn metrics_of_known_logits() {
        use DensityClass::{A, B, C, D};
        let sure = |class: DensityClass| std::array::from_fn(|at| if at == class.index() { 40.0 } else { 0.0 });
        let metrics = SetMetrics::of(&[(sure(A), A), (sure(B), B), (sure(C), C), (sure(D), D)]);
        assert_eq!((metrics.accuracy, metrics.kappa), (1.0, Some(1.0)));
        assert!(metrics.loss.is_some_and(|loss| loss < 1e-12));
        let metrics = SetMetrics::of(&[([0.0; 4], A), ([f32::NAN; 4], B)]);
        assert_eq!((metrics.accuracy, metrics.loss), (0.5, None));
        let metrics = SetMetrics::of(&[([0.0; 4], C)]);
        assert!(metrics.loss.is_some_and(|loss| (loss - 4.0_f64.ln()).abs() < 1e-12));
    }
}
