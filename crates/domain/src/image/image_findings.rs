//! Findings in an image: doubts that it is a mammogram as expected, and features of its appearance.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A reason to doubt that an image is a mammogram as expected, with a bright breast on a dark background.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImageDoubt {
    /// All pixels have the same grey level.
    OneLevel,
    /// The background is bright, as in an export of MONOCHROME1 that was not inverted.
    Inverted,
    /// No breast is found.
    NoBreast,
    /// A large part of the breast is white.
    Saturated,
}

impl ImageDoubt {
    /// All doubts, in the order in which they are reported.
    pub const ALL: [Self; 4] = [Self::OneLevel, Self::Inverted, Self::NoBreast, Self::Saturated];

    /// The doubt in words, as reported.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::OneLevel => "one grey level only",
            Self::Inverted => "bright background, as if inverted (MONOCHROME1)",
            Self::NoBreast => "no breast found",
            Self::Saturated => "large parts of the breast saturated",
        }
    }

    /// The doubt in a word or two, for narrow places.
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

/// The number of features in [`ImageTraits`].
pub const TRAITS: usize = 9;

/// The names of the features, in their order.
pub const TRAIT_NAMES: [&str; TRAITS] = [
    "breast share",
    "mean grey of the breast",
    "grey deviation in the breast",
    "darkest tenth of the breast",
    "brightest tenth of the breast",
    "fine texture of the breast",
    "grey of the background",
    "texture of the background",
    "aspect ratio",
];

/// A few numbers that describe the appearance of an image, computed at the size of the network's input.
///
/// In the order of [`TRAIT_NAMES`]: the breast's share of the image; mean, standard deviation, tenth and ninetieth
/// percentile of its grey levels (0–255); the mean absolute difference of a breast pixel from the mean of its four
/// neighbours; the median of the background and the mean absolute difference of neighbours in it, in grey levels; and
/// the natural logarithm of width / height as stored.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ImageTraits(pub [f32; TRAITS]);

/// The findings in one image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImageFindings {
    /// Pixels per row, as stored.
    pub width: usize,
    /// Rows, as stored.
    pub height: usize,
    /// Bits per sample in the file.
    pub bits: u8,
    /// The largest sample in the file.
    pub largest: u16,
    /// The white level; 255 for 8-bit files.
    pub white: u16,
    /// The doubts about the image; empty for a mammogram as expected.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub doubts: Vec<ImageDoubt>,
    /// The appearance; `None` if no breast is found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traits: Option<ImageTraits>,
}
