//! The end of a training: predictions and figures of validation and test images, by the best checkpoint.

use anyhow::Context as _;
use mammoscope_domain::metrics::evaluation_set::SetName;
use mammoscope_domain::run::run_event::RunEventKind;
use mammoscope_domain::subject::prediction::PredictionRow;
use mammoscope_domain::subject::probabilities::Probabilities;
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_domain::training::compute_options::Precision;
use mammoscope_storage::models::model_file::Model;
use mammoscope_storage::runs::best_checkpoint::best_checkpoint;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::split_evaluation::write_split_evaluation;
use tch::{Device, no_grad};

use super::preparation::{Cancelled, PreparedImages};
use super::recorder::Recorder;
use crate::learning::device::select_precision;
use crate::learning::folded_resnet::FoldedResNet;
use crate::learning::inference;
use crate::learning::resnet::ResNet;
use crate::learning::training_observer::TrainingObserver as _;

/// Writes `predictions/` and `evaluation/` of a run. It computes in f32, as `mammoscope predict` does.
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
    for split in [Split::Validation, Split::Test] {
        let (set, places) = images.evaluation_set(split, device)?;
        let numbers: Vec<usize> = (0..set.len()).collect();
        let mut rows: Vec<PredictionRow> = Vec::with_capacity(numbers.len());
        for batch in numbers.chunks(inference::batch_size(device)) {
            if recorder.is_to_end() {
                return Err(Cancelled.into());
            }
            for (&number, logits) in batch.iter().zip(set.logits(&network, batch, kind)?) {
                let sample = &images.manifest.samples[places[number]];
                match Probabilities::from_logits(logits) {
                    Some(probabilities) => rows.push(images.manifest.prediction_row(sample, probabilities)),
                    None => recorder.record(RunEventKind::SampleSkipped {
                        file: printable_path(&sample.file),
                        reason: "the network's answer is not finite".to_owned(),
                    })?,
                }
            }
        }
        if rows.is_empty() {
            continue;
        }
        let baseline = images.manifest.baseline_rows(split);
        let document = write_split_evaluation(run, split, &rows, &baseline)
            .with_context(|| format!("evaluate the {split} images"))?;
        let view = SetName::View(images.manifest.view);
        if let Some(evaluated) = document.sets().iter().find(|evaluated| evaluated.set.name == view) {
            let figures = evaluated.evaluation.figures;
            recorder.record(RunEventKind::Evaluated {
                split,
                images: rows.len(),
                accuracy: figures.accuracy.unwrap_or(0.0),
                kappa_linear: figures.kappa_linear,
            })?;
        }
    }
    Ok(())
}
