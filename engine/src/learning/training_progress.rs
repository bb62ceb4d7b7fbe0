//! The progress and state of a training run, and their conversion to and from checkpoints.

use std::collections::BTreeSet;

use mammoscope_domain::training::early_stop::{EarlyStop, EarlyStopState};
use mammoscope_domain::training::lr_schedule::{LearningRateSchedule, PlateauState};
use mammoscope_domain::training::training_config::TrainingConfig;
use mammoscope_storage::runs::checkpoint_file::{Checkpoint, CheckpointError};
use tch::{Device, Kind, TchError, Tensor};

use super::best_models::{BestModel, BestModels};
use super::flat_parameters::{FlatLayout, ParameterGroup, host_copy};
use super::initial_weights::initial_model;
use super::learner::Learner;
use super::loss::CrossEntropy;

/// The progress of a training run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Progress {
    /// Updates of the weights.
    pub step: u64,
    /// Completed epochs, including their validation.
    pub epochs_done: u32,
    /// Updates in the current epoch.
    pub steps_in_epoch: u64,
    /// Images in the current epoch.
    pub images_in_epoch: u64,
    /// The sum of the losses of these images, and the number predicted correctly.
    pub totals: [f64; 2],
    /// Rollbacks to a checkpoint because of non-finite numbers.
    pub rollbacks: u32,
    /// The indices of training images that are no longer used.
    pub unusable: BTreeSet<usize>,
}

impl Progress {
    /// The epoch of the next update, from 1.
    #[must_use]
    pub fn epoch(&self) -> u32 {
        self.epochs_done + 1
    }
}

/// Everything that changes during a training run.
#[derive(Debug)]
pub struct TrainingState {
    pub learner: Learner,
    pub progress: Progress,
    pub schedule: LearningRateSchedule,
    pub early_stop: EarlyStop,
    pub best: BestModels,
}

/// A copy of a state on the host.
#[derive(Debug)]
pub struct StateSnapshot {
    layout: FlatLayout,
    /// The flat tensors, each with the prefix of its tensor names.
    groups: Vec<(String, ParameterGroup, Tensor)>,
    /// Everything else.
    rest: Checkpoint,
}

#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    #[error(transparent)]
    Device(#[from] TchError),
}

impl StateSnapshot {
    /// Converts it to a checkpoint without notes.
    pub fn into_checkpoint(self) -> Result<Checkpoint, TchError> {
        let Self { layout, groups, rest: mut checkpoint } = self;
        for (prefix, group, flat) in groups {
            for (name, (shape, values)) in layout.values(group, &flat)? {
                checkpoint.insert(format!("{prefix}/{name}"), shape, values);
            }
            if group == ParameterGroup::Statistics {
                // The moving means are those without biases, exactly as in memory.
                for bias in layout.removed_biases() {
                    checkpoint.insert(format!("{prefix}/{}", bias.name), vec![bias.count], vec![0.0; bias.count]);
                }
            }
        }
        Ok(checkpoint)
    }
}

impl TrainingState {
    /// The state before the first step, with the initial weights of the configuration's seed.
    pub fn initial(
        config: &TrainingConfig,
        steps_per_epoch: u64,
        loss: CrossEntropy,
        device: Device,
        kind: Kind,
    ) -> Result<Self, TchError> {
        let initial = initial_model(config.width, config.size, None, config.seed);
        Ok(Self {
            learner: Learner::new(config, &initial.tensors, loss, device, kind)?,
            progress: Progress::default(),
            schedule: LearningRateSchedule::new(config, steps_per_epoch),
            early_stop: EarlyStop::new(config),
            best: BestModels::new(config.monitor, config.keep_best),
        })
    }

    /// Converts the state to a checkpoint without notes.
    pub fn to_checkpoint(&self) -> Result<Checkpoint, TchError> {
        self.snapshot()?.into_checkpoint()
    }

    /// Copies the state to the host, from which it can be converted and written later; waits for the device.
    pub fn snapshot(&self) -> Result<StateSnapshot, TchError> {
        let groups = parameter_groups(&self.learner);
        let copied = groups.into_iter().map(|(prefix, group, flat)| Ok((prefix, group, host_copy(flat)?)));
        let mut checkpoint = Checkpoint::default();
        let Progress { step, epochs_done, steps_in_epoch, images_in_epoch, totals, rollbacks, ref unusable } =
            self.progress;
        let counters = [
            step,
            u64::from(epochs_done),
            steps_in_epoch,
            images_in_epoch,
            u64::from(rollbacks),
            self.learner.optimizer.steps(),
        ];
        checkpoint.insert_i64("state/progress", counters.map(|count| count as i64).to_vec());
        checkpoint.insert_f64("state/totals", totals.to_vec());
        checkpoint.insert_i64("state/lost_images", unusable.iter().map(|&image| image as i64).collect());
        let PlateauState { best, wait, rate } = self.schedule.state();
        checkpoint.insert_f64("state/schedule", vec![best, f64::from(wait), rate, self.schedule.rollback_factor()]);
        let EarlyStopState { best, wait } = self.early_stop.state();
        checkpoint.insert_f64("state/early_stop", vec![best, f64::from(wait)]);
        let epochs = self.best.kept().iter().map(|model| i64::from(model.epoch)).collect();
        checkpoint.insert_i64("state/best_epochs", epochs);
        checkpoint.insert_f64("state/best_values", self.best.kept().iter().map(|model| model.value).collect());
        Ok(StateSnapshot {
            layout: self.learner.layout().clone(),
            groups: copied.collect::<Result<_, TchError>>()?,
            rest: checkpoint,
        })
    }

    /// Restores the state from a checkpoint. On an error nothing is changed.
    pub fn restore(&mut self, checkpoint: &Checkpoint) -> Result<(), RestoreError> {
        let mismatch = |name: &str| CheckpointError::Mismatch(name.to_owned());
        let &[step, epochs_done, steps_in_epoch, images_in_epoch, rollbacks, optimizer_steps] =
            checkpoint.counters("state/progress")?
        else {
            return Err(mismatch("state/progress").into());
        };
        let &[loss, correct] = checkpoint.sums("state/totals")? else { return Err(mismatch("state/totals").into()) };
        let &[plateau_best, plateau_wait, rate, factor] = checkpoint.sums("state/schedule")? else {
            return Err(mismatch("state/schedule").into());
        };
        let &[stop_best, stop_wait] = checkpoint.sums("state/early_stop")? else {
            return Err(mismatch("state/early_stop").into());
        };
        let (epochs, values) = (checkpoint.counters("state/best_epochs")?, checkpoint.sums("state/best_values")?);
        let kept = epochs.iter().zip(values).map(|(&epoch, &value)| BestModel { epoch: epoch as u32, value }).collect();
        let unusable = checkpoint.counters("state/lost_images")?.iter().map(|&image| image as usize).collect();
        for (prefix, group, flat) in parameter_groups(&self.learner) {
            // A mismatch is reported before anything is changed.
            let views = self.learner.layout().views(group, flat)?;
            let mut expected: Vec<_> = views.iter().map(|(name, view)| (name, view.numel())).collect();
            if group == ParameterGroup::Statistics {
                // They are zero, except in checkpoints of earlier versions.
                expected.extend(self.learner.layout().removed_biases().iter().map(|bias| (&bias.name, bias.count)));
            }
            for (name, count) in expected {
                let name = format!("{prefix}/{name}");
                if checkpoint.values(&name)?.len() != count {
                    return Err(mismatch(&name).into());
                }
            }
        }
        for (prefix, group, flat) in parameter_groups(&self.learner) {
            let values = |name: &str| checkpoint.values(&format!("{prefix}/{name}")).ok();
            self.learner.layout().fill(group, flat, values)?;
        }
        // They were subtracted from the moving means.
        self.learner.parameters.biases.clear();
        self.learner.optimizer.set_steps(optimizer_steps as u64);
        self.learner.forget_steps()?;
        self.progress = Progress {
            step: step as u64,
            epochs_done: epochs_done as u32,
            steps_in_epoch: steps_in_epoch as u64,
            images_in_epoch: images_in_epoch as u64,
            totals: [loss, correct],
            rollbacks: rollbacks as u32,
            unusable,
        };
        self.schedule.restore(PlateauState { best: plateau_best, wait: plateau_wait as u32, rate });
        self.schedule.set_rollback_factor(factor);
        self.early_stop.restore(EarlyStopState { best: stop_best, wait: stop_wait as u32 });
        self.best.restore(kept);
        Ok(())
    }
}

/// The flat tensors that a checkpoint holds, each with the prefix of its tensor names.
fn parameter_groups(learner: &Learner) -> Vec<(String, ParameterGroup, &Tensor)> {
    let parameters = &learner.parameters;
    let mut groups = vec![
        ("weights".to_owned(), ParameterGroup::Weights, &parameters.weights),
        ("weights".to_owned(), ParameterGroup::Statistics, &parameters.statistics),
    ];
    groups.extend(
        learner.optimizer.moments().map(|(name, flat)| (format!("optimizer/{name}"), ParameterGroup::Weights, flat)),
    );
    if let Some(average) = &learner.average {
        groups.push(("ema".to_owned(), ParameterGroup::Weights, &average.weights));
        groups.push(("ema".to_owned(), ParameterGroup::Statistics, &average.statistics));
    }
    groups
}

#[cfg(test)]
mod tests {
    use mammoscope_domain::training::preset::Preset;
    use mammoscope_storage::runs::run_dir::RunDir;

    use super::*;
    use crate::learning::learner::Batch;

    fn config() -> TrainingConfig {
        let mut config = Preset::named("seed").unwrap().config;
        config
            .set_all("size=32,width=0.125,optimizer=adamw,momentum=0.9,ema=0.9,keep_best=2,schedule=plateau")
            .unwrap();
        config
    }

    fn initial_state(config: &TrainingConfig) -> TrainingState {
        TrainingState::initial(config, 10, CrossEntropy::plain(), Device::Cpu, Kind::Float).unwrap()
    }

    fn step(state: &mut TrainingState, number: i64) {
        state.learner.seed_dropout(number as u64).unwrap();
        let images = Tensor::arange(4 * 3 * 32 * 32, (Kind::Float, Device::Cpu)).reshape([4, 3, 32, 32]);
        let batch =
            Batch { images: (images * number).sin(), labels: Tensor::from_slice(&[0_i64, 1, 2, 3]), targets: None };
        state.learner.step_on(0.01, vec![batch]).unwrap();
        state.progress.step += 1;
    }

    /// A state in which everything differs from the initial state.
    fn after_some_time(config: &TrainingConfig) -> TrainingState {
        let mut state = initial_state(config);
        (1..=3).for_each(|number| step(&mut state, number));
        state.progress = Progress {
            epochs_done: 2,
            steps_in_epoch: 1,
            images_in_epoch: 4,
            totals: [0.1 + 0.2, 3.0],
            rollbacks: 1,
            unusable: BTreeSet::from([5, 17]),
            ..state.progress
        };
        state.schedule.epoch_ended(1.25);
        state.schedule.epoch_ended(1.5);
        state.schedule.set_rollback_factor(0.5);
        for (epoch, value) in [(1, 0.5), (2, 1.0 / 3.0)] {
            state.early_stop.epoch_ended(Some(value));
            let model = BestModel { epoch, value };
            let rank = state.best.rank_of(model).unwrap();
            state.best.insert(rank, model);
        }
        state
    }

    #[test]
    fn a_restored_state_continues_exactly_like_the_original() {
        let config = config();
        let mut state = after_some_time(&config);
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::create(folder.path().join("run")).unwrap();
        state.to_checkpoint().unwrap().write(&run).unwrap();

        let mut restored = initial_state(&config);
        restored.restore(&Checkpoint::read(&run.last_checkpoint()).unwrap()).unwrap();
        assert_eq!(restored.progress, state.progress);
        assert_eq!(restored.schedule, state.schedule);
        assert_eq!(restored.early_stop, state.early_stop);
        assert_eq!(restored.best, state.best);
        for number in 4..=5 {
            step(&mut state, number);
            step(&mut restored, number);
        }
        assert_eq!(restored.to_checkpoint().unwrap(), state.to_checkpoint().unwrap());
    }

    /// Checkpoints of earlier versions have biases near zero and moments of biases.
    #[test]
    fn a_checkpoint_with_biases_restores_the_same_network() {
        let config = config();
        let state = after_some_time(&config);
        let mut old = state.to_checkpoint().unwrap();
        // Sums of such numbers are exact.
        let (bias, mean) = (0.25, 1.5);
        for prefix in ["weights", "ema"] {
            let shifted = |name: &str, by: f32| (format!("{prefix}/{name}"), by);
            for (name, value) in [shifted("conv2d_5.bias", bias), shifted("batch_normalization_5.moving_mean", mean)] {
                let count = old.values(&name).unwrap().len();
                old.insert(name, vec![count], vec![value; count]);
            }
        }
        old.insert("optimizer/momentum/conv2d_5.bias".to_owned(), vec![1], vec![7.0]);
        let mut restored = initial_state(&config);
        restored.restore(&old).unwrap();
        let new = restored.to_checkpoint().unwrap();
        for prefix in ["weights", "ema"] {
            let of = |name: &str| new.values(&format!("{prefix}/{name}")).unwrap();
            let biases = of("conv2d_5.bias");
            assert_eq!(biases, vec![0.0; biases.len()]);
            let means = of("batch_normalization_5.moving_mean");
            assert_eq!(means, vec![mean - bias; means.len()]);
        }
        let values = restored.learner.values().unwrap();
        for (name, expected) in state.learner.values().unwrap() {
            assert!(name.ends_with("_5.moving_mean") || values[&name] == expected, "{name}");
        }
    }

    #[test]
    fn a_mismatching_checkpoint_changes_nothing() {
        let config = config();
        let good = after_some_time(&config).to_checkpoint().unwrap();
        let mut state = initial_state(&config);
        let before = state.to_checkpoint().unwrap();
        for name in good.tensors.keys() {
            let mut incomplete = good.clone();
            incomplete.tensors.remove(name);
            let error = state.restore(&incomplete).unwrap_err();
            assert!(matches!(&error, RestoreError::Checkpoint(CheckpointError::Mismatch(named)) if named == name));
            assert_eq!(state.to_checkpoint().unwrap(), before, "without {name}");
        }
    }
}
