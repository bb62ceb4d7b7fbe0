//! Going back to the last checkpoint: after non-finite numbers, and with smaller batches after GPU memory ran out.

use std::io;

use anyhow::Context as _;
use mammoscope_domain::run::run_event::RunEventKind;
use mammoscope_domain::run::run_records::BatchSplit;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_domain::training::step_batches::StepBatches;
use mammoscope_domain::training::training_config::NonfinitePolicy;
use mammoscope_storage::runs::checkpoint_file::{Checkpoint, CheckpointError};
use tch::{Device, Kind, TchError};

use super::epoch_plan::check_batches;
use super::libtorch_ext::gpu_memory::empty_gpu_cache;
use super::loss::CrossEntropy;
use super::memory_advice::is_gpu_out_of_memory;
use super::nonfinite::{Nonfinite, UnreadSteps};
use super::training_loop::TrainingLoop;
use super::training_progress::TrainingState;

/// The number of rollbacks after which another one is not expected to help.
const MAX_ROLLBACKS: u32 = 3;
/// The factor on the learning rate per rollback.
const ROLLBACK_FACTOR: f64 = 0.5;

impl TrainingLoop<'_> {
    /// Prepares to continue after an error from which training can recover. Any other error is returned.
    pub(super) fn recover(&mut self, error: anyhow::Error) -> anyhow::Result<()> {
        self.abandon_saving()?;
        let is_out_of_memory = |cause: &TchError| matches!(cause, TchError::Torch(text) if is_gpu_out_of_memory(text));
        if error.chain().filter_map(|cause| cause.downcast_ref()).any(is_out_of_memory) {
            self.split_batches(error)
        } else {
            self.roll_back(error)
        }
    }

    /// Restores the last checkpoint after non-finite numbers, if that is the policy.
    fn roll_back(&mut self, error: anyhow::Error) -> anyhow::Result<()> {
        let Some(Nonfinite { step, what, files }) = error.downcast_ref() else { return Err(error) };
        let (from_step, what, files) = (*step, (*what).to_owned(), files.clone());
        self.observer.record(RunEventKind::Nonfinite { step: from_step, what, files })?;
        let rollbacks = self.state.progress.rollbacks;
        let wanted = self.config.nonfinite == NonfinitePolicy::Rollback && rollbacks < MAX_ROLLBACKS;
        if !wanted {
            return Err(error);
        }
        self.discard_steps();
        self.go_back()?;
        self.state.progress.rollbacks = rollbacks + 1;
        let learning_rate_factor = ROLLBACK_FACTOR.powi(i32::try_from(rollbacks).unwrap_or(0) + 1);
        self.state.schedule.set_rollback_factor(learning_rate_factor);
        let to_step = self.state.progress.step;
        self.observer.record(RunEventKind::RolledBack { from_step, to_step, learning_rate_factor })
    }

    /// Restores the last checkpoint and continues without the memory of recorded steps or, if there are none, in smaller
    /// batches, if there are any that make up the same updates.
    fn split_batches(&mut self, error: anyhow::Error) -> anyhow::Result<()> {
        if self.replay.release() {
            self.discard_steps();
            if self.task.device.is_cuda() {
                empty_gpu_cache()?;
            }
            self.go_back()?;
            let message = "GPU memory ran out: from here on steps are carried out operation by operation instead of as \
                           CUDA graphs, which needs less memory and changes no result, but is slower at small batches";
            return self.observer.record(RunEventKind::Warning { message: message.to_owned() });
        }
        let from = StepBatches::of(&self.config);
        let images = self.task.train.len() - self.state.progress.unusable.len();
        let mut refusal = None;
        let is_allowed = |batches: &StepBatches| {
            let config = batches.applied_to(&self.config);
            let checked = config.check().map_err(anyhow::Error::from).and_then(|()| check_batches(&config, images));
            checked.map_err(|reason| refusal.get_or_insert(reason.to_string()).clone()).is_ok()
        };
        let Some(to) = from.smaller(images).find(is_allowed) else {
            let reason = refusal.map_or_else(String::new, |reason| format!(" ({reason})"));
            return Err(error.context(format!("batch_size={} cannot be halved{reason}", from.batch_size)));
        };
        let from_step = self.state.progress.step;
        self.discard_steps();
        // What was recorded has batches of the old size.
        self.replay.forget();
        if self.task.device.is_cuda() {
            empty_gpu_cache()?;
        }
        // The failed step may have changed the moving statistics, and some of the weights.
        self.go_back()?;
        self.config = to.applied_to(&self.config);
        let split = BatchSplit { from_step, to_step: self.state.progress.step, from, to };
        self.observer.record_split(split)?;
        self.observer.record(RunEventKind::Warning { message: split.consequence() })
    }

    /// Drops the results of steps that are void.
    fn discard_steps(&mut self) {
        self.unread = UnreadSteps::default();
        self.unreported = None;
    }

    /// Restores the last checkpoint, or the state before the first step if there is none yet. Only images that have
    /// become unusable and the rollbacks so far are kept.
    fn go_back(&mut self) -> anyhow::Result<()> {
        let checkpoint = self.last_checkpoint()?;
        let (rollbacks, factor) = (self.state.progress.rollbacks, self.state.schedule.rollback_factor());
        // They are reported only once, so those that the checkpoint does not list yet must be kept.
        let unusable = std::mem::take(&mut self.state.progress.unusable);
        self.state.restore(&checkpoint)?;
        self.state.best.drop_surplus();
        self.state.progress.unusable.extend(unusable);
        self.state.progress.rollbacks = rollbacks;
        self.state.schedule.set_rollback_factor(factor);
        Ok(())
    }

    fn last_checkpoint(&self) -> anyhow::Result<Checkpoint> {
        // A run that was resumed from the previous one has no other until it writes the next.
        for path in [self.task.run.last_checkpoint(), self.task.run.previous_checkpoint()] {
            match Checkpoint::read(&path) {
                Err(CheckpointError::Io(error)) if error.kind() == io::ErrorKind::NotFound => {}
                other => return other.with_context(|| format!("go back to {}", printable_path(&path))),
            }
        }
        // On the host: the GPU may have no room for a second network. A checkpoint does not depend on the loss, nor on
        // the number of steps.
        let start = TrainingState::initial(&self.config, 1, CrossEntropy::plain(), Device::Cpu, Kind::Float)?;
        Ok(start.to_checkpoint()?)
    }
}
