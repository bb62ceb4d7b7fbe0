//! BI-RADS breast-density classes.

use serde::{Deserialize, Serialize};

use crate::text::named_choice::named_choice;

/// A BI-RADS breast-density class: A almost entirely fatty to D extremely dense (ACR BI-RADS Atlas, 5th edition,
/// 2013). Ordered by density, as the network's outputs are.
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
    pub const COUNT: usize = Self::ALL.len();

    /// The position in [`DensityClass::ALL`], 0 to 3.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The class at a position of [`DensityClass::ALL`].
    #[must_use]
    pub fn from_index(index: usize) -> Option<Self> {
        Self::ALL.get(index).copied()
    }

    /// True for C and D, which screening guidelines count as dense.
    #[must_use]
    pub const fn is_dense(self) -> bool {
        matches!(self, Self::C | Self::D)
    }

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

/// A text that does not name a density class.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a density class; the classes are A, B, C and D")]
pub struct UnknownClass(pub String);

named_choice!(DensityClass by letter, str::eq_ignore_ascii_case, UnknownClass);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_letters_are_read_in_either_case() {
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
