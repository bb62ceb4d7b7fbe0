//! The evaluation of runs on their own validation and test images, with their best checkpoints.

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;

use anyhow::Context as _;

use super::calibrating::{HeldOutRows, refuse_unfit};
use super::folds::{FoldRun, PooledRuns};
use super::inputs::Predictions;
use super::stored::stored_predictions;
use crate::analysis::run_prediction::{SplitPredictions, SplitWork};
use crate::cli::console::{Console, Interrupted};
use crate::cli::interruption::Interruption;
use crate::cli::prediction_progress::PredictionProgress;
use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::run::dataset_manifest::DatasetManifest;
use mammoscope_domain::run::run_spec::RunSpec;
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::text::printable::{printable, printable_path};
use mammoscope_domain::training::compute_options::{DeviceChoice, Precision};
use mammoscope_engine_client::engine_location::locate_engine;
use mammoscope_engine_client::engine_process::{EngineError, EngineProcess, Timeouts};
use mammoscope_engine_client::image_job::ImageJobError;
use mammoscope_engine_protocol::command::JobId;
use mammoscope_runs::resume_checks::check_data;
use mammoscope_storage::cards::run_card::write_run_card;
use mammoscope_storage::runs::best_checkpoint::best_checkpoint;
use mammoscope_storage::runs::calibration_file::fitted_run;
use mammoscope_storage::runs::file_seal::seal_warning;
use mammoscope_storage::runs::manifest_file::read_manifest;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::run_spec_file::read_run_spec;
use mammoscope_storage::runs::split_evaluation::{SplitEvaluationError, write_split_evaluation};

/// The splits that are evaluated: not the images that the weights were fitted to.
const SPLITS: [Split; 2] = [Split::Validation, Split::Test];

/// Where the predictions of runs come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum RunSource {
    /// The best checkpoint predicts the images.
    Network,
    /// The tables that the runs have stored.
    Stored,
}

/// The predictions of lists of runs.
pub(in crate::cli) struct EvaluatedRuns<const N: usize> {
    /// The split that was predicted.
    pub(in crate::cli) split: Split,
    /// One for each list of runs.
    pub(in crate::cli) predictions: [Predictions; N],
    /// The number of images that could not be predicted; they were listed.
    pub(in crate::cli) failed: usize,
    /// The predictions of both splits of each run of the first list, if something is to be fitted to them.
    pub(super) held_out: Vec<HeldOutRows>,
}

/// Predicts and evaluates all runs, stores the results in each, and returns the predictions of one split: the requested
/// one, or else test if there are test images. Of stored predictions, only those of that split are read, unless
/// something is to be fitted.
pub(in crate::cli) fn evaluate<const N: usize>(
    lists: &[&[RunDir]; N],
    requested: Option<Split>,
    source: RunSource,
    is_fitted: bool,
    console: &Console,
) -> anyhow::Result<EvaluatedRuns<N>> {
    // Everything that can fail without computation fails before the first job.
    let mut trained: [Vec<TrainedRun>; N] = std::array::from_fn(|_| Vec::new());
    for (list, runs) in trained.iter_mut().zip(lists) {
        for run in *runs {
            let read = TrainedRun::read(run).with_context(|| format!("evaluate {}", printable(&run.name())))?;
            if let Some(warning) = seal_warning(&run.manifest()).ok().flatten() {
                console.warn(format!("{}: {warning}", printable(&run.name())));
            }
            let doubtful = read.manifest.doubtful_images();
            if !doubtful.is_empty() {
                console.warn(format!("{}: {doubtful}; metrics on them are meaningless", read.spec.view));
            }
            if source == RunSource::Network {
                check_data(run, &read.manifest)?;
            }
            list.push(read);
        }
    }
    let mut held_out = Vec::new();
    for run in trained.first().into_iter().flatten().filter(|_| is_fitted) {
        refuse_unfit(&run.run, &run.manifest)?;
        held_out.push(run.held_out()?);
    }
    let split = chosen_split(&trained.iter().flatten().collect::<Vec<_>>(), requested, console)?;
    let mut pools: [Option<PooledRuns>; N] = std::array::from_fn(|_| None);
    for (list, pool) in trained.iter().zip(&mut pools) {
        *pool = PooledRuns::of(&list.iter().map(TrainedRun::fold).collect::<Vec<_>>(), split, console)?;
    }
    let mut predictions: [Predictions; N] = std::array::from_fn(|_| Predictions::default());
    if source == RunSource::Stored {
        for ((list, predictions), pool) in trained.iter().zip(&mut predictions).zip(&mut pools) {
            for run in list {
                let stored = stored_predictions(&run.run, &run.manifest, &run.model, split)?;
                if let Some(pool) = pool {
                    pool.add(&run.manifest, &stored.rows);
                }
                predictions.extend(stored);
            }
            predictions.folds = pool.take();
        }
        for (run, held_out) in trained.iter().flatten().zip(&mut held_out) {
            let stored = |split| {
                let is_empty = run.images(split) == 0;
                let rows = || stored_predictions(&run.run, &run.manifest, &run.model, split).map(|stored| stored.rows);
                if is_empty { Ok(Vec::new()) } else { rows() }
            };
            (held_out.validation, held_out.test) = (stored(Split::Validation)?, stored(Split::Test)?);
        }
        return Ok(EvaluatedRuns { split, predictions, failed: 0, held_out });
    }
    let interruption = Interruption::watch()?;
    let interrupted = || interruption.requested();
    let engine = locate_engine()
        .map_err(|error| anyhow::anyhow!("{error}; --stored evaluates the predictions that the runs have stored"))?;
    let mut engine = match EngineProcess::start(&engine.path, Timeouts::default(), Cancellation::new(&interrupted)) {
        Err(EngineError::Interrupted) => return Err(Interrupted.into()),
        started => started?,
    };
    let mut jobs = (0..).map(JobId);
    let (mut failed, mut unstored) = (0, BTreeSet::new());
    for ((list, predictions), pool) in trained.iter().zip(&mut predictions).zip(&mut pools) {
        for run in list {
            for of_split in SPLITS {
                let job = jobs.next().expect("job numbers do not end");
                let Evaluated { predictions: kept, failures, storing } =
                    run.evaluate(of_split, &mut engine, job, Cancellation::new(&interrupted), console)?;
                failed += failures;
                if let Err(error) = storing {
                    // The run of a colleague or of an archive can be read only; any other error is a failure.
                    failed += usize::from(!is_read_only(&error));
                    if unstored.insert(run.run.path()) {
                        let folder = printable_path(run.run.path());
                        console.warn(format!("the evaluation is not stored in {folder}: {error}"));
                    }
                }
                if let Some(held_out) = held_out.iter_mut().find(|held_out| held_out.run == run.run) {
                    held_out.keep(of_split, &kept.rows);
                }
                if of_split == split {
                    if let Some(pool) = pool {
                        pool.add(&run.manifest, &kept.rows);
                    }
                    predictions.extend(kept);
                }
            }
        }
        predictions.folds = pool.take();
    }
    for run in trained.iter().flatten().filter(|run| !unstored.contains(run.run.path())) {
        if let Err(error) = write_run_card(&run.run) {
            console.warn(format!("{} is not up to date: {error}", printable_path(&run.run.model_card())));
        }
    }
    Ok(EvaluatedRuns { split, predictions, failed, held_out })
}

fn chosen_split(runs: &[&TrainedRun], requested: Option<Split>, console: &Console) -> anyhow::Result<Split> {
    let split = requested.unwrap_or_else(|| {
        if runs.iter().any(|run| run.images(Split::Test) > 0) {
            Split::Test
        } else {
            console
                .note("no test images: these are metrics of the validation images, by which the best epoch was chosen");
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

    fn fold(&self) -> FoldRun<'_> {
        FoldRun { name: self.run.name(), manifest: &self.manifest }
    }

    /// Room for the predictions of both splits.
    fn held_out(&self) -> anyhow::Result<HeldOutRows> {
        let fitted = fitted_run(&self.run, &self.manifest, &self.model)
            .with_context(|| format!("read {}", printable_path(&self.model)))?;
        let fold = self.fold().fold();
        Ok(HeldOutRows { run: self.run.clone(), fitted, fold, validation: Vec::new(), test: Vec::new() })
    }

    fn images(&self, split: Split) -> usize {
        self.manifest.of_split(split).count()
    }

    /// Predicts a split, and stores tables and metrics in the run.
    fn evaluate(
        &self,
        split: Split,
        engine: &mut EngineProcess,
        job: JobId,
        cancellation: Cancellation<'_>,
        console: &Console,
    ) -> anyhow::Result<Evaluated> {
        let work = SplitWork {
            manifest: &self.manifest,
            split,
            model: self.model.clone(),
            // A run that was trained on another machine's GPU is evaluated on whatever this one has.
            device: if self.spec.device == DeviceChoice::Cpu { DeviceChoice::Cpu } else { DeviceChoice::Auto },
            precision: Precision::F32,
            threads: Some(self.spec.config.threads).filter(|threads| *threads > 0),
        };
        if work.images() == 0 {
            return Ok(Evaluated { predictions: Predictions::default(), failures: 0, storing: Ok(()) });
        }
        let name = format!("{} {split}", self.spec.view);
        let progress = PredictionProgress::new(console, &name, work.images());
        let predicted = work.run(engine, job, cancellation, &mut |event| progress.on_message(event));
        progress.finish();
        let SplitPredictions { rows, failures } = match predicted {
            Err(ImageJobError::Interrupted) => return Err(Interrupted.into()),
            predicted => predicted.with_context(|| format!("predict {name} of {}", printable(&self.run.name())))?,
        };
        for failure in &failures {
            console.warn(failure.to_string());
        }
        let baseline = self.manifest.baseline_rows(split);
        let storing = match write_split_evaluation(&self.run, split, &rows, &baseline) {
            Ok(_) => Ok(()),
            Err(SplitEvaluationError::Write(error)) => Err(error),
            Err(error) => {
                let run = printable_path(self.run.path());
                return Err(anyhow::Error::new(error).context(format!("write the evaluation of {run}")));
            }
        };
        let stored = if storing.is_ok() { self.run.prediction_table(split, "csv") } else { self.run.path().to_owned() };
        let predictions = Predictions { paths: vec![stored], rows, baseline, folds: None };
        Ok(Evaluated { predictions, failures: failures.len(), storing })
    }
}

/// The evaluation of a run on a split.
struct Evaluated {
    predictions: Predictions,
    /// The number of images that failed.
    failures: usize,
    /// What came of storing it in the run.
    storing: io::Result<()>,
}

pub(super) fn is_read_only(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied)
}
