//! The white level of 16-bit files: mammograms of 10, 12 and 14 bits are usually exported in files of 16.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::text::grouped_digits::grouped;

/// The bit depths that `--bits` accepts.
const DEPTHS: [u8; 5] = [8, 10, 12, 14, 16];
/// A 16-bit image whose largest value is below this may have 14 bits or fewer.
pub const PLAIN_FROM: u16 = 1 << 14;
/// A data set of 16-bit images uses their full range if its largest value is at least this, which no lower depth
/// reaches.
pub const SIXTEEN_FROM: u16 = 1 << 15;
/// The white level of 8-bit images.
pub const WHITE_OF_8_BITS: u16 = 255;

/// The rule by which samples of 16-bit files become grey levels. Samples of 8-bit files already are grey levels.
///
/// Serialised as the word `auto` or the white level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "SerialisedRange", into = "SerialisedRange")]
pub enum GreyRange {
    /// 65,535 is white if the image uses that range; otherwise the range is ambiguous, which is an error.
    #[default]
    Auto,
    /// This value is white; larger values are an error.
    White(u16),
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum SerialisedRange {
    White(u16),
    Word(String),
}

impl From<GreyRange> for SerialisedRange {
    fn from(range: GreyRange) -> Self {
        match range {
            GreyRange::Auto => Self::Word("auto".to_owned()),
            GreyRange::White(white) => Self::White(white),
        }
    }
}

impl TryFrom<SerialisedRange> for GreyRange {
    type Error = UnknownDepth;

    fn try_from(serialised: SerialisedRange) -> Result<Self, UnknownDepth> {
        match serialised {
            SerialisedRange::White(white) => Ok(Self::White(white)),
            SerialisedRange::Word(word) if word == "auto" => Ok(Self::Auto),
            SerialisedRange::Word(word) => Err(UnknownDepth(word)),
        }
    }
}

/// The reason samples of an image cannot become grey levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GreyRangeFault {
    /// The image may have fewer bits than its file.
    #[error(
        "is a 16-bit image whose largest value is {}, which fits in {bits} bits; say --bits {bits}, or --bits 16 if {} is \
         white",
        grouped(usize::from(*largest)), grouped(usize::from(u16::MAX)), bits = depth_of(*largest)
    )]
    InDoubt {
        /// The largest sample.
        largest: u16,
    },
    /// A sample is brighter than white.
    #[error(
        "has the value {}, above the white of {}; say --bits {} or the --white that is meant",
        grouped(usize::from(*value)), grouped(usize::from(*white)), depth_of(*value)
    )]
    AboveWhite {
        /// The largest sample.
        value: u16,
        /// The stated white level.
        white: u16,
    },
}

impl GreyRange {
    /// The range of images of 8, 10, 12, 14 or 16 bits.
    #[must_use]
    pub const fn of_bits(bits: u8) -> Self {
        Self::White(((1_u32 << bits) - 1) as u16)
    }

    #[must_use]
    pub fn is_auto(&self) -> bool {
        *self == Self::Auto
    }

    /// The white level of a 16-bit image with this largest sample.
    pub fn white_for(self, largest: u16) -> Result<u16, GreyRangeFault> {
        match self {
            Self::Auto if largest < PLAIN_FROM => Err(GreyRangeFault::InDoubt { largest }),
            Self::Auto => Ok(u16::MAX),
            Self::White(white) if largest > white => Err(GreyRangeFault::AboveWhite { value: largest, white }),
            Self::White(white) => Ok(white),
        }
    }
}

/// The grey level of a sample, 0 to 255 for `white`, rounded.
#[must_use]
pub fn level(sample: u16, white: u16) -> u8 {
    let white = u32::from(white).max(1);
    ((u32::from(sample) * 255 + white / 2) / white).min(255) as u8
}

/// The smallest depth that `--bits` accepts and that holds this value.
#[must_use]
pub fn depth_of(value: u16) -> u8 {
    DEPTHS.into_iter().find(|&bits| u32::from(value) < 1 << bits).unwrap_or(16)
}

/// `white 4,095 (12 bits)`, `white 3,000`
#[must_use]
pub fn white_in_words(white: u16) -> String {
    let number = grouped(usize::from(white));
    match DEPTHS.into_iter().find(|&bits| GreyRange::of_bits(bits) == GreyRange::White(white)) {
        Some(bits) => format!("white {number} ({bits} bits)"),
        None => format!("white {number}"),
    }
}

/// `values 12–4,012 (12 bits)`: the range that a 16-bit image uses and the bits it needs.
#[must_use]
pub fn values_in_words(low: u16, high: u16) -> String {
    format!("values {}–{} ({} bits)", grouped(usize::from(low)), grouped(usize::from(high)), depth_of(high))
}

impl fmt::Display for GreyRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.pad("auto"),
            Self::White(white) => f.pad(&white_in_words(*white)),
        }
    }
}

/// A text that is not a bit depth.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a depth; depths are auto, 8, 10, 12, 14 and 16, or white N for any other value")]
pub struct UnknownDepth(pub String);

impl FromStr for GreyRange {
    type Err = UnknownDepth;

    /// Reads `auto`, a number of bits, or `white N`.
    fn from_str(text: &str) -> Result<Self, UnknownDepth> {
        if text.eq_ignore_ascii_case("auto") {
            return Ok(Self::Auto);
        }
        if let Some(white) = text.strip_prefix("white ") {
            let white = white.trim().parse().ok().filter(|&white| white > 0);
            return white.map(Self::White).ok_or_else(|| UnknownDepth(text.to_owned()));
        }
        let bits = text.parse().ok().filter(|bits| DEPTHS.contains(bits));
        bits.map(Self::of_bits).ok_or_else(|| UnknownDepth(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ranges_and_levels_match_a_hand_computation() {
        assert_eq!("12".parse(), Ok(GreyRange::White(4095)));
        assert_eq!("16".parse(), Ok(GreyRange::White(65_535)));
        assert_eq!("AUTO".parse(), Ok(GreyRange::Auto));
        assert_eq!("white 3000".parse(), Ok(GreyRange::White(3000)));
        assert!("white 0".parse::<GreyRange>().is_err() && "white 70000".parse::<GreyRange>().is_err());
        assert!("11".parse::<GreyRange>().unwrap_err().to_string().contains("auto, 8, 10, 12, 14 and 16"));
        assert_eq!(GreyRange::of_bits(12).to_string(), "white 4,095 (12 bits)");
        assert_eq!(GreyRange::White(3000).to_string(), "white 3,000");
        assert_eq!(values_in_words(12, 4012), "values 12–4,012 (12 bits)");
        assert_eq!([0, 2047, 2048, 4095].map(|sample| level(sample, 4095)), [0, 127, 128, 255]);
        assert_eq!([0, 128, 129, 65_535].map(|sample| level(sample, 65_535)), [0, 0, 1, 255]);
        assert_eq!([255, 256, 1023, 4095, 4096, 16_384].map(depth_of), [8, 10, 10, 12, 14, 16]);
    }

    #[test]
    fn ranges_are_serialised_as_a_word_or_a_number() {
        for (range, text) in [(GreyRange::Auto, "\"auto\""), (GreyRange::White(4095), "4095")] {
            assert_eq!(serde_json::to_string(&range).unwrap(), text);
            assert_eq!(serde_json::from_str::<GreyRange>(text).unwrap(), range);
        }
        assert!(serde_json::from_str::<GreyRange>("\"12\"").is_err());
    }

    #[test]
    fn ambiguous_ranges_are_refused_with_advice() {
        let fault = GreyRange::Auto.white_for(4095).unwrap_err().to_string();
        let expected = "is a 16-bit image whose largest value is 4,095, which fits in 12 bits; say --bits 12, or --bits 16 \
                        if 65,535 is white";
        assert_eq!(fault, expected);
        assert_eq!(GreyRange::Auto.white_for(PLAIN_FROM), Ok(u16::MAX));
        assert_eq!(GreyRange::of_bits(16).white_for(100), Ok(u16::MAX), "a stated range is not ambiguous");
        let fault = GreyRange::of_bits(10).white_for(4095).unwrap_err().to_string();
        assert_eq!(fault, "has the value 4,095, above the white of 1,023; say --bits 12 or the --white that is meant");
    }

    proptest! {
        #[test]
        fn levels_are_rounded_to_the_nearest(white in 1_u16.., sample in any::<u16>()) {
            let sample = sample.min(white);
            let exact = f64::from(sample) * 255.0 / f64::from(white);
            prop_assert!((f64::from(level(sample, white)) - exact).abs() <= 0.5);
        }
    }
}
