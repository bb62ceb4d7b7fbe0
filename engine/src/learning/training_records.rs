//! The checkpoints of a training run: the last state, the best models, and the rollback after non-finite numbers.

use std::time::Instant;

use anyhow::Context as _;
use mammoscope_domain::run::run_event::RunEventKind;
use mammoscope_domain::run::run_records::{CheckpointKind, SavedCheckpoint};
use mammoscope_domain::training::training_config::NonfinitePolicy;
use mammoscope_storage::models::model_file::Model;
use mammoscope_storage::runs::checkpoint_file::Checkpoint;

use super::best_models::BestModel;
use super::nonfinite::{Nonfinite, UnreadSteps};
use super::training_loop::TrainingLoop;
use super::training_observer::NotSaved;
use super::training_progress::DeviceTotals;

/// The number of rollbacks after which another one is not expected to help.
const MAX_ROLLBACKS: u32 = 3;
/// The factor on the learning rate per rollback.
const ROLLBACK_FACTOR: f64 = 0.5;

impl TrainingLoop<'_> {
    /// Writes the checkpoint to resume from. Weights that are not finite are never saved.
    pub fn save_last(&mut self) -> anyhow::Result<()> {
        self.read_steps(self.state.schedule.rate(self.state.progress.step.saturating_sub(1)))?;
        if !self.state.learner.is_finite()? {
            return Err(Nonfinite { step: self.state.progress.step, what: "weights", files: Vec::new() }.into());
        }
        self.last_checkpoint = Instant::now();
        let file = "last.safetensors".to_owned();
        loop {
            self.observer.sync();
            let checkpoint = Checkpoint { notes: self.observer.notes(), ..self.state.to_checkpoint()? };
            match checkpoint.write(self.task.run) {
                Ok(()) => return self.saved(CheckpointKind::Last, file, None),
                Err(error) => self.not_saved(&file, error.into())?,
            }
        }
    }

    /// Writes a checkpoint before the first step if the policy may roll back to it.
    pub(super) fn save_first(&mut self) -> anyhow::Result<()> {
        let needed = self.task.config.nonfinite == NonfinitePolicy::Rollback && self.state.progress.step == 0;
        if needed { self.save_last() } else { Ok(()) }
    }

    pub(super) fn save_best(&mut self, model: BestModel) -> anyhow::Result<()> {
        if !self.state.learner.is_finite()? {
            return Err(Nonfinite { step: self.state.progress.step, what: "weights", files: Vec::new() }.into());
        }
        let mut metadata = self.task.metadata.clone();
        let (epoch, monitor) = (model.epoch.to_string(), self.task.config.monitor.to_string());
        metadata.provenance.extend([
            ("epoch".to_owned(), epoch),
            ("monitor".to_owned(), monitor),
            ("value".to_owned(), model.value.to_string()),
        ]);
        let path = self.task.run.best_checkpoint(model.epoch, model.value);
        let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let best = Model { metadata, tensors: self.state.learner.values()? };
        while let Err(error) = best.write(&path) {
            self.not_saved(&file, error.into())?;
        }
        self.saved(CheckpointKind::Best, file, Some(model))
    }

    fn saved(&mut self, kind: CheckpointKind, file: String, model: Option<BestModel>) -> anyhow::Result<()> {
        self.observer.end_wait()?;
        self.is_waiting_for_room = false;
        let progress = &self.state.progress;
        let step = progress.step;
        let epoch = model.map_or(progress.epochs_done + u32::from(progress.steps_in_epoch > 0), |model| model.epoch);
        let value = model.map(|model| model.value);
        self.observer.record(RunEventKind::CheckpointSaved(SavedCheckpoint { epoch, step, kind, file, value }))
    }

    /// Records once that a checkpoint could not be written, and waits a moment if it is to be tried again.
    fn not_saved(&mut self, file: &str, error: anyhow::Error) -> anyhow::Result<()> {
        if !std::mem::replace(&mut self.is_waiting_for_room, true) {
            let reason = format!("{error:#}");
            self.observer.record(RunEventKind::CheckpointFailed { file: file.to_owned(), reason })?;
        }
        let kept = || format!("write checkpoint {file}; the last good one is unchanged");
        match self.observer.wait_or_fail(file, error) {
            Err(error) if error.is::<NotSaved>() => Err(error),
            outcome => outcome.with_context(kept),
        }
    }

    /// Restores the last checkpoint after non-finite numbers, if that is the policy and there is a checkpoint. Any
    /// other error is returned.
    pub(super) fn roll_back(&mut self, error: anyhow::Error) -> anyhow::Result<()> {
        let Some(Nonfinite { step, what, files }) = error.downcast_ref() else { return Err(error) };
        let (from_step, what, files) = (*step, (*what).to_owned(), files.clone());
        self.observer.record(RunEventKind::Nonfinite { step: from_step, what, files })?;
        let rollbacks = self.state.progress.rollbacks;
        let wanted = self.task.config.nonfinite == NonfinitePolicy::Rollback && rollbacks < MAX_ROLLBACKS;
        if !wanted {
            return Err(error);
        }
        let Ok(checkpoint) = Checkpoint::read(&self.task.run.last_checkpoint()) else {
            return Err(error.context("there is no checkpoint to roll back to"));
        };
        // They are reported only once, so those that the checkpoint does not list yet must be kept.
        let unusable = std::mem::take(&mut self.state.progress.unusable);
        self.state.restore(&checkpoint)?;
        self.state.progress.unusable.extend(unusable);
        self.state.progress.rollbacks = rollbacks + 1;
        let learning_rate_factor = ROLLBACK_FACTOR.powi(i32::try_from(rollbacks).unwrap_or(0) + 1);
        self.state.schedule.set_rollback_factor(learning_rate_factor);
        self.totals = DeviceTotals::new(self.state.progress.totals, self.task.device)?;
        self.unread = UnreadSteps::default();
        self.unreported = None;
        let to_step = self.state.progress.step;
        self.observer.record(RunEventKind::RolledBack { from_step, to_step, learning_rate_factor })
    }
}
