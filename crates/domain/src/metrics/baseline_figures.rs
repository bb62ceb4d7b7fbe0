//! The one-feature baseline beside a network, set by set: a network that cannot beat it is a finding.

use serde::Serialize;

use super::bootstrap::{Bootstrap, Interval};
use super::evaluation_set::EvaluationSet;
use super::paired_comparison::{DifferentLabels, PairedComparison};

/// What the one-feature baseline reaches on the cases of a set, and how far the network is ahead of it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct BaselineFigures {
    /// How many cases both have.
    pub n: usize,
    /// Share of correct predictions.
    pub accuracy: Option<f64>,
    /// Unweighted mean of the classes' recalls.
    pub macro_recall: Option<f64>,
    /// Cohen's kappa, weighted by distance.
    pub kappa_linear: Option<f64>,
    /// Cohen's kappa, weighted by squared distance.
    pub kappa_quadratic: Option<f64>,
    /// The network's linear kappa on the same cases, minus this one.
    pub kappa_linear_difference: Option<f64>,
    /// The 95 % interval of that difference, by paired bootstrap.
    pub kappa_linear_difference_interval: Option<Interval>,
}

impl BaselineFigures {
    /// The figures of the baseline's set beside those of the network's; `None` where they have no case in common.
    pub fn of(
        network: &EvaluationSet,
        baseline: &EvaluationSet,
        bootstrap: Bootstrap,
    ) -> Result<Option<Self>, DifferentLabels> {
        let comparison = PairedComparison::of(network, baseline, bootstrap)?;
        Ok(comparison.map(|comparison| {
            let PairedComparison { n, there, difference, intervals, .. } = comparison;
            Self {
                n,
                accuracy: there.accuracy,
                macro_recall: there.macro_recall,
                kappa_linear: there.kappa_linear,
                kappa_quadratic: there.kappa_quadratic,
                kappa_linear_difference: difference.kappa_linear,
                kappa_linear_difference_interval: intervals.kappa_linear,
            }
        }))
    }
}
