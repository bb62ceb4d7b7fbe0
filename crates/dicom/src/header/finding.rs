//! Findings: facts about an image that a user should know although it is accepted.

use std::fmt;

use serde::{Serialize, Serializer};

/// A fact about an image that a user should know although it is accepted.
#[derive(Clone, Debug, PartialEq)]
pub enum Finding {
    /// Bits above High Bit or below the stored ones are not zero; they are masked.
    UnusedBitsSet,
    /// Pixels with the padding value, which become black.
    Padding { pixels: usize },
    Implant,
    ImplantDisplaced,
    PartialView,
    BurnedInAnnotation,
    /// A 2D view computed from tomosynthesis.
    Synthesised,
    DigitisedFilm { modality: String },
    /// The row or column direction of Patient Orientation is the reverse of the usual one.
    StoredMirrored,
    StoredUpsideDown,
    /// Code and View Position contradict each other; the code is used.
    ViewContradiction { code: &'static str, position: &'static str },
    LateralityFromPixels,
    /// Image Laterality and Laterality contradict each other; the former is used.
    LateralityContradiction,
    /// Patient Orientation says that the image is mirrored; its pixels and its side say that it is not.
    OrientationContradiction,
    /// The side was forced although the pixels contradict it.
    SideForced,
    /// Pixels do not show the side of the breast.
    LateralityUnconfirmed,
    /// Bytes after the pixel data are not DICOM.
    DamagedEnd,
    TransferSyntaxInferred { name: &'static str },
    /// A window or lookup table that cannot be used, and was not.
    Unusable(GreyFault),
    /// Codestream and header differ in the bits or the sign of the samples.
    CodestreamDiffers { codestream: u8, header: u8 },
    Lossy,
}

/// A window or lookup table that violates the standard.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum GreyFault {
    #[error("{centers} window centres and {widths} widths")]
    Count { centers: usize, widths: usize },
    #[error("\"{text}\" is not a number in {attribute}")]
    NotANumber { attribute: &'static str, text: String },
    #[error("the window width {width} is invalid{}", if *index == 0 { String::new() } else { format!(" in window {index}") })]
    Width { width: f64, index: usize },
    #[error("the VOI LUT function {0} is unknown")]
    Function(String),
    #[error("the {table} LUT says {stated} entries and has {there}")]
    LutLength { table: &'static str, stated: usize, there: usize },
    #[error("the {table} LUT has no valid descriptor")]
    LutDescriptor { table: &'static str },
    #[error("the rescale slope {0} is invalid")]
    Slope(f64),
}

impl Finding {
    /// True if the finding turns an acceptance into one with a warning.
    #[must_use]
    pub fn is_warning(&self) -> bool {
        matches!(self, Self::Unusable(_) | Self::DigitisedFilm { .. })
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnusedBitsSet => f.write_str("unused bits are set; they are masked"),
            Self::Padding { pixels } => write!(f, "padding: {pixels} pixels, which become black"),
            Self::Implant => f.write_str("implant"),
            Self::ImplantDisplaced => f.write_str("implant, displaced"),
            Self::PartialView => f.write_str("partial view: the breast does not fit one image"),
            Self::BurnedInAnnotation => f.write_str("burned-in annotation"),
            Self::Synthesised => f.write_str("2D view synthesised from tomosynthesis"),
            Self::DigitisedFilm { modality } => write!(f, "digitised film (modality {modality}, body part breast)"),
            Self::StoredMirrored => f.write_str("stored mirrored: Patient Orientation says so; it is mirrored back"),
            Self::StoredUpsideDown => f.write_str("stored upside down: Patient Orientation says so; it is flipped back"),
            Self::ViewContradiction { code, position } => {
                write!(f, "view: code says {code}, ViewPosition says {position}; the code is used")
            }
            Self::LateralityFromPixels => f.write_str("laterality from the pixels only"),
            Self::LateralityContradiction => {
                f.write_str("Image Laterality and Laterality contradict each other; the former is used")
            }
            Self::OrientationContradiction => {
                f.write_str("Patient Orientation says mirrored, the pixels do not; it is left as it is")
            }
            Self::SideForced => f.write_str("laterality forced: the tag's side is kept, and the picture mirrored to fit it"),
            Self::LateralityUnconfirmed => f.write_str("the pixels do not show the side of the breast"),
            Self::DamagedEnd => f.write_str("bytes after the pixel data are not DICOM; they are ignored"),
            Self::TransferSyntaxInferred { name } => {
                write!(f, "the file does not state its transfer syntax; {name} was recognised")
            }
            Self::Unusable(fault) => write!(f, "{fault}; not used"),
            Self::CodestreamDiffers { codestream, header } => {
                write!(f, "the encoded image has {codestream} bits a sample, the header says {header}")
            }
            Self::Lossy => f.write_str("lossy compression"),
        }
    }
}

impl Serialize for Finding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
