//! An evaluation as plain text for 80 columns, to be pasted into a report.

use std::fmt::Write as _;

use mammoscope_domain::metrics::agreement::{INTER_READER, INTRA_READER, NETWORK_AND_CONSENSUS, NETWORK_AND_READER};
use mammoscope_domain::metrics::bootstrap::{Bootstrap, Interval};
use mammoscope_domain::metrics::evaluation::Evaluation;
use mammoscope_domain::metrics::evaluation_document::EvaluatedSet;
use mammoscope_domain::metrics::evaluation_set::{EvaluationSet, SetName};
use mammoscope_domain::metrics::figures_of_merit::FiguresOfMerit;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::fusion::Fusion;
use mammoscope_domain::text::counted::counted;

/// One row of a set's table: the metric's title, and its accessors in the values and in the intervals.
pub(super) struct FigureRow {
    pub(super) title: &'static str,
    pub(super) value: fn(&FiguresOfMerit<Option<f64>>) -> Option<f64>,
    pub(super) interval: fn(&FiguresOfMerit<Option<Interval>>) -> Option<Interval>,
}

macro_rules! figure_rows {
    ($($title:literal $figure:ident,)*) => {
        [$(FigureRow { title: $title, value: |figures| figures.$figure, interval: |figures| figures.$figure }),*]
    };
}

const UNWEIGHTED_KAPPA: &str = "unweighted kappa";
const LINEAR_KAPPA: &str = "linear kappa";

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
pub(super) const NO_INTERVAL: &str =
    "–: no interval; the resamples agree, or the metric is undefined in most of them.\n";

/// The sets that get a block of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    EverySet,
    /// The last set, which fuses the most views.
    LastSet,
}

/// The whole text: a block per set, an overview if there are several sets, and the notes.
#[must_use]
pub fn evaluation_text(sets: &[EvaluatedSet], detail: Detail, fusion: Fusion, bootstrap: Bootstrap) -> String {
    let mut text = String::new();
    let left_out = match detail {
        Detail::EverySet => 0,
        Detail::LastSet => sets.len().saturating_sub(1),
    };
    for EvaluatedSet { set, evaluation, .. } in &sets[left_out..] {
        text.push_str(&set_text(set, evaluation, fusion, bootstrap));
        text.push('\n');
    }
    if sets.len() > 1 {
        // The overview comes last, where it stays on the screen.
        text.push_str(&overview(sets));
        text.push('\n');
    }
    text.push_str(&absent_classes(sets));
    text.push_str(&notes(bootstrap));
    if sets.iter().any(|set| lacks_interval(&set.evaluation)) {
        text.push_str(NO_INTERVAL);
    }
    text
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
fn absent_classes(sets: &[EvaluatedSet]) -> String {
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
    let mut text = String::new();
    for (classes, names) in by_classes {
        let verb = if classes.len() == 1 { "occurs" } else { "occur" };
        let _ = writeln!(text, "Macro means are over 4 classes although only {classes} {verb} in");
        let _ = writeln!(text, "  {}.", names.join(", "));
    }
    text
}

/// One line per set with the metrics that are quoted most.
fn overview(sets: &[EvaluatedSet]) -> String {
    let mut text = format!(
        "{:<11}{:>6}{:>9}{:>8}{:>7}{:>7}{:>8}{:>9}{:>7}{:>7}\n",
        "set", "n", "accuracy", "recall", "prec.", "F1", "lin. κ", "quad. κ", "AUC", "ECE"
    );
    for EvaluatedSet { set, evaluation, .. } in sets {
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
        let _ = write!(text, "{:<11}{:>6}", set.name, evaluation.n);
        for (number, width) in numbers.into_iter().zip([9, 8, 7, 7, 8, 9, 7, 7]) {
            let _ = write!(text, "{:>width$}", three_decimals(number));
        }
        text.push('\n');
    }
    text
}

fn set_text(set: &EvaluationSet, evaluation: &Evaluation, fusion: Fusion, bootstrap: Bootstrap) -> String {
    let mut text = heading(set, fusion);
    let _ = writeln!(text, "\n  {:<24}{:>7}{:>17}", "metric", "value", "95 % interval");
    for row in &FIGURES {
        let value = three_decimals((row.value)(&evaluation.figures));
        let interval = interval_text((row.interval)(&evaluation.intervals.figures));
        let line = format!("  {:<24}{value:>7}{interval:>17}{}", row.title, published(row.title));
        let _ = writeln!(text, "{line}");
    }
    text.push('\n');
    text.push_str(&confusion_matrix(evaluation));
    text.push('\n');
    text.push_str(&per_class(evaluation));
    for (place, remark) in remarks(set, evaluation, bootstrap).into_iter().enumerate() {
        let blank_line = if place == 0 { "\n" } else { "" };
        let _ = writeln!(text, "{blank_line}  {remark}");
    }
    text
}

/// The fusion of a set's cases, as in `mean of CC_R, MLO_R`; `None` for a set of single images.
fn fused(set: SetName, fusion: Fusion) -> Option<String> {
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
fn cases(set: &EvaluationSet) -> String {
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

fn heading(set: &EvaluationSet, fusion: Fusion) -> String {
    let cases = cases(set);
    let title = format!("{}: {cases} of {}", set.name, counted(set.subjects(), "subject"));
    let fused = fused(set.name, fusion).map_or_else(String::new, |fused| format!("{fused}\n"));
    format!("{title}\n{}\n{fused}", "─".repeat(title.chars().count()))
}

/// The published kappas of human readers and networks, printed beside the kappa they can be compared with.
fn published(title: &str) -> String {
    match title {
        UNWEIGHTED_KAPPA => {
            let [low, high] = INTER_READER.range.expect("the range of pairs is published");
            format!("  readers {:.2} ({low:.2}–{high:.2}) [1]", INTER_READER.kappa)
        }
        LINEAR_KAPPA => {
            format!("  networks {:.2}, {:.2} [2]", NETWORK_AND_READER.kappa, NETWORK_AND_CONSENSUS.kappa)
        }
        _ => String::new(),
    }
}

fn confusion_matrix(evaluation: &Evaluation) -> String {
    let mut text = format!("  {:<16}{:>22}\n  {:<8}", "", "predicted", "true");
    for class in DensityClass::ALL {
        let _ = write!(text, "{class:>8}");
    }
    let _ = writeln!(text, "{:>9}", "recall");
    let matrix = &evaluation.confusion_matrix;
    for truth in DensityClass::ALL {
        let _ = write!(text, "  {truth:<8}");
        for predicted in DensityClass::ALL {
            let _ = write!(text, "{:>8}", matrix.count(truth, predicted));
        }
        let _ = writeln!(text, "{:>9}", three_decimals(shown(evaluation, truth).recall));
    }
    let _ = write!(text, "  {:<10}", "precision");
    for (place, class) in DensityClass::ALL.into_iter().enumerate() {
        let width = if place == 0 { 6 } else { 8 };
        let _ = write!(text, "{:>width$}", three_decimals(shown(evaluation, class).precision));
    }
    let _ = write!(text, "\n  {:<8}", "AUC");
    for area in evaluation.figures.auc_per_class_ovr {
        let _ = write!(text, "{:>8}", three_decimals(area));
    }
    text.push('\n');
    text
}

/// A class's metrics as printed: 0/0, which scikit-learn defines as 0, is shown as undefined.
struct ShownFigures {
    precision: Option<f64>,
    recall: Option<f64>,
    f1: Option<f64>,
}

fn shown(evaluation: &Evaluation, class: DensityClass) -> ShownFigures {
    let (figures, matrix) = (evaluation.per_class.of(class), &evaluation.confusion_matrix);
    let is_present = figures.support > 0;
    ShownFigures {
        precision: (matrix.predictions_of(class) > 0).then_some(figures.precision),
        recall: is_present.then_some(figures.recall),
        f1: is_present.then_some(figures.f1),
    }
}

fn per_class(evaluation: &Evaluation) -> String {
    let mut text = format!("  {:<6}{:<23}{:<23}{:<21}{:>5}\n", "class", "precision", "recall", "F1", "n");
    for class in DensityClass::ALL {
        let (figures, intervals) = (shown(evaluation, class), evaluation.intervals.per_class.of(class));
        let with_interval = |value: Option<f64>, interval| match value {
            Some(value) => format!("{} {}", rounded(value), interval_text(interval)),
            None => three_decimals(None),
        };
        let _ = writeln!(
            text,
            "  {class:<6}{:<23}{:<23}{:<21}{:>5}",
            with_interval(figures.precision, intervals.precision),
            with_interval(figures.recall, intervals.recall),
            with_interval(figures.f1, intervals.f1),
            evaluation.confusion_matrix.support(class)
        );
    }
    text
}

/// Remarks needed to read this set's metrics correctly.
fn remarks(set: &EvaluationSet, evaluation: &Evaluation, bootstrap: Bootstrap) -> Vec<String> {
    let mut remarks = Vec::new();
    if let Some(missing) = set.missing_views.as_ref().filter(|missing| missing.cases > 0) {
        let views: Vec<_> = missing.by_view.iter().map(|(view, cases)| format!("{view} {cases}")).collect();
        let of = evaluation.n;
        remarks.push(format!("{} of {of} lack views and are fused from the rest:", missing.cases));
        remarks.push(format!("  missing: {}", views.join(", ")));
    }
    let absent: Vec<_> =
        DensityClass::ALL.iter().filter(|class| evaluation.per_class.of(**class).support == 0).collect();
    if !absent.is_empty() {
        let absent: Vec<_> = absent.iter().map(|class| class.letter()).collect();
        remarks.push(format!("no cases of true class {}: counted as 0 in the macro means", absent.join(", ")));
    }
    let unpredicted =
        DensityClass::ALL.into_iter().filter(|&class| evaluation.confusion_matrix.predictions_of(class) == 0);
    let unpredicted: Vec<_> = unpredicted.map(DensityClass::letter).collect();
    if !unpredicted.is_empty() {
        remarks.push(format!("never predicted: {}; counted as 0 in the macro precision", unpredicted.join(", ")));
    }
    let figures = evaluation.intervals.figures.to_array().into_iter().flatten();
    let left_out = figures.map(|interval| interval.undefined_resamples).max().unwrap_or(0);
    if left_out > 0 {
        let resamples = bootstrap.resamples;
        remarks
            .push(format!("up to {left_out} of {resamples} resamples left out because a metric is undefined in them"));
    }
    remarks
}

fn notes(bootstrap: Bootstrap) -> String {
    let [low, high] = INTRA_READER.range.expect("the range of readers is published");
    format!(
        "Intervals: percentiles of {} bootstrap resamples of subjects, seed {}.\n\
         Overview: recall, precision, F1 and AUC are unweighted means over A to D.\n\
         AUC below a class: that class against the rest; the JSON has its interval.\n\
         Dense: C or D; by sum: P(C) + P(D) > P(A) + P(B).\n\
         ECE and MCE are biased upwards, more so in resamples than in the whole set.\n\
         [1] {}, mean (range); {} {:.2} ({low:.2}–{high:.2}).\n    {}.\n\
         [2] {}; {}.\n    {}.\n",
        bootstrap.resamples,
        bootstrap.seed,
        INTER_READER.between,
        INTRA_READER.between,
        INTRA_READER.kappa,
        INTER_READER.source,
        NETWORK_AND_READER.between,
        NETWORK_AND_CONSENSUS.between,
        NETWORK_AND_READER.source,
    )
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
