//! `--calibrate` and `--sensitivity`: what is fitted to the validation predictions of runs, and kept in them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::bail;
use clap::Args;

use super::inputs::Inputs;
use super::runs::is_read_only;
use crate::cli::console::{Console, WrongUse};
use mammoscope_domain::metrics::bootstrap::Bootstrap;
use mammoscope_domain::metrics::calibration_document::{
    CalibrationDocument, CalibrationError, CalibrationRequest, FittedRun,
};
use mammoscope_domain::metrics::operating_point::Sensitivity;
use mammoscope_domain::run::dataset_manifest::{DatasetManifest, SplitSource};
use mammoscope_domain::subject::fusion::Fusion;
use mammoscope_domain::subject::prediction::PredictionRow;
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::text::counted::counted;
use mammoscope_domain::text::printable::{printable, printable_path};
use mammoscope_storage::runs::calibration_file::{read_calibration, write_calibration};
use mammoscope_storage::runs::run_dir::RunDir;

/// The options for what is fitted to the validation images.
#[derive(Clone, Debug, Args)]
pub(super) struct CalibrationChoice {
    /// Fit a temperature to the validation predictions of each view, breast and examination, keep it in the runs for
    /// `predict --calibrated`, and show log loss, Brier score and ECE before and after, on validation and on test
    #[arg(long)]
    calibrate: bool,
    /// Find the threshold of P(C) + P(D) at which the validation images reach this sensitivity for dense, and show what
    /// it does on the test images; several are separated by commas
    #[arg(long, value_name = "S,…", value_delimiter = ',')]
    sensitivity: Vec<Sensitivity>,
}

/// The predictions of a run's validation and test images.
pub(super) struct HeldOutRows {
    pub(super) run: RunDir,
    pub(super) fitted: FittedRun,
    pub(super) fold: Option<u32>,
    pub(super) validation: Vec<PredictionRow>,
    pub(super) test: Vec<PredictionRow>,
}

impl HeldOutRows {
    /// Keeps the predictions of a split.
    pub(super) fn keep(&mut self, split: Split, rows: &[PredictionRow]) {
        match split {
            Split::Validation => self.validation = rows.to_vec(),
            Split::Test => self.test = rows.to_vec(),
            Split::Train => {}
        }
    }
}

impl CalibrationChoice {
    /// Whether anything is fitted.
    pub(super) fn is_made(&self) -> bool {
        self.calibrate || !self.sensitivity.is_empty()
    }

    /// Refuses inputs that have no validation images of their own, and options that contradict fitting to these.
    pub(super) fn check(&self, inputs: &Inputs, is_seed_txt: bool, split: Option<Split>) -> Result<(), WrongUse> {
        if !self.is_made() {
            return Ok(());
        }
        let option = if self.calibrate { "--calibrate" } else { "--sensitivity" };
        if is_seed_txt || !inputs.tables.is_empty() {
            return Err(WrongUse(format!(
                "{option} is for runs: a table does not say which images were for validation, and nothing is fitted to \
                 others"
            )));
        }
        if split == Some(Split::Test) {
            return Err(WrongUse(format!(
                "{option} fits to the validation images, never to the test images, and shows both; leave out --split"
            )));
        }
        Ok(())
    }

    /// Fits to the runs, those of each fold by themselves, and keeps the results in them. Returns these, and the number
    /// of runs in which they could not be kept.
    pub(super) fn fit(
        &self,
        runs: Vec<HeldOutRows>,
        fusion: Fusion,
        bootstrap: Bootstrap,
        console: &Console,
    ) -> anyhow::Result<(Vec<CalibrationDocument>, usize)> {
        if !self.is_made() {
            return Ok((Vec::new(), 0));
        }
        if matches!(fusion, Fusion::Weighted(_)) {
            let message = "what is fitted is kept by the name of the fusion, and --fusion weighted has weights besides; \
                           choose another one";
            return Err(WrongUse(message.to_owned()).into());
        }
        let mut by_fold: BTreeMap<Option<u32>, Vec<HeldOutRows>> = BTreeMap::new();
        for run in runs {
            by_fold.entry(run.fold).or_default().push(run);
        }
        let (mut documents, mut unkept) = (Vec::new(), 0);
        for (fold, runs) in by_fold {
            let document = self.fit_fold(fold, &runs, fusion, bootstrap)?;
            for problem in document.sets.values().flat_map(|set| &set.problems) {
                console.warn(problem);
            }
            for HeldOutRows { run, .. } in &runs {
                if let Err(error) = write_calibration(run, &document) {
                    unkept += usize::from(!is_read_only(&error));
                    console.warn(format!("the calibration is not kept in {}: {error}", printable_path(run.path())));
                }
            }
            documents.push(document);
        }
        Ok((documents, unkept))
    }

    fn fit_fold(
        &self,
        fold: Option<u32>,
        runs: &[HeldOutRows],
        fusion: Fusion,
        bootstrap: Bootstrap,
    ) -> anyhow::Result<CalibrationDocument> {
        let mut fitted: Vec<FittedRun> = runs.iter().map(|run| run.fitted.clone()).collect();
        fitted.sort_by_key(|run| run.view);
        // What was fitted earlier to the same predictions is kept with what is asked for now.
        let earlier = runs.iter().filter_map(|run| read_calibration(&run.run).ok());
        let earlier =
            earlier.into_iter().find(|earlier| earlier.fitted_on == fitted && earlier.fusion == fusion.name());
        let request = CalibrationRequest {
            is_scaled: self.calibrate || earlier.as_ref().is_some_and(CalibrationDocument::is_scaled),
            sensitivities: match &earlier {
                Some(earlier) if self.sensitivity.is_empty() => earlier.sensitivities(),
                _ => self.sensitivity.clone(),
            },
            fusion,
            bootstrap,
        };
        let rows = |part: fn(&HeldOutRows) -> &Vec<PredictionRow>| {
            runs.iter().flat_map(|run| part(run).iter().cloned()).collect::<Vec<_>>()
        };
        let (validation, test) = (rows(|run| &run.validation), rows(|run| &run.test));
        CalibrationDocument::of(&request, fitted, fold, [&validation, &test]).map_err(|error| match error {
            CalibrationError::Inconsistent(_) => error.into(),
            error => {
                let names: Vec<String> = runs.iter().map(|run| printable(&run.run.name())).collect();
                anyhow::anyhow!("{}: {error}", names.join(", "))
            }
        })
    }
}

/// Refuses a run that nothing can be fitted to.
pub(super) fn refuse_unfit(run: &RunDir, manifest: &DatasetManifest) -> anyhow::Result<()> {
    let name = printable(&run.name());
    if manifest.split_source == SplitSource::AllAsTrain {
        bail!(
            "the validation images of {name} are its training images (--all-as-train), and nothing is fitted to those: the \
             network is too confident of them"
        );
    }
    if manifest.of_split(Split::Validation).next().is_none() {
        bail!("{name} has no validation images, and nothing is fitted to others");
    }
    Ok(())
}

/// Names the command that uses what was kept. Temperatures of several folds are for no ensemble of their networks.
pub(super) fn note_next(documents: &[CalibrationDocument], inputs: &[PathBuf], console: &Console) {
    let runs: usize = documents.iter().map(|document| document.fitted_on.len()).sum();
    if runs == 0 {
        return;
    }
    let next = match (documents, inputs) {
        ([document], [input]) if document.is_scaled() => {
            format!("; next: mammoscope predict --calibrated --model {} …", printable_path(input))
        }
        _ => String::new(),
    };
    console.note(format!("kept in calibration.json of {}{next}", counted(runs, "run")));
}
