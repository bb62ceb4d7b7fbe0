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

impl CrossEntropy {
    /// The training loss; balanced class weights are computed from the labels of the training images.
    pub fn new(
        weighting: ClassWeighting,
        smoothing: f64,
        labels: &[DensityClass],
        device: Device,
    ) -> Result<Self, TchError> {
        let class_weights = match weighting {
            ClassWeighting::None => None,
            ClassWeighting::Balanced => Some(Tensor::f_from_slice(&balanced_weights(labels))?.f_to(device)?),
        };
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
}

/// `n / (classes · n_class)`, counting only classes that occur, so that the mean weight of an image is 1.
fn balanced_weights(labels: &[DensityClass]) -> [f32; DensityClass::COUNT] {
    let counts = DensityClass::ALL.map(|class| labels.iter().filter(|&&label| label == class).count());
    let present = counts.iter().filter(|&&count| count > 0).count();
    counts.map(|count| if count == 0 { 0.0 } else { labels.len() as f32 / (present * count) as f32 })
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
        let weighted = CrossEntropy::new(ClassWeighting::Balanced, 0.0, &[A, A, A, B], Device::Cpu).expect("weights");
        let logits = Tensor::zeros([2, 4], (Kind::Float, Device::Cpu));
        let loss = number(&weighted.of(&logits, &Tensor::from_slice(&[0_i64, 1])).expect("a loss"));
        assert!((loss - 4.0_f64.ln() * (4.0 / 6.0 + 2.0) / 2.0).abs() < 1e-6, "{loss}");
    }
}
