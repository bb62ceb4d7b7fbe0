//! Cross-entropy, averaged as in Keras.

use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::training::training_config::ClassWeighting;
use tch::{Device, Kind, TchError, Tensor};

/// Softmax cross-entropy with class weights and label smoothing.
#[derive(Debug)]
pub struct CrossEntropy {
    /// One weight per class; `None` if all are 1.
    class_weights: Option<Tensor>,
    smoothing: f64,
}

/// The labels of the training images.
#[derive(Clone, Copy, Debug)]
pub struct TrainingLabels<'a> {
    pub classes: &'a [DensityClass],
    /// A distribution over the classes for every image, if these are trained on instead of the classes.
    pub distributions: Option<&'a [[f32; DensityClass::COUNT]]>,
}

impl CrossEntropy {
    /// The training loss; balanced class weights are computed from the labels of the training images.
    pub fn new(
        weighting: ClassWeighting,
        smoothing: f64,
        labels: TrainingLabels<'_>,
        device: Device,
    ) -> Result<Self, TchError> {
        let class_weights = match (weighting, labels.distributions) {
            (ClassWeighting::None, _) => None,
            (ClassWeighting::Balanced, None) => Some(balanced_weights(labels.classes)),
            (ClassWeighting::Balanced, Some(distributions)) => Some(balanced_shares(distributions)),
        };
        let class_weights = class_weights.map(|weights| Tensor::f_from_slice(&weights)?.f_to(device)).transpose()?;
        Ok(Self { class_weights, smoothing })
    }

    /// Cross-entropy without class weights and smoothing.
    #[must_use]
    pub fn plain() -> Self {
        Self { class_weights: None, smoothing: 0.0 }
    }

    /// The mean over the batch: logits N×4 and labels N (i64) → a scalar. As in Keras, and unlike in PyTorch, the sum
    /// is divided by the number of images rather than by the sum of their weights.
    pub fn of(&self, logits: &Tensor, labels: &Tensor) -> Result<Tensor, TchError> {
        let log_probabilities = logits.f_log_softmax(1, Kind::Float)?;
        let of_label = log_probabilities.f_gather(1, &labels.f_unsqueeze(1)?, false)?.f_squeeze_dim(1)?;
        let mut losses = of_label.f_neg()?;
        if self.smoothing > 0.0 {
            let uniform = log_probabilities.f_mean_dim(1, false, Kind::Float)?.f_neg()?;
            losses = losses.f_lerp(&uniform, self.smoothing)?;
        }
        if let Some(weights) = &self.class_weights {
            losses = losses.f_mul(&weights.f_index_select(0, labels)?)?;
        }
        losses.f_mean(Kind::Float)
    }

    /// [`CrossEntropy::of`] for distributions over the classes instead of labels: N×4 of f32, each row adding up to 1. The
    /// weight of an image is the mean of the classes' weights under its distribution.
    pub fn of_distributions(&self, logits: &Tensor, targets: &Tensor) -> Result<Tensor, TchError> {
        let log_probabilities = logits.f_log_softmax(1, Kind::Float)?;
        let classes = [1_i64];
        let mut losses = log_probabilities.f_mul(targets)?.f_sum_dim_intlist(classes.as_slice(), false, Kind::Float)?;
        losses = losses.f_neg()?;
        if self.smoothing > 0.0 {
            let uniform = log_probabilities.f_mean_dim(1, false, Kind::Float)?.f_neg()?;
            losses = losses.f_lerp(&uniform, self.smoothing)?;
        }
        if let Some(weights) = &self.class_weights {
            losses = losses.f_mul(&targets.f_matmul(weights)?)?;
        }
        losses.f_mean(Kind::Float)
    }
}

/// `n / (classes · n_class)`, counting only classes that occur, so that the mean weight of an image is 1.
fn balanced_weights(labels: &[DensityClass]) -> [f32; DensityClass::COUNT] {
    let counts = DensityClass::ALL.map(|class| labels.iter().filter(|&&label| label == class).count());
    let present = counts.iter().filter(|&&count| count > 0).count();
    counts.map(|count| if count == 0 { 0.0 } else { labels.len() as f32 / (present * count) as f32 })
}

/// [`balanced_weights`] for distributions over the classes: an image counts for each class with its share.
fn balanced_shares(distributions: &[[f32; DensityClass::COUNT]]) -> [f32; DensityClass::COUNT] {
    let sum = |class: DensityClass| distributions.iter().map(|shares| f64::from(shares[class.index()])).sum::<f64>();
    let sums = DensityClass::ALL.map(sum);
    let present = sums.iter().filter(|&&sum| sum > 0.0).count() as f64;
    sums.map(|sum| if sum > 0.0 { (distributions.len() as f64 / (present * sum)) as f32 } else { 0.0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(tensor: &Tensor) -> f64 {
        f64::try_from(tensor).expect("one number")
    }

    #[test]
    fn the_loss_of_known_probabilities() {
        let logits = Tensor::from_slice(&[0.5_f32, 0.25, 0.125, 0.125, 0.25, 0.25, 0.25, 0.25]).log().reshape([2, 4]);
        let labels = Tensor::from_slice(&[0_i64, 3]);
        let ln2 = std::f64::consts::LN_2;
        let plain = number(&CrossEntropy::plain().of(&logits, &labels).expect("a loss"));
        assert!((plain - 1.5 * ln2).abs() < 1e-6, "{plain}");
        let smoothed = CrossEntropy { class_weights: None, smoothing: 0.1 };
        // For the first image, −ln p averages (1 + 2 + 3 + 3)/4 ln 2 over the classes; the second image is uniform.
        let expected = (0.9 * 1.0 + 0.1 * 2.25 + 2.0) / 2.0 * ln2;
        let smoothed = number(&smoothed.of(&logits, &labels).expect("a loss"));
        assert!((smoothed - expected).abs() < 1e-6, "{smoothed}");
    }

    #[test]
    fn balanced_weights_average_to_one() {
        use DensityClass::{A, B, D};
        let halves = balanced_weights(&[A, A, B, B, B, B, D, D]).map(|weight| (weight * 12.0).round() as u32);
        assert_eq!(halves, [16, 8, 0, 16]);
        let labels = TrainingLabels { classes: &[A, A, A, B], distributions: None };
        let weighted = CrossEntropy::new(ClassWeighting::Balanced, 0.0, labels, Device::Cpu).expect("weights");
        let logits = Tensor::zeros([2, 4], (Kind::Float, Device::Cpu));
        let loss = number(&weighted.of(&logits, &Tensor::from_slice(&[0_i64, 1])).expect("a loss"));
        assert!((loss - 4.0_f64.ln() * (4.0 / 6.0 + 2.0) / 2.0).abs() < 1e-6, "{loss}");
    }

    #[test]
    fn distributions_on_one_class_give_the_loss_of_labels() {
        let logits = Tensor::from_slice(&[0.3_f32, -1.0, 2.0, 0.5, 1.5, 0.0, -0.5, 0.25]).reshape([2, 4]);
        let labels = Tensor::from_slice(&[2_i64, 0]);
        let targets = Tensor::from_slice(&[0.0_f32, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0]).reshape([2, 4]);
        for smoothing in [0.0, 0.2] {
            for class_weights in [None, Some(Tensor::from_slice(&[0.5_f32, 1.0, 2.0, 3.0]))] {
                let loss = CrossEntropy { class_weights, smoothing };
                let hard = number(&loss.of(&logits, &labels).expect("a loss"));
                let soft = number(&loss.of_distributions(&logits, &targets).expect("a loss"));
                assert!((hard - soft).abs() < 1e-6, "{hard} {soft}");
            }
        }
    }

    #[test]
    fn the_loss_of_disagreeing_readers() {
        let logits = Tensor::from_slice(&[0.5_f32, 0.25, 0.125, 0.125]).log().reshape([1, 4]);
        let targets = Tensor::from_slice(&[0.5_f32, 0.25, 0.25, 0.0]).reshape([1, 4]);
        let ln2 = std::f64::consts::LN_2;
        let plain = number(&CrossEntropy::plain().of_distributions(&logits, &targets).expect("a loss"));
        assert!((plain - 1.75 * ln2).abs() < 1e-6, "{plain}");
        let weights = Some(Tensor::from_slice(&[1.0_f32, 2.0, 4.0, 8.0]));
        let weighted = CrossEntropy { class_weights: weights, smoothing: 0.0 };
        let weighted = number(&weighted.of_distributions(&logits, &targets).expect("a loss"));
        assert!((weighted - 2.0 * 1.75 * ln2).abs() < 1e-6, "{weighted}");
        // Sums of shares 1.5, .5, 0 and 0: weights 2/(2 · 1.5) and 2/(2 · .5), whose mean over the images is 1.
        let shares = balanced_shares(&[[1.0, 0.0, 0.0, 0.0], [0.5, 0.5, 0.0, 0.0]]);
        assert_eq!(shares.map(|weight| (weight * 12.0).round() as u32), [8, 24, 0, 0]);
    }
}
