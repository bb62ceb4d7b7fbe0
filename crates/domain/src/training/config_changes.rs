//! Changes to a configuration by key, and the check of the configuration as a whole.

use super::config_error::ConfigError;
use super::config_keys::{ConfigKey, KEYS};
use super::config_value::ConfigValue;
use super::training_config::{OptimizerKind, ScheduleKind, TrainingConfig};

impl TrainingConfig {
    /// Sets one key; after an error the configuration is unchanged. Only the value itself is checked, not its combination
    /// with others: see [`TrainingConfig::check`].
    pub fn set(&mut self, key: &str, value: &str) -> Result<(), ConfigError> {
        let key = ConfigKey::named(key)?;
        key.put(self, key.parse(value)?);
        Ok(())
    }

    /// Sets the keys of `key=value[,key=value…]`: all of them, or none if there is an error. A key given twice is an error;
    /// to detect that across several texts, join them with commas.
    pub fn set_all(&mut self, assignments: &str) -> Result<(), ConfigError> {
        let mut changed: Vec<(&ConfigKey, ConfigValue)> = Vec::new();
        for text in assignments.split(',') {
            let no_assignment = || ConfigError::NoAssignment { text: text.to_owned() };
            let (name, value) = text.split_once('=').ok_or_else(no_assignment)?;
            let key = ConfigKey::named(name.trim())?;
            if changed.iter().any(|(other, _)| other.name == key.name) {
                return Err(ConfigError::GivenTwice { key: key.name });
            }
            changed.push((key, key.parse(value.trim())?));
        }
        for (key, value) in changed {
            key.put(self, value);
        }
        Ok(())
    }

    /// Checks the range of every value, and the combinations of values.
    pub fn check(&self) -> Result<(), ConfigError> {
        for key in KEYS {
            let value = key.value(self);
            if !key.range.contains(value) {
                return Err(key.out_of_range(&value.to_string()));
            }
        }
        let invalid = |reason: String| Err(ConfigError::Combination(reason));
        if self.optimizer == OptimizerKind::Nesterov && self.momentum == 0.0 {
            return invalid("optimizer = nesterov needs a momentum above 0, such as 0.9".to_owned());
        }
        if self.warmup_epochs >= self.epochs {
            return invalid(format!(
                "warmup_epochs = {} leaves nothing of epochs = {}; make it smaller",
                self.warmup_epochs, self.epochs
            ));
        }
        if self.schedule != ScheduleKind::Constant && self.plateau_min > self.learning_rate {
            return invalid(format!(
                "plateau_min = {} is above learning_rate = {}; the schedule could only raise it",
                ConfigValue::Number(self.plateau_min),
                ConfigValue::Number(self.learning_rate)
            ));
        }
        Ok(())
    }

    /// Checks a configuration that a run is to begin with: as [`TrainingConfig::check`] does, and that what it asks for
    /// can come about at all. A run that is resumed may have other numbers of epochs than its file.
    pub fn check_for_start(&self) -> Result<(), ConfigError> {
        self.check()?;
        if self.keep_every > self.epochs {
            return Err(ConfigError::Combination(format!(
                "keep_every = {} keeps no model of epochs = {}; make it smaller, or 0 to keep none",
                self.keep_every, self.epochs
            )));
        }
        Ok(())
    }

    /// True if the model of an epoch is kept.
    #[must_use]
    pub fn keeps(&self, epoch: u32) -> bool {
        self.keep_every > 0 && epoch.is_multiple_of(self.keep_every)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::training::compute_options::Precision;
    use crate::training::preset::Preset;

    fn seed() -> TrainingConfig {
        Preset::named("seed").unwrap().config
    }

    fn error_of(change: &str) -> String {
        let mut config = seed();
        let error = config.set_all(change).expect_err(change).to_string();
        assert_eq!(config, seed(), "an error changes nothing");
        error
    }

    #[test]
    fn errors_name_the_problem_and_the_remedy() {
        assert_eq!(
            error_of("batch_sise=4"),
            "there is no key 'batch_sise'; the nearest is batch_size (1 ≤ batch_size ≤ 4096)"
        );
        assert_eq!(error_of("lr=0.1"), "there is no key 'lr'; the nearest is learning_rate (0 < learning_rate ≤ 10)");
        assert_eq!(
            error_of("epochs=3,optimiser=sgd"),
            "there is no key 'optimiser'; the nearest is optimizer (sgd, nesterov, adamw, rmsprop)"
        );
        assert_eq!(error_of("config=1"), "there is no key 'config'; mammoscope preset show seed lists the keys");
        assert_eq!(error_of("dropout=1"), "dropout = 1 is out of range: 0 ≤ dropout < 1");
        assert_eq!(error_of("epochs=2,size=31"), "size = 31 is out of range: 32 ≤ size ≤ 4096");
        assert_eq!(error_of("batch_size=-4"), "batch_size = -4 is out of range: 1 ≤ batch_size ≤ 4096");
        assert_eq!(
            error_of("seed=99999999999999999999"),
            "seed = 99999999999999999999 is out of range: 0 ≤ seed ≤ 9007199254740992"
        );
        assert_eq!(error_of("learning_rate=NaN"), "learning_rate = NaN is out of range: 0 < learning_rate ≤ 10");
        assert_eq!(error_of("grad_clip=inf"), "grad_clip = inf is out of range: 0 ≤ grad_clip ≤ 1000000");
        assert_eq!(error_of("batch_size=16.5"), "batch_size = 16.5: batch_size must be a whole number");
        assert_eq!(error_of("augment=yes"), "augment = yes: augment must be true or false");
        assert_eq!(
            error_of("monitor=loss"),
            "monitor = loss: monitor must be one of val_accuracy, val_loss, val_kappa"
        );
        assert_eq!(error_of("epochs=1,epochs=2"), "epochs is given twice; leave one of them out");
        assert_eq!(error_of("epochs=1,"), "'' is not of the form key=value[,key=value…]");
        assert_eq!(error_of("epochs"), "'epochs' is not of the form key=value[,key=value…]");
        assert_eq!(
            error_of("shift=\u{1b}[31m"),
            "shift = \\u{1b}[31m: shift must be a number",
            "control characters are escaped"
        );
    }

    #[test]
    fn assignments_may_have_spaces() {
        let mut config = seed();
        config.set_all("batch_size = 16, learning_rate=2e-2,precision=f32-strict").unwrap();
        assert_eq!((config.batch_size, config.learning_rate), (16, 0.02));
        assert_eq!(config.precision, Precision::F32Strict);
    }

    #[test]
    fn invalid_combinations_are_refused() {
        let check = |change: &str| {
            let mut config = seed();
            config.set_all(change).unwrap();
            config.check().map_err(|error| error.to_string())
        };
        assert_eq!(check("optimizer=rmsprop,momentum=0"), Ok(()));
        assert_eq!(check("optimizer=nesterov,momentum=0.9"), Ok(()));
        assert!(check("optimizer=nesterov").unwrap_err().contains("momentum above 0"));
        assert_eq!(check("epochs=2,warmup_epochs=1"), Ok(()));
        assert!(check("epochs=2,warmup_epochs=2").unwrap_err().contains("leaves nothing of epochs = 2"));
        assert!(check("learning_rate=0.0009").unwrap_err().contains("plateau_min = 0.001 is above"));
        assert_eq!(check("learning_rate=0.0009,schedule=constant"), Ok(()), "a constant rate has no minimum");
    }

    #[test]
    fn every_nth_epoch_is_kept_and_a_distance_that_keeps_none_is_refused() {
        let kept = |keep_every| {
            let config = TrainingConfig { keep_every, ..seed() };
            (1..=7).filter(|&epoch| config.keeps(epoch)).collect::<Vec<_>>()
        };
        assert_eq!([kept(0), kept(3), kept(7)], [vec![], vec![3, 6], vec![7]]);
        let config = TrainingConfig { epochs: 7, keep_every: 8, ..seed() };
        assert_eq!(config.check(), Ok(()), "the run may be resumed with more epochs");
        let refusal = config.check_for_start().unwrap_err().to_string();
        assert_eq!(refusal, "keep_every = 8 keeps no model of epochs = 7; make it smaller, or 0 to keep none");
        assert_eq!(TrainingConfig { keep_every: 7, ..config }.check_for_start(), Ok(()));
    }

    #[test]
    fn a_configuration_built_without_the_table_is_checked_too() {
        let checked = TrainingConfig { ema: f64::NAN, ..seed() }.check().unwrap_err();
        assert_eq!(checked.to_string(), "ema = NaN is out of range: 0 ≤ ema < 1");
        assert!(TrainingConfig { seed: u64::MAX, ..seed() }.check().is_err());
        assert!(TrainingConfig { size: 31, ..seed() }.check().is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_accepted_or_refused(key in "[a-z_]{0,12}", value in any::<String>()) {
            let mut config = seed();
            if config.set(&key, &value).is_err() {
                prop_assert_eq!(config, seed());
            }
        }

        #[test]
        fn displayed_values_parse_to_the_same_values(rate in 1e-12..10.0f64, seed_number in 0u64..=1 << 53) {
            let config = TrainingConfig { learning_rate: rate, seed: seed_number, ..seed() };
            let mut read = seed();
            for key in KEYS {
                read.set(key.name, &key.value(&config).to_string()).unwrap();
            }
            prop_assert_eq!(read, config);
        }
    }
}
