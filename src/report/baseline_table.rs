//! The one-feature baseline beside the network, as plain text for 80 columns.

use std::fmt::Write as _;

use super::tables::{interval_text, three_decimals};
use mammoscope_domain::metrics::evaluation_document::EvaluatedSet;

/// One line per set with the baseline's metrics and the network's lead over it; empty without a baseline.
#[must_use]
pub fn baseline_text(sets: &[EvaluatedSet]) -> String {
    let with_baseline: Vec<_> = sets.iter().filter_map(|set| Some((set, set.baseline.as_ref()?))).collect();
    if with_baseline.is_empty() {
        return String::new();
    }
    let mut text = format!(
        "\nOne-feature baseline: deviation of grey within the breast\n{:<11}{:>6}{:>9}{:>8}{:>8}{:>9}   network ahead, lin. κ\n",
        "set", "n", "accuracy", "recall", "lin. κ", "quad. κ"
    );
    for (EvaluatedSet { set, .. }, baseline) in with_baseline {
        let _ = writeln!(
            text,
            "{:<11}{:>6}{:>9}{:>8}{:>8}{:>9}{:>9}{:>17}",
            set.name,
            baseline.n,
            three_decimals(baseline.accuracy),
            three_decimals(baseline.macro_recall),
            three_decimals(baseline.kappa_linear),
            three_decimals(baseline.kappa_quadratic),
            three_decimals(baseline.kappa_linear_difference),
            interval_text(baseline.kappa_linear_difference_interval),
        );
    }
    text.push_str("A network is expected to be ahead of it.\n");
    text
}
