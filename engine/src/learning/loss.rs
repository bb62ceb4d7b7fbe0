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

/// The loss of a batch.
#[derive(Debug)]
pub struct Loss {
    /// One f32.
    pub mean: Tensor,
    /// The derivative of the mean by the logits: N×4 of f32.
    pub gradient: Tensor,
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

    /// The mean over the batch and its gradient: logits N×4 of f32, and the labels N of i64 or, instead of them, the
    /// distributions to train on, N×4 of f32, each row adding up to 1.
    ///
    /// As in Keras, and unlike in PyTorch, the sum is divided by the number of images rather than by the sum of their
    /// weights. With distributions, the weight of an image is the mean of the classes' weights under its distribution.
    /// `share` multiplies the gradient only.
    pub fn with_gradient(
        &self,
        logits: &Tensor,
        labels: &Tensor,
        distributions: Option<&Tensor>,
        share: f64,
    ) -> Result<Loss, TchError> {
        let classes = [1_i64];
        let sum = |tensor: Tensor, keep: bool| tensor.f_sum_dim_intlist(classes.as_slice(), keep, Kind::Float);
        let log_probabilities = logits.f_log_softmax(1, Kind::Float)?;
        let mut targets = match distributions {
            Some(distributions) => distributions.shallow_clone(),
            None => logits.f_zeros_like()?.f_scatter_value(1, &labels.f_unsqueeze(1)?, 1.0)?,
        };
        if let Some(weights) = &self.class_weights {
            let weights = sum(targets.f_mul(weights)?, true)?;
            targets = self.smoothed(targets)?.f_mul(&weights)?;
        } else {
            targets = self.smoothed(targets)?;
        }
        let mean = sum(log_probabilities.f_mul(&targets)?, false)?.f_mean(Kind::Float)?.f_neg()?;
        let of_logarithms = targets.f_mul_scalar(-share / logits.size2()?.0 as f64)?;
        let gradient =
            Tensor::f_internal_log_softmax_backward_data(&of_logarithms, &log_probabilities, 1, Kind::Float)?;
        Ok(Loss { mean, gradient })
    }

    fn smoothed(&self, targets: Tensor) -> Result<Tensor, TchError> {
        if self.smoothing == 0.0 {
            return Ok(targets);
        }
        let uniform = self.smoothing / DensityClass::COUNT as f64;
        targets.f_mul_scalar(1.0 - self.smoothing)?.f_add_scalar(uniform)
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

    fn number(loss: Result<Loss, TchError>) -> f64 {
        f64::try_from(loss.expect("a loss").mean).expect("one number")
    }

    fn of(loss: &CrossEntropy, logits: &Tensor, labels: &Tensor) -> f64 {
        number(loss.with_gradient(logits, labels, None, 1.0))
    }

    fn of_distributions(loss: &CrossEntropy, logits: &Tensor, targets: &Tensor) -> f64 {
        number(loss.with_gradient(logits, &Tensor::from_slice(&[0_i64]), Some(targets), 1.0))
    }

    #[test]
    fn the_loss_of_known_probabilities() {
        let logits = Tensor::from_slice(&[0.5_f32, 0.25, 0.125, 0.125, 0.25, 0.25, 0.25, 0.25]).log().reshape([2, 4]);
        let labels = Tensor::from_slice(&[0_i64, 3]);
        let ln2 = std::f64::consts::LN_2;
        let plain = of(&CrossEntropy::plain(), &logits, &labels);
        assert!((plain - 1.5 * ln2).abs() < 1e-6, "{plain}");
        let smoothed = CrossEntropy { class_weights: None, smoothing: 0.1 };
        // For the first image, −ln p averages (1 + 2 + 3 + 3)/4 ln 2 over the classes; the second image is uniform.
        let expected = (0.9 * 1.0 + 0.1 * 2.25 + 2.0) / 2.0 * ln2;
        let smoothed = of(&smoothed, &logits, &labels);
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
        let loss = of(&weighted, &logits, &Tensor::from_slice(&[0_i64, 1]));
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
                let hard = of(&loss, &logits, &labels);
                let soft = of_distributions(&loss, &logits, &targets);
                assert!((hard - soft).abs() < 1e-6, "{hard} {soft}");
            }
        }
    }

    #[test]
    fn the_loss_of_disagreeing_readers() {
        let logits = Tensor::from_slice(&[0.5_f32, 0.25, 0.125, 0.125]).log().reshape([1, 4]);
        let targets = Tensor::from_slice(&[0.5_f32, 0.25, 0.25, 0.0]).reshape([1, 4]);
        let ln2 = std::f64::consts::LN_2;
        let plain = of_distributions(&CrossEntropy::plain(), &logits, &targets);
        assert!((plain - 1.75 * ln2).abs() < 1e-6, "{plain}");
        let weights = Some(Tensor::from_slice(&[1.0_f32, 2.0, 4.0, 8.0]));
        let weighted = CrossEntropy { class_weights: weights, smoothing: 0.0 };
        let weighted = of_distributions(&weighted, &logits, &targets);
        assert!((weighted - 2.0 * 1.75 * ln2).abs() < 1e-6, "{weighted}");
        // Sums of shares 1.5, .5, 0 and 0: weights 2/(2 · 1.5) and 2/(2 · .5), whose mean over the images is 1.
        let shares = balanced_shares(&[[1.0, 0.0, 0.0, 0.0], [0.5, 0.5, 0.0, 0.0]]);
        assert_eq!(shares.map(|weight| (weight * 12.0).round() as u32), [8, 24, 0, 0]);
    }

    #[test]
    fn gradients_are_those_of_libtorchs_graph() {
        let logits = Tensor::from_slice(&[0.3_f32, -1.0, 2.0, 0.5, 1.5, 0.0, -0.5, 0.25, 4.0, 1.0, 0.0, -3.0]);
        let logits = logits.reshape([3, 4]);
        let labels = Tensor::from_slice(&[2_i64, 0, 3]);
        let shares = [0.5_f32, 0.25, 0.25, 0.0, 0.0, 1.0, 0.0, 0.0, 0.1, 0.2, 0.3, 0.4];
        let distributions = Tensor::from_slice(&shares).reshape([3, 4]);
        let weights = [0.5_f32, 1.0, 2.0, 3.0];
        for (smoothing, weighted, soft) in
            [(0.0, false, false), (0.2, true, false), (0.0, true, true), (0.1, false, true)]
        {
            let class_weights = weighted.then(|| Tensor::from_slice(&weights));
            let ours = CrossEntropy { class_weights, smoothing };
            let ours = ours.with_gradient(&logits, &labels, soft.then_some(&distributions), 0.75).expect("a loss");
            // The definition in f64, an image at a time.
            let leaf = logits.to_kind(Kind::Double).set_requires_grad(true);
            let logarithms = leaf.log_softmax(1, Kind::Double);
            let hard = labels.one_hot(4).to_kind(Kind::Double);
            let targets = if soft { distributions.to_kind(Kind::Double) } else { hard };
            let of_image = |image: i64| {
                let target = targets.get(image);
                let weight = if weighted {
                    target.dot(&Tensor::from_slice(&weights.map(f64::from)))
                } else {
                    target.sum(Kind::Double)
                };
                let smooth = target * (1.0 - smoothing) + smoothing / 4.0;
                -logarithms.get(image).dot(&smooth) * weight / 3.0
            };
            let expected = of_image(0) + of_image(1) + of_image(2);
            (&expected * 0.75).backward();
            let difference = |ours: &Tensor, theirs: &Tensor| (ours - theirs).abs().max().double_value(&[]);
            // Losses of a few units, gradients below one: some roundings of f32.
            for (ours, theirs, limit) in [(&ours.mean, expected.detach(), 3e-6), (&ours.gradient, leaf.grad(), 3e-7)] {
                let difference = difference(ours, &theirs);
                assert!(difference < limit, "{smoothing} {weighted} {soft}: {difference}");
            }
        }
    }
}
