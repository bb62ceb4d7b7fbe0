//! The spread of metrics over the folds of a cross-validation.

use super::table::{Block, Cell, Column, Indent, Number, Quantity, Table};
use super::tables::{Detail, FIGURES, FigureRow, three_decimals};
use mammoscope_domain::metrics::evaluation_document::EvaluatedSet;
use mammoscope_domain::metrics::fold_pool::{FoldPool, FoldSpread};

/// The metrics that are listed, by their titles.
const LISTED: [&str; 8] = [
    "accuracy",
    "macro recall",
    "macro precision",
    "macro F1",
    "linear kappa",
    "quadratic kappa",
    "AUC one-vs-rest",
    "ECE, 15 bins",
];

/// The pooled metrics of every set beside their mean, deviation and range over the folds.
#[must_use]
pub fn fold_spread_blocks(pool: &FoldPool, sets: &[EvaluatedSet], detail: Detail) -> Vec<Block> {
    let title = format!("Pool of the held-out images, and spread over the folds of {}", pool.file);
    let mut blocks = vec![Block::Gap, Block::Line(title)];
    let mut has_undefined = false;
    for evaluated in detail.of(sets) {
        let Some(spread) = pool.sets.iter().find(|spread| spread.name == evaluated.set.name) else { continue };
        let is_undefined = |row: &FigureRow| spread.by_fold.iter().any(|fold| (row.value)(&fold.figures).is_none());
        has_undefined |= listed().any(is_undefined);
        blocks.push(Block::Table(table(pool, evaluated, spread, &is_undefined)));
    }
    blocks.push(Block::note(
        "The intervals above are those of the pool. Folds share most of their training\n\
         images, so their deviation is not a standard error. AUC and ECE of the pool mix\n\
         the networks of all folds.",
    ));
    if has_undefined {
        blocks.push(Block::note("*: over the folds in which the metric is defined."));
    }
    blocks
}

fn listed() -> impl Iterator<Item = &'static FigureRow> {
    FIGURES.iter().filter(|row| LISTED.contains(&row.title))
}

fn table(
    pool: &FoldPool,
    EvaluatedSet { set, evaluation, .. }: &EvaluatedSet,
    spread: &FoldSpread,
    is_undefined: &dyn Fn(&FigureRow) -> bool,
) -> Table {
    let folds = spread.by_fold.len();
    let name = format!("{}, {folds} of {} folds", set.name, pool.folds.len());
    let rows = listed().map(|row| {
        let statistics = [
            (Quantity::FoldMean, &spread.mean),
            (Quantity::FoldSd, &spread.sd),
            (Quantity::FoldMin, &spread.min),
            (Quantity::FoldMax, &spread.max),
        ];
        let defined = spread.by_fold.iter().filter(|fold| (row.value)(&fold.figures).is_some()).count();
        let over_folds = statistics.map(|(quantity, figures)| {
            let (value, source) = ((row.value)(figures), pool.file.clone());
            let number = Number { quantity, figure: row.name, value, source, ..Number::of(set.name, defined as u64) };
            Cell::of(three_decimals(value), number)
        });
        let start = [row.title.into(), three_decimals((row.value)(&evaluation.figures)).into()];
        let mark = if is_undefined(row) { "*" } else { "" };
        start.into_iter().chain(over_folds).chain([mark.into()]).collect()
    });
    Table {
        set: Some(set.name),
        topic: "folds".to_owned(),
        caption: format!(
            "{}: pool, and spread over {folds} of the {} folds of {}",
            set.name,
            pool.folds.len(),
            pool.file
        ),
        indent: Indent { titles: 0, rows: 2 },
        spanner: None,
        columns: vec![
            Column::left(name, 26),
            Column::right("pooled", 8),
            Column::right("mean", 8),
            Column::right("sd", 8),
            Column::right("lowest", 9),
            Column::right("highest", 9),
            Column::remark("", 1),
        ],
        rows: rows.collect(),
    }
}
