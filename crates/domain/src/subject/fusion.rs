//! Fusion of single views into one prediction per breast or examination.

use super::density::DensityClass;
use super::probabilities::Probabilities;
use super::view::{Side, View};

/// A rule that fuses the probabilities of several views.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Fusion {
    /// The mean, as in the reference.
    #[default]
    Mean,
    /// The largest probability of each class, renormalised.
    Max,
    /// The mean of the denser side: where the breasts differ, BI-RADS (5th edition, 2013) reports the denser one. The
    /// denser side is the one with the larger expected class `Σ k·p_k`; the right one on a tie.
    DenserSide,
    /// The mean, weighted by view.
    Weighted(ViewWeights),
}

impl Fusion {
    /// The fusion's name on the command line and in files.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Max => "max",
            Self::DenserSide => "denser",
            Self::Weighted(_) => "weighted",
        }
    }
}

/// The weights of the views in [`Fusion::Weighted`], for example their validation accuracies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ViewWeights([f64; View::ALL.len()]);

/// A weight that is not a positive number.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("the weight of {view} is {weight}; a weight must be a positive number")]
pub struct ImproperWeight {
    pub view: View,
    pub weight: f64,
}

impl ViewWeights {
    /// Weights in the order of [`View::ALL`]; all must be positive and finite.
    pub fn new(weights: [f64; View::ALL.len()]) -> Result<Self, ImproperWeight> {
        for (view, weight) in View::ALL.into_iter().zip(weights) {
            if !(weight.is_finite() && weight > 0.0) {
                return Err(ImproperWeight { view, weight });
            }
        }
        Ok(Self(weights))
    }

    fn of(&self, view: View) -> f64 {
        self.0[view as usize]
    }
}

/// The probabilities of the views of one examination, as far as it has them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ViewProbabilities([Option<Probabilities>; View::ALL.len()]);

impl ViewProbabilities {
    #[must_use]
    pub fn of(&self, view: View) -> Option<Probabilities> {
        self.0[view as usize]
    }

    pub fn set(&mut self, view: View, probabilities: Probabilities) {
        self.0[view as usize] = Some(probabilities);
    }

    /// The views among `views` that are missing.
    pub fn missing<'a>(&'a self, views: &'a [View]) -> impl Iterator<Item = View> + 'a {
        views.iter().copied().filter(|&view| self.of(view).is_none())
    }

    /// Fuses the views that are present; `None` if all are missing. A single view is passed through bit for bit.
    #[must_use]
    pub fn fuse(&self, views: &[View], fusion: Fusion) -> Option<Probabilities> {
        let present = || views.iter().filter_map(|&view| Some((view, self.of(view)?)));
        if let Some((_, only)) = present().next().filter(|_| present().count() == 1) {
            return Some(only);
        }
        match fusion {
            Fusion::Mean => weighted_mean(present().map(|(_, probabilities)| (1.0, probabilities))),
            Fusion::Weighted(weights) => {
                weighted_mean(present().map(|(view, probabilities)| (weights.of(view), probabilities)))
            }
            Fusion::Max => {
                let largest = present().fold([0.0_f64; DensityClass::COUNT], |largest, (_, probabilities)| {
                    std::array::from_fn(|class| largest[class].max(probabilities.0[class]))
                });
                let sum: f64 = largest.iter().sum();
                (sum > 0.0).then(|| Probabilities(largest.map(|p| p / sum)))
            }
            Fusion::DenserSide => Side::ALL
                .into_iter()
                .filter_map(|side| {
                    let of_side = present().filter(|(view, _)| view.side() == side);
                    weighted_mean(of_side.map(|(_, probabilities)| (1.0, probabilities)))
                })
                .reduce(|right, left| if expected_class(&left) > expected_class(&right) { left } else { right }),
        }
    }
}

/// The weighted mean; `None` if there are no parts.
fn weighted_mean(parts: impl Iterator<Item = (f64, Probabilities)>) -> Option<Probabilities> {
    let (mut sum, mut total_weight) = ([0.0; DensityClass::COUNT], 0.0);
    for (weight, probabilities) in parts {
        total_weight += weight;
        for (sum, probability) in sum.iter_mut().zip(probabilities.0) {
            *sum += weight * probability;
        }
    }
    (total_weight > 0.0).then(|| Probabilities(sum.map(|sum| sum / total_weight)))
}

/// `Σ k·p_k` with A = 0 to D = 3.
fn expected_class(probabilities: &Probabilities) -> f64 {
    probabilities.0.iter().enumerate().map(|(class, p)| class as f64 * p).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FATTY: Probabilities = Probabilities([0.8, 0.2, 0.0, 0.0]);
    const DENSE: Probabilities = Probabilities([0.0, 0.2, 0.2, 0.6]);

    fn views(parts: &[(View, Probabilities)]) -> ViewProbabilities {
        let mut views = ViewProbabilities::default();
        for &(view, probabilities) in parts {
            views.set(view, probabilities);
        }
        views
    }

    fn close(a: Probabilities, b: [f64; 4]) -> bool {
        a.0.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-12)
    }

    #[test]
    fn fusions_match_a_hand_computation() {
        let exam = views(&[(View::CcR, FATTY), (View::MloR, FATTY), (View::CcL, DENSE), (View::MloL, FATTY)]);
        let fused = |fusion| exam.fuse(&View::ALL, fusion).unwrap();
        assert!(close(fused(Fusion::Mean), [0.6, 0.2, 0.05, 0.15]));
        assert!(close(fused(Fusion::Max), [0.8 / 1.8, 0.2 / 1.8, 0.2 / 1.8, 0.6 / 1.8]));
        assert!(close(fused(Fusion::DenserSide), [0.4, 0.2, 0.1, 0.3]), "the left breast is the denser");
        let weights = ViewWeights::new([1.0, 5.0, 1.0, 1.0]).unwrap();
        assert!(close(fused(Fusion::Weighted(weights)), [0.8 * 3.0 / 8.0, 0.2, 0.2 * 5.0 / 8.0, 0.6 * 5.0 / 8.0]));
    }

    #[test]
    fn missing_views_do_not_count() {
        let exam = views(&[(View::CcR, FATTY), (View::MloL, DENSE)]);
        assert!(close(exam.fuse(&View::ALL, Fusion::Mean).unwrap(), [0.4, 0.2, 0.1, 0.3]));
        assert_eq!(exam.missing(&View::ALL).collect::<Vec<_>>(), [View::CcL, View::MloR]);
        assert_eq!(exam.fuse(&[View::CcL], Fusion::Mean), None);
    }

    #[test]
    fn weights_are_positive() {
        for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(ViewWeights::new([1.0, bad, 1.0, 1.0]).is_err_and(|error| error.view == View::CcL));
        }
    }

    fn any_probabilities() -> impl Strategy<Value = Probabilities> {
        prop::array::uniform4(0.001_f64..1.0).prop_map(|raw| {
            let sum: f64 = raw.iter().sum();
            Probabilities(raw.map(|value| value / sum))
        })
    }

    proptest! {
        #[test]
        fn every_fusion_is_proper_and_leaves_agreeing_views_alone(
            parts in prop::array::uniform4(prop::option::of(any_probabilities())),
            agreed in any_probabilities(),
        ) {
            let exam = ViewProbabilities(parts);
            let same = ViewProbabilities(parts.map(|part| part.map(|_| agreed)));
            let weights = ViewWeights::new([0.7, 0.8, 0.9, 0.6]).unwrap();
            for fusion in [Fusion::Mean, Fusion::Max, Fusion::DenserSide, Fusion::Weighted(weights)] {
                let fused = exam.fuse(&View::ALL, fusion);
                prop_assert_eq!(fused.is_none(), parts.iter().all(Option::is_none));
                if let Some(fused) = fused {
                    prop_assert!(Probabilities::checked(fused.0).is_ok());
                    prop_assert!(close(same.fuse(&View::ALL, fusion).unwrap(), agreed.0));
                }
            }
        }
    }
}
