//! The estimated time to the end of a run.

use super::run_summary::RunSummary;

/// The number of recent epochs that decide how long an epoch takes. The median of several keeps the estimate stable when
/// one epoch is slow.
const RECENT_EPOCHS: usize = 7;

/// Estimated seconds to the end of the last epoch: the epochs and steps that are left, at [`seconds_per_epoch`]. `None`
/// before anything is known of the speed.
///
/// The trainer writes this to `status.json` as `eta_s`; readers of the events get the same.
#[must_use]
pub fn remaining_seconds(summary: &RunSummary) -> Option<f64> {
    Some(remaining_epochs(summary) * seconds_per_epoch(summary)?)
}

/// The seconds that an epoch takes: the median of the recent epochs, or, before the first one has ended, the training
/// images at the speed last reported.
#[must_use]
pub fn seconds_per_epoch(summary: &RunSummary) -> Option<f64> {
    let recent = summary.records.iter().rev().take(RECENT_EPOCHS);
    let mut seconds: Vec<f64> = recent.map(|record| record.seconds).collect();
    seconds.sort_by(f64::total_cmp);
    if let Some(median) = seconds.get(seconds.len() / 2) {
        return Some(*median);
    }
    let speed = summary.images_per_s.filter(|speed| *speed > 0.0)?;
    Some(summary.setup.as_ref()?.train as f64 / speed)
}

/// The epochs that are left, less the part of the current one that is done.
fn remaining_epochs(summary: &RunSummary) -> f64 {
    let (epochs_done, steps_done) =
        summary.records.last().map_or((0, 0), |record| (record.metrics.epoch, record.metrics.step));
    let steps = summary.step.saturating_sub(steps_done) as f64;
    let within_epoch = summary.setup.as_ref().map_or(0.0, |setup| steps / setup.steps_per_epoch.max(1) as f64);
    (f64::from(summary.epochs.saturating_sub(epochs_done)) - within_epoch.min(1.0)).max(0.0)
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::run::run_event::{RunEvent, RunEventKind};
    use crate::run::run_records::{EpochMetrics, EpochRecord, StepReport, TrainingSetup};
    use crate::run::run_state::RunState;
    use crate::training::compute_options::Precision;
    use crate::training::training_config::Monitor;

    const STEPS_PER_EPOCH: u64 = 100;

    /// A run of ten epochs of 100 steps and 800 images.
    fn prepared() -> RunState {
        let mut state = RunState::new(Monitor::ValAccuracy, 10);
        let setup = TrainingSetup {
            device: "cpu".to_owned(),
            precision: Precision::F32,
            threads: 2,
            train: 800,
            validation: 100,
            test: 100,
            steps_per_epoch: STEPS_PER_EPOCH,
        };
        apply(&mut state, RunEventKind::Prepared(setup));
        state
    }

    fn apply(state: &mut RunState, kind: RunEventKind) {
        state.apply(&RunEvent { time: DateTime::UNIX_EPOCH, kind });
    }

    fn report(state: &mut RunState, epoch: u32, step: u64, images_per_s: f64) {
        let (loss, accuracy, learning_rate, gradient_norm) = (1.0, 0.5, 0.01, 1.0);
        let report = StepReport { epoch, step, loss, accuracy, learning_rate, gradient_norm, images_per_s };
        apply(state, RunEventKind::StepReported(report));
    }

    fn end_epoch(state: &mut RunState, epoch: u32, seconds: f64) {
        let metrics = EpochMetrics {
            epoch,
            step: u64::from(epoch) * STEPS_PER_EPOCH,
            train_loss: 1.0,
            train_accuracy: 0.5,
            val_loss: None,
            val_accuracy: None,
            val_kappa: None,
            learning_rate: 0.01,
        };
        apply(state, RunEventKind::EpochEnded(EpochRecord { metrics, seconds }));
    }

    #[test]
    fn the_first_epoch_is_estimated_from_the_speed_of_images() {
        let mut state = prepared();
        assert_eq!(remaining_seconds(&state.summary), None);
        report(&mut state, 1, 25, 40.0);
        assert_eq!(remaining_seconds(&state.summary), Some(9.75 * 20.0));
        report(&mut state, 1, 26, 0.0);
        assert_eq!(remaining_seconds(&state.summary), None, "no speed");
    }

    #[test]
    fn a_slow_epoch_does_not_change_the_estimate_and_steps_count() {
        let mut state = prepared();
        for epoch in 1..=5 {
            end_epoch(&mut state, epoch, if epoch == 3 { 900.0 } else { 10.0 });
        }
        assert_eq!(remaining_seconds(&state.summary), Some(50.0));
        report(&mut state, 6, 540, 1.0);
        assert_eq!(remaining_seconds(&state.summary), Some(46.0));
        report(&mut state, 6, 700, 1.0);
        assert_eq!(remaining_seconds(&state.summary), Some(40.0), "one epoch at most");
        for epoch in 6..=10 {
            end_epoch(&mut state, epoch, 10.0);
        }
        assert_eq!(remaining_seconds(&state.summary), Some(0.0));
    }

    #[test]
    fn going_back_to_a_checkpoint_brings_its_steps_back() {
        let mut state = prepared();
        end_epoch(&mut state, 1, 10.0);
        end_epoch(&mut state, 2, 10.0);
        let checkpoint = "last.safetensors".to_owned();
        apply(&mut state, RunEventKind::Resumed { step: 150, epochs_done: 1, checkpoint });
        assert_eq!(remaining_seconds(&state.summary), Some(85.0));
    }
}
