//! Runs are evaluated on their own validation and test images, by their best checkpoints.

use std::path::PathBuf;

use anyhow::Context as _;

use super::inputs::Predictions;
use crate::analysis::run_prediction::{SplitPredictions, SplitWork};
use crate::cli::console::{Console, Interrupted, WrongUse};
use crate::cli::interruption::Interruption;
use crate::cli::prediction_progress::PredictionProgress;
use mammoscope_domain::run::dataset_manifest::DatasetManifest;
use mammoscope_domain::run::run_spec::RunSpec;
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::text::printable::{printable, printable_path};
use mammoscope_domain::training::compute_options::{DeviceChoice, Precision};
use mammoscope_engine_client::engine_location::locate_engine;
use mammoscope_engine_client::engine_process::{EngineError, EngineProcess, Timeouts};
use mammoscope_engine_client::image_job::ImageJobError;
use mammoscope_engine_protocol::protocol::JobId;
use mammoscope_storage::runs::best_checkpoint::best_checkpoint;
use mammoscope_storage::runs::manifest_file::read_manifest;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::run_spec_file::read_run_spec;
use mammoscope_storage::runs::split_evaluation::write_split_evaluation;

/// What is evaluated of a run; the images that weights were fitted to are not.
const SPLITS: [Split; 2] = [Split::Validation, Split::Test];

/// Runs that were predicted.
pub(super) struct EvaluatedRuns<const N: usize> {
    /// The split whose predictions these are.
    pub(super) split: Split,
    /// Of each list of runs.
    pub(super) predictions: [Predictions; N],
    /// How many images could not be predicted; they were listed.
    pub(super) failed: usize,
}

/// Predicts and evaluates all runs, writes what came out into each, and gives the predictions of one split: that which
/// is asked for, else test where there are such images.
pub(super) fn evaluate<const N: usize>(
    lists: &[&[RunDir]; N],
    asked: Option<Split>,
    console: &Console,
) -> anyhow::Result<EvaluatedRuns<N>> {
    // All that can be wrong without a computation is found before the first one.
    let mut trained: [Vec<TrainedRun>; N] = std::array::from_fn(|_| Vec::new());
    for (list, runs) in trained.iter_mut().zip(lists) {
        for run in *runs {
            let read = TrainedRun::read(run).with_context(|| format!("evaluate {}", printable(&run.name())))?;
            if let Some(other) = list.iter().find(|other| other.spec.view == read.spec.view) {
                let (one, two, view) = (printable(&other.run.name()), printable(&run.name()), read.spec.view);
                let message = format!("{one} and {two} are both of {view}; compare them with --against");
                return Err(WrongUse(message).into());
            }
            let doubtful = read.manifest.doubtful_images();
            if !doubtful.is_empty() {
                console.warn(format!("{}: {doubtful}; figures of them mean nothing", read.spec.view));
            }
            list.push(read);
        }
    }
    let split = chosen_split(&trained.iter().flatten().collect::<Vec<_>>(), asked, console)?;
    let interruption = Interruption::watch()?;
    let interrupted = || interruption.requested();
    let mut engine = match EngineProcess::start(&locate_engine()?.path, Timeouts::default(), &interrupted) {
        Err(EngineError::Interrupted) => return Err(Interrupted.into()),
        started => started?,
    };
    let mut jobs = (0..).map(JobId);
    let mut failed = 0;
    let mut predictions: [Predictions; N] = std::array::from_fn(|_| Predictions::default());
    for (list, predictions) in trained.iter().zip(&mut predictions) {
        for run in list {
            for of_split in SPLITS {
                let job = jobs.next().expect("job numbers do not end");
                let (kept, missed) = run.evaluate(of_split, &mut engine, job, &interrupted, console)?;
                failed += missed;
                if of_split == split {
                    predictions.extend(kept);
                }
            }
        }
    }
    Ok(EvaluatedRuns { split, predictions, failed })
}

fn chosen_split(runs: &[&TrainedRun], asked: Option<Split>, console: &Console) -> anyhow::Result<Split> {
    let split = asked.unwrap_or_else(|| {
        if runs.iter().any(|run| run.images(Split::Test) > 0) {
            Split::Test
        } else {
            console.note("no test images: figures of the validation images, which the best epoch was chosen by");
            Split::Validation
        }
    });
    match runs.iter().find(|run| run.images(split) == 0) {
        None => Ok(split),
        Some(run) => {
            let others = SPLITS.into_iter().filter(|&other| run.images(other) > 0).map(Split::name).collect::<Vec<_>>();
            let advice = if others.is_empty() { String::new() } else { format!("; it has {}", others.join(" and ")) };
            anyhow::bail!("{} has no {split} images{advice}", printable(&run.run.name()))
        }
    }
}

/// A run with a model.
struct TrainedRun {
    run: RunDir,
    spec: RunSpec,
    manifest: DatasetManifest,
    model: PathBuf,
}

impl TrainedRun {
    fn read(run: &RunDir) -> anyhow::Result<Self> {
        let spec = read_run_spec(&run.spec())?;
        let manifest = read_manifest(&run.manifest())?;
        let model = best_checkpoint(run)?;
        Ok(Self { run: run.clone(), spec, manifest, model })
    }

    fn images(&self, split: Split) -> usize {
        self.manifest.of_split(split).count()
    }

    /// Predicts a split, writes tables and figures, and gives the rows and how many images failed.
    fn evaluate(
        &self,
        split: Split,
        engine: &mut EngineProcess,
        job: JobId,
        interrupted: &dyn Fn() -> bool,
        console: &Console,
    ) -> anyhow::Result<(Predictions, usize)> {
        let work = SplitWork {
            manifest: &self.manifest,
            split,
            model: self.model.clone(),
            // A run that was trained on a GPU of another machine is evaluated on what this one has.
            device: if self.spec.device == DeviceChoice::Cpu { DeviceChoice::Cpu } else { DeviceChoice::Auto },
            precision: Precision::F32,
            threads: Some(self.spec.config.threads).filter(|threads| *threads > 0),
        };
        if work.images() == 0 {
            return Ok((Predictions::default(), 0));
        }
        let name = format!("{} {split}", self.spec.view);
        let progress = PredictionProgress::new(console, &name, work.images());
        let predicted = work.run(engine, job, interrupted, &mut |event| progress.on_message(event));
        progress.finish();
        let SplitPredictions { rows, failures } = match predicted {
            Err(ImageJobError::Interrupted) => return Err(Interrupted.into()),
            predicted => predicted.with_context(|| format!("predict {name} of {}", printable(&self.run.name())))?,
        };
        for (file, reason) in &failures {
            console.warn(format!("{}: {}", printable_path(file), printable(reason)));
        }
        let baseline = self.manifest.baseline_rows(split);
        write_split_evaluation(&self.run, split, &rows, &baseline)
            .with_context(|| format!("write the evaluation of {}", printable_path(self.run.path())))?;
        let paths = vec![self.run.prediction_table(split, "csv")];
        Ok((Predictions { paths, rows, baseline }, failures.len()))
    }
}
