//! The numbers of a report as one long table in CSV.

use mammoscope_domain::subject::density::DensityClass;

use super::{Block, Number};
use crate::report::csv_text::csv_text;

const COLUMNS: [&str; 11] =
    ["set", "quantity", "figure", "class", "predicted", "bin", "value", "lower", "upper", "n", "source"];

/// A line for each number; whatever does not apply, and undefined values, are empty.
pub(super) fn text(blocks: &[Block]) -> String {
    let numbers = blocks.iter().flat_map(|block| match block {
        Block::Table(table) => table.rows.iter().flatten().filter_map(|cell| cell.number.as_ref()).collect(),
        Block::Numbers(numbers) => numbers.iter().collect(),
        Block::Heading { .. } | Block::Notes { .. } | Block::Line(_) | Block::Gap => Vec::new(),
    });
    csv_text(COLUMNS, numbers.map(fields))
}

fn fields(number: &Number) -> [String; 11] {
    let Number { set, quantity, figure, class, predicted, bin, value, ends, n, source } = number;
    let number = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
    let letter = |class: &Option<DensityClass>| class.map(|class| class.to_string()).unwrap_or_default();
    [
        set.map(|set| set.to_string()).unwrap_or_default(),
        quantity.name().to_owned(),
        (*figure).to_owned(),
        letter(class),
        letter(predicted),
        bin.map(|bin| bin.to_string()).unwrap_or_default(),
        number(*value),
        number(ends.map(|[lower, _]| lower)),
        number(ends.map(|[_, upper]| upper)),
        n.map(|n| n.to_string()).unwrap_or_default(),
        source.clone(),
    ]
}
