//! Values that are valid but so far from the usual ones that they are probably slips of the fingers.

use mammoscope_domain::text::grouped_digits::grouped;
use mammoscope_domain::training::config_keys::ConfigKey;
use mammoscope_domain::training::config_value::ConfigValue;
use mammoscope_domain::training::preset::Preset;

/// A value further than this factor from those of the presets is implausible.
const MAX_FACTOR: f64 = 100.0;
/// Any value of these is as usual as any other.
const ARBITRARY: [&str; 2] = ["seed", "threads"];

/// The reason why a value is implausible: more than a hundred times that of every preset, or less than a hundredth. Zero
/// is plausible, since it switches things off.
pub(super) fn implausible(key: &ConfigKey, value: ConfigValue) -> Option<String> {
    let value = magnitude(value).filter(|value| *value > 0.0 && !ARBITRARY.contains(&key.name))?;
    let presets = Preset::ALL.iter().filter_map(|(name, _)| Preset::named(name).ok());
    let usual: Vec<(f64, String)> = presets
        .filter_map(|preset| Some((magnitude(key.value(&preset.config))?, preset.name)))
        .filter(|(usual, _)| *usual > 0.0)
        .collect();
    let by_size = |one: &&(f64, String), other: &&(f64, String)| one.0.total_cmp(&other.0);
    let (largest, of_largest) = usual.iter().rev().max_by(by_size)?;
    let (smallest, of_smallest) = usual.iter().min_by(by_size)?;
    if value / largest > MAX_FACTOR {
        let (value, largest) = (text(value), text(*largest));
        Some(format!("{} {value}: over 100 × preset {of_largest}'s {largest}", key.name))
    } else if smallest / value > MAX_FACTOR {
        let (value, smallest) = (text(value), text(*smallest));
        Some(format!("{} {value}: below 1/100 of preset {of_smallest}'s {smallest}", key.name))
    } else {
        None
    }
}

/// The size of a number; `None` for a switch or a choice.
fn magnitude(value: ConfigValue) -> Option<f64> {
    match value {
        ConfigValue::Integer(number) => Some(number.unsigned_abs() as f64),
        ConfigValue::Number(number) => Some(number.abs()),
        ConfigValue::Switch(_) | ConfigValue::Choice(_) => None,
    }
}

fn text(value: f64) -> String {
    if value.fract() == 0.0 && value < 1e15 { grouped(value as usize) } else { ConfigValue::Number(value).to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mammoscope_domain::training::config_keys::KEYS;

    fn doubt(name: &str, value: &str) -> Option<String> {
        let key = ConfigKey::named(name).unwrap();
        implausible(key, key.parse(value).unwrap())
    }

    #[test]
    fn slips_are_implausible_and_experiments_are_not() {
        assert_eq!(doubt("epochs", "10020").as_deref(), Some("epochs 10,020: over 100 × preset seed's 100"));
        assert_eq!((doubt("epochs", "10000"), doubt("epochs", "1")), (None, None));
        assert_eq!(
            doubt("learning_rate", "0.000001").as_deref(),
            Some("learning_rate 0.000001: below 1/100 of preset modern's 0.001")
        );
        assert_eq!(doubt("learning_rate", "0.0001"), None);
        assert_eq!(doubt("momentum", "0"), None, "off");
        assert_eq!(doubt("seed", "123456789"), None, "any seed is as good as another");
        assert!(doubt("early_stop", "10000").is_some(), "though preset seed has none");
        assert_eq!(doubt("early_stop", "50"), None);
    }

    #[test]
    fn no_value_of_a_preset_is_implausible() {
        for (name, _) in Preset::ALL {
            let preset = Preset::named(name).unwrap();
            for key in KEYS {
                assert_eq!(implausible(key, key.value(&preset.config)), None, "{} in {name}", key.name);
            }
        }
    }
}
