//! The one-feature baseline beside the network.

use super::table::{Block, Cell, Column, Indent, Number, Quantity, Table};
use super::tables::{interval_text, three_decimals};
use mammoscope_domain::metrics::evaluation_document::EvaluatedSet;

const TITLE: &str = "One-feature baseline: deviation of grey within the breast";

/// One line per set with the baseline's metrics and the network's lead over it; empty without a baseline.
#[must_use]
pub fn baseline_blocks(sets: &[EvaluatedSet]) -> Vec<Block> {
    let tables: Vec<_> = sets.iter().filter_map(|set| Some((set, set.baseline.as_ref()?))).collect();
    if tables.is_empty() {
        return Vec::new();
    }
    let rows = tables.into_iter().map(|(EvaluatedSet { set, .. }, baseline)| {
        let cell = |quantity, figure, value, interval| {
            let number = Number { quantity, figure, value, ..Number::of(set.name, baseline.n as u64) };
            Cell::of(three_decimals(value), number.with_interval(interval))
        };
        let interval = baseline.kappa_linear_difference_interval;
        vec![
            set.name.name().into(),
            baseline.n.to_string().into(),
            cell(Quantity::Baseline, "accuracy", baseline.accuracy, None),
            cell(Quantity::Baseline, "macro_recall", baseline.macro_recall, None),
            cell(Quantity::Baseline, "kappa_linear", baseline.kappa_linear, None),
            cell(Quantity::Baseline, "kappa_quadratic", baseline.kappa_quadratic, None),
            cell(Quantity::BaselineDifference, "kappa_linear", baseline.kappa_linear_difference, interval),
            interval_text(interval).into(),
        ]
    });
    let table = Table {
        set: None,
        topic: "baseline".to_owned(),
        caption: TITLE.to_owned(),
        indent: Indent::all(0),
        spanner: None,
        rows: rows.collect(),
        columns: vec![
            Column::left("set", 11),
            Column::right("n", 6),
            Column::right("accuracy", 9),
            Column::right("recall", 8),
            Column::right("lin. κ", 8),
            Column::right("quad. κ", 9),
            Column::right("network ahead, lin. κ", 9).with_plain_title("   network ahead, lin. κ"),
            Column::right("95 % interval", 17).with_plain_title(""),
        ],
    };
    vec![
        Block::Gap,
        Block::Line(TITLE.to_owned()),
        Block::Table(table),
        Block::note("A network is expected to be ahead of it."),
    ]
}
