//! The keys of a training configuration: one table of names, units, ranges and meanings, from which configurations are
//! read, changed, checked and explained.

use std::num::IntErrorKind;
use std::ops::Bound::{Excluded, Included};

use super::config_error::ConfigError;
use super::config_value::{ConfigField, ConfigValue, ValueRange};
use super::training_config::TrainingConfig;
use crate::network::network_plan::WidthFactor;

/// The largest seed: integers up to 2^53 are exact in every JSON reader.
const MAX_SEED: i64 = 1 << 53;

/// The lowest Jaro–Winkler similarity at which a key is suggested for an unknown name.
const MIN_SIMILARITY: f64 = 0.7;

/// One key of [`TrainingConfig`].
#[derive(Clone, Copy, Debug)]
pub struct ConfigKey {
    /// The field's name, in files and on the command line.
    pub name: &'static str,
    /// The unit; empty for pure numbers, switches and choices.
    pub unit: &'static str,
    pub range: ValueRange,
    /// The effect, in one sentence.
    pub meaning: &'static str,
    read: fn(&TrainingConfig) -> ConfigValue,
    write: fn(&mut TrainingConfig, ConfigValue) -> Option<()>,
}

/// Declares [`KEYS`] from one row per key. The key's name is the name of the field, so that the two cannot differ.
macro_rules! config_keys {
    ($($name:ident $unit:literal $range:expr, $meaning:literal;)*) => {
        /// All keys, in the order in which they are printed and written.
        pub const KEYS: &[ConfigKey] = &[$(ConfigKey {
            name: stringify!($name),
            unit: $unit,
            range: $range,
            meaning: $meaning,
            read: |config| config.$name.to_value(),
            write: |config, value| {
                config.$name = ConfigField::from_value(value)?;
                Some(())
            },
        },)*];
    };
}

const fn integer(min: i64, max: i64) -> ValueRange {
    ValueRange::Integer { min, max }
}

const fn choice(names: &'static [&'static str]) -> ValueRange {
    ValueRange::Choice(names)
}

const SHARE_BELOW_ONE: ValueRange = ValueRange::Number(Included(0.0), Excluded(1.0));

config_keys! {
    epochs "epochs" integer(1, 100_000),
        "Passes over the training images.";
    size "pixels" integer(32, 4096),
        "Height and width that every image is resized to.";
    width "" ValueRange::Number(Included(WidthFactor::MIN), Included(WidthFactor::MAX)),
        "Factor on the number of channels of every layer; 1 is the reference network of 2.3 million parameters.";
    seed "" integer(0, MAX_SEED),
        "Determines initial weights, order of images, augmentation and dropout; the same seed gives the same run.";
    batch_size "images" integer(1, 4096),
        "Images that go through the network at once; batch normalisation takes its statistics from them.";
    accumulate "batches" integer(1, 1024),
        "Batches whose gradients are averaged into one update of the weights: a larger batch in the same memory.";
    optimizer "" choice(&["sgd", "nesterov", "adamw", "rmsprop"]),
        "Update rule of the weights: gradient descent, the same with Nesterov momentum, Adam with decoupled weight \
         decay, or RMSprop.";
    learning_rate "" ValueRange::Number(Excluded(0.0), Included(10.0)),
        "Learning rate at its peak, before the schedule lowers it.";
    momentum "" SHARE_BELOW_ONE,
        "Share of the last update that is kept in the next (sgd, nesterov, rmsprop); for adamw the decay of the \
         gradient's mean, beta 1.";
    weight_decay "" ValueRange::Number(Included(0.0), Included(1.0)),
        "Strength of the pull of kernels towards zero; biases and batch normalisation are not decayed.";
    schedule "" choice(&["constant", "plateau", "cosine"]),
        "Course of the learning rate: constant, reduced by a factor when the validation loss stops falling, or half a \
         cosine down to the last step.";
    warmup_epochs "epochs" integer(0, 100_000),
        "Epochs in which the learning rate rises linearly from near zero; 0 for none.";
    plateau_factor "" ValueRange::Number(Excluded(0.0), Excluded(1.0)),
        "Factor applied to the learning rate on a plateau of the validation loss.";
    plateau_patience "epochs" integer(1, 100_000),
        "Length of a plateau: epochs in a row in which the validation loss does not improve by more than 0.0001.";
    plateau_min "" ValueRange::Number(Included(0.0), Included(10.0)),
        "Lowest learning rate, reached by reductions on plateaus or at the end of the cosine.";
    precision "" choice(&["f32", "f32-strict", "bf16", "auto"]),
        "Arithmetic of the layers: 32-bit floats (on a GPU with TF32), the same without TF32, bfloat16, or bfloat16 \
         where the device supports it.";
    dropout "" SHARE_BELOW_ONE,
        "Share of the last feature map's values that are set to zero in training.";
    bn_momentum "" SHARE_BELOW_ONE,
        "Share of the old value that the moving mean and variance of batch normalisation keep at an update: at .99 \
         evaluation is meaningless before about 300 updates, at .9 before 30.";
    bn_warmup "" ValueRange::Switch,
        "Starts the moving mean and variance as plain averages over the first updates, rather than at 0 and 1, which a \
         channel of small variance is slow to forget.";
    augment "" ValueRange::Switch,
        "Rotates, shifts and zooms training images at random, differently in every epoch.";
    rotation "degrees" ValueRange::Number(Included(0.0), Included(180.0)),
        "Largest angle by which augmentation rotates, in either direction.";
    shift "" ValueRange::Number(Included(0.0), Included(1.0)),
        "Largest distance by which augmentation shifts, as a share of height and of width.";
    zoom "" SHARE_BELOW_ONE,
        "Largest zoom of augmentation: height and width are each scaled by their own factor within 1 ± zoom.";
    class_weights "" choice(&["none", "balanced"]),
        "Weight of each class in the loss: every image counts the same, or every class does, however few images it \
         has.";
    label_smoothing "" ValueRange::Number(Included(0.0), Included(0.5)),
        "Share of the target that is spread evenly over all classes, against overconfidence; 0 for none.";
    ema "" SHARE_BELOW_ONE,
        "Share of the old value in the moving average of the weights, with which the model is then evaluated and \
         saved; 0 for no average.";
    grad_clip "" ValueRange::Number(Included(0.0), Included(1e6)),
        "Largest norm of the gradient: longer ones are shortened to it; 0 for no limit.";
    keep_best "" integer(1, 1000),
        "Number of best checkpoints that are kept.";
    keep_every "epochs" integer(0, 100_000),
        "Distance between the epochs whose models are kept, to show later how the maps of a network came about; 0 keeps \
         none.";
    monitor "" choice(&["val_accuracy", "val_loss", "val_kappa"]),
        "Metric on the validation images that decides which epoch is best: accuracy, loss, or quadratic-weighted kappa.";
    early_stop "epochs" integer(0, 100_000),
        "Epochs without a better one after which training ends; 0 for never.";
    checkpoint_minutes "minutes" ValueRange::Number(Excluded(0.0), Included(10_080.0)),
        "Time between checkpoints within an epoch; one is written at the end of every epoch in any case.";
    nonfinite "" choice(&["stop", "rollback"]),
        "If the loss or the gradient is not finite: fail and name the batch's files, or go back to the last checkpoint \
         and continue with half the learning rate, three times at most.";
    threads "threads" integer(0, 1024),
        "CPU threads to compute with; 0 for the fastest number, which is timed before the start.";
    on_full "" choice(&["wait", "stop"]),
        "If a file of the run cannot be written, as on a full disk: pause and try again, or fail.";
}

/// The keys of which factors matter rather than differences: between two values lies their geometric mean.
const LOGARITHMIC: [&str; 6] =
    ["batch_size", "accumulate", "learning_rate", "weight_decay", "plateau_min", "grad_clip"];

impl ConfigKey {
    /// True if values are drawn on a logarithmic scale.
    #[must_use]
    pub fn is_logarithmic(&self) -> bool {
        LOGARITHMIC.contains(&self.name)
    }

    /// Finds a key by its name.
    pub fn named(name: &str) -> Result<&'static Self, ConfigError> {
        let unknown = || ConfigError::UnknownKey { key: name.to_owned(), hint: hint(name) };
        KEYS.iter().find(|key| key.name == name).ok_or_else(unknown)
    }

    /// The key's value in a configuration.
    #[must_use]
    pub fn value(&self, config: &TrainingConfig) -> ConfigValue {
        (self.read)(config)
    }

    /// Parses a value of this key and checks its range. An integer is accepted for a number, but not the other way
    /// round.
    pub fn parse(&self, text: &str) -> Result<ConfigValue, ConfigError> {
        let value = match self.range {
            ValueRange::Integer { .. } => match text.parse() {
                Ok(number) => ConfigValue::Integer(number),
                Err(error) if matches!(error.kind(), IntErrorKind::PosOverflow | IntErrorKind::NegOverflow) => {
                    return Err(self.out_of_range(text));
                }
                Err(_) => return Err(self.wrong_type(text)),
            },
            ValueRange::Number(..) => ConfigValue::Number(text.parse().map_err(|_| self.wrong_type(text))?),
            ValueRange::Switch => ConfigValue::Switch(text.parse().map_err(|_| self.wrong_type(text))?),
            ValueRange::Choice(names) => {
                let name = names.iter().find(|name| **name == text);
                ConfigValue::Choice(name.ok_or_else(|| self.wrong_type(text))?)
            }
        };
        if self.range.contains(value) { Ok(value) } else { Err(self.out_of_range(text)) }
    }

    /// Stores a value returned by [`ConfigKey::parse`] in a configuration.
    pub(crate) fn put(&self, config: &mut TrainingConfig, value: ConfigValue) {
        (self.write)(config, value).expect("a value within the key's range fits its field");
    }

    pub(crate) fn wrong_type(&self, value: &str) -> ConfigError {
        ConfigError::WrongType { key: self.name, value: value.to_owned(), expected: self.range.expected() }
    }

    pub(crate) fn out_of_range(&self, value: &str) -> ConfigError {
        ConfigError::OutOfRange { key: self.name, value: value.to_owned(), range: self.range.about(self.name) }
    }
}

/// Suggests the key that was most likely meant.
fn hint(name: &str) -> String {
    let similarity = |key: &ConfigKey| strsim::jaro_winkler(key.name, name);
    let nearest = KEYS.iter().max_by(|a, b| similarity(a).total_cmp(&similarity(b))).expect("there are keys");
    if similarity(nearest) < MIN_SIMILARITY {
        return "mammoscope preset show seed lists the keys".to_owned();
    }
    format!("the nearest is {} ({})", nearest.name, nearest.range.about(nearest.name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::compute_options::Precision;
    use crate::training::preset::Preset;
    use crate::training::training_config::{
        ClassWeighting, FullDiskPolicy, Monitor, NonfinitePolicy, OptimizerKind, ScheduleKind,
    };

    fn seed() -> TrainingConfig {
        Preset::named("seed").unwrap().config
    }

    #[test]
    fn keys_and_fields_have_the_same_order() {
        // A key with its default value would be left out.
        let changed = TrainingConfig { keep_every: 5, on_full: FullDiskPolicy::Stop, ..seed() };
        let written = toml::to_string(&changed).unwrap();
        let fields: Vec<_> = written.lines().map(|line| line.split(" = ").next().unwrap()).collect();
        let keys: Vec<_> = KEYS.iter().map(|key| key.name).collect();
        assert_eq!(keys, fields);
        for (key, line) in KEYS.iter().zip(written.lines()) {
            let value = line.split(" = ").nth(1).unwrap().trim_matches('"');
            assert_eq!(key.parse(value), Ok(key.value(&changed)), "{line}");
        }
    }

    #[test]
    fn logarithmic_keys_are_numbers() {
        for name in LOGARITHMIC {
            let range = ConfigKey::named(name).unwrap().range;
            assert!(matches!(range, ValueRange::Integer { .. } | ValueRange::Number(..)), "{name}");
        }
    }

    #[test]
    fn every_key_is_explained() {
        for key in KEYS {
            assert!(key.meaning.ends_with('.') && key.meaning.len() > 20, "{}", key.name);
            assert!(!key.meaning.contains("  "), "{}: {}", key.name, key.meaning);
            let has_unit =
                matches!(key.range, ValueRange::Integer { .. }) && key.name != "seed" && key.name != "keep_best";
            assert!(!has_unit || !key.unit.is_empty(), "{}", key.name);
            assert!(!matches!(key.range, ValueRange::Choice(_) | ValueRange::Switch) || key.unit.is_empty());
        }
    }

    #[test]
    fn choices_match_their_types() {
        let names = |key: &str| match ConfigKey::named(key).unwrap().range {
            ValueRange::Choice(names) => names.to_vec(),
            other => panic!("{key} is not a choice: {other:?}"),
        };
        assert_eq!(names("optimizer"), OptimizerKind::ALL.iter().map(|kind| kind.name()).collect::<Vec<_>>());
        assert_eq!(names("schedule"), ScheduleKind::ALL.iter().map(|kind| kind.name()).collect::<Vec<_>>());
        assert_eq!(names("precision"), Precision::ALL.iter().map(|kind| kind.name()).collect::<Vec<_>>());
        assert_eq!(names("class_weights"), ClassWeighting::ALL.iter().map(|kind| kind.name()).collect::<Vec<_>>());
        assert_eq!(names("monitor"), Monitor::ALL.iter().map(|kind| kind.name()).collect::<Vec<_>>());
        assert_eq!(names("on_full"), FullDiskPolicy::ALL.iter().map(|kind| kind.name()).collect::<Vec<_>>());
        assert_eq!(names("nonfinite"), NonfinitePolicy::ALL.iter().map(|kind| kind.name()).collect::<Vec<_>>());
    }

    #[test]
    fn fields_hold_every_value_within_their_ranges() {
        for key in KEYS {
            let values: Vec<String> = match key.range {
                ValueRange::Integer { min, max } => vec![min.to_string(), max.to_string()],
                ValueRange::Number(low, high) => {
                    let end = |bound, inwards: f64| match bound {
                        Included(end) => format!("{end}"),
                        Excluded(end) => format!("{}", end + inwards * 1e-9),
                        std::ops::Bound::Unbounded => format!("{}", inwards * -1e300),
                    };
                    vec![end(low, 1.0), end(high, -1.0)]
                }
                ValueRange::Switch => vec!["true".to_owned(), "false".to_owned()],
                ValueRange::Choice(names) => names.iter().map(|name| (*name).to_owned()).collect(),
            };
            for value in values {
                let mut config = seed();
                config.set(key.name, &value).unwrap();
                assert_eq!(key.value(&config).to_string().parse::<f64>().ok(), value.parse().ok(), "{}", key.name);
                let json = serde_json::to_value(&config).unwrap();
                let is_left_out = match key.name {
                    "on_full" => config.on_full == FullDiskPolicy::default(),
                    "keep_every" => config.keep_every == 0,
                    _ => false,
                };
                assert!(is_left_out || json[key.name] == serde_json::json!(key.value(&config)), "{}", key.name);
            }
        }
    }
}
