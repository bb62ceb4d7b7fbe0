//! Models that are on disk, but that a killed trainer had not recorded.

use mammoscope_domain::run::run_event::RunEventKind;
use mammoscope_domain::run::run_records::{CheckpointKind, SavedCheckpoint};
use mammoscope_domain::training::training_config::TrainingConfig;
use mammoscope_storage::runs::run_dir::RunDir;

use super::recorder::Recorder;
use crate::learning::training_observer::TrainingObserver as _;
use crate::learning::training_progress::{Progress, TrainingState};

/// Records the models of the epoch at whose end a restored `state` was saved, if their events are missing: the checkpoint
/// can be on disk before they are recorded. Those of earlier epochs are recorded before it is begun.
pub(super) fn record_models(
    run: &RunDir,
    config: &TrainingConfig,
    state: &TrainingState,
    recorder: &mut Recorder,
) -> anyhow::Result<()> {
    let Progress { step, epochs_done: epoch, steps_in_epoch, .. } = state.progress;
    if steps_in_epoch > 0 {
        return Ok(());
    }
    let best = state.best.kept().iter().filter(|model| model.epoch == epoch);
    let best = best.map(|model| (CheckpointKind::Best, run.best_checkpoint(epoch, model.value), Some(model.value)));
    let kept = config.keeps(epoch).then(|| (CheckpointKind::Kept, run.kept_checkpoint(epoch), None));
    for (kind, path, value) in best.chain(kept).filter(|(_, path, _)| path.exists()) {
        let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if recorder.summary().checkpoints.iter().all(|saved| saved.file != file) {
            recorder.record(RunEventKind::CheckpointSaved(SavedCheckpoint { epoch, step, kind, file, value }))?;
        }
    }
    Ok(())
}
