//! A classifier on one number, which a network has to beat.

use crate::subject::density::DensityClass;
use crate::subject::probabilities::Probabilities;

/// A class with fewer values has no variance of its own worth the name.
const MIN_FOR_OWN_VARIANCE: usize = 3;

/// Own variances below this share of the pooled one are raised to it: three values that happen to lie side by side would
/// else claim nothing and give nothing away.
const MIN_VARIANCE_SHARE: f64 = 0.01;

/// Quadratic discriminant analysis of one feature: a normal density a class, its mean and variance those of the training
/// images, and the classes' shares among them as priors (Hastie, Tibshirani and Friedman 2009, 4.3).
///
/// The priors are empirical because a network that is trained on the same images learns them too. Classes without
/// training images have probability 0.
#[derive(Clone, Debug, PartialEq)]
pub struct OneFeatureBaseline {
    classes: [Option<ClassDensity>; DensityClass::COUNT],
}

/// What is known of a class.
#[derive(Clone, Copy, Debug, PartialEq)]
struct ClassDensity {
    prior: f64,
    mean: f64,
    variance: f64,
}

impl OneFeatureBaseline {
    /// Fits it to values and true classes; values that are not finite are left out. `None` where nothing can be fitted:
    /// without values, or where none differs from the mean of its class.
    ///
    /// Variances are those of samples (n − 1). Classes with fewer than three values take the pooled variance within
    /// classes.
    #[must_use]
    pub fn fit(values: &[(f64, DensityClass)]) -> Option<Self> {
        let of_class = DensityClass::ALL.map(|class| {
            let of_class = values.iter().filter(|(value, label)| *label == class && value.is_finite());
            of_class.map(|&(value, _)| value).collect::<Vec<f64>>()
        });
        let total: usize = of_class.iter().map(Vec::len).sum();
        let moments = of_class.each_ref().map(|values| Moments::of(values));
        let freedom: usize = moments.iter().flatten().map(|moments| moments.count - 1).sum();
        let pooled = moments.iter().flatten().map(|moments| moments.squares).sum::<f64>() / freedom.max(1) as f64;
        if !(pooled > 0.0 && pooled.is_finite()) {
            return None;
        }
        let classes = moments.map(|moments| {
            let Moments { count, mean, squares } = moments?;
            let variance = if count < MIN_FOR_OWN_VARIANCE {
                pooled
            } else {
                (squares / (count - 1) as f64).max(MIN_VARIANCE_SHARE * pooled)
            };
            Some(ClassDensity { prior: count as f64 / total as f64, mean, variance })
        });
        Some(Self { classes })
    }

    /// The classes' probabilities at a value. Where there is no value (not finite: no breast was found, say), they are
    /// the priors.
    #[must_use]
    pub fn predict(&self, value: f64) -> Probabilities {
        if !value.is_finite() {
            return Probabilities(self.classes.map(|class| class.map_or(0.0, |class| class.prior)));
        }
        // Logarithms of prior × density, less what they have in common: far away from all means each density is 0.
        let scores = self.classes.map(|class| {
            class.map_or(f64::NEG_INFINITY, |ClassDensity { prior, mean, variance }| {
                prior.ln() - 0.5 * variance.ln() - 0.5 * (value - mean).powi(2) / variance
            })
        });
        let highest = scores.into_iter().fold(f64::NEG_INFINITY, f64::max);
        if !highest.is_finite() {
            // So far away that even the squares overflow.
            return self.predict(f64::NAN);
        }
        let shares = scores.map(|score| (score - highest).exp());
        let sum: f64 = shares.iter().sum();
        Probabilities(shares.map(|share| share / sum))
    }
}

struct Moments {
    count: usize,
    mean: f64,
    /// Sum of squared distances from the mean.
    squares: f64,
}

impl Moments {
    fn of(values: &[f64]) -> Option<Self> {
        let count = values.len();
        let mean = values.iter().sum::<f64>() / count as f64;
        let squares = values.iter().map(|value| (value - mean).powi(2)).sum();
        (count > 0).then_some(Self { count, mean, squares })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::subject::density::DensityClass::{A, B, C, D};

    fn close(found: Probabilities, expected: [f64; 4]) {
        assert!(found.0.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-12), "{found:?}");
    }

    #[test]
    fn two_classes_by_hand() {
        // A: mean 2, variance 1; B: mean 6, variance 4. Priors 1/2.
        let baseline = OneFeatureBaseline::fit(&[(1.0, A), (2.0, A), (3.0, A), (4.0, B), (6.0, B), (8.0, B)]).unwrap();
        // At 2: exp(0)/1 against exp(−16/8)/2.
        let b = (-2.0_f64).exp() / 2.0;
        close(baseline.predict(2.0), [1.0 / (1.0 + b), b / (1.0 + b), 0.0, 0.0]);
        // At 4: exp(−4/2)/1 against exp(−4/8)/2.
        let (a, b) = ((-2.0_f64).exp(), (-0.5_f64).exp() / 2.0);
        close(baseline.predict(4.0), [a / (a + b), b / (a + b), 0.0, 0.0]);
        // The wider class wins at both ends, however far.
        assert_eq!(baseline.predict(-1e6).most_probable(), B);
        close(baseline.predict(1e6), [0.0, 1.0, 0.0, 0.0]);
    }

    #[test]
    fn priors_are_the_shares_of_the_classes() {
        // Equal means, and equal variances of 1: only the priors tell, 3/9 and 6/9 (six values with squares 5 × 1).
        let spread = (5.0_f64 / 6.0).sqrt();
        let b = [-spread, spread].into_iter().cycle().take(6).map(|value| (value, D));
        let values: Vec<_> = [(-1.0, C), (0.0, C), (1.0, C)].into_iter().chain(b).collect();
        let baseline = OneFeatureBaseline::fit(&values).unwrap();
        for value in [0.0, 0.7, f64::NAN, f64::INFINITY, f64::MAX] {
            close(baseline.predict(value), [0.0, 0.0, 1.0 / 3.0, 2.0 / 3.0]);
        }
    }

    #[test]
    fn small_classes_take_the_pooled_variance() {
        // A has the variance 1 and B a single value: it takes 1 too. Priors 3/4 and 1/4.
        let baseline = OneFeatureBaseline::fit(&[(0.0, A), (1.0, A), (2.0, A), (5.0, B), (f64::NAN, B)]).unwrap();
        let (a, b) = (3.0 * (-4.5_f64).exp(), (-0.5_f64).exp());
        close(baseline.predict(4.0), [a / (a + b), b / (a + b), 0.0, 0.0]);
    }

    #[test]
    fn without_spread_there_is_nothing_to_fit() {
        assert_eq!(OneFeatureBaseline::fit(&[]), None);
        assert_eq!(OneFeatureBaseline::fit(&[(f64::NAN, A)]), None);
        assert_eq!(OneFeatureBaseline::fit(&[(1.0, A), (1.0, A), (2.0, B)]), None);
        // One class without spread beside one with it: a floor keeps its density finite.
        let baseline = OneFeatureBaseline::fit(&[(1.0, A), (1.0, A), (1.0, A), (2.0, B), (4.0, B)]).unwrap();
        assert_eq!(baseline.predict(1.0).most_probable(), A);
        assert_eq!(baseline.predict(2.0).most_probable(), B);
    }

    proptest! {
        #[test]
        fn probabilities_are_proper(values in prop::collection::vec((-1e3_f64..1e3, 0_usize..4), 0..40), at in any::<f64>()) {
            let values: Vec<_> = values.into_iter().map(|(value, class)| (value, DensityClass::ALL[class])).collect();
            if let Some(baseline) = OneFeatureBaseline::fit(&values) {
                prop_assert!(Probabilities::checked(baseline.predict(at).0).is_ok());
            }
        }
    }
}
