//! Why an image cannot be read.

use std::{fmt, io};

use crate::image_facts::ImageFormat;
use crate::image_limits::{MAX_FILE_BYTES, MAX_PIXELS};
use mammoscope_domain::image::grey_range::GreyRangeFault;
use mammoscope_domain::text::foreign_file::ForeignFile;
use mammoscope_domain::text::printable::printable;

impl From<io::Error> for ImageError {
    fn from(error: io::Error) -> Self {
        Self::Unreadable(error)
    }
}

/// Why an image cannot be read. The texts do not name the file: who asked for it knows it.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// The file cannot be opened or read.
    #[error("cannot be read: {0}")]
    Unreadable(io::Error),
    /// A folder, a pipe or a device.
    #[error("is a {0}, not a file")]
    NotAFile(&'static str),
    /// A file of no bytes.
    #[error("is empty (0 bytes)")]
    Empty,
    /// A file longer than [`MAX_FILE_BYTES`].
    #[error("is {bytes} bytes long; images up to {MAX_FILE_BYTES} bytes are read")]
    FileTooLong {
        /// Its length.
        bytes: u64,
    },
    /// Something else than PNG, JPEG or TIFF.
    #[error("is not a PNG, JPEG or TIFF image{}", foreign(*.instead))]
    NotAnImage {
        /// What it is, where that is known.
        instead: Option<ForeignFile>,
    },
    /// More than [`MAX_PIXELS`].
    #[error("claims {width} × {height} pixels; images up to {} million pixels are read", MAX_PIXELS / 1_000_000)]
    TooManyPixels {
        /// Pixels a row.
        width: u32,
        /// Rows.
        height: u32,
    },
    /// The file ends before the image does.
    #[error("is a truncated {format}: the file ends before the image does")]
    Truncated {
        /// The format.
        format: ImageFormat,
    },
    /// The file breaks the rules of its format.
    #[error("is a damaged {format}: {reason}")]
    Damaged {
        /// The format.
        format: ImageFormat,
        /// What is wrong.
        reason: String,
    },
    /// A kind of image that is not read.
    #[error("is a {format} of a kind that is not read ({reason}); save it as 8- or 16-bit grey PNG")]
    Unsupported {
        /// The format.
        format: ImageFormat,
        /// What kind.
        reason: String,
    },
    /// Its samples cannot become grey levels.
    #[error(transparent)]
    GreyRange(#[from] GreyRangeFault),
    /// The decoder panicked.
    #[error("is a {format} on which the decoder fails ({message}); save it as 8- or 16-bit grey PNG, and report it")]
    DecoderFault {
        /// The format.
        format: ImageFormat,
        /// The panic's message.
        message: String,
    },
}

fn foreign(instead: Option<ForeignFile>) -> String {
    instead.map(|file| format!(" but {file}; {}", file.advice())).unwrap_or_default()
}

pub(crate) fn one_line(text: &dyn fmt::Display) -> String {
    printable(text.to_string().trim())
}
