//! `evaluation.json`: all sets of an evaluation and their provenance.

use serde::Serialize;
use serde::ser::{SerializeMap as _, Serializer};

use super::agreement::{PUBLISHED_AGREEMENT, PublishedAgreement};
use super::baseline_figures::BaselineFigures;
use super::bootstrap::Bootstrap;
use super::calibration_document::CalibrationDocument;
use super::evaluation::Evaluation;
use super::evaluation_set::{EvaluationSet, MissingViews, SetName};
use super::fold_pool::FoldPool;
use super::paired_comparison::{DifferentLabels, PairedComparison};
use crate::subject::examination::{ExaminationId, InconsistentRows};
use crate::subject::fusion::Fusion;
use crate::subject::prediction::PredictionRow;
use crate::subject::split::Split;

/// The version of the document's layout.
const SCHEMA: u32 = 1;

/// A set with its figures.
#[derive(Clone, Debug)]
pub struct EvaluatedSet {
    pub set: EvaluationSet,
    pub evaluation: Evaluation,
    /// The figures of the one-feature baseline on the same cases, if it was fitted.
    pub baseline: Option<BaselineFigures>,
}

/// The reason rows cannot be evaluated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnusableRows {
    #[error(transparent)]
    Inconsistent(#[from] InconsistentRows),
    /// The baseline's labels differ from the network's.
    #[error("the baseline: {0}")]
    Labels(#[from] DifferentLabels),
}

impl UnusableRows {
    /// Adds the number of tables that the rows come from.
    #[must_use]
    pub fn of_tables(mut self, tables: usize) -> Self {
        if let Self::Inconsistent(rows) = &mut self {
            rows.tables = tables;
        }
        self
    }
}

impl EvaluatedSet {
    /// Evaluates every set of `rows` ([`EvaluationSet::of_rows`]) and compares it with the one-feature baseline.
    /// `baseline` has the rows of the same images with the baseline's probabilities; it may be empty.
    pub fn of_rows(
        rows: &[PredictionRow],
        baseline: &[PredictionRow],
        fusion: Fusion,
        bootstrap: Bootstrap,
    ) -> Result<Vec<Self>, UnusableRows> {
        let of_baseline = EvaluationSet::of_rows(baseline, fusion)?;
        let mut evaluated = Vec::new();
        for set in EvaluationSet::of_rows(rows, fusion)? {
            evaluated.extend(Self::of(set, &of_baseline, bootstrap)?);
        }
        Ok(evaluated)
    }

    /// Evaluates one set and compares it with the baseline's set of the same name; `None` if the set has no cases.
    pub fn of(
        set: EvaluationSet,
        of_baseline: &[EvaluationSet],
        bootstrap: Bootstrap,
    ) -> Result<Option<Self>, DifferentLabels> {
        let Some(evaluation) = Evaluation::of(&set.cases, bootstrap) else { return Ok(None) };
        // Images without a view cannot be distinguished within an examination, so they cannot be paired.
        let beside = of_baseline.iter().find(|other| other.name == set.name && other.name != SetName::Unspecified);
        let baseline = match beside {
            Some(beside) => BaselineFigures::of(&set, beside, bootstrap)?,
            None => None,
        };
        Ok(Some(Self { set, evaluation, baseline }))
    }
}

/// The comparison of one set with the same set of another network.
#[derive(Clone, Debug)]
pub struct ComparedSet {
    pub name: SetName,
    pub comparison: PairedComparison,
}

/// The comparison with another network.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// The other network's files, safe to print.
    pub against: Vec<String>,
    /// The sets in common.
    #[serde(serialize_with = "by_name")]
    pub sets: Vec<ComparedSet>,
}

/// The results of an evaluation, ready to be written as JSON.
#[derive(Clone, Debug, Serialize)]
pub struct EvaluationDocument {
    schema: u32,
    inputs: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    split: Option<Split>,
    fusion: &'static str,
    seed: u64,
    resamples: u32,
    confidence: f64,
    rows: usize,
    rows_without_label: usize,
    sets: Sets,
    #[serde(skip_serializing_if = "Option::is_none")]
    comparison: Option<Comparison>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pool: Option<FoldPool>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    calibrations: Vec<CalibrationDocument>,
    published_agreement: [PublishedAgreement; PUBLISHED_AGREEMENT.len()],
}

/// The source of the evaluated predictions.
#[derive(Clone, Debug, Default)]
pub struct Provenance {
    /// The files, safe to print.
    pub inputs: Vec<String>,
    /// The split, if the predictions are those of runs.
    pub split: Option<Split>,
    /// The number of predictions.
    pub rows: usize,
    /// The number of predictions without a label of their own.
    pub rows_without_label: usize,
}

impl EvaluationDocument {
    #[must_use]
    pub fn new(provenance: Provenance, fusion: Fusion, bootstrap: Bootstrap, sets: Vec<EvaluatedSet>) -> Self {
        Self {
            schema: SCHEMA,
            inputs: provenance.inputs,
            split: provenance.split,
            fusion: fusion.name(),
            seed: bootstrap.seed,
            resamples: bootstrap.resamples,
            confidence: 0.95,
            rows: provenance.rows,
            rows_without_label: provenance.rows_without_label,
            sets: Sets(sets),
            comparison: None,
            pool: None,
            calibrations: Vec::new(),
            published_agreement: PUBLISHED_AGREEMENT,
        }
    }

    #[must_use]
    pub fn with_comparison(self, comparison: Option<Comparison>) -> Self {
        Self { comparison, ..self }
    }

    /// Adds the folds of a cross-validation, if the sets are a pool of their held-out images.
    #[must_use]
    pub fn with_pool(self, pool: Option<FoldPool>) -> Self {
        Self { pool, ..self }
    }

    /// Adds what was fitted to the validation predictions of the runs, of each fold by itself.
    #[must_use]
    pub fn with_calibrations(self, calibrations: Vec<CalibrationDocument>) -> Self {
        Self { calibrations, ..self }
    }

    #[must_use]
    pub fn calibrations(&self) -> &[CalibrationDocument] {
        &self.calibrations
    }

    #[must_use]
    pub fn pool(&self) -> Option<&FoldPool> {
        self.pool.as_ref()
    }

    #[must_use]
    pub fn comparison(&self) -> Option<&Comparison> {
        self.comparison.as_ref()
    }

    /// The sets, in the order of the document.
    #[must_use]
    pub fn sets(&self) -> &[EvaluatedSet] {
        &self.sets.0
    }

    /// The document as text that ends with a line feed.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("the keys are strings, and nothing else can fail");
        text.push('\n');
        text
    }
}

fn by_name<S: Serializer>(sets: &[ComparedSet], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(sets.iter().map(|set| (set.name.name(), &set.comparison)))
}

#[derive(Clone, Debug)]
struct Sets(Vec<EvaluatedSet>);

impl Serialize for Sets {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for EvaluatedSet { set, evaluation, baseline } in &self.0 {
            let labels = set.cases.iter().map(|case| case.label.index()).collect();
            let entry = SetEntry {
                evaluation,
                subjects: set.subjects(),
                missing_views: set.missing_views.as_ref(),
                examinations: &set.examinations,
                labels,
                baseline: baseline.as_ref(),
            };
            map.serialize_entry(set.name.name(), &entry)?;
        }
        map.end()
    }
}

/// The figures, with the examinations and labels that `predictions` refers to.
#[derive(Serialize)]
struct SetEntry<'a> {
    #[serde(flatten)]
    evaluation: &'a Evaluation,
    subjects: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    missing_views: Option<&'a MissingViews>,
    examinations: &'a [ExaminationId],
    labels: Vec<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    baseline: Option<&'a BaselineFigures>,
}
