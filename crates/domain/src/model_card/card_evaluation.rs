//! The figures of merit of a card, read from the JSON document of an evaluation.

use serde_json::Value;

use crate::subject::density::DensityClass;
use crate::subject::split::Split;

/// A figure that cards report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FigureKind {
    /// The key in the documents of `evaluate`.
    pub key: &'static str,
    /// The name in tables.
    pub label: &'static str,
    /// The metric's id on Hugging Face.
    pub metric: &'static str,
    /// Arguments of the metric that distinguish figures of the same id.
    pub arguments: &'static [(&'static str, &'static str)],
}

/// The figures of cards, in their order.
pub const FIGURES: [FigureKind; 8] = [
    FigureKind { key: "accuracy", label: "accuracy", metric: "accuracy", arguments: &[] },
    FigureKind { key: "macro_recall", label: "macro recall", metric: "recall", arguments: &[("average", "macro")] },
    FigureKind {
        key: "macro_precision",
        label: "macro precision",
        metric: "precision",
        arguments: &[("average", "macro")],
    },
    FigureKind { key: "macro_f1", label: "macro F1", metric: "f1", arguments: &[("average", "macro")] },
    FigureKind {
        key: "kappa_linear",
        label: "linear kappa",
        metric: "cohen_kappa",
        arguments: &[("weights", "linear")],
    },
    FigureKind {
        key: "kappa_quadratic",
        label: "quadratic kappa",
        metric: "cohen_kappa",
        arguments: &[("weights", "quadratic")],
    },
    FigureKind {
        key: "auc_macro_ovr",
        label: "AUC one-vs-rest",
        metric: "roc_auc",
        arguments: &[("average", "macro"), ("multi_class", "ovr")],
    },
    FigureKind {
        key: "ece15",
        label: "ECE, 15 bins",
        metric: "expected_calibration_error",
        arguments: &[("n_bins", "15")],
    },
];

/// A figure with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CardFigure {
    pub kind: FigureKind,
    /// `None` if it is undefined.
    pub value: Option<f64>,
    /// `None` if there is none.
    pub interval: Option<(f64, f64)>,
}

/// The evaluation of a set of images.
#[derive(Clone, Debug, PartialEq)]
pub struct CardEvaluation {
    /// The name of the set, such as `CC_R` or `total`.
    pub set: String,
    /// The split, if it is known.
    pub split: Option<Split>,
    /// Images, breasts or examinations.
    pub cases: u64,
    pub subjects: u64,
    /// The number of bootstrap resamples.
    pub resamples: u64,
    pub figures: Vec<CardFigure>,
    /// Rows true, columns predicted.
    pub confusion: [[u64; DensityClass::COUNT]; DensityClass::COUNT],
    /// Linear kappa and accuracy of the one-feature baseline on the same cases.
    pub baseline: Option<(Option<f64>, Option<f64>)>,
}

impl CardEvaluation {
    /// Reads one set of an evaluation's document; `None` if the document lacks it or is not one.
    #[must_use]
    pub fn of_document(document: &Value, set: &str, split: Option<Split>) -> Option<Self> {
        let found = document.get("sets")?.get(set)?;
        let figure = |kind: FigureKind| {
            let interval = found.get("intervals").and_then(|intervals| intervals.get(kind.key));
            let end = |end: &str| interval?.get(end)?.as_f64();
            CardFigure {
                kind,
                value: found.get(kind.key).and_then(Value::as_f64),
                interval: end("low").zip(end("high")),
            }
        };
        let cell = |row: usize, column: usize| found.get("confusion_matrix")?.get(row)?.get(column)?.as_u64();
        let mut confusion = [[0; DensityClass::COUNT]; DensityClass::COUNT];
        for (row, cells) in confusion.iter_mut().enumerate() {
            for (column, count) in cells.iter_mut().enumerate() {
                *count = cell(row, column)?;
            }
        }
        let baseline = found.get("baseline").map(|baseline| {
            let value = |key: &str| baseline.get(key).and_then(Value::as_f64);
            (value("kappa_linear"), value("accuracy"))
        });
        Some(Self {
            set: set.to_owned(),
            split,
            cases: found.get("n")?.as_u64()?,
            subjects: found.get("subjects")?.as_u64()?,
            resamples: document.get("resamples")?.as_u64()?,
            figures: FIGURES.map(figure).to_vec(),
            confusion,
            baseline,
        })
    }

    /// True if the set has several views fused.
    #[must_use]
    pub fn is_fused(&self) -> bool {
        matches!(self.set.as_str(), "right" | "left" | "total")
    }

    /// The support of each class.
    #[must_use]
    pub fn support(&self) -> [u64; DensityClass::COUNT] {
        self.confusion.map(|row| row.iter().sum())
    }
}
