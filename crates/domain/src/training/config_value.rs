//! The values of configuration keys: their types, ranges and texts.

use std::fmt;
use std::ops::{Bound, RangeBounds as _};

use serde::Serialize;

use super::compute_options::Precision;
use super::training_config::{ClassWeighting, FullDiskPolicy, Monitor, NonfinitePolicy, OptimizerKind, ScheduleKind};
use crate::network::network_plan::WidthFactor;

/// The value of one key.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum ConfigValue {
    Integer(i64),
    Number(f64),
    /// `true` or `false`.
    Switch(bool),
    /// One of a few names.
    Choice(&'static str),
}

impl fmt::Display for ConfigValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(number) => f.pad(&number.to_string()),
            Self::Number(number) => f.pad(&shortest(*number)),
            Self::Switch(on) => f.pad(if *on { "true" } else { "false" }),
            Self::Choice(name) => f.pad(name),
        }
    }
}

/// The shortest text that parses to the same number; with an exponent if that is shorter.
fn shortest(number: f64) -> String {
    let (plain, exponent) = (number.to_string(), format!("{number:e}"));
    if plain.len() > 8 && exponent.len() < plain.len() { exponent } else { plain }
}

/// The values that a key accepts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ValueRange {
    /// Integers from `min` to `max`, both included.
    Integer { min: i64, max: i64 },
    /// Numbers between two bounds; never NaN.
    Number(Bound<f64>, Bound<f64>),
    /// `true` or `false`.
    Switch,
    /// One of these names.
    Choice(&'static [&'static str]),
}

impl ValueRange {
    /// True if a value has the right type and is within the range.
    #[must_use]
    pub fn contains(&self, value: ConfigValue) -> bool {
        match (*self, value) {
            (Self::Integer { min, max }, ConfigValue::Integer(number)) => (min..=max).contains(&number),
            (Self::Number(low, high), ConfigValue::Number(number)) => (low, high).contains(&number),
            (Self::Switch, ConfigValue::Switch(_)) => true,
            (Self::Choice(names), ConfigValue::Choice(name)) => names.contains(&name),
            _ => false,
        }
    }

    /// The range as an expression in `name`, such as `0 ≤ dropout < 1`; the names of choices.
    #[must_use]
    pub fn about(&self, name: &str) -> String {
        match *self {
            Self::Integer { min, max } => format!("{min} ≤ {name} ≤ {max}"),
            Self::Number(low, high) => {
                let low = match low {
                    Bound::Included(low) => format!("{} ≤ ", shortest(low)),
                    Bound::Excluded(low) => format!("{} < ", shortest(low)),
                    Bound::Unbounded => String::new(),
                };
                let high = match high {
                    Bound::Included(high) => format!(" ≤ {}", shortest(high)),
                    Bound::Excluded(high) => format!(" < {}", shortest(high)),
                    Bound::Unbounded => String::new(),
                };
                format!("{low}{name}{high}")
            }
            Self::Switch => "true or false".to_owned(),
            Self::Choice(names) => names.join(", "),
        }
    }

    /// The expected type in words, to follow `must be`.
    #[must_use]
    pub fn expected(&self) -> String {
        match self {
            Self::Integer { .. } => "a whole number".to_owned(),
            Self::Number(..) => "a number".to_owned(),
            Self::Switch => "true or false".to_owned(),
            Self::Choice(names) => format!("one of {}", names.join(", ")),
        }
    }
}

/// Converts a field of the configuration to a [`ConfigValue`], and back.
pub(crate) trait ConfigField: Sized {
    fn to_value(self) -> ConfigValue;
    /// `None` for a value of another type, or one that the field cannot hold.
    fn from_value(value: ConfigValue) -> Option<Self>;
}

macro_rules! integer_fields {
    ($($integer:ty)*) => {$(
        impl ConfigField for $integer {
            fn to_value(self) -> ConfigValue {
                // Saturated values stay out of every range.
                ConfigValue::Integer(i64::try_from(self).unwrap_or(i64::MAX))
            }

            fn from_value(value: ConfigValue) -> Option<Self> {
                if let ConfigValue::Integer(number) = value { number.try_into().ok() } else { None }
            }
        }
    )*};
}

integer_fields!(u32 u64 usize);

macro_rules! choice_fields {
    ($($choice:ty)*) => {$(
        impl ConfigField for $choice {
            fn to_value(self) -> ConfigValue {
                ConfigValue::Choice(self.name())
            }

            fn from_value(value: ConfigValue) -> Option<Self> {
                <$choice>::ALL.iter().copied().find(|choice| ConfigValue::Choice(choice.name()) == value)
            }
        }
    )*};
}

choice_fields!(OptimizerKind ScheduleKind Precision ClassWeighting Monitor NonfinitePolicy FullDiskPolicy);

impl ConfigField for f64 {
    fn to_value(self) -> ConfigValue {
        ConfigValue::Number(self)
    }

    fn from_value(value: ConfigValue) -> Option<Self> {
        if let ConfigValue::Number(number) = value { Some(number) } else { None }
    }
}

impl ConfigField for WidthFactor {
    fn to_value(self) -> ConfigValue {
        ConfigValue::Number(self.factor())
    }

    fn from_value(value: ConfigValue) -> Option<Self> {
        f64::from_value(value).and_then(|factor| Self::new(factor).ok())
    }
}

impl ConfigField for bool {
    fn to_value(self) -> ConfigValue {
        ConfigValue::Switch(self)
    }

    fn from_value(value: ConfigValue) -> Option<Self> {
        if let ConfigValue::Switch(on) = value { Some(on) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_contain_their_closed_ends_and_never_nan() {
        let share = ValueRange::Number(Bound::Included(0.0), Bound::Excluded(1.0));
        assert!(share.contains(ConfigValue::Number(0.0)) && !share.contains(ConfigValue::Number(1.0)));
        assert!(!share.contains(ConfigValue::Number(f64::NAN)) && !share.contains(ConfigValue::Integer(0)));
        assert_eq!(share.about("dropout"), "0 ≤ dropout < 1");
        let rate = ValueRange::Number(Bound::Excluded(0.0), Bound::Included(1e-9));
        assert_eq!(rate.about("x"), "0 < x ≤ 1e-9");
        let size = ValueRange::Integer { min: 32, max: 4096 };
        assert!(size.contains(ConfigValue::Integer(4096)) && !size.contains(ConfigValue::Integer(31)));
        assert_eq!(size.about("size"), "32 ≤ size ≤ 4096");
    }

    #[test]
    fn numbers_are_shown_briefly_and_exactly() {
        for (number, text) in
            [(0.001, "0.001"), (1e-6, "0.000001"), (1e-7, "1e-7"), (1.0, "1"), (0.1 + 0.2, "0.30000000000000004")]
        {
            assert_eq!(ConfigValue::Number(number).to_string(), text);
            assert_eq!(text.parse(), Ok(number));
        }
    }
}
