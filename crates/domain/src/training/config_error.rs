//! What can be wrong with a configuration, each in one line that says what to do.

use crate::text::printable::printable;

/// A key or value that makes no configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// There is no such key.
    #[error("there is no key '{key}'; {hint}", key = printable(key))]
    UnknownKey {
        /// The key as it was given.
        key: String,
        /// The nearest key and what it takes; where none is near, what lists them.
        hint: String,
    },
    /// The value is of another type.
    #[error("{key} = {value}: {key} wants {wanted}", value = printable(value))]
    WrongType {
        /// The key.
        key: &'static str,
        /// The value as it was given.
        value: String,
        /// What the key takes.
        wanted: String,
    },
    /// The value is outside the key's range.
    #[error("{key} = {value} is out of range: {range}", value = printable(value))]
    OutOfRange {
        /// The key.
        key: &'static str,
        /// The value as it was given.
        value: String,
        /// The range, such as `0 ≤ dropout < 1`.
        range: String,
    },
    /// A key has two values.
    #[error("{key} is given twice; leave one of them out")]
    GivenTwice {
        /// The key.
        key: &'static str,
    },
    /// Not of the form `key=value`.
    #[error("'{text}' is not of the form key=value[,key=value…]", text = printable(text))]
    NoAssignment {
        /// The text as it was given.
        text: String,
    },
    /// Keys that have no value.
    #[error("{} missing", missing(keys))]
    Missing {
        /// The keys, in the order of the table.
        keys: Vec<&'static str>,
    },
    /// Values that are right each by itself and make no sense together.
    #[error("{0}")]
    Combination(String),
}

/// `zoom is`, `shift and zoom are`, `epochs, size and 29 more keys are`.
fn missing(keys: &[&str]) -> String {
    match keys {
        [key] => format!("{key} is"),
        [one, other] => format!("{one} and {other} are"),
        [one, other, more @ ..] => format!("{one}, {other} and {} more are", more.len()),
        [] => "nothing is".to_owned(),
    }
}
