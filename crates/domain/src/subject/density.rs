//! BI-RADS breast-density classes.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A BI-RADS breast-density class: A entirely fatty, B scattered, C heterogeneously dense, D extremely dense
/// (ACR BI-RADS Atlas, 5th edition, 2013). The order is the order of density, and of the network's outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum DensityClass {
    /// Almost entirely fatty.
    A,
    /// Scattered areas of fibroglandular density.
    B,
    /// Heterogeneously dense.
    C,
    /// Extremely dense.
    D,
}

impl DensityClass {
    /// All classes, in the order of the network's outputs.
    pub const ALL: [Self; 4] = [Self::A, Self::B, Self::C, Self::D];
    /// How many classes there are.
    pub const COUNT: usize = Self::ALL.len();

    /// Position in [`DensityClass::ALL`], 0 to 3.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The class at a position of [`DensityClass::ALL`].
    #[must_use]
    pub fn from_index(index: usize) -> Option<Self> {
        Self::ALL.get(index).copied()
    }

    /// Whether the breast counts as dense (C or D), as screening guidelines split the four classes.
    #[must_use]
    pub const fn is_dense(self) -> bool {
        matches!(self, Self::C | Self::D)
    }

    /// The letter of the class.
    #[must_use]
    pub const fn letter(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
            Self::C => "C",
            Self::D => "D",
        }
    }
}

impl fmt::Display for DensityClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.letter())
    }
}

/// A text that names no density class.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no density class; the classes are A, B, C and D")]
pub struct UnknownClass(pub String);

impl FromStr for DensityClass {
    type Err = UnknownClass;

    /// Reads one letter, in either case.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|class| class.letter().eq_ignore_ascii_case(text))
            .ok_or_else(|| UnknownClass(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_in_either_case_and_nothing_else() {
        for class in DensityClass::ALL {
            assert_eq!(class.letter().parse(), Ok(class));
            assert_eq!(class.letter().to_lowercase().parse(), Ok(class));
            assert_eq!(DensityClass::from_index(class.index()), Some(class));
        }
        for text in ["", "E", "AB", " A"] {
            assert_eq!(text.parse::<DensityClass>(), Err(UnknownClass(text.to_owned())));
        }
        assert_eq!(DensityClass::from_index(4), None);
    }
}
