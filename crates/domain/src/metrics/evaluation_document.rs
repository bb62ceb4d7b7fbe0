//! `evaluation.json`: all sets of an evaluation and how they came about.

use serde::Serialize;
use serde::ser::{SerializeMap as _, Serializer};

use super::agreement::{PUBLISHED_AGREEMENT, PublishedAgreement};
use super::baseline_figures::BaselineFigures;
use super::bootstrap::Bootstrap;
use super::evaluation::Evaluation;
use super::evaluation_set::{EvaluationSet, MissingViews, SetName};
use super::paired_comparison::{DifferentLabels, PairedComparison};
use crate::subject::examination::{ExaminationId, InconsistentRows};
use crate::subject::fusion::Fusion;
use crate::subject::prediction::PredictionRow;
use crate::subject::split::Split;

/// The version of the document's layout.
const SCHEMA: u32 = 1;

/// A set and its figures.
#[derive(Clone, Debug)]
pub struct EvaluatedSet {
    /// What was evaluated.
    pub set: EvaluationSet,
    /// What came out.
    pub evaluation: Evaluation,
    /// What the one-feature baseline reaches on the same cases, where it was fitted.
    pub baseline: Option<BaselineFigures>,
}

/// Why rows make no sets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnusableRows {
    /// Rows contradict each other.
    #[error(transparent)]
    Inconsistent(#[from] InconsistentRows),
    /// The baseline has other labels than the network.
    #[error("the baseline: {0}")]
    Labels(#[from] DifferentLabels),
}

impl UnusableRows {
    /// The same, of rows from so many tables.
    #[must_use]
    pub fn of_tables(mut self, tables: usize) -> Self {
        if let Self::Inconsistent(rows) = &mut self {
            rows.tables = tables;
        }
        self
    }
}

impl EvaluatedSet {
    /// Evaluates every set of `rows` ([`EvaluationSet::of_rows`]), each beside that of the one-feature baseline's rows
    /// where there are such: rows of the same images with the baseline's probabilities.
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

    /// Evaluates one set beside that of the same name among the baseline's; `None` where it has no cases.
    pub fn of(
        set: EvaluationSet,
        of_baseline: &[EvaluationSet],
        bootstrap: Bootstrap,
    ) -> Result<Option<Self>, DifferentLabels> {
        let Some(evaluation) = Evaluation::of(&set.cases, bootstrap) else { return Ok(None) };
        // Images without a view have nothing that tells them apart, so they cannot be paired.
        let beside = of_baseline.iter().find(|other| other.name == set.name && other.name != SetName::Unspecified);
        let baseline = match beside {
            Some(beside) => BaselineFigures::of(&set, beside, bootstrap)?,
            None => None,
        };
        Ok(Some(Self { set, evaluation, baseline }))
    }
}

/// A set that is compared with another network's.
#[derive(Clone, Debug)]
pub struct ComparedSet {
    /// Which.
    pub name: SetName,
    /// What came out.
    pub comparison: PairedComparison,
}

/// The comparison with another network's predictions.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// The other's files, fit to be shown.
    pub against: Vec<String>,
    /// The sets that both have.
    #[serde(serialize_with = "by_name")]
    pub sets: Vec<ComparedSet>,
}

/// Everything that an evaluation gave, ready to be written as JSON.
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
    published_agreement: [PublishedAgreement; PUBLISHED_AGREEMENT.len()],
}

/// Where an evaluation's predictions came from.
#[derive(Clone, Debug, Default)]
pub struct Provenance {
    /// The files, fit to be shown.
    pub inputs: Vec<String>,
    /// The split of the runs that they are of, where they are of runs.
    pub split: Option<Split>,
    /// How many predictions they hold.
    pub rows: usize,
    /// How many of these have no label of their own.
    pub rows_without_label: usize,
}

impl EvaluationDocument {
    /// The document of evaluated sets.
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
            published_agreement: PUBLISHED_AGREEMENT,
        }
    }

    /// Adds the comparison with another network.
    #[must_use]
    pub fn with_comparison(self, comparison: Option<Comparison>) -> Self {
        Self { comparison, ..self }
    }

    /// The comparison with another network, where one was made.
    #[must_use]
    pub fn comparison(&self) -> Option<&Comparison> {
        self.comparison.as_ref()
    }

    /// The sets, in the order of the document.
    #[must_use]
    pub fn sets(&self) -> &[EvaluatedSet] {
        &self.sets.0
    }

    /// The document's text, with a line end.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("the keys are text and nothing else can fail");
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

/// The figures, and what is needed to read `predictions`: whose they are and what they should have been.
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
