//! Soundness of a map.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The status of a signed map. Degenerate maps are counted, never painted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MapStatus {
    /// Finite, and positive somewhere.
    Sound,
    /// Zero everywhere.
    AllZero,
    /// Nowhere above zero, so that the ReLU would leave nothing.
    AllNegative,
    /// Contains NaN or infinite values.
    NotFinite,
}

impl MapStatus {
    /// All statuses, the good one first.
    pub const ALL: [Self; 4] = [Self::Sound, Self::AllZero, Self::AllNegative, Self::NotFinite];

    #[must_use]
    pub fn of(values: &[f32]) -> Self {
        if values.iter().any(|value| !value.is_finite()) {
            Self::NotFinite
        } else if values.iter().any(|&value| value > 0.0) {
            Self::Sound
        } else if values.iter().all(|&value| value == 0.0) {
            Self::AllZero
        } else {
            Self::AllNegative
        }
    }

    /// True if the map may be painted and scored.
    #[must_use]
    pub const fn is_sound(self) -> bool {
        matches!(self, Self::Sound)
    }

    /// The name in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sound => "sound",
            Self::AllZero => "all_zero",
            Self::AllNegative => "all_negative",
            Self::NotFinite => "not_finite",
        }
    }

    /// The status in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Sound => "sound",
            Self::AllZero => "zero everywhere: the layer has no effect",
            Self::AllNegative => "negative everywhere: nothing speaks for the class",
            Self::NotFinite => "contains NaN or infinite values",
        }
    }
}

impl fmt::Display for MapStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.words())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_positive_value_makes_a_map_sound_and_one_nan_breaks_it() {
        assert_eq!(MapStatus::of(&[-1.0, 1e-9]), MapStatus::Sound);
        assert_eq!(MapStatus::of(&[0.0, -0.0]), MapStatus::AllZero);
        assert_eq!(MapStatus::of(&[0.0, -1.0]), MapStatus::AllNegative);
        assert_eq!(MapStatus::of(&[1.0, f32::NAN]), MapStatus::NotFinite);
        assert_eq!(MapStatus::of(&[f32::NEG_INFINITY]), MapStatus::NotFinite);
        for status in MapStatus::ALL {
            assert_eq!(serde_json::to_string(&status).unwrap(), format!("\"{}\"", status.name()));
        }
    }
}
