//! The checkpoints of a training run: the last state, the best models, and those of every Nth epoch.

use std::path::Path;
use std::time::Instant;

use anyhow::Context as _;
use mammoscope_domain::run::run_event::RunEventKind;
use mammoscope_domain::run::run_records::{CheckpointKind, SavedCheckpoint};
use mammoscope_domain::training::training_config::NonfinitePolicy;
use mammoscope_storage::models::model_file::Model;
use mammoscope_storage::runs::checkpoint_file::Checkpoint;

use super::best_models::BestModel;
use super::nonfinite::Nonfinite;
use super::training_loop::TrainingLoop;
use super::training_observer::NotSaved;

/// The checkpoint to resume from.
const LAST: &str = "last.safetensors";

impl TrainingLoop<'_> {
    /// Writes the checkpoint to resume from. Weights that are not finite are never saved.
    pub fn save_last(&mut self) -> anyhow::Result<()> {
        self.finish_saving(true)?;
        self.check_weights()?;
        loop {
            self.observer.sync();
            let checkpoint = Checkpoint { notes: self.observer.notes(), ..self.state.to_checkpoint()? };
            match checkpoint.write(self.task.run) {
                Ok(()) => {
                    let saved = self.described(CheckpointKind::Last, LAST.to_owned(), None);
                    return self.saved(saved);
                }
                Err(error) => self.not_saved(LAST, error.into())?,
            }
        }
    }

    /// Starts to write the checkpoint to resume from, while the training continues. What follows is up to
    /// [`TrainingLoop::finish_saving`].
    pub(super) fn save_last_meanwhile(&mut self) -> anyhow::Result<()> {
        self.finish_saving(true)?;
        self.check_weights()?;
        self.observer.sync();
        let saved = self.described(CheckpointKind::Last, LAST.to_owned(), None);
        let (run, notes) = (self.task.run.clone(), self.observer.notes());
        self.writer.start(run, self.state.snapshot()?, notes, saved).context("start a thread for a checkpoint")
    }

    /// Records that the started checkpoint is on disk, if it is or `waits`, and removes models that it does not list. If
    /// it cannot be written, the training waits until the current state can.
    pub(super) fn finish_saving(&mut self, waits: bool) -> anyhow::Result<()> {
        let Some(outcome) = self.writer.outcome(waits) else { return Ok(()) };
        let saved = outcome.saved.clone();
        match outcome.error() {
            None => self.saved(saved)?,
            Some(error) => {
                self.not_saved(LAST, error)?;
                self.save_last()?;
            }
        }
        Ok(self.state.best.remove_others(self.task.run)?)
    }

    /// [`TrainingLoop::finish_saving`] before the state goes back to whatever checkpoint there is.
    pub(super) fn abandon_saving(&mut self) -> anyhow::Result<()> {
        let Some(outcome) = self.writer.outcome(true) else { return Ok(()) };
        let saved = outcome.saved.clone();
        match outcome.error() {
            None => self.saved(saved),
            Some(error) => self.failed(LAST, &error),
        }
    }

    fn check_weights(&mut self) -> anyhow::Result<()> {
        self.read_steps(self.state.schedule.rate(self.state.progress.step.saturating_sub(1)))?;
        if !self.state.learner.is_finite()? {
            return Err(Nonfinite { step: self.state.progress.step, what: "weights", files: Vec::new() }.into());
        }
        self.last_checkpoint = Instant::now();
        Ok(())
    }

    /// Writes a checkpoint before the first step if the policy may roll back to it.
    pub(super) fn save_first(&mut self) -> anyhow::Result<()> {
        let needed = self.task.config.nonfinite == NonfinitePolicy::Rollback && self.state.progress.step == 0;
        if needed { self.save_last() } else { Ok(()) }
    }

    pub(super) fn save_best(&mut self, model: BestModel) -> anyhow::Result<()> {
        let path = self.task.run.best_checkpoint(model.epoch, model.value);
        let monitor = self.task.config.monitor.to_string();
        let facts = [("epoch", model.epoch.to_string()), ("monitor", monitor), ("value", model.value.to_string())];
        self.save_model(CheckpointKind::Best, &path, facts, Some(model))
    }

    /// Writes the model of an epoch that has just ended. It is on disk before the checkpoint that counts the epoch, so
    /// that a run which is interrupted between the two writes it again.
    pub(super) fn save_kept(&mut self, epoch: u32) -> anyhow::Result<()> {
        let path = self.task.run.kept_checkpoint(epoch);
        self.save_model(CheckpointKind::Kept, &path, [("epoch", epoch.to_string())], None)
    }

    /// Writes the evaluated weights as a model. Weights that are not finite are never saved.
    fn save_model<const N: usize>(
        &mut self,
        kind: CheckpointKind,
        path: &Path,
        facts: [(&str, String); N],
        best: Option<BestModel>,
    ) -> anyhow::Result<()> {
        if !self.state.learner.is_finite()? {
            return Err(Nonfinite { step: self.state.progress.step, what: "weights", files: Vec::new() }.into());
        }
        let mut metadata = self.task.metadata.clone();
        metadata.provenance.extend(facts.map(|(key, value)| (key.to_owned(), value)));
        let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let model = Model { metadata, tensors: self.state.learner.values()? };
        while let Err(error) = model.write(path) {
            self.not_saved(&file, error.into())?;
        }
        let saved = self.described(kind, file, best);
        self.saved(saved)
    }

    fn described(&self, kind: CheckpointKind, file: String, model: Option<BestModel>) -> SavedCheckpoint {
        let progress = &self.state.progress;
        let epoch = model.map_or(progress.epochs_done + u32::from(progress.steps_in_epoch > 0), |model| model.epoch);
        SavedCheckpoint { epoch, step: progress.step, kind, file, value: model.map(|model| model.value) }
    }

    fn saved(&mut self, saved: SavedCheckpoint) -> anyhow::Result<()> {
        self.observer.end_wait()?;
        self.is_waiting_for_room = false;
        self.observer.record(RunEventKind::CheckpointSaved(saved))
    }

    /// Records once that a checkpoint could not be written.
    fn failed(&mut self, file: &str, error: &anyhow::Error) -> anyhow::Result<()> {
        if std::mem::replace(&mut self.is_waiting_for_room, true) {
            return Ok(());
        }
        let reason = format!("{error:#}");
        self.observer.record(RunEventKind::CheckpointFailed { file: file.to_owned(), reason })
    }

    /// Records once that a checkpoint could not be written, and waits a moment if it is to be tried again.
    fn not_saved(&mut self, file: &str, error: anyhow::Error) -> anyhow::Result<()> {
        self.failed(file, &error)?;
        let kept = || format!("write checkpoint {file}; the last good one is unchanged");
        match self.observer.wait_or_fail(file, error) {
            Err(error) if error.is::<NotSaved>() => Err(error),
            outcome => outcome.with_context(kept),
        }
    }
}
