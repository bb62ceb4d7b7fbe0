//! Records of a manifest: a source and everything that was done to it.

use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::view::View;
use mammoscope_imaging::anatomy::{PectoralCurve, PixelBox};
use serde::{Deserialize, Serialize};

use crate::settings::RecordedSettings;

/// The version of the manifest.
pub const SCHEMA: u32 = 1;

/// The fate of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    Accept,
    AcceptWithWarning,
    Refuse,
}

/// A source as it was found, without its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceRecord {
    /// SHA-256 of the file.
    pub sha256: String,
    pub bytes: u64,
    /// The pseudonym of the file's path below the input folder.
    pub path: String,
    /// Time of the last change, in nanoseconds since 1970.
    pub modified: i128,
    /// DICOM, PNG, JPEG or TIFF.
    pub format: String,
}

/// A scanner.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scanner {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manufacturer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
}

/// The decoding of the stored values, and their transformation to grey.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GreyRecord {
    /// `lut`, `window`, `range`, or `depth` for images that are not DICOM.
    pub kind: String,
    /// The index of the lookup table or window in the file, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub center: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// For `range` and `depth`: the values that are black and white.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub black: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub white: Option<f64>,
}

/// The state of the pectoral muscle in an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PectoralState {
    /// Filled before the source was read.
    AlreadyFilled,
    Filled,
    /// Found, and kept because the user asked for that.
    Kept,
    /// Left untouched: its edge is doubtful.
    Uncertain,
    /// No muscle: a CC view, or none visible.
    None,
}

/// The pectoral muscle of an output. Curves refer to the cropped image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PectoralRecord {
    pub state: PectoralState,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub curve: Option<PectoralCurve>,
    /// From 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The grey of the fill, at the output's depth.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fill: Option<u16>,
}

/// Everything that was done to a source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Steps {
    /// The transfer syntax of a DICOM file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transfer_syntax: Option<String>,
    pub grey: GreyRecord,
    /// True for MONOCHROME1, which is inverted once.
    pub inverted: bool,
    /// Pixels with padding values, which are black.
    pub padded: usize,
    pub mirrored: bool,
    pub flipped: bool,
    /// Width and height before the crop.
    pub original_size: [usize; 2],
    pub crop: PixelBox,
    pub pectoral: PectoralRecord,
}

/// An output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutputRecord {
    /// The path below the output folder, with `/` between its parts.
    pub output: String,
    pub subject: String,
    pub exam: String,
    pub view: View,
    pub class: Option<DensityClass>,
    /// 1, or more for further images of the same view.
    pub acquisition: u32,
    pub bits: u8,
    pub sha256: String,
    pub pixel_sha256: String,
    pub bytes: u64,
    /// The pseudonym of the study, by which later runs number examinations in the same way.
    pub study: String,
}

/// A user's verdict on an output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "verdict")]
pub enum Review {
    Accepted,
    /// The output is removed and not made again.
    Rejected,
    /// The muscle's edge was corrected.
    Corrected {
        curve: PectoralCurve,
    },
}

/// A line of the manifest: a source, the decision over it, and its output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    pub schema: u32,
    /// The program and its version.
    pub program: String,
    pub source: SourceRecord,
    pub settings: RecordedSettings,
    pub decision: Decision,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<String>,
    #[serde(default)]
    pub scanner: Scanner,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub output: Option<OutputRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<Steps>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub review: Option<Review>,
}
