//! A classifier on a single number, as a baseline for networks.

use crate::subject::density::DensityClass;
use crate::subject::probabilities::Probabilities;

/// Classes with fewer values take the pooled variance.
const MIN_FOR_OWN_VARIANCE: usize = 3;

/// The lower bound of a class's own variance, as a share of the pooled one: three values that happen to be close
/// together would otherwise make a density of almost no width.
const MIN_VARIANCE_SHARE: f64 = 0.01;

/// Quadratic discriminant analysis of one feature: one normal density per class with the mean and variance of the
/// training images, and the class shares as priors (Hastie, Tibshirani and Friedman 2009, 4.3).
///
/// The priors are empirical because a network that is trained on the same images learns them too. Classes without
/// training images have probability 0.
#[derive(Clone, Debug, PartialEq)]
pub struct OneFeatureBaseline {
    classes: [Option<ClassDensity>; DensityClass::COUNT],
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct ClassDensity {
    prior: f64,
    mean: f64,
    variance: f64,
}

impl OneFeatureBaseline {
    /// Fits the densities to values and true classes; values that are not finite are left out. `None` if there are no
    /// values or none differs from the mean of its class.
    ///
    /// Variances are sample variances (n − 1). Classes with fewer than three values take the pooled within-class
    /// variance.
    #[must_use]
    pub fn fit(values: &[(f64, DensityClass)]) -> Option<Self> {
        let of_class = DensityClass::ALL.map(|class| {
            let of_class = values.iter().filter(|(value, label)| *label == class && value.is_finite());
            of_class.map(|&(value, _)| value).collect::<Vec<f64>>()
        });
        let total: usize = of_class.iter().map(Vec::len).sum();
        let moments = of_class.each_ref().map(|values| Moments::of(values));
        let degrees_of_freedom: usize = moments.iter().flatten().map(|moments| moments.count - 1).sum();
        let pooled =
            moments.iter().flatten().map(|moments| moments.squares).sum::<f64>() / degrees_of_freedom.max(1) as f64;
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

    /// The class probabilities at a value; the priors if the value is not finite, as when no breast was found.
    #[must_use]
    pub fn predict(&self, value: f64) -> Probabilities {
        if !value.is_finite() {
            return Probabilities(self.classes.map(|class| class.map_or(0.0, |class| class.prior)));
        }
        // Logarithms of prior × density up to a common constant: far from all means, every density underflows to 0.
        let scores = self.classes.map(|class| {
            class.map_or(f64::NEG_INFINITY, |ClassDensity { prior, mean, variance }| {
                prior.ln() - 0.5 * variance.ln() - 0.5 * (value - mean).powi(2) / variance
            })
        });
        let highest = scores.into_iter().fold(f64::NEG_INFINITY, f64::max);
        if !highest.is_finite() {
            // So far away that the squares overflow.
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
    /// The sum of squared distances from the mean.
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
    fn two_classes_match_a_hand_computation() {
        // A: mean 2, variance 1; B: mean 6, variance 4. Priors 1/2.
        let baseline = OneFeatureBaseline::fit(&[(1.0, A), (2.0, A), (3.0, A), (4.0, B), (6.0, B), (8.0, B)]).unwrap();
        // At 2: exp(0)/1 against exp(−16/8)/2.
        let b = (-2.0_f64).exp() / 2.0;
        close(baseline.predict(2.0), [1.0 / (1.0 + b), b / (1.0 + b), 0.0, 0.0]);
        // At 4: exp(−4/2)/1 against exp(−4/8)/2.
        let (a, b) = ((-2.0_f64).exp(), (-0.5_f64).exp() / 2.0);
        close(baseline.predict(4.0), [a / (a + b), b / (a + b), 0.0, 0.0]);
        // The wider class wins at both ends, however far out.
        assert_eq!(baseline.predict(-1e6).most_probable(), B);
        close(baseline.predict(1e6), [0.0, 1.0, 0.0, 0.0]);
    }

    #[test]
    fn priors_are_the_shares_of_the_classes() {
        // Equal means, and equal variances of 1: only the priors decide, 3/9 and 6/9 (six values with squares 5 × 1).
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
    fn values_without_spread_cannot_be_fitted() {
        assert_eq!(OneFeatureBaseline::fit(&[]), None);
        assert_eq!(OneFeatureBaseline::fit(&[(f64::NAN, A)]), None);
        assert_eq!(OneFeatureBaseline::fit(&[(1.0, A), (1.0, A), (2.0, B)]), None);
        // One class with spread and one without: the lower bound keeps its density finite.
        let baseline = OneFeatureBaseline::fit(&[(1.0, A), (1.0, A), (1.0, A), (2.0, B), (4.0, B)]).unwrap();
        assert_eq!(baseline.predict(1.0).most_probable(), A);
        assert_eq!(baseline.predict(2.0).most_probable(), B);
    }

    proptest! {
        #[test]
        fn predicted_probabilities_are_proper(values in prop::collection::vec((-1e3_f64..1e3, 0_usize..4), 0..40), at in any::<f64>()) {
            let values: Vec<_> = values.into_iter().map(|(value, class)| (value, DensityClass::ALL[class])).collect();
            if let Some(baseline) = OneFeatureBaseline::fit(&values) {
                prop_assert!(Probabilities::checked(baseline.predict(at).0).is_ok());
            }
        }
    }
}
