//! The final evaluation of a run: predictions and metrics of the validation and test images by the best checkpoint.

use anyhow::Context as _;
use mammoscope_domain::metrics::evaluation_set::SetName;
use mammoscope_domain::run::run_event::RunEventKind;
use mammoscope_domain::run::run_records::{SkippedSample, SplitEvaluation};
use mammoscope_domain::subject::prediction::PredictionRow;
use mammoscope_domain::subject::probabilities::Probabilities;
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_domain::training::compute_options::Precision;
use mammoscope_storage::cards::card_file::CardError;
use mammoscope_storage::cards::run_card::{RunCardError, write_run_card};
use mammoscope_storage::models::model_file::Model;
use mammoscope_storage::runs::best_checkpoint::best_checkpoint;
use mammoscope_storage::runs::run_dir::{CARD_FILE, RunDir};
use mammoscope_storage::runs::split_evaluation::write_split_evaluation;
use tch::{Device, no_grad};

use super::preparation::{Cancelled, PreparedImages};
use super::recorder::Recorder;
use crate::learning::device::select_precision;
use crate::learning::evaluation::EvaluationBatch;
use crate::learning::folded_resnet::FoldedResNet;
use crate::learning::resnet::ResNet;
use crate::learning::training_observer::TrainingObserver as _;

/// Writes `predictions/`, `evaluation/` and the model card of a run. Computed in f32, as `mammoscope predict` does.
pub(super) fn evaluate_best(
    run: &RunDir,
    images: &PreparedImages,
    device: Device,
    recorder: &mut Recorder,
) -> anyhow::Result<()> {
    let Ok(path) = best_checkpoint(run) else {
        let message = "there is no best checkpoint, so nothing is evaluated".to_owned();
        return recorder.record(RunEventKind::Warning { message });
    };
    let model = Model::read(&path).with_context(|| printable_path(&path))?;
    let (_, kind) = select_precision(Precision::F32, device)?;
    let network = no_grad(|| FoldedResNet::new(&ResNet::from_model(&model, device)?, kind))?;
    let mut batch = EvaluationBatch::new(device, model.metadata.size);
    for split in [Split::Validation, Split::Test] {
        let (set, positions) = images.evaluation_set(split, device)?;
        let Some(all_logits) = batch.logits(&set, &network, kind, recorder)? else { return Err(Cancelled.into()) };
        let mut rows: Vec<PredictionRow> = Vec::with_capacity(positions.len());
        for (&position, logits) in positions.iter().zip(all_logits) {
            let sample = &images.manifest.samples[position];
            match Probabilities::from_logits(logits) {
                Ok(probabilities) => rows.push(images.manifest.prediction_row(sample, probabilities)),
                Err(error) => recorder.record(RunEventKind::SampleSkipped(SkippedSample {
                    file: printable_path(&sample.file),
                    reason: error.to_string(),
                }))?,
            }
        }
        if rows.is_empty() {
            continue;
        }
        let baseline = images.manifest.baseline_rows(split);
        let document = recorder.persist("the final evaluation", || {
            write_split_evaluation(run, split, &rows, &baseline).with_context(|| format!("evaluate the {split} images"))
        })?;
        let view = SetName::View(images.manifest.view);
        if let Some(evaluated) = document.sets().iter().find(|evaluated| evaluated.set.name == view) {
            let figures = evaluated.evaluation.figures;
            recorder.record(RunEventKind::Evaluated(SplitEvaluation {
                split,
                images: rows.len(),
                accuracy: figures.accuracy.unwrap_or(0.0),
                kappa_linear: figures.kappa_linear,
            }))?;
        }
    }
    write_card(run, recorder)
}

/// Writes the run's model card. One that a person changed so that it cannot be updated is a warning.
fn write_card(run: &RunDir, recorder: &mut Recorder) -> anyhow::Result<()> {
    let problem = recorder.persist("the model card", || match write_run_card(run) {
        Err(RunCardError::Card(CardError::Io(error))) => Err(error).context("write the model card"),
        written => Ok(written.err()),
    })?;
    match problem {
        None => Ok(()),
        Some(error) => {
            let message = format!("{} is not up to date: {error}", printable_path(&run.shown_path().join(CARD_FILE)));
            recorder.record(RunEventKind::Warning { message })
        }
    }
}
