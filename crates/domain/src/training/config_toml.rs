//! Configurations as TOML tables, read key by key so that errors name their line.

use std::fmt;
use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::config_error::ConfigError;
use super::config_keys::{ConfigKey, KEYS};
use super::config_value::{ConfigValue, ValueRange};
use super::training_config::TrainingConfig;
use crate::text::printable::printable;

/// An error in a TOML text, with its line if it has one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct TomlError {
    /// Counted from 1.
    pub line: Option<usize>,
    /// The problem, and the remedy.
    pub reason: String,
}

impl TomlError {
    /// An error in the text as a whole.
    pub fn of_the_whole(reason: impl fmt::Display) -> Self {
        Self { line: None, reason: reason.to_string() }
    }

    /// An error at a range of bytes.
    pub fn at(text: &str, place: Range<usize>, reason: impl fmt::Display) -> Self {
        let before = text.get(..place.start).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        Self { line: Some(line), reason: reason.to_string() }
    }

    /// An error of the parser, shortened to one line.
    #[must_use]
    pub fn of_parser(text: &str, error: &toml::de::Error) -> Self {
        let reason = printable(error.message());
        match error.span() {
            Some(place) => Self::at(text, place, reason),
            None => Self::of_the_whole(reason),
        }
    }
}

impl fmt::Display for TomlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.reason),
            None => f.write_str(&self.reason),
        }
    }
}

/// The values of a table that holds configuration keys only, each checked by itself; `text` is the source of the table.
pub(crate) fn read_values(
    text: &str,
    table: &DeTable<'_>,
) -> Result<Vec<(&'static ConfigKey, ConfigValue)>, TomlError> {
    // The table is sorted by name; the error of the first line is to be reported.
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(name, _)| name.span().start);
    let mut values = Vec::with_capacity(entries.len());
    for (name, value) in entries {
        let key = ConfigKey::named(name.get_ref()).map_err(|error| TomlError::at(text, name.span(), error))?;
        let read = key_value(key, value.get_ref()).map_err(|error| TomlError::at(text, value.span(), error))?;
        values.push((key, read));
    }
    Ok(values)
}

/// Reads a whole configuration from a table, which must hold every key and no others, and checks it.
pub fn read_config(text: &str, table: &DeTable<'_>) -> Result<TrainingConfig, TomlError> {
    let values = read_values(text, table)?;
    let config = complete(&values).map_err(TomlError::of_the_whole)?;
    config.check().map_err(TomlError::of_the_whole)?;
    Ok(config)
}

/// The keys that were added later: a configuration without them has their defaults.
const OPTIONAL: [&str; 2] = ["keep_every", "on_full"];

/// Builds a configuration from one value for every key; those that were added later may be missing.
pub(crate) fn complete(values: &[(&'static ConfigKey, ConfigValue)]) -> Result<TrainingConfig, ConfigError> {
    let is_missing = |key: &&ConfigKey| !values.iter().any(|(given, _)| given.name == key.name);
    let required = KEYS.iter().filter(|key| !OPTIONAL.contains(&key.name));
    let keys: Vec<_> = required.filter(is_missing).map(|key| key.name).collect();
    if !keys.is_empty() {
        return Err(ConfigError::Missing { keys });
    }
    let fields = values.iter().map(|(key, value)| (key.name.to_owned(), serde_json::json!(value))).collect();
    Ok(serde_json::from_value(serde_json::Value::Object(fields))
        .expect("the keys are the fields, and values within their ranges fit them"))
}

fn key_value(key: &ConfigKey, value: &DeValue<'_>) -> Result<ConfigValue, ConfigError> {
    match (key.range, value) {
        (ValueRange::Choice(_), DeValue::String(name)) => key.parse(name),
        (ValueRange::Switch, DeValue::Boolean(on)) => key.parse(if *on { "true" } else { "false" }),
        // Integers may be hexadecimal, such as 0x10.
        (ValueRange::Integer { .. } | ValueRange::Number(..), DeValue::Integer(number)) => {
            let decimal = i128::from_str_radix(number.as_str(), number.radix()).map(|number| number.to_string());
            key.parse(decimal.as_deref().unwrap_or(number.as_str()))
        }
        (ValueRange::Integer { .. } | ValueRange::Number(..), DeValue::Float(number)) => key.parse(number.as_str()),
        (_, other) => Err(key.wrong_type(&described(other))),
    }
}

/// A value of the wrong type as it was written; arrays and tables are abbreviated.
fn described(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("\"{text}\""),
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.to_string(),
        DeValue::Boolean(on) => on.to_string(),
        DeValue::Datetime(time) => time.to_string(),
        DeValue::Array(_) => "[…]".to_owned(),
        DeValue::Table(_) => "{…}".to_owned(),
    }
}
