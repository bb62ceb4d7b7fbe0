//! Presets: named configurations to start from.

use toml::de::{DeTable, DeValue};

use super::config_toml::{TomlError, complete, read_values};
use super::training_config::TrainingConfig;
use crate::text::printable::printable;

/// A named configuration to start from.
#[derive(Clone, Debug, PartialEq)]
pub struct Preset {
    pub name: String,
    /// Its purpose, in one line.
    pub description: String,
    pub config: TrainingConfig,
}

/// An unknown preset name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no preset '{name}'; presets are {presets}, or a file NAME.toml",
    name = printable(.0), presets = Preset::ALL.map(|(name, _)| name).join(", "))]
pub struct UnknownPreset(pub String);

impl Preset {
    /// The built-in presets: names and TOML texts.
    pub const ALL: [(&'static str, &'static str); 3] = [
        ("seed", include_str!("../../../../presets/seed.toml")),
        ("modern", include_str!("../../../../presets/modern.toml")),
        ("quick", include_str!("../../../../presets/quick.toml")),
    ];

    /// Finds a built-in preset by its name.
    pub fn named(name: &str) -> Result<Self, UnknownPreset> {
        let (name, text) =
            Self::ALL.into_iter().find(|(known, _)| *known == name).ok_or_else(|| UnknownPreset(name.to_owned()))?;
        Ok(Self::parse(name, text).expect("a test parses all built-in presets"))
    }

    /// Parses a preset from TOML: `description`, and every key of the configuration; with `base = "NAME"`, only the keys
    /// that differ from the preset of that name.
    pub fn parse(name: &str, text: &str) -> Result<Self, TomlError> {
        let mut table = DeTable::parse(text).map_err(|error| TomlError::of_parser(text, &error))?.into_inner();
        let mut take = |key: &str| match table.remove(key).map(|value| (value.span(), value.into_inner())) {
            None => Ok(None),
            Some((place, DeValue::String(value))) => Ok(Some((place, value.into_owned()))),
            Some((place, _)) => Err(TomlError::at(text, place, format_args!("{key} must be a string in quotes"))),
        };
        let description = take("description")?.map(|(_, description)| description);
        let base = match take("base")? {
            Some((place, base)) => Some(Self::named(&base).map_err(|error| TomlError::at(text, place, error))?.config),
            None => None,
        };
        let values = read_values(text, &table)?;
        let config = match base {
            Some(mut config) => {
                for (key, value) in values {
                    key.put(&mut config, value);
                }
                config
            }
            None => complete(&values).map_err(|error| {
                TomlError::of_the_whole(format_args!(
                    "{error}; give a value, or a preset to start from: base = \"seed\""
                ))
            })?,
        };
        config.check().map_err(TomlError::of_the_whole)?;
        let description = description.unwrap_or_else(|| "no description".to_owned());
        Ok(Self { name: name.to_owned(), description, config })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::network_plan::{REFERENCE_SIZE, WidthFactor};
    use crate::training::compute_options::Precision;
    use crate::training::training_config::{
        ClassWeighting, FullDiskPolicy, Monitor, NonfinitePolicy, OptimizerKind, ScheduleKind, TrainingConfig,
    };

    #[test]
    fn built_in_presets_parse_and_have_a_short_description() {
        for (name, _) in Preset::ALL {
            let preset = Preset::named(name).unwrap();
            assert_eq!(preset.name, name);
            assert!((20..=70).contains(&preset.description.chars().count()), "{name}: {}", preset.description);
        }
        let unknown = Preset::named("sede\n").unwrap_err().to_string();
        assert_eq!(unknown, "there is no preset 'sede\\n'; presets are seed, modern, quick, or a file NAME.toml");
    }

    /// The values are repeated here from the reference's script, not from the file.
    #[test]
    fn seed_is_the_reference() {
        let reference = TrainingConfig {
            epochs: 100,
            size: REFERENCE_SIZE,
            width: WidthFactor::ONE,
            seed: 1,
            batch_size: 4,
            accumulate: 1,
            optimizer: OptimizerKind::Sgd,
            learning_rate: 0.01,
            momentum: 0.0,
            weight_decay: 0.0,
            schedule: ScheduleKind::Plateau,
            warmup_epochs: 0,
            plateau_factor: 0.1,
            plateau_patience: 15,
            plateau_min: 0.001,
            precision: Precision::F32,
            dropout: 0.2,
            bn_momentum: 0.99,
            bn_warmup: false,
            augment: true,
            rotation: 10.0,
            shift: 0.2,
            zoom: 0.2,
            class_weights: ClassWeighting::None,
            label_smoothing: 0.0,
            ema: 0.0,
            grad_clip: 0.0,
            keep_best: 1,
            keep_every: 0,
            monitor: Monitor::ValAccuracy,
            early_stop: 0,
            checkpoint_minutes: 10.0,
            nonfinite: NonfinitePolicy::Stop,
            on_full: FullDiskPolicy::Wait,
            threads: 0,
        };
        assert_eq!(Preset::named("seed").unwrap().config, reference);
    }

    #[test]
    fn modern_has_the_network_and_input_size_of_the_reference() {
        let (modern, seed) = (Preset::named("modern").unwrap().config, Preset::named("seed").unwrap().config);
        assert_eq!((modern.size, modern.width, modern.epochs), (seed.size, seed.width, seed.epochs));
    }

    fn error_of(text: &str) -> String {
        Preset::parse("mine", text).expect_err(text).to_string()
    }

    #[test]
    fn a_custom_preset_may_start_from_another() {
        let mine = Preset::parse("mine", "base = \"modern\"\nepochs = 0x10\nlearning_rate = 1\n").unwrap();
        let modern = Preset::named("modern").unwrap().config;
        assert_eq!(mine.config, TrainingConfig { epochs: 16, learning_rate: 1.0, ..modern });
    }

    #[test]
    fn errors_name_their_line() {
        let base = "base = \"seed\"\n";
        assert_eq!(
            error_of(&format!("{base}\nepoch = 3")),
            "line 3: there is no key 'epoch'; the nearest is epochs (1 ≤ epochs ≤ 100000)"
        );
        assert_eq!(error_of(&format!("{base}size = 8")), "line 2: size = 8 is out of range: 32 ≤ size ≤ 4096");
        assert_eq!(error_of(&format!("{base}size = \"64\"")), "line 2: size = \"64\": size must be a whole number");
        assert_eq!(error_of(&format!("{base}size = 64.0")), "line 2: size = 64.0: size must be a whole number");
        assert_eq!(error_of(&format!("{base}dropout = nan")), "line 2: dropout = nan is out of range: 0 ≤ dropout < 1");
        assert_eq!(error_of(&format!("{base}augment = 1")), "line 2: augment = 1: augment must be true or false");
        assert_eq!(
            error_of(&format!("{base}schedule = [1]")),
            "line 2: schedule = […]: schedule must be one of constant, plateau, cosine"
        );
        assert_eq!(error_of(&format!("{base}epochs = 1\nepochs = 2")), "line 3: duplicate key");
        assert!(error_of(&format!("{base}epochs = ")).starts_with("line 2: "));
        assert_eq!(error_of("base = 1"), "line 1: base must be a string in quotes");
        assert!(error_of("base = \"sed\"").starts_with("line 1: there is no preset 'sed'"));
        assert!(
            error_of(&format!("{base}zoom = 3\nepochs = 0")).starts_with("line 2: "),
            "the error of the first line comes first"
        );
        assert!(error_of(&format!("{base}epochs = 1\nwarmup_epochs = 1")).contains("leaves nothing of epochs = 1"));
    }

    #[test]
    fn without_a_base_every_key_is_required() {
        assert!(error_of("zoom = 0.1").starts_with("epochs, size and 30 more are missing; "));
        let seed = Preset::ALL[0].1;
        let without: Vec<_> = seed.lines().filter(|line| !line.starts_with("zoom")).collect();
        assert_eq!(
            error_of(&without.join("\n")),
            "zoom is missing; give a value, or a preset to start from: base = \"seed\""
        );
    }
}
