//! The tables of one set of an evaluation.

use super::table::{Block, Cell, Column, Indent, Number, Quantity, Spanner, Table};
use super::tables::{FIGURES, cases, interval_text, rounded, three_decimals};
use mammoscope_domain::metrics::agreement::{
    INTER_READER, NETWORK_AND_CONSENSUS, NETWORK_AND_READER, PUBLISHED_AGREEMENT, PublishedAgreement,
};
use mammoscope_domain::metrics::bootstrap::{Bootstrap, Interval};
use mammoscope_domain::metrics::evaluation::Evaluation;
use mammoscope_domain::metrics::evaluation_set::EvaluationSet;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::text::counted::counted;

/// The figures with which published kappas are compared.
const UNWEIGHTED_KAPPA: &str = "kappa_unweighted";
const LINEAR_KAPPA: &str = "kappa_linear";

/// The heading of a set, its tables, and the remarks needed to read them correctly.
pub(super) fn set_blocks(
    set: &EvaluationSet,
    evaluation: &Evaluation,
    fused: Option<String>,
    bootstrap: Bootstrap,
) -> Vec<Block> {
    let title = format!("{}: {} of {}", set.name, cases(set), counted(set.subjects(), "subject"));
    let of = fused.as_ref().map_or_else(|| cases(set), |fused| format!("{fused}, {}", cases(set)));
    let captions = [
        format!("{}: metrics ({of})", set.name),
        format!("{}: confusion matrix ({of})", set.name),
        format!("{}: metrics of each class with 95 % intervals ({of})", set.name),
    ];
    let [metrics_caption, matrix_caption, classes_caption] = captions;
    let mut blocks = vec![
        Block::Heading { title, below: fused },
        Block::Gap,
        Block::Table(metrics(set, evaluation, metrics_caption)),
        Block::Gap,
        Block::Table(confusion_matrix(set, evaluation, matrix_caption)),
        Block::Gap,
        Block::Table(per_class(set, evaluation, classes_caption)),
        Block::Numbers(reliability(set, evaluation)),
    ];
    let remarks = remarks(set, evaluation, bootstrap);
    if !remarks.is_empty() {
        blocks.extend([Block::Gap, Block::Notes { indent: 2, notes: remarks }]);
    }
    blocks
}

fn metrics(set: &EvaluationSet, evaluation: &Evaluation, caption: String) -> Table {
    let rows = FIGURES.iter().map(|row| {
        let (value, interval) = ((row.value)(&evaluation.figures), (row.interval)(&evaluation.intervals.figures));
        let number = Number { figure: row.name, value, ..Number::of(set.name, evaluation.n as u64) };
        vec![
            row.title.into(),
            Cell::of(three_decimals(value), number.with_interval(interval)),
            interval_text(interval).into(),
            published(row.name).into(),
        ]
    });
    Table {
        set: Some(set.name),
        topic: "metrics".to_owned(),
        caption,
        indent: Indent::all(2),
        spanner: None,
        columns: vec![
            Column::left("metric", 24),
            Column::right("value", 7),
            Column::right("95 % interval", 17),
            Column::remark("published", 2),
        ],
        rows: rows.collect(),
    }
}

/// The published kappas of human readers and networks, printed beside the kappa they can be compared with.
fn published(figure: &str) -> String {
    match figure {
        UNWEIGHTED_KAPPA => {
            let [low, high] = INTER_READER.range.expect("the range of pairs is published");
            format!("readers {:.2} ({low:.2}–{high:.2}) [1]", INTER_READER.kappa)
        }
        LINEAR_KAPPA => {
            format!("networks {:.2}, {:.2} [2]", NETWORK_AND_READER.kappa, NETWORK_AND_CONSENSUS.kappa)
        }
        _ => String::new(),
    }
}

/// The published kappas as numbers.
pub(super) fn published_numbers() -> Block {
    let number = |published: &PublishedAgreement| Number {
        quantity: Quantity::Published,
        figure: if published.statistic == "linear kappa" { LINEAR_KAPPA } else { UNWEIGHTED_KAPPA },
        value: Some(published.kappa),
        ends: published.range,
        source: format!("{}; {}", published.between, published.source),
        ..Number::default()
    };
    Block::Numbers(PUBLISHED_AGREEMENT.iter().map(number).collect())
}

fn confusion_matrix(set: &EvaluationSet, evaluation: &Evaluation, caption: String) -> Table {
    let matrix = &evaluation.confusion_matrix;
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    for truth in DensityClass::ALL {
        let counts = DensityClass::ALL.into_iter().map(|predicted| {
            let count = matrix.count(truth, predicted);
            let number = Number {
                figure: "confusion_matrix",
                class: Some(truth),
                predicted: Some(predicted),
                value: Some(count as f64),
                ..Number::of(set.name, matrix.total())
            };
            Cell::of(count.to_string(), number)
        });
        let recall = three_decimals(shown(evaluation, truth).recall).into();
        rows.push([Cell::from(truth.letter())].into_iter().chain(counts).chain([recall]).collect());
    }
    let precisions = DensityClass::ALL.map(|class| three_decimals(shown(evaluation, class).precision).into());
    let (areas, intervals) = (evaluation.figures.auc_per_class_ovr, evaluation.intervals.figures.auc_per_class_ovr);
    let areas = DensityClass::ALL.map(|class| {
        let value = areas[class.index()];
        let number = Number {
            figure: "auc_per_class_ovr",
            class: Some(class),
            value,
            ..Number::of(set.name, evaluation.n as u64)
        };
        Cell::of(three_decimals(value), number.with_interval(intervals[class.index()]))
    });
    for (title, cells) in [("precision", precisions), ("AUC", areas)] {
        rows.push([Cell::from(title)].into_iter().chain(cells).chain([Cell::default()]).collect());
    }
    let classes = DensityClass::ALL.map(|class| Column::right(class.letter(), 8));
    Table {
        set: Some(set.name),
        topic: "confusion-matrix".to_owned(),
        caption,
        indent: Indent::all(2),
        spanner: Some(Spanner { title: "predicted", columns: 1..5, plain_end: 40 }),
        columns: [Column::left("true", 8)].into_iter().chain(classes).chain([Column::right("recall", 9)]).collect(),
        rows,
    }
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

fn per_class(set: &EvaluationSet, evaluation: &Evaluation, caption: String) -> Table {
    let rows = DensityClass::ALL.map(|class| {
        let (figures, intervals) = (shown(evaluation, class), evaluation.intervals.per_class.of(class));
        let support = evaluation.confusion_matrix.support(class);
        let cell = |figure, value: Option<f64>, interval: Option<Interval>| {
            let text = match value {
                Some(value) => format!("{} {}", rounded(value), interval_text(interval)),
                None => three_decimals(None),
            };
            let number = Number { figure, class: Some(class), value, ..Number::of(set.name, support) };
            // An undefined value has no interval, as in the text.
            Cell::of(text, number.with_interval(interval.filter(|_| value.is_some())))
        };
        vec![
            class.letter().into(),
            cell("precision", figures.precision, intervals.precision),
            cell("recall", figures.recall, intervals.recall),
            cell("f1", figures.f1, intervals.f1),
            support.to_string().into(),
        ]
    });
    Table {
        set: Some(set.name),
        topic: "classes".to_owned(),
        caption,
        indent: Indent::all(2),
        spanner: None,
        columns: vec![
            Column::left("class", 6),
            Column::left("precision", 23),
            Column::left("recall", 23),
            Column::left("F1", 21),
            Column::right("n", 5),
        ],
        rows: rows.into(),
    }
}

/// The bins of the reliability diagram.
fn reliability(set: &EvaluationSet, evaluation: &Evaluation) -> Vec<Number> {
    let of_bin = evaluation.ece15_bins.iter().flat_map(|bin| {
        [("bin_accuracy", bin.accuracy), ("bin_confidence", bin.confidence)].map(|(figure, value)| Number {
            figure,
            bin: Some(bin.bin),
            value: Some(value),
            ..Number::of(set.name, bin.cases)
        })
    });
    of_bin.collect()
}

fn remarks(set: &EvaluationSet, evaluation: &Evaluation, bootstrap: Bootstrap) -> Vec<String> {
    let mut remarks = Vec::new();
    if let Some(missing) = set.missing_views.as_ref().filter(|missing| missing.cases > 0) {
        let views: Vec<_> = missing.by_view.iter().map(|(view, cases)| format!("{view} {cases}")).collect();
        let (lacking, of, views) = (missing.cases, evaluation.n, views.join(", "));
        remarks.push(format!("{lacking} of {of} lack views and are fused from the rest:\n  missing: {views}"));
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
