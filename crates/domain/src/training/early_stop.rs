//! Early stopping: the end of a training run that no longer improves.

use serde::{Deserialize, Serialize};

use super::training_config::{Monitor, TrainingConfig};

/// Counts epochs since the best one.
#[derive(Clone, Debug, PartialEq)]
pub struct EarlyStop {
    monitor: Monitor,
    patience: u32,
    state: EarlyStopState,
}

/// The state of an [`EarlyStop`] between epochs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct EarlyStopState {
    /// The best value of the monitored metric so far; infinitely bad before the first.
    pub best: f64,
    /// Epochs since then.
    pub wait: u32,
}

impl EarlyStop {
    /// The rule of a configuration: `monitor` and `early_stop`.
    #[must_use]
    pub fn new(config: &TrainingConfig) -> Self {
        let worst = match config.monitor {
            Monitor::ValLoss => f64::INFINITY,
            Monitor::ValAccuracy | Monitor::ValKappa => f64::NEG_INFINITY,
        };
        let state = EarlyStopState { best: worst, wait: 0 };
        Self { monitor: config.monitor, patience: config.early_stop, state }
    }

    /// Takes an epoch's monitored value, `None` or NaN where it is undefined, and returns true if training is to end:
    /// after `early_stop` epochs in a row that were not better than the best. Never with `early_stop = 0`.
    pub fn epoch_ended(&mut self, value: Option<f64>) -> bool {
        match value {
            Some(value) if self.monitor.is_better(value, self.state.best) => {
                self.state = EarlyStopState { best: value, wait: 0 };
            }
            _ => self.state.wait = self.state.wait.saturating_add(1),
        }
        self.is_over()
    }

    /// True if training is to end after the epochs so far; also after a saved state is restored.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.patience > 0 && self.state.wait >= self.patience
    }

    /// Waits for an improvement as long as at the start, for training that is continued after it had ended. The best value
    /// stays.
    pub fn start_again(&mut self) {
        self.state.wait = 0;
    }

    /// Everything that must be saved to resume exactly.
    #[must_use]
    pub fn state(&self) -> EarlyStopState {
        self.state
    }

    /// Continues from a saved state.
    pub fn restore(&mut self, state: EarlyStopState) {
        self.state = state;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::preset::Preset;

    fn rule(monitor: Monitor, early_stop: u32) -> EarlyStop {
        EarlyStop::new(&TrainingConfig { monitor, early_stop, ..Preset::named("seed").unwrap().config })
    }

    #[test]
    fn ends_after_epochs_without_an_improvement() {
        let mut rule = rule(Monitor::ValAccuracy, 2);
        let ends = [Some(0.5), Some(0.5), Some(0.6), None, Some(0.6)].map(|value| rule.epoch_ended(value));
        assert_eq!(ends, [false, false, false, false, true]);
        assert_eq!(rule.state(), EarlyStopState { best: 0.6, wait: 2 });
    }

    #[test]
    fn a_smaller_loss_is_better_and_nan_never_is() {
        let mut rule = rule(Monitor::ValLoss, 2);
        let ends =
            [Some(f64::NAN), Some(1.0), Some(0.9), Some(f64::NAN), Some(0.95)].map(|loss| rule.epoch_ended(loss));
        assert_eq!(ends, [false, false, false, false, true]);
    }

    #[test]
    fn zero_never_ends_and_a_restored_rule_continues() {
        let mut never = rule(Monitor::ValKappa, 0);
        assert!(!(0..1000).any(|_| never.epoch_ended(None)));
        let mut whole = rule(Monitor::ValKappa, 3);
        let ends = [Some(0.2), Some(0.1), Some(0.1)].map(|kappa| whole.epoch_ended(kappa));
        let mut resumed = rule(Monitor::ValKappa, 3);
        resumed.restore(whole.state());
        assert_eq!((ends, resumed.is_over(), resumed.epoch_ended(Some(0.2))), ([false; 3], false, true));
        let mut over = rule(Monitor::ValKappa, 3);
        over.restore(resumed.state());
        assert!(over.is_over());
    }
}
