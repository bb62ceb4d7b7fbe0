//! The evaluation of runs from their stored predictions, without running the network again.

use std::collections::HashMap;
use std::path::PathBuf;

use mammoscope_domain::metrics::bootstrap::Bootstrap;
use mammoscope_domain::metrics::evaluation_document::EvaluatedSet;
use mammoscope_domain::metrics::evaluation_set::{EvaluationSet, SetName};
use mammoscope_domain::subject::examination::ExaminationId;
use mammoscope_domain::subject::fusion::Fusion;
use mammoscope_domain::subject::prediction::PredictionRow;
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::subject::view::View;
use mammoscope_domain::text::printable::printable;
use mammoscope_storage::runs::manifest_file::read_manifest;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::run_spec_file::read_run_spec;
use mammoscope_storage::tables::prediction_table::read_table;

/// The fusion of views, the same as in a run's own evaluation files.
const FUSION: Fusion = Fusion::Mean;

/// The splits that a run may store predictions for; the first one present is shown by default.
pub const SPLITS: [Split; 2] = [Split::Test, Split::Validation];

/// A run and its short name among the runs evaluated with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedRun {
    pub run: RunDir,
    /// For example `CC_R`.
    pub name: String,
}

/// The stored predictions of one split, and the evaluation sets that they form.
#[derive(Clone, Debug)]
pub struct KeptPredictions {
    /// `None` for a table, which has whatever was predicted.
    pub split: Option<Split>,
    /// The predictions of all runs.
    pub rows: Vec<PredictionRow>,
    /// The image of each row.
    pub images: Vec<PathBuf>,
    pub sets: Vec<EvaluationSet>,
    /// The same sets as predicted by the one-feature baseline, without those it cannot predict.
    pub baseline: Vec<EvaluationSet>,
    /// One line for everything that is missing or damaged; the rest is complete.
    pub problems: Vec<String>,
}

/// The splits that a run has stored predictions for.
#[must_use]
pub fn kept_splits(run: &RunDir) -> Vec<Split> {
    SPLITS.into_iter().filter(|split| run.prediction_table(*split, "csv").is_file()).collect()
}

impl KeptPredictions {
    /// Reads the stored predictions of the runs for the requested split if any run has it, else for the first of
    /// [`SPLITS`] that is stored.
    #[must_use]
    pub fn read(runs: &[NamedRun], requested: Option<Split>) -> Self {
        let is_stored = |split: &Split| runs.iter().any(|run| kept_splits(&run.run).contains(split));
        let split = requested.filter(is_stored).or_else(|| SPLITS.into_iter().find(is_stored)).unwrap_or(Split::Test);
        let mut all = Self {
            split: Some(split),
            rows: Vec::new(),
            images: Vec::new(),
            sets: Vec::new(),
            baseline: Vec::new(),
            problems: Vec::new(),
        };
        let mut parts = Vec::new();
        let mut baseline = Vec::new();
        let mut without_manifest: Vec<String> = Vec::new();
        for run in runs {
            match read_rows(run, split) {
                Ok(rows) => {
                    let (of_baseline, root) = read_baseline(run, split).unwrap_or_else(|root| {
                        without_manifest.push(printable(&run.name));
                        (Vec::new(), root)
                    });
                    all.images.extend(rows.iter().map(|row| root.join(&row.file)));
                    all.rows.extend(rows.iter().cloned());
                    baseline.extend(of_baseline);
                    parts.push((run, rows));
                }
                Err(problem) => all.problems.push(problem),
            }
        }
        all.build_sets(&parts);
        if !without_manifest.is_empty() {
            let names = without_manifest.join(", ");
            all.problems.push(format!("no baseline: dataset.json of {names} cannot be read"));
        }
        match EvaluationSet::of_rows(&baseline, FUSION) {
            Ok(sets) => all.baseline = sets,
            Err(error) => all.problems.push(format!("the one-feature baseline: {}", first_line(&error))),
        }
        let unlabelled = all.rows.iter().filter(|row| row.label.is_none()).count();
        if unlabelled > 0 {
            all.problems.push(format!("{unlabelled} of {} predictions have no true class", all.rows.len()));
        }
        all
    }

    /// Builds the sets from all rows together, or from each run separately where the runs contradict each other.
    fn build_sets(&mut self, parts: &[(&NamedRun, Vec<PredictionRow>)]) {
        match EvaluationSet::of_rows(&self.rows, FUSION) {
            Ok(sets) => self.sets = sets,
            Err(error) => {
                self.problems.push(format!("the runs do not fit together: {}", first_line(&error)));
                for (run, rows) in parts {
                    match EvaluationSet::of_rows(rows, FUSION) {
                        Ok(sets) => {
                            let is_new = |set: &EvaluationSet| self.sets.iter().all(|earlier| earlier.name != set.name);
                            let new: Vec<_> = sets.into_iter().filter(is_new).collect();
                            self.sets.extend(new);
                        }
                        Err(error) => self.problems.push(format!("{}: {}", printable(&run.name), first_line(&error))),
                    }
                }
            }
        }
        self.sets.retain(|set| !set.cases.is_empty());
    }

    /// The metrics of a set; [`Bootstrap::NONE`] skips the intervals and returns immediately. A baseline that
    /// contradicts the network is left out.
    #[must_use]
    pub fn evaluate(&self, set: &EvaluationSet, bootstrap: Bootstrap) -> Option<EvaluatedSet> {
        EvaluatedSet::of(set.clone(), &self.baseline, bootstrap)
            .or_else(|_| EvaluatedSet::of(set.clone(), &[], bootstrap))
            .unwrap_or_default()
    }

    /// The indices of the rows that each case of a set was made from, in the order of the views.
    #[must_use]
    pub fn rows_of_cases(&self, set: &EvaluationSet) -> Vec<Vec<usize>> {
        if set.name == SetName::Unspecified {
            let without_view = |row: &PredictionRow| row.view.is_none() && row.label.is_some();
            return (0..self.rows.len()).filter(|row| without_view(&self.rows[*row])).map(|row| vec![row]).collect();
        }
        let mut by_id: HashMap<(ExaminationId, View), usize> = HashMap::new();
        for (place, row) in self.rows.iter().enumerate() {
            if let Some(view) = row.view {
                by_id.entry((ExaminationId::of(row), view)).or_insert(place);
            }
        }
        let views: Vec<View> = match set.name {
            SetName::View(view) => vec![view],
            name => name.fused_views().to_vec(),
        };
        let rows = |id: &ExaminationId| {
            views.iter().filter_map(|view| by_id.get(&(id.clone(), *view)).copied()).collect::<Vec<_>>()
        };
        set.examinations.iter().map(rows).collect()
    }
}

fn read_rows(run: &NamedRun, split: Split) -> Result<Vec<PredictionRow>, String> {
    let (table, name) = (run.run.prediction_table(split, "csv"), printable(&run.name));
    if !table.exists() {
        return Err(format!("{name}: no {split} predictions yet"));
    }
    read_table(&table).map_err(|error| {
        let cause = std::error::Error::source(&error).map_or_else(String::new, |cause| format!(": {cause}"));
        // The message already starts with the run's name; its long path would push the reason out of sight.
        let text = error
            .to_string()
            .replace(&format!("{}/", mammoscope_domain::text::printable::printable_path(run.run.path())), "");
        format!("{name}: {text}{cause}")
    })
}

/// The baseline's rows and the folder that contains the images; without a readable manifest, the folder alone.
fn read_baseline(run: &NamedRun, split: Split) -> Result<(Vec<PredictionRow>, PathBuf), PathBuf> {
    match read_manifest(&run.run.manifest()) {
        Ok(manifest) => Ok((manifest.baseline_rows(split), manifest.root)),
        Err(_) => Err(read_run_spec(&run.run.spec()).map_or_else(|_| PathBuf::new(), |spec| spec.data)),
    }
}

/// The first line of an error, without the list of cases that may follow.
fn first_line(error: &dyn std::fmt::Display) -> String {
    error.to_string().lines().next().unwrap_or_default().trim_end_matches(':').to_owned()
}
