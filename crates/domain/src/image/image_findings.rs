//! What is found in an image when it is read: whether it can be a mammogram as expected, and what it looks like.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why an image cannot be a mammogram as expected: breast bright on a dark background.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImageDoubt {
    /// All pixels have one grey level.
    OneLevel,
    /// The background is bright: an export of MONOCHROME1 that was not inverted.
    Inverted,
    /// No breast is found.
    NoBreast,
    /// A large part of the breast is white.
    Saturated,
}

impl ImageDoubt {
    /// All doubts, in the order in which they are reported.
    pub const ALL: [Self; 4] = [Self::OneLevel, Self::Inverted, Self::NoBreast, Self::Saturated];

    /// What is said of images that have it.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::OneLevel => "one grey level only",
            Self::Inverted => "bright background, as if inverted (MONOCHROME1)",
            Self::NoBreast => "no breast found",
            Self::Saturated => "large parts of the breast saturated",
        }
    }

    /// The same in a word or two, for narrow places.
    #[must_use]
    pub const fn short(self) -> &'static str {
        match self {
            Self::OneLevel => "one level",
            Self::Inverted => "inverted?",
            Self::NoBreast => "no breast",
            Self::Saturated => "saturated",
        }
    }
}

impl fmt::Display for ImageDoubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.text())
    }
}

/// How many features [`ImageTraits`] has.
pub const TRAITS: usize = 9;

/// The features, in their order, as they are named to a person.
pub const TRAIT_NAMES: [&str; TRAITS] = [
    "share of breast",
    "mean grey of the breast",
    "grey deviation in the breast",
    "darkest tenth of the breast",
    "brightest tenth of the breast",
    "fine texture of the breast",
    "grey of the background",
    "texture of the background",
    "width by height",
];

/// What an image looks like to a network, in a few numbers: computed from the picture in the size of the network's input.
///
/// In the order of [`TRAIT_NAMES`]: the breast's share of the picture; mean, standard deviation, tenth and ninetieth
/// percentile of its grey levels (0–255); the mean absolute difference of a breast pixel from its four neighbours' mean; the
/// median of the background and the mean absolute difference of neighbours in it, in grey levels; and the natural
/// logarithm of width by height as stored.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ImageTraits(pub [f32; TRAITS]);

/// What is found in an image when it is read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImageFindings {
    /// Pixels a row, as stored.
    pub width: usize,
    /// Rows, as stored.
    pub height: usize,
    /// Bits of a sample in the file.
    pub bits: u8,
    /// The largest sample in the file.
    pub largest: u16,
    /// The value that is white: 255 for files of 8 bits.
    pub white: u16,
    /// Why it cannot be a mammogram as expected; empty where it can.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub doubts: Vec<ImageDoubt>,
    /// What it looks like; `None` where no breast is found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traits: Option<ImageTraits>,
}
