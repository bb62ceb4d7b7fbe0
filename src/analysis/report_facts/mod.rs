//! Everything that a report says, as plain data.

mod case_pictures;
mod explanations;
mod label_groups;
mod prepared_data;
mod worst_cases;

use chrono::{DateTime, Utc};

use mammoscope_dataset::audit::AuditReport;
use mammoscope_domain::metrics::bootstrap::Bootstrap;
use mammoscope_domain::metrics::calibration_document::CalibrationDocument;
use mammoscope_domain::metrics::evaluation_document::{Comparison, EvaluatedSet};
use mammoscope_domain::metrics::fold_pool::FoldPool;
use mammoscope_domain::run::dataset_manifest::DatasetManifest;
use mammoscope_domain::run::run_spec::RunSpec;
use mammoscope_domain::run::run_summary::RunSummary;
use mammoscope_domain::subject::fusion::Fusion;
use mammoscope_domain::subject::prediction::PredictionRow;
use mammoscope_domain::subject::split::Split;

pub use case_pictures::{CasePicture, PictureFault, PictureSource, case_picture, with_map};
pub use explanations::{ExplanationFault, ReportedExplanations, read_explanations};
pub use label_groups::{GroupFigures, GroupedFigures, LabelGroupFault, LabelGroups, scanner_groups};
pub use prepared_data::{PreparedData, prepared_data};
pub use worst_cases::{ErrorCase, ErrorView, worst_cases};

/// Everything that a report says.
#[derive(Clone, Debug)]
pub struct ReportFacts {
    /// The name of the run, group, study or table, safe to print.
    pub name: String,
    pub made: DateTime<Utc>,
    /// The version of the program.
    pub version: &'static str,
    /// The reason why this is a report so far; `None` if nothing is at work any longer.
    pub so_far: Option<String>,
    /// One for each network; empty for tables of predictions.
    pub runs: Vec<ReportedRun>,
    pub predictions: Option<ReportedPredictions>,
    /// What is missing and why, a sentence each.
    pub missing: Vec<String>,
    /// True if the images are phantoms.
    pub synthetic: bool,
    pub prepared: Option<PreparedData>,
    pub audit: Option<AuditReport>,
    /// The temperatures and operating points that the runs keep: one, or one for each fold.
    pub calibrations: Vec<CalibrationDocument>,
    pub groups: Vec<GroupedFigures>,
    /// The errors with the highest confidence, first the highest.
    pub errors: Vec<ErrorCase>,
    /// What must be known about the maps of the errors.
    pub map_caution: Option<String>,
    pub explanations: Option<ReportedExplanations>,
    /// The commands that repeat this report, one a line.
    pub commands: Vec<String>,
}

/// A run of a report.
#[derive(Clone, Debug)]
pub struct ReportedRun {
    /// Safe to print.
    pub name: String,
    pub spec: RunSpec,
    pub summary: RunSummary,
    /// Its condition in a word, as in `completed`.
    pub condition: String,
    pub manifest: Option<DatasetManifest>,
    /// The SHA-256 of its best checkpoint.
    pub weights: Option<String>,
}

/// The predictions of a report, and their figures.
#[derive(Clone, Debug)]
pub struct ReportedPredictions {
    /// `None` for tables, which have whatever was predicted.
    pub split: Option<Split>,
    pub rows: Vec<PredictionRow>,
    pub sets: Vec<EvaluatedSet>,
    pub fusion: Fusion,
    pub bootstrap: Bootstrap,
    pub pool: Option<FoldPool>,
    pub comparison: Option<Comparison>,
    /// The name and the SHA-256 of each table.
    pub tables: Vec<(String, String)>,
}

impl ReportFacts {
    /// The set that stands for the whole: the one that fuses the most views.
    #[must_use]
    pub fn main_set(&self) -> Option<&EvaluatedSet> {
        self.predictions.as_ref()?.main_set()
    }

    /// The name of a run among those of the report: its view, and its fold if there are several.
    #[must_use]
    pub fn short_name(&self, run: &ReportedRun) -> String {
        let view = run.spec.view;
        let same_view = self.runs.iter().filter(|other| other.spec.view == view).count();
        match run.manifest.as_ref().and_then(|manifest| manifest.split_file.as_ref()?.fold) {
            _ if same_view == 1 => view.to_string(),
            Some(fold) => format!("{view} fold {fold}"),
            None => format!("{view} {}", run.name),
        }
    }
}

impl ReportedPredictions {
    /// The set that fuses the most views, or else the first.
    #[must_use]
    pub fn main_set(&self) -> Option<&EvaluatedSet> {
        let views = |evaluated: &&EvaluatedSet| evaluated.set.name.fused_views().len();
        let most = self.sets.iter().map(|set| views(&set)).max()?;
        self.sets.iter().find(|set| views(set) == most)
    }
}
