//! The jump of the learning rate where a run continues with another number of epochs.

use std::fmt;

use super::lr_schedule::LearningRateSchedule;

/// A learning rate that is no longer what it would have been, because a cosine ends at another epoch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateChange {
    /// The number of epochs before.
    epochs_before: u32,
    /// The number of epochs now.
    epochs: u32,
    /// The rate at the next step, if the number of epochs had not changed.
    from: f64,
    /// The rate at the next step.
    to: f64,
}

impl RateChange {
    /// Compares the schedules for two numbers of epochs at the next step; `None` if the rate there is the same in the digits
    /// that are shown, or if there was no step before.
    #[must_use]
    pub fn at(
        step: u64,
        (epochs_before, before): (u32, &LearningRateSchedule),
        (epochs, after): (u32, &LearningRateSchedule),
    ) -> Option<Self> {
        let (from, to) = (before.rate(step), after.rate(step));
        (step > 0 && shown(from) != shown(to)).then_some(Self { epochs_before, epochs, from, to })
    }
}

impl fmt::Display for RateChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { epochs_before, epochs, from, to } = self;
        let verb = if epochs > epochs_before { "stretched" } else { "shortened" };
        write!(f, "the cosine is {verb} to {epochs} epochs: the rate goes from {} to {}", shown(*from), shown(*to))
    }
}

fn shown(rate: f64) -> String {
    format!("{rate:.2e}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::preset::Preset;
    use crate::training::training_config::{ScheduleKind, TrainingConfig};

    fn change(schedule: ScheduleKind, warmup_epochs: u32, (before, after): (u32, u32), step: u64) -> Option<String> {
        let seed = Preset::named("seed").unwrap().config;
        let config = TrainingConfig { schedule, warmup_epochs, learning_rate: 0.01, plateau_min: 1e-6, ..seed };
        let of = |epochs| LearningRateSchedule::new(&TrainingConfig { epochs, ..config.clone() }, 10);
        let (of_before, of_after) = (of(before), of(after));
        RateChange::at(step, (before, &of_before), (after, &of_after)).map(|change| change.to_string())
    }

    #[test]
    fn only_a_cosine_that_has_begun_to_fall_jumps() {
        assert_eq!(
            change(ScheduleKind::Cosine, 0, (6, 12), 60).unwrap(),
            "the cosine is stretched to 12 epochs: the rate goes from 1.00e-6 to 4.93e-3"
        );
        assert!(change(ScheduleKind::Cosine, 0, (12, 8), 60).unwrap().contains("is shortened to 8 epochs"));
        assert_eq!(change(ScheduleKind::Cosine, 2, (6, 12), 5), None, "in the warm-up");
        assert_eq!(change(ScheduleKind::Cosine, 0, (6, 6), 60), None);
        assert_eq!(change(ScheduleKind::Cosine, 0, (9000, 9001), 60), None, "not to be seen");
        assert_eq!(change(ScheduleKind::Cosine, 0, (6, 12), 0), None, "before the first step");
        assert_eq!(change(ScheduleKind::Constant, 1, (6, 12), 60), None);
        assert_eq!(change(ScheduleKind::Plateau, 0, (6, 12), 60), None);
    }
}
