//! The learning rate schedule.
//!
//! Call `rate(step)` before every update, and `epoch_ended(val_loss)` after every epoch that has a validation loss. In
//! between, the rate is a pure function of the step, so that `state` and `restore` are all that a resume needs.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use super::training_config::{ScheduleKind, TrainingConfig};

/// An improvement is a validation loss below the best by more than this: Keras' `min_delta`.
const MIN_DELTA: f64 = 1e-4;

/// The learning rate of a training run.
#[derive(Clone, Debug, PartialEq)]
pub struct LearningRateSchedule {
    kind: ScheduleKind,
    peak: f64,
    minimum: f64,
    factor: f64,
    patience: u32,
    warmup_steps: u64,
    total_steps: u64,
    plateau: PlateauState,
    rollback_factor: f64,
}

/// The state of a plateau schedule between epochs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlateauState {
    /// The validation loss of the last improvement; infinite before the first.
    pub best: f64,
    /// Epochs since then, or since the last reduction.
    pub wait: u32,
    /// The learning rate, before warm-up and rollback.
    pub rate: f64,
}

/// A reduction of the learning rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reduction {
    pub from: f64,
    pub to: f64,
}

impl LearningRateSchedule {
    /// The schedule of a configuration, at the start of training.
    #[must_use]
    pub fn new(config: &TrainingConfig, steps_per_epoch: u64) -> Self {
        Self {
            kind: config.schedule,
            peak: config.learning_rate,
            minimum: config.plateau_min,
            factor: config.plateau_factor,
            patience: config.plateau_patience,
            warmup_steps: u64::from(config.warmup_epochs).saturating_mul(steps_per_epoch),
            total_steps: u64::from(config.epochs).saturating_mul(steps_per_epoch),
            plateau: PlateauState { best: f64::INFINITY, wait: 0, rate: config.learning_rate },
            rollback_factor: 1.0,
        }
    }

    /// The learning rate of the update after `step` updates.
    ///
    /// The warm-up is a straight line that would be zero just before the first step and reaches the schedule's rate at the
    /// first step after the warm-up (Goyal et al. 2017). The cosine falls from the peak at that step to the minimum at the
    /// last.
    #[must_use]
    pub fn rate(&self, step: u64) -> f64 {
        let scheduled = match self.kind {
            ScheduleKind::Constant => self.peak,
            ScheduleKind::Plateau => self.plateau.rate,
            ScheduleKind::Cosine => {
                let last = self.total_steps.saturating_sub(1).saturating_sub(self.warmup_steps);
                let done = step.saturating_sub(self.warmup_steps).min(last) as f64 / last.max(1) as f64;
                // This form gives exactly the peak at the first step and exactly the minimum at the last.
                let height = f64::midpoint(1.0, (PI * done).cos());
                (self.peak * height + self.minimum * (1.0 - height)).min(self.peak)
            }
        };
        let warmth = if step < self.warmup_steps { (step + 1) as f64 / (self.warmup_steps + 1) as f64 } else { 1.0 };
        scheduled * warmth * self.rollback_factor
    }

    /// Takes an epoch's validation loss, and reduces the rate on a plateau as `ReduceLROnPlateau` of Keras 2.2 does: better
    /// means below the best by more than 1e-4, there is no cooldown, and NaN is never better. Does nothing for other
    /// schedules.
    pub fn epoch_ended(&mut self, val_loss: f64) -> Option<Reduction> {
        if self.kind != ScheduleKind::Plateau {
            return None;
        }
        let state = &mut self.plateau;
        if val_loss < state.best - MIN_DELTA {
            state.best = val_loss;
            state.wait = 0;
            return None;
        }
        state.wait = state.wait.saturating_add(1);
        if state.wait < self.patience || state.rate <= self.minimum {
            return None;
        }
        let from = state.rate;
        state.rate = (from * self.factor).max(self.minimum);
        state.wait = 0;
        Some(Reduction { from: from * self.rollback_factor, to: state.rate * self.rollback_factor })
    }

    /// Everything that must be saved to resume exactly.
    #[must_use]
    pub fn state(&self) -> PlateauState {
        self.plateau
    }

    /// Continues from a saved state.
    pub fn restore(&mut self, state: PlateauState) {
        self.plateau = state;
    }

    /// Sets the factor on every rate from now on, after a rollback.
    pub fn set_rollback_factor(&mut self, factor: f64) {
        self.rollback_factor = factor;
    }

    /// The factor on every rate; 1 before the first rollback.
    #[must_use]
    pub fn rollback_factor(&self) -> f64 {
        self.rollback_factor
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::training::preset::Preset;

    fn seed() -> TrainingConfig {
        Preset::named("seed").unwrap().config
    }

    fn assert_near(rate: f64, expected: f64) {
        assert!((rate - expected).abs() < 1e-15, "{rate} is not {expected}");
    }

    #[test]
    fn a_constant_rate_is_constant_after_its_warm_up() {
        let config =
            TrainingConfig { schedule: ScheduleKind::Constant, warmup_epochs: 1, learning_rate: 0.5, ..seed() };
        let schedule = LearningRateSchedule::new(&config, 4);
        // Four steps of warm-up: fifths of the peak.
        for (step, expected) in [(0, 0.1), (1, 0.2), (2, 0.3), (3, 0.4), (4, 0.5), (5, 0.5), (1_000_000, 0.5)] {
            assert_near(schedule.rate(step), expected);
        }
    }

    #[test]
    fn the_cosine_falls_from_the_peak_to_the_minimum_at_the_last_step() {
        let config = TrainingConfig {
            schedule: ScheduleKind::Cosine,
            epochs: 3,
            warmup_epochs: 1,
            learning_rate: 0.9,
            plateau_min: 0.1,
            ..seed()
        };
        let schedule = LearningRateSchedule::new(&config, 4);
        // Twelve steps, four of them warm-up; the cosine spans steps 4 to 11, with no step in its middle:
        // 0.1 + 0.8 · (1 + cos(π·k/7)) / 2 for k = 0 … 7, cos(π/7) = 0.900968867902419.
        assert_near(schedule.rate(3), 0.72);
        assert_near(schedule.rate(4), 0.9);
        assert_near(schedule.rate(5), 0.1 + 0.4 * 1.900_968_867_902_419);
        assert_near(schedule.rate(10), 0.1 + 0.4 * 0.099_031_132_097_580_9);
        assert_near(schedule.rate(11), 0.1);
        assert_near(schedule.rate(12), 0.1);
        assert!((4..11).all(|step| schedule.rate(step + 1) < schedule.rate(step)));
    }

    #[test]
    fn a_single_step_has_the_peak_rate() {
        let config = TrainingConfig { schedule: ScheduleKind::Cosine, epochs: 1, ..seed() };
        assert_near(LearningRateSchedule::new(&config, 1).rate(0), 0.01);
    }

    fn plateau(patience: u32) -> LearningRateSchedule {
        let config = TrainingConfig { plateau_patience: patience, ..seed() };
        LearningRateSchedule::new(&config, 227)
    }

    #[test]
    fn an_improvement_is_more_than_one_ten_thousandth() {
        let mut schedule = plateau(2);
        assert_eq!(schedule.epoch_ended(1.0), None);
        // 0.99995 is not below 1 − 1e-4: it counts as waiting, and the best stays 1.
        assert_eq!(schedule.epoch_ended(0.999_95), None);
        assert_eq!(schedule.state(), PlateauState { best: 1.0, wait: 1, rate: 0.01 });
        assert_eq!(schedule.epoch_ended(0.999_8), None);
        assert_eq!(schedule.state(), PlateauState { best: 0.999_8, wait: 0, rate: 0.01 });
        assert_eq!(schedule.epoch_ended(f64::NAN), None);
        assert_eq!(schedule.epoch_ended(f64::NAN), Some(Reduction { from: 0.01, to: 0.001 }));
        assert_near(schedule.rate(227), 0.001);
        // At the minimum nothing is left to reduce.
        assert!((0..20).all(|_| schedule.epoch_ended(2.0).is_none()));
    }

    #[test]
    fn the_last_reduction_stops_at_the_minimum() {
        let config = TrainingConfig { plateau_patience: 1, plateau_factor: 0.25, ..seed() };
        let mut schedule = LearningRateSchedule::new(&config, 1);
        let rates: Vec<_> = (0..5).map(|_| schedule.epoch_ended(f64::NAN).map(|reduction| reduction.to)).collect();
        assert_eq!(rates, [Some(0.0025), Some(0.001), None, None, None]);
    }

    #[test]
    fn a_rollback_scales_the_scheduled_rate() {
        let mut schedule = plateau(1);
        schedule.set_rollback_factor(0.5);
        assert_near(schedule.rate(0), 0.005);
        assert_eq!(schedule.epoch_ended(f64::NAN), Some(Reduction { from: 0.005, to: 0.0005 }));
        assert_near(schedule.state().rate, 0.001);
    }

    /// The validation losses of the reference's own run on CC_R. By hand: the loss of epoch 26 (0.636626) is below all
    /// earlier ones by more than 1e-4; none of the next fifteen, epochs 27 to 41, is below 0.636526, so epoch 41 reduces
    /// the rate to 0.001. That is the minimum: there is no second reduction, although no epoch after 61 (0.563524) is
    /// better.
    #[test]
    fn the_references_history_is_reduced_where_keras_reduced_it() {
        let mut schedule = plateau(15);
        let losses =
            include_str!("../../../../tests/fixtures/loss_val_ccr.txt").lines().map(|line| line.parse().unwrap());
        let reductions: Vec<_> =
            losses.zip(1..).filter_map(|(loss, epoch)| Some((epoch, schedule.epoch_ended(loss)?))).collect();
        assert_eq!(reductions, [(41, Reduction { from: 0.01, to: 0.001 })]);
        assert_eq!(schedule.state(), PlateauState { best: 5.635_235_895_843_882e-1, wait: 39, rate: 0.001 });
    }

    proptest! {
        #[test]
        fn a_restored_schedule_continues_like_an_uninterrupted_one(
            losses in prop::collection::vec(prop_oneof![0.0..2.0f64, Just(f64::NAN)], 1..60),
            cut in 0usize..60,
            patience in 1u32..6,
        ) {
            let (mut whole, mut first) = (plateau(patience), plateau(patience));
            let cut = cut.min(losses.len());
            for &loss in &losses[..cut] {
                first.epoch_ended(loss);
            }
            let mut resumed = plateau(patience);
            resumed.restore(first.state());
            for (index, &loss) in losses.iter().enumerate() {
                let expected = whole.epoch_ended(loss);
                if index >= cut {
                    prop_assert_eq!(resumed.epoch_ended(loss), expected);
                }
            }
            prop_assert_eq!(resumed, whole);
        }

        #[test]
        fn rates_are_positive_and_never_above_the_peak(
            step in any::<u64>(), steps in 0u64..1000, warmup in 0u32..5, cosine in any::<bool>(),
        ) {
            let schedule = if cosine { ScheduleKind::Cosine } else { ScheduleKind::Plateau };
            let config = TrainingConfig { schedule, warmup_epochs: warmup, epochs: 5, ..seed() };
            let rate = LearningRateSchedule::new(&config, steps).rate(step);
            prop_assert!(rate > 0.0 && rate <= config.learning_rate, "{}", rate);
        }
    }
}
