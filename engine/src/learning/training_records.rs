//! The checkpoints of a training run: the last state, the best models, and those of every Nth epoch.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context as _;
use mammoscope_domain::run::run_event::RunEventKind;
use mammoscope_domain::run::run_records::{CheckpointKind, SavedCheckpoint};
use mammoscope_domain::training::training_config::NonfinitePolicy;
use mammoscope_storage::models::model_file::Model;
use mammoscope_storage::runs::checkpoint_file::Checkpoint;

use super::best_models::BestModel;
use super::checkpoint_writer::{ModelToWrite, Outcome, StateToWrite};
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
        self.save_meanwhile(&[])
    }

    /// Starts to write the checkpoints of an epoch that has just ended: its models, if it is one of the `best` or kept,
    /// and the one to resume from. The models are on disk before the checkpoint that counts the epoch, so that a run which
    /// is interrupted between the two writes them again.
    pub(super) fn save_epoch_meanwhile(&mut self, epoch: u32, best: Option<BestModel>) -> anyhow::Result<()> {
        let run = self.task.run;
        let kept = self.config.keeps(epoch).then(|| (CheckpointKind::Kept, run.kept_checkpoint(epoch), None));
        let best = best.map(|model| (CheckpointKind::Best, run.best_checkpoint(epoch, model.value), Some(model)));
        self.save_meanwhile(&best.into_iter().chain(kept).collect::<Vec<_>>())
    }

    fn save_meanwhile(&mut self, models: &[(CheckpointKind, PathBuf, Option<BestModel>)]) -> anyhow::Result<()> {
        self.finish_saving(true)?;
        self.check_weights()?;
        let models =
            models.iter().map(|(kind, path, best)| self.model(*kind, path, *best)).collect::<Result<_, _>>()?;
        self.observer.sync();
        let state = StateToWrite {
            run: self.task.run.clone(),
            snapshot: self.state.snapshot()?,
            notes: self.observer.notes(),
            saved: self.described(CheckpointKind::Last, LAST.to_owned(), None),
        };
        self.writer.start(models, state).context("start a thread for a checkpoint")
    }

    /// Records the started checkpoints that are on disk, all of them if it `waits`, and after the last one removes models
    /// that it does not list. If one cannot be written, the training waits until it and the current state can.
    pub(super) fn finish_saving(&mut self, waits: bool) -> anyhow::Result<()> {
        while let Some(outcome) = self.writer.next_outcome(waits) {
            match outcome {
                Outcome::Saved(saved) => {
                    let is_last = saved.kind == CheckpointKind::Last;
                    self.saved(saved)?;
                    if !is_last {
                        continue;
                    }
                }
                Outcome::Failed { file, error, unwritten } => {
                    self.not_saved(&file, error)?;
                    for model in unwritten {
                        self.write_model(model)?;
                    }
                    self.save_last()?;
                }
            }
            self.state.best.remove_others(self.task.run)?;
        }
        Ok(())
    }

    /// [`TrainingLoop::finish_saving`] before the state goes back to whatever checkpoint there is.
    pub(super) fn abandon_saving(&mut self) -> anyhow::Result<()> {
        while let Some(outcome) = self.writer.next_outcome(true) {
            match outcome {
                Outcome::Saved(saved) => self.saved(saved)?,
                Outcome::Failed { file, error, .. } => self.failed(&file, &error)?,
            }
        }
        Ok(())
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

    /// The evaluated weights as a model.
    fn model(&self, kind: CheckpointKind, path: &Path, best: Option<BestModel>) -> anyhow::Result<ModelToWrite> {
        let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let saved = self.described(kind, file, best);
        let mut metadata = self.task.metadata.clone();
        metadata.provenance.insert("epoch".to_owned(), saved.epoch.to_string());
        if let Some(value) = saved.value {
            let facts = [("monitor", self.task.config.monitor.to_string()), ("value", value.to_string())];
            metadata.provenance.extend(facts.map(|(key, value)| (key.to_owned(), value)));
        }
        let model = Model { metadata, tensors: self.state.learner.values()? };
        Ok(ModelToWrite { path: path.to_owned(), model, saved })
    }

    fn write_model(&mut self, model: ModelToWrite) -> anyhow::Result<()> {
        let ModelToWrite { path, model, saved } = model;
        while let Err(error) = model.write(&path) {
            self.not_saved(&saved.file, error.into())?;
        }
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
