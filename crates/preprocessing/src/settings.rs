//! Settings of the preparation.

use std::fmt;
use std::str::FromStr;

use mammoscope_dicom::examination::Force;
use mammoscope_dicom::grey::choice::GreyRequest;
use mammoscope_domain::image::grey_range::GreyRange;
use serde::{Deserialize, Serialize};

use crate::picture::OutputBits;

/// The versions of the methods that find breast and muscle. Another version may find other outlines, so outputs made by
/// one are not expected from another.
pub const METHODS: &str = "breast 1, muscle 1, background 1";

/// The treatment of the pectoral muscle in MLO views.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PectoralTreatment {
    /// Filled where its edge is found with confidence; otherwise left untouched and marked as uncertain.
    #[default]
    Auto,
    /// Never filled.
    Keep,
    /// Filled along the most likely edge, even if it is doubtful.
    Fill,
}

/// A word that is not a treatment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not one of auto, keep and fill")]
pub struct PectoralTreatmentError(String);

impl PectoralTreatment {
    const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Keep => "keep",
            Self::Fill => "fill",
        }
    }
}

impl fmt::Display for PectoralTreatment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for PectoralTreatment {
    type Err = PectoralTreatmentError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let all = [Self::Auto, Self::Keep, Self::Fill];
        let found = all.into_iter().find(|treatment| treatment.name() == text);
        found.ok_or_else(|| PectoralTreatmentError(text.chars().take(32).collect()))
    }
}

/// Settings of the preparation.
#[derive(Clone, Debug)]
pub struct Settings {
    pub bits: OutputBits,
    pub pectoral: PectoralTreatment,
    pub grey: GreyRequest,
    /// The white of 16-bit PNG and TIFF files.
    pub source_range: GreyRange,
    pub force: Vec<Force>,
}

/// The settings as they stand in a manifest; an output is made again if they differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedSettings {
    pub bits: u8,
    pub pectoral: String,
    pub window: String,
    pub source_range: GreyRange,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub force: Vec<String>,
    pub methods: String,
}

impl Settings {
    /// The settings as recorded.
    #[must_use]
    pub fn recorded(&self) -> RecordedSettings {
        let mut force: Vec<String> = self.force.iter().map(Force::to_string).collect();
        force.sort_unstable();
        force.dedup();
        RecordedSettings {
            bits: self.bits.number(),
            pectoral: self.pectoral.to_string(),
            window: self.grey.to_string(),
            source_range: self.source_range,
            force,
            methods: METHODS.to_owned(),
        }
    }

    /// The settings of a record. Unknown words of a newer version become the defaults; the comparison of the methods'
    /// versions finds such records.
    #[must_use]
    pub fn of_record(recorded: &RecordedSettings) -> Self {
        Self {
            bits: if recorded.bits == 16 { OutputBits::Sixteen } else { OutputBits::Eight },
            pectoral: recorded.pectoral.parse().unwrap_or_default(),
            grey: recorded.window.parse().unwrap_or_default(),
            source_range: recorded.source_range,
            force: recorded.force.iter().filter_map(|word| word.parse().ok()).collect(),
        }
    }

    /// True if a kind of refusal is overridden.
    #[must_use]
    pub fn forces(&self, kind: Force) -> bool {
        self.force.iter().any(|force| force.covers(kind))
    }
}
