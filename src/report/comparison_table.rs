//! Two networks side by side as plain text for 80 columns.

use std::fmt::Write as _;

use super::evaluation_document::ComparedSet;
use super::tables::{FIGURES, interval_text, three_decimals};
use crate::domain::bootstrap::Bootstrap;

/// Differences below this are rounding.
const NOTHING: f64 = 1e-12;

/// A block a set: both sides' figures, their difference and its interval.
#[must_use]
pub fn comparison_text(sets: &[ComparedSet], against: &str, bootstrap: Bootstrap) -> String {
    let mut text = format!("Compared with {against}\n");
    for ComparedSet { name, comparison } in sets {
        let _ = writeln!(text, "\n{name}: {} cases in common", comparison.n);
        let (here, there) = (comparison.only_here, comparison.only_there);
        if here + there > 0 {
            let _ = writeln!(text, "left out: {here} that only these have, {there} that only those have");
        }
        let _ = writeln!(
            text,
            "\n  {:<24}{:>7}{:>7}{:>12}{:>18}",
            "figure", "these", "those", "difference", "95 % interval"
        );
        for row in &FIGURES {
            let interval = (row.interval)(&comparison.intervals);
            let marked = interval.is_some_and(|interval| interval.low > NOTHING || interval.high < -NOTHING);
            let _ = writeln!(
                text,
                "  {:<24}{:>7}{:>7}{:>12}{:>18}{}",
                row.title,
                three_decimals((row.value)(&comparison.here)),
                three_decimals((row.value)(&comparison.there)),
                three_decimals((row.value)(&comparison.difference)),
                interval_text(interval),
                if marked { " *" } else { "" }
            );
        }
    }
    let _ = writeln!(
        text,
        "\n* The interval leaves out 0. Paired over subjects, {} resamples, seed {};\n  \
         not corrected for looking at several figures and sets.",
        bootstrap.resamples, bootstrap.seed
    );
    text
}
