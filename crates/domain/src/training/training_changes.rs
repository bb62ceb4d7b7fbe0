//! Changes to the configuration of a run that is resumed: what may change, and the record of a change.
//!
//! A run has one result for its configuration and its images. Keys that the numbers so far depend on are therefore fixed;
//! those that only decide how long, how safely or how fast the rest is computed may change, and each change is recorded.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::config_error::ConfigError;
use super::config_keys::ConfigKey;
use super::config_value::ConfigValue;
use super::training_config::TrainingConfig;

/// The keys that may change when a run is resumed, besides its number of epochs.
pub const CHANGEABLE_KEYS: [&str; 7] =
    ["keep_best", "keep_every", "early_stop", "checkpoint_minutes", "on_full", "nonfinite", "threads"];

/// The changes that are asked for when a run is resumed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrainingChanges {
    /// The number of epochs to train in total.
    pub epochs: Option<u32>,
    pub settings: ChangedSettings,
}

/// New values of some of the [`CHANGEABLE_KEYS`], each key at most once. Written and parsed as `key=value,key=value`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChangedSettings(Vec<(&'static str, ConfigValue)>);

/// A setting that cannot be changed in a run that is resumed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("epochs is changed by --epochs")]
    Epochs,
    #[error("threads = 0 is a choice made before a run starts; give a number")]
    TimedThreads,
    #[error(
        "monitor cannot be changed in a run that is resumed: the best epoch so far was chosen by another metric; start a \
         new run"
    )]
    Monitor,
    /// The numbers so far were computed with the present value.
    #[error(
        "{key} cannot be changed in a run that is resumed: its epochs so far were computed with another value; start a new \
         run, or change one of: {}", CHANGEABLE_KEYS.join(", ")
    )]
    Fixed { key: &'static str },
}

/// A setting that was changed since a run began, with its values as texts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingChange {
    pub key: String,
    pub from: String,
    pub to: String,
}

impl ChangedSettings {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The new value of a key.
    #[must_use]
    pub fn value(&self, key: &str) -> Option<ConfigValue> {
        self.0.iter().find(|(name, _)| *name == key).map(|(_, value)| *value)
    }

    /// The changes to this configuration; a key that has the value already is not among them.
    pub fn changes(&self, config: &TrainingConfig) -> Result<Vec<SettingChange>, ConfigError> {
        let mut changes = Vec::new();
        for (name, value) in &self.0 {
            let before = ConfigKey::named(name)?.value(config);
            if before != *value {
                let (key, from, to) = ((*name).to_owned(), before.to_string(), value.to_string());
                changes.push(SettingChange { key, from, to });
            }
        }
        Ok(changes)
    }
}

impl FromStr for ChangedSettings {
    type Err = ChangeError;

    fn from_str(text: &str) -> Result<Self, ChangeError> {
        let mut settings: Vec<(&'static str, ConfigValue)> = Vec::new();
        for assignment in text.split(',').filter(|_| !text.is_empty()) {
            let no_assignment = || ConfigError::NoAssignment { text: assignment.to_owned() };
            let (name, value) = assignment.split_once('=').ok_or_else(no_assignment)?;
            let key = ConfigKey::named(name.trim())?;
            if settings.iter().any(|(other, _)| *other == key.name) {
                return Err(ConfigError::GivenTwice { key: key.name }.into());
            }
            let value = key.parse(value.trim())?;
            match key.name {
                "epochs" => return Err(ChangeError::Epochs),
                "monitor" => return Err(ChangeError::Monitor),
                "threads" if value == ConfigValue::Integer(0) => return Err(ChangeError::TimedThreads),
                name if CHANGEABLE_KEYS.contains(&name) => settings.push((name, value)),
                name => return Err(ChangeError::Fixed { key: name }),
            }
        }
        Ok(Self(settings))
    }
}

impl fmt::Display for ChangedSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let assignments: Vec<_> = self.0.iter().map(|(key, value)| format!("{key}={value}")).collect();
        f.write_str(&assignments.join(","))
    }
}

impl fmt::Display for SettingChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} from {} to {}", self.key, self.from, self.to)
    }
}

/// A configuration after changes that were recorded, in their order.
pub fn changed_config<'c>(
    config: &TrainingConfig,
    changes: impl IntoIterator<Item = &'c SettingChange>,
) -> Result<TrainingConfig, ConfigError> {
    let mut config = config.clone();
    for change in changes {
        config.set(&change.key, &change.to)?;
    }
    Ok(config)
}

/// The configuration that a run began with, from one after changes that were recorded.
pub fn initial_config<'c>(
    config: &TrainingConfig,
    changes: impl DoubleEndedIterator<Item = &'c SettingChange>,
) -> Result<TrainingConfig, ConfigError> {
    let mut config = config.clone();
    for change in changes.rev() {
        config.set(&change.key, &change.from)?;
    }
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::config_keys::KEYS;
    use crate::training::preset::Preset;

    fn seed() -> TrainingConfig {
        Preset::named("seed").unwrap().config
    }

    #[test]
    fn only_keys_that_no_number_so_far_depends_on_may_change() {
        let is_changeable = |key: &&ConfigKey| {
            let value = if key.name == "threads" { "3".to_owned() } else { key.value(&seed()).to_string() };
            format!("{}={value}", key.name).parse::<ChangedSettings>().is_ok()
        };
        let mut changeable: Vec<_> = KEYS.iter().filter(is_changeable).map(|key| key.name).collect();
        changeable.sort_by_key(|name| CHANGEABLE_KEYS.iter().position(|key| key == name));
        assert_eq!(changeable, CHANGEABLE_KEYS);
        let error_of = |text: &str| text.parse::<ChangedSettings>().expect_err(text).to_string();
        assert_eq!(
            error_of("early_stop=4,learning_rate=0.1"),
            "learning_rate cannot be changed in a run that is resumed: its epochs so far were computed with another value; \
             start a new run, or change one of: keep_best, keep_every, early_stop, checkpoint_minutes, on_full, \
             nonfinite, threads"
        );
        assert_eq!(error_of("epochs=7"), "epochs is changed by --epochs");
        assert!(error_of("monitor=val_loss").contains("chosen by another metric"));
        assert!(error_of("threads=0").contains("give a number"));
        assert!(error_of("early_stopp=1").contains("the nearest is early_stop"));
        assert!(error_of("early_stop=1,early_stop=2").contains("given twice"));
        assert!(error_of("keep_best=0").contains("out of range"));
        assert!(error_of("keep_best").contains("not of the form"));
    }

    #[test]
    fn changes_lead_there_and_back() {
        let settings: ChangedSettings = "early_stop=4, keep_best=3,nonfinite=stop".parse().unwrap();
        assert_eq!(settings.to_string(), "early_stop=4,keep_best=3,nonfinite=stop");
        assert_eq!(settings.to_string().parse(), Ok(settings.clone()));
        let config = TrainingConfig { early_stop: 9, keep_best: 1, ..seed() };
        let changes = settings.changes(&config).unwrap();
        let shown: Vec<_> = changes.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["early_stop from 9 to 4", "keep_best from 1 to 3"], "nonfinite is stop already");
        let changed = changed_config(&config, &changes).unwrap();
        assert_eq!(changed, TrainingConfig { early_stop: 4, keep_best: 3, ..config.clone() });
        assert_eq!(initial_config(&changed, changes.iter()).unwrap(), config);
        assert_eq!("".parse(), Ok(ChangedSettings::default()));
    }
}
