//! An evaluation as tables, to be pasted into a report.

use mammoscope_domain::metrics::agreement::{INTER_READER, INTRA_READER, NETWORK_AND_CONSENSUS, NETWORK_AND_READER};
use mammoscope_domain::metrics::bootstrap::{Bootstrap, Interval};
use mammoscope_domain::metrics::evaluation::Evaluation;
use mammoscope_domain::metrics::evaluation_document::EvaluatedSet;
use mammoscope_domain::metrics::evaluation_set::{EvaluationSet, SetName};
use mammoscope_domain::metrics::figures_of_merit::FiguresOfMerit;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::fusion::Fusion;
use mammoscope_domain::text::counted::counted;

use super::set_tables::{published_numbers, set_blocks};
use super::table::{Block, Column, Indent, Table};

/// One row of a set's table: the metric's title and name, and its accessors in the values and in the intervals.
pub(super) struct FigureRow {
    pub(super) title: &'static str,
    /// The name in `evaluation.json`.
    pub(super) name: &'static str,
    pub(super) value: fn(&FiguresOfMerit<Option<f64>>) -> Option<f64>,
    pub(super) interval: fn(&FiguresOfMerit<Option<Interval>>) -> Option<Interval>,
}

macro_rules! figure_rows {
    ($($title:literal $figure:ident,)*) => {
        [$(FigureRow {
            title: $title,
            name: stringify!($figure),
            value: |figures| figures.$figure,
            interval: |figures| figures.$figure,
        }),*]
    };
}

/// The metrics of a set, in the order in which they are printed.
pub(super) const FIGURES: [FigureRow; 17] = figure_rows![
    "accuracy" accuracy,
    "within one class" adjacent_accuracy,
    "macro recall" macro_recall,
    "macro precision" macro_precision,
    "macro F1" macro_f1,
    "weighted F1" weighted_f1,
    "unweighted kappa" kappa_unweighted,
    "linear kappa" kappa_linear,
    "quadratic kappa" kappa_quadratic,
    "AUC one-vs-rest" auc_macro_ovr,
    "AUC dense/non-dense" auc_dense_sum,
    "accuracy dense/non-dense" dense_accuracy,
    "accuracy dense by sum" dense_accuracy_by_sum,
    "ECE, 15 bins" ece15,
    "MCE, 15 bins" mce15,
    "Brier score, 0 to 2" brier_multiclass,
    "log loss, nats" log_loss,
];

/// The explanation of a dash in place of an interval.
pub(super) const NO_INTERVAL: &str = "–: no interval; the resamples agree, or the metric is undefined in most of them.";

/// The sets that get tables of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    EverySet,
    /// The last set, which fuses the most views.
    LastSet,
}

impl Detail {
    /// The sets in detail.
    pub(super) fn of<T>(self, sets: &[T]) -> &[T] {
        match self {
            Self::EverySet => sets,
            Self::LastSet => &sets[sets.len().saturating_sub(1)..],
        }
    }
}

/// The whole evaluation: the tables of each set, an overview if there are several sets, and the notes.
#[must_use]
pub fn evaluation_blocks(sets: &[EvaluatedSet], detail: Detail, fusion: Fusion, bootstrap: Bootstrap) -> Vec<Block> {
    let mut blocks = Vec::new();
    for EvaluatedSet { set, evaluation, .. } in detail.of(sets) {
        blocks.extend(set_blocks(set, evaluation, fused(set.name, fusion), bootstrap));
        blocks.push(Block::Gap);
    }
    if sets.len() > 1 {
        // The overview comes last, where it stays on the screen.
        blocks.extend([Block::Table(overview(sets)), Block::Gap]);
    }
    let mut notes = absent_classes(sets);
    notes.extend(general_notes(bootstrap));
    if sets.iter().any(|set| lacks_interval(&set.evaluation)) {
        notes.push(NO_INTERVAL.to_owned());
    }
    blocks.extend([Block::Notes { indent: 0, notes }, published_numbers()]);
    blocks
}

/// True if a metric with a value lacks its interval.
fn lacks_interval(evaluation: &Evaluation) -> bool {
    let intervals = &evaluation.intervals;
    FIGURES.iter().any(|row| (row.value)(&evaluation.figures).is_some() && (row.interval)(&intervals.figures).is_none())
        || DensityClass::ALL.into_iter().any(|class| {
            let of_class = intervals.per_class.of(class);
            let is_present = evaluation.confusion_matrix.support(class) > 0;
            is_present && [of_class.precision, of_class.recall, of_class.f1].contains(&None)
        })
}

/// Notes naming the classes that occur, if not all four do; macro means are over four classes regardless.
fn absent_classes(sets: &[EvaluatedSet]) -> Vec<String> {
    let mut by_classes: Vec<(String, Vec<&str>)> = Vec::new();
    for EvaluatedSet { set, evaluation, .. } in sets {
        let present = DensityClass::ALL.into_iter().filter(|&class| evaluation.confusion_matrix.support(class) > 0);
        let present: Vec<_> = present.map(DensityClass::letter).collect();
        if present.len() == DensityClass::COUNT {
            continue;
        }
        let classes = present.join(", ");
        match by_classes.iter_mut().find(|(others, _)| *others == classes) {
            Some((_, names)) => names.push(set.name.name()),
            None => by_classes.push((classes, vec![set.name.name()])),
        }
    }
    let note = |(classes, names): (String, Vec<&str>)| {
        let verb = if classes.len() == 1 { "occurs" } else { "occur" };
        format!("Macro means are over 4 classes although only {classes} {verb} in\n  {}.", names.join(", "))
    };
    by_classes.into_iter().map(note).collect()
}

/// One line per set with the metrics that are quoted most.
pub(super) fn overview(sets: &[EvaluatedSet]) -> Table {
    let rows = sets.iter().map(|EvaluatedSet { set, evaluation, .. }| {
        let figures = &evaluation.figures;
        let numbers = [
            figures.accuracy,
            figures.macro_recall,
            figures.macro_precision,
            figures.macro_f1,
            figures.kappa_linear,
            figures.kappa_quadratic,
            figures.auc_macro_ovr,
            figures.ece15,
        ];
        let start = [set.name.to_string().into(), evaluation.n.to_string().into()];
        start.into_iter().chain(numbers.map(|number| three_decimals(number).into())).collect()
    });
    let columns = [
        ("n", 6),
        ("accuracy", 9),
        ("recall", 8),
        ("prec.", 7),
        ("F1", 7),
        ("lin. κ", 8),
        ("quad. κ", 9),
        ("AUC", 7),
        ("ECE", 7),
    ];
    let columns = columns.map(|(title, width)| Column::right(title, width));
    Table {
        set: None,
        topic: "overview".to_owned(),
        caption: "Overview of all sets".to_owned(),
        indent: Indent::all(0),
        spanner: None,
        columns: [Column::left("set", 11)].into_iter().chain(columns).collect(),
        rows: rows.collect(),
    }
}

/// The fusion of a set's cases, as in `mean of CC_R, MLO_R`; `None` for a set of single images.
pub(super) fn fused(set: SetName, fusion: Fusion) -> Option<String> {
    let how = match fusion {
        Fusion::Mean => "mean",
        Fusion::Max => "maximum",
        Fusion::DenserSide => "denser side",
        Fusion::Weighted(_) => "weighted mean",
    };
    let views: Vec<_> = set.fused_views().iter().map(|view| view.name()).collect();
    (!views.is_empty()).then(|| format!("{how} of {}", views.join(", ")))
}

/// The title of a set's picture: `right: mean of CC_R, MLO_R`.
#[must_use]
pub fn title(set: SetName, fusion: Fusion) -> String {
    fused(set, fusion).map_or_else(|| set.to_string(), |fused| format!("{set}: {fused}"))
}

/// The number of cases with their unit: `128 images`, `64 breasts`.
pub(super) fn cases(set: &EvaluationSet) -> String {
    let unit = match set.name {
        SetName::View(_) | SetName::Unspecified => "image",
        SetName::Side(_) => "breast",
        SetName::Total => "examination",
    };
    counted(set.cases.len(), unit)
}

/// The number of cases, and of those that lack views: `128 images`, `64 breasts, 3 lack views`.
#[must_use]
pub fn cases_and_missing(set: &EvaluationSet) -> String {
    let cases = cases(set);
    match set.missing_views.as_ref().map_or(0, |missing| missing.cases) {
        0 => cases,
        1 => format!("{cases}, 1 lacks views"),
        lacking => format!("{cases}, {lacking} lack views"),
    }
}

pub(super) fn general_notes(bootstrap: Bootstrap) -> Vec<String> {
    let [low, high] = INTRA_READER.range.expect("the range of readers is published");
    vec![
        format!(
            "Intervals: percentiles of {} bootstrap resamples of subjects, seed {}.",
            bootstrap.resamples, bootstrap.seed
        ),
        "Overview: recall, precision, F1 and AUC are unweighted means over A to D.".to_owned(),
        "AUC below a class: that class against the rest; the JSON has its interval.".to_owned(),
        "Dense: C or D; by sum: P(C) + P(D) > P(A) + P(B).".to_owned(),
        "ECE and MCE are biased upwards, more so in resamples than in the whole set.".to_owned(),
        format!(
            "[1] {}, mean (range); {} {:.2} ({low:.2}–{high:.2}).\n    {}.",
            INTER_READER.between, INTRA_READER.between, INTRA_READER.kappa, INTER_READER.source,
        ),
        format!(
            "[2] {}; {}.\n    {}.",
            NETWORK_AND_READER.between, NETWORK_AND_CONSENSUS.between, NETWORK_AND_READER.source,
        ),
    ]
}

/// Formats a metric to three decimals; an undefined one is a dash.
pub(super) fn three_decimals(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), rounded)
}

pub(super) fn interval_text(interval: Option<Interval>) -> String {
    interval
        .map_or_else(|| "–".to_owned(), |Interval { low, high, .. }| format!("[{}, {}]", rounded(low), rounded(high)))
}

/// Formats to three decimals, without a sign on zero.
pub(super) fn rounded(value: f64) -> String {
    let text = format!("{value:.3}");
    if text == "-0.000" { "0.000".to_owned() } else { text }
}
