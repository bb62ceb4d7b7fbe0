//! How far a training is, and everything of it in a checkpoint.

use std::collections::BTreeSet;

use mammoscope::domain::early_stop::{EarlyStop, EarlyStopState};
use mammoscope::domain::lr_schedule::{LearningRateSchedule, PlateauState};
use mammoscope::storage::checkpoint_file::{Checkpoint, CheckpointError};
use tch::{Kind, TchError, Tensor};

use super::best_models::{BestModel, BestModels};
use super::flat_parameters::Piece;
use super::learner::Learner;

/// How far a training is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Progress {
    /// Updates of the weights since the beginning.
    pub step: u64,
    /// Whole epochs, validation included.
    pub epochs_done: u32,
    /// Updates since the last whole epoch.
    pub steps_in_epoch: u64,
    /// Images since then.
    pub images_in_epoch: u64,
    /// Sum of their losses, and how many were predicted rightly.
    pub totals: [f64; 2],
    /// Times that the training went back to a checkpoint because of numbers that were not finite.
    pub rollbacks: u32,
    /// Training images, by their number, that are no longer used.
    pub lost: BTreeSet<usize>,
}

impl Progress {
    /// The epoch that the next update belongs to, from 1.
    #[must_use]
    pub fn epoch(&self) -> u32 {
        self.epochs_done + 1
    }
}

/// All that changes while a training runs.
#[derive(Debug)]
pub struct TrainingState {
    /// Weights, moments, moving average.
    pub learner: Learner,
    /// How far it is.
    pub progress: Progress,
    /// The learning rate.
    pub schedule: LearningRateSchedule,
    /// When it gives up.
    pub early_stop: EarlyStop,
    /// The best epochs.
    pub best: BestModels,
}

/// Why a checkpoint was not restored.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// It does not fit.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The device refused it.
    #[error(transparent)]
    Device(#[from] TchError),
}

impl TrainingState {
    /// Everything in a checkpoint, without its notes.
    pub fn to_checkpoint(&self) -> Result<Checkpoint, TchError> {
        let mut checkpoint = Checkpoint::default();
        for (group, piece, flat) in pieces(&self.learner) {
            for (name, (shape, values)) in self.learner.layout().values(piece, flat)? {
                checkpoint.insert(format!("{group}/{name}"), shape, values);
            }
        }
        let Progress { step, epochs_done, steps_in_epoch, images_in_epoch, totals, rollbacks, ref lost } =
            self.progress;
        let counters = [
            step,
            u64::from(epochs_done),
            steps_in_epoch,
            images_in_epoch,
            u64::from(rollbacks),
            self.learner.optimizer.steps(),
        ];
        checkpoint.insert_counters("state/progress", counters.map(|count| count as i64).to_vec());
        checkpoint.insert_sums("state/totals", totals.to_vec());
        checkpoint.insert_counters("state/lost_images", lost.iter().map(|&image| image as i64).collect());
        let PlateauState { best, wait, rate } = self.schedule.state();
        checkpoint.insert_sums("state/schedule", vec![best, f64::from(wait), rate, self.schedule.rollback_factor()]);
        let EarlyStopState { best, wait } = self.early_stop.state();
        checkpoint.insert_sums("state/early_stop", vec![best, f64::from(wait)]);
        let epochs = self.best.kept().iter().map(|model| i64::from(model.epoch)).collect();
        checkpoint.insert_counters("state/best_epochs", epochs);
        checkpoint.insert_sums("state/best_values", self.best.kept().iter().map(|model| model.value).collect());
        Ok(checkpoint)
    }

    /// Sets everything back to a checkpoint.
    pub fn restore(&mut self, checkpoint: &Checkpoint) -> Result<(), RestoreError> {
        let misfit = |name: &str| CheckpointError::Misfit(name.to_owned());
        let &[step, epochs_done, steps_in_epoch, images_in_epoch, rollbacks, optimizer_steps] =
            checkpoint.counters("state/progress")?
        else {
            return Err(misfit("state/progress").into());
        };
        let &[loss, correct] = checkpoint.sums("state/totals")? else { return Err(misfit("state/totals").into()) };
        let &[plateau_best, plateau_wait, rate, factor] = checkpoint.sums("state/schedule")? else {
            return Err(misfit("state/schedule").into());
        };
        let &[stop_best, stop_wait] = checkpoint.sums("state/early_stop")? else {
            return Err(misfit("state/early_stop").into());
        };
        let (epochs, values) = (checkpoint.counters("state/best_epochs")?, checkpoint.sums("state/best_values")?);
        let kept = epochs.iter().zip(values).map(|(&epoch, &value)| BestModel { epoch: epoch as u32, value }).collect();
        let lost = checkpoint.counters("state/lost_images")?.iter().map(|&image| image as usize).collect();
        for (group, piece, flat) in pieces(&self.learner) {
            // Whatever does not fit is named before anything is touched.
            for (name, view) in self.learner.layout().views(piece, flat)? {
                let name = format!("{group}/{name}");
                if checkpoint.values(&name)?.len() != view.numel() {
                    return Err(misfit(&name).into());
                }
            }
        }
        for (group, piece, flat) in pieces(&self.learner) {
            let values = |name: &str| checkpoint.values(&format!("{group}/{name}")).ok();
            self.learner.layout().fill(piece, flat, values)?;
        }
        self.learner.optimizer.set_steps(optimizer_steps as u64);
        self.learner.clear_skipped()?;
        self.progress = Progress {
            step: step as u64,
            epochs_done: epochs_done as u32,
            steps_in_epoch: steps_in_epoch as u64,
            images_in_epoch: images_in_epoch as u64,
            totals: [loss, correct],
            rollbacks: rollbacks as u32,
            lost,
        };
        self.schedule.restore(PlateauState { best: plateau_best, wait: plateau_wait as u32, rate });
        self.schedule.set_rollback_factor(factor);
        self.early_stop.restore(EarlyStopState { best: stop_best, wait: stop_wait as u32 });
        self.best.restore(kept);
        Ok(())
    }
}

/// The pieces of memory that a checkpoint holds, each under the name of its group.
fn pieces(learner: &Learner) -> Vec<(String, Piece, &Tensor)> {
    let parameters = &learner.parameters;
    let mut pieces = vec![
        ("weights".to_owned(), Piece::Weights, &parameters.weights),
        ("weights".to_owned(), Piece::Statistics, &parameters.statistics),
    ];
    pieces.extend(learner.optimizer.moments().map(|(name, flat)| (format!("optimizer/{name}"), Piece::Weights, flat)));
    if let Some(average) = &learner.average {
        pieces.push(("ema".to_owned(), Piece::Weights, &average.weights));
        pieces.push(("ema".to_owned(), Piece::Statistics, &average.statistics));
    }
    pieces
}

/// Sums over the images of an epoch, on the device: reading them waits for it.
#[derive(Debug)]
pub struct DeviceTotals(Tensor);

impl DeviceTotals {
    /// Totals that go on from [`Progress::totals`].
    pub fn new(totals: [f64; 2], device: tch::Device) -> Result<Self, TchError> {
        Ok(Self(Tensor::f_from_slice(&totals)?.f_to(device)?))
    }

    /// Adds what a step gave.
    pub fn add(&mut self, loss_sum: &Tensor, correct: &Tensor) -> Result<(), TchError> {
        let _ = self.0.f_add_(&Tensor::f_stack(&[loss_sum, correct], 0)?)?;
        Ok(())
    }

    /// Reads them.
    pub fn read(&self) -> Result<[f64; 2], TchError> {
        let values = Vec::<f64>::try_from(self.0.f_to_kind(Kind::Double)?)?;
        Ok([values[0], values[1]])
    }
}
