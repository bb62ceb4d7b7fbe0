//! Errors in configurations, each one line that tells the user what to do.

use crate::text::printable::printable;

/// An invalid key, value or combination.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    #[error("there is no key '{key}'; {hint}", key = printable(key))]
    UnknownKey {
        /// The key as given.
        key: String,
        /// The most similar key and its range, or how to list the keys.
        hint: String,
    },
    #[error("{key} = {value}: {key} must be {expected}", value = printable(value))]
    WrongType {
        key: &'static str,
        /// The value as given.
        value: String,
        /// The expected type in words.
        expected: String,
    },
    #[error("{key} = {value} is out of range: {range}", value = printable(value))]
    OutOfRange {
        key: &'static str,
        /// The value as given.
        value: String,
        /// The range, such as `0 ≤ dropout < 1`.
        range: String,
    },
    #[error("{key} is given twice; leave one of them out")]
    GivenTwice { key: &'static str },
    #[error("'{text}' is not of the form key=value[,key=value…]", text = printable(text))]
    NoAssignment { text: String },
    #[error("{} missing", missing(keys))]
    Missing {
        /// The keys, in the order of the table.
        keys: Vec<&'static str>,
    },
    /// Values that are valid by themselves but not together.
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
