//! Comparison of a network with the one-feature baseline, set by set. A network that does not beat it is a finding.

use serde::Serialize;

use super::bootstrap::{Bootstrap, Interval};
use super::evaluation_set::EvaluationSet;
use super::paired_comparison::{DifferentLabels, PairedComparison};

/// The figures of the one-feature baseline on the cases of a set, and the network's lead over it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct BaselineFigures {
    /// The number of cases in common.
    pub n: usize,
    /// The share of correct predictions.
    pub accuracy: Option<f64>,
    /// The unweighted mean of the classes' recalls.
    pub macro_recall: Option<f64>,
    pub kappa_linear: Option<f64>,
    pub kappa_quadratic: Option<f64>,
    /// The network's linear kappa on the same cases minus the baseline's.
    pub kappa_linear_difference: Option<f64>,
    /// The 95 % interval of the difference, by paired bootstrap.
    pub kappa_linear_difference_interval: Option<Interval>,
}

impl BaselineFigures {
    /// Compares the baseline with the network on the cases in common; `None` if there are none.
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
