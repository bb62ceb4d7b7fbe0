//! Two networks side by side.

use super::table::{Block, Cell, Column, Indent, Number, Quantity, Table};
use super::tables::{FIGURES, NO_INTERVAL, interval_text, rounded, three_decimals};
use mammoscope_domain::metrics::bootstrap::{Bootstrap, Interval};
use mammoscope_domain::metrics::evaluation_document::ComparedSet;

/// Differences below this are rounding errors.
const ROUNDING: f64 = 1e-12;

/// A table per set: the metrics of both sides, their difference and its interval.
#[must_use]
pub fn comparison_blocks(sets: &[ComparedSet], against: &str, bootstrap: Bootstrap) -> Vec<Block> {
    let mut blocks = vec![Block::Gap, Block::Line(format!("Compared with {against}"))];
    for compared @ ComparedSet { name, comparison } in sets {
        blocks.extend([Block::Gap, Block::Line(format!("{name}: {} cases in common", comparison.n))]);
        let (here, there) = (comparison.only_here, comparison.only_there);
        if here + there > 0 {
            blocks.push(Block::note(format!("left out: {here} found only in these, {there} only in the others")));
        }
        blocks.extend([Block::Gap, Block::Table(table(compared, against))]);
    }
    let mut notes = vec![format!(
        "* The interval leaves out 0. Paired over subjects, {} resamples, seed {};\n  \
         not corrected for multiple comparisons over metrics and sets.",
        bootstrap.resamples, bootstrap.seed
    )];
    let lacks_interval = |ComparedSet { comparison, .. }: &ComparedSet| {
        let (differences, intervals) = (&comparison.difference, &comparison.intervals);
        FIGURES.iter().any(|row| (row.value)(differences).is_some() && (row.interval)(intervals).is_none())
    };
    if sets.iter().any(lacks_interval) {
        notes.push(NO_INTERVAL.to_owned());
    }
    blocks.extend([Block::Gap, Block::Notes { indent: 0, notes }]);
    blocks
}

fn table(ComparedSet { name, comparison }: &ComparedSet, against: &str) -> Table {
    let rows = FIGURES.iter().map(|row| {
        let interval = (row.interval)(&comparison.intervals);
        let marked = interval.is_some_and(|interval| interval.low > ROUNDING || interval.high < -ROUNDING);
        let shown = if marked { not_zero } else { rounded };
        let number = |quantity, value| {
            let source = if quantity == Quantity::CommonNetwork { String::new() } else { against.to_owned() };
            Number { quantity, figure: row.name, value, source, ..Number::of(*name, comparison.n as u64) }
        };
        let [here, there, difference] =
            [&comparison.here, &comparison.there, &comparison.difference].map(|figures| (row.value)(figures));
        vec![
            row.title.into(),
            Cell::of(three_decimals(here), number(Quantity::CommonNetwork, here)),
            Cell::of(three_decimals(there), number(Quantity::CommonOther, there)),
            Cell::of(
                difference.map_or_else(|| three_decimals(None), shown),
                number(Quantity::CommonDifference, difference).with_interval(interval),
            ),
            interval
                .map_or_else(
                    || interval_text(None),
                    |Interval { low, high, .. }| format!("[{}, {}]", shown(low), shown(high)),
                )
                .into(),
            if marked { "*" } else { "" }.into(),
        ]
    });
    Table {
        set: Some(*name),
        topic: "comparison".to_owned(),
        caption: format!("{name}: compared with {against}, {} cases in common", comparison.n),
        indent: Indent::all(2),
        spanner: None,
        columns: vec![
            Column::left("metric", 24),
            Column::right("these", 7),
            Column::right("others", 7),
            Column::right("difference", 12),
            Column::right("95 % interval", 18),
            Column::remark("", 1),
        ],
        rows: rows.collect(),
    }
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
