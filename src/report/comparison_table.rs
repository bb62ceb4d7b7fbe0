//! Two networks side by side, as plain text for 80 columns.

use std::fmt::Write as _;

use super::tables::{FIGURES, NO_INTERVAL, interval_text, rounded, three_decimals};
use mammoscope_domain::metrics::bootstrap::{Bootstrap, Interval};
use mammoscope_domain::metrics::evaluation_document::ComparedSet;

/// Differences below this are rounding errors.
const ROUNDING: f64 = 1e-12;

/// One block per set: the metrics of both sides, their difference and its interval.
#[must_use]
pub fn comparison_text(sets: &[ComparedSet], against: &str, bootstrap: Bootstrap) -> String {
    let mut text = format!("Compared with {against}\n");
    for ComparedSet { name, comparison } in sets {
        let _ = writeln!(text, "\n{name}: {} cases in common", comparison.n);
        let (here, there) = (comparison.only_here, comparison.only_there);
        if here + there > 0 {
            let _ = writeln!(text, "left out: {here} found only in these, {there} only in the others");
        }
        let _ = writeln!(
            text,
            "\n  {:<24}{:>7}{:>7}{:>12}{:>18}",
            "metric", "these", "others", "difference", "95 % interval"
        );
        for row in &FIGURES {
            let interval = (row.interval)(&comparison.intervals);
            let marked = interval.is_some_and(|interval| interval.low > ROUNDING || interval.high < -ROUNDING);
            let number = if marked { not_zero } else { rounded };
            let _ = writeln!(
                text,
                "  {:<24}{:>7}{:>7}{:>12}{:>18}{}",
                row.title,
                three_decimals((row.value)(&comparison.here)),
                three_decimals((row.value)(&comparison.there)),
                (row.value)(&comparison.difference).map_or_else(|| three_decimals(None), number),
                interval.map_or_else(
                    || interval_text(None),
                    |Interval { low, high, .. }| { format!("[{}, {}]", number(low), number(high)) }
                ),
                if marked { " *" } else { "" }
            );
        }
    }
    let _ = writeln!(
        text,
        "\n* The interval leaves out 0. Paired over subjects, {} resamples, seed {};\n  \
         not corrected for multiple comparisons over metrics and sets.",
        bootstrap.resamples, bootstrap.seed
    );
    let lacks_interval = |ComparedSet { comparison, .. }: &ComparedSet| {
        let (differences, intervals) = (&comparison.difference, &comparison.intervals);
        FIGURES.iter().any(|row| (row.value)(differences).is_some() && (row.interval)(intervals).is_none())
    };
    if sets.iter().any(lacks_interval) {
        text.push_str(NO_INTERVAL);
    }
    text
}

/// Formats a non-zero number to three decimals, or as many more as it takes to show that it is not zero.
fn not_zero(value: f64) -> String {
    let shows = |text: &String| text.contains(|digit: char| ('1'..='9').contains(&digit));
    let with_decimals = (3..=5).map(|decimals| format!("{value:.decimals$}")).find(shows);
    with_decimals.unwrap_or_else(|| format!("{value:.0e}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_starred_bound_does_not_read_as_zero() {
        assert_eq!(not_zero(0.25), "0.250");
        assert_eq!(not_zero(-0.012), "-0.012");
        assert_eq!(not_zero(0.000_41), "0.0004");
        assert_eq!(not_zero(-0.000_012), "-0.00001");
        assert_eq!(not_zero(3e-9), "3e-9");
    }
}
