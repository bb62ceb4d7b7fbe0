//! The spread of metrics over the folds of a cross-validation, as plain text for 80 columns.

use std::fmt::Write as _;

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
pub fn fold_spread_text(pool: &FoldPool, sets: &[EvaluatedSet], detail: Detail) -> String {
    let mut text = format!("\nPool of the held-out images, and spread over the folds of {}\n", pool.file);
    let left_out = match detail {
        Detail::EverySet => 0,
        Detail::LastSet => sets.len().saturating_sub(1),
    };
    let mut has_undefined = false;
    for EvaluatedSet { set, evaluation, .. } in &sets[left_out..] {
        let Some(spread) = pool.sets.iter().find(|spread| spread.name == set.name) else { continue };
        let folds = spread.by_fold.len();
        let name = format!("{}, {folds} of {} folds", set.name, pool.folds.len());
        let _ = writeln!(text, "{name:<26}{:>8}{:>8}{:>8}{:>9}{:>9}", "pooled", "mean", "sd", "lowest", "highest");
        for row in FIGURES.iter().filter(|row| LISTED.contains(&row.title)) {
            let FigureRow { title, value, .. } = row;
            let is_undefined = spread.by_fold.iter().any(|fold| value(&fold.figures).is_none());
            has_undefined |= is_undefined;
            let mark = if is_undefined { " *" } else { "" };
            let pooled = three_decimals(value(&evaluation.figures));
            let [mean, sd, min, max] = over_folds(spread, *value);
            let _ = writeln!(text, "  {title:<24}{pooled:>8}{mean:>8}{sd:>8}{min:>9}{max:>9}{mark}");
        }
    }
    text.push_str(
        "The intervals above are those of the pool. Folds share most of their training\n\
         images, so their deviation is not a standard error. AUC and ECE of the pool mix\n\
         the networks of all folds.\n",
    );
    if has_undefined {
        text.push_str("*: over the folds in which the metric is defined.\n");
    }
    text
}

fn over_folds(
    spread: &FoldSpread,
    value: fn(&mammoscope_domain::metrics::figures_of_merit::FiguresOfMerit<Option<f64>>) -> Option<f64>,
) -> [String; 4] {
    [&spread.mean, &spread.sd, &spread.min, &spread.max].map(|figures| three_decimals(value(figures)))
}
