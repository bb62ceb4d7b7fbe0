//! The modality transformation: from stored values to the values that windows and lookup tables refer to.

use super::lookup_table::LookupTable;
use crate::file::data_set::DataSet;
use crate::file::tag;
use crate::header::finding::GreyFault;

/// The modality transformation (PS3.3, C.11.1).
#[derive(Clone, Debug, PartialEq)]
pub enum Modality {
    /// By a straight line; slope 1 and intercept 0 where the header has neither.
    Rescale {
        slope: f64,
        intercept: f64,
    },
    Table(LookupTable),
}

impl Modality {
    /// The transformation that a header states. A table or slope that cannot be used is an error: without it, windows
    /// refer to other values than those stored.
    pub fn of(header: &DataSet<'_>, signed: bool) -> Result<Self, GreyFault> {
        if let Some(item) = header.items(tag::MODALITY_LUT_SEQUENCE).first() {
            return LookupTable::of(item, "modality", signed).map(Self::Table);
        }
        let number = |tag, attribute, otherwise| match header.texts(tag).first() {
            None => Ok(otherwise),
            Some(text) => number(text, attribute),
        };
        let slope = number(tag::RESCALE_SLOPE, "Rescale Slope", 1.0)?;
        let intercept = number(tag::RESCALE_INTERCEPT, "Rescale Intercept", 0.0)?;
        if slope == 0.0 {
            return Err(GreyFault::Slope(slope));
        }
        Ok(Self::Rescale { slope, intercept })
    }

    /// The output of a stored value.
    #[must_use]
    pub fn apply(&self, value: i32) -> f64 {
        match self {
            Self::Rescale { slope, intercept } => f64::from(value) * slope + intercept,
            Self::Table(table) => f64::from(table.entry(value)),
        }
    }

    /// True if outputs can be negative.
    #[must_use]
    pub fn is_signed(&self, stored: bool) -> bool {
        match self {
            Self::Rescale { slope, intercept } => stored || *slope < 0.0 || *intercept < 0.0,
            Self::Table(_) => false,
        }
    }
}

/// A finite number in a text element.
pub(super) fn number(text: &str, attribute: &'static str) -> Result<f64, GreyFault> {
    let number = text.parse().ok().filter(|number: &f64| number.is_finite());
    let shown = || text.chars().filter(char::is_ascii_graphic).take(16).collect();
    number.ok_or_else(|| GreyFault::NotANumber { attribute, text: shown() })
}
