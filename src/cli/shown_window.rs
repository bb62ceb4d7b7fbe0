//! The window of grey values that is drawn from black to white.

use mammoscope_domain::image::grey_range::GreyRange;
use mammoscope_imaging::decode::Samples;

/// The window of grey values that is drawn from black to white.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ShownWindow {
    /// 8-bit values, unchanged.
    Whole,
    /// 16-bit values, by default from the smallest to the largest of the image.
    Range {
        /// Drawn black.
        low: u16,
        /// Drawn white.
        high: u16,
    },
}

impl ShownWindow {
    pub(super) fn of(samples: &Samples, grey: GreyRange) -> Self {
        let Samples::Depth16(raster) = samples else { return Self::Whole };
        if let GreyRange::White(white) = grey {
            return Self::Range { low: 0, high: white };
        }
        let (low, high) = raster
            .samples()
            .iter()
            .fold((u16::MAX, u16::MIN), |(low, high), &sample| (low.min(sample), high.max(sample)));
        Self::Range { low, high }
    }

    pub(super) fn note(self) -> String {
        match self {
            Self::Whole => String::new(),
            Self::Range { low, high } => format!(" · shown from {low} (black) to {high} (white)"),
        }
    }

    /// The grey level, 0 to 255, of a 16-bit value.
    #[cfg_attr(not(feature = "pictures"), allow(dead_code))]
    pub(super) fn level(self, sample: u16) -> u8 {
        let (low, high) = match self {
            Self::Whole => (0, u16::MAX),
            Self::Range { low, high } => (low, high),
        };
        // A flat image has no range and is drawn black.
        let span = u32::from(high - low).max(1);
        ((u32::from(sample.clamp(low, high) - low) * 255 + span / 2) / span) as u8
    }
}
