//! Errors of reading images.

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

/// An error of reading an image. The messages do not name the file; the caller does.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// The file cannot be opened or read.
    #[error("cannot be read: {0}")]
    Unreadable(io::Error),
    /// A folder, a pipe or a device.
    #[error("is a {0}, not a file")]
    NotAFile(&'static str),
    #[error("is empty (0 bytes)")]
    Empty,
    /// A file longer than [`MAX_FILE_BYTES`].
    #[error("is {bytes} bytes long; the limit for images is {MAX_FILE_BYTES} bytes")]
    FileTooLong { bytes: u64 },
    /// A file that is not PNG, JPEG or TIFF.
    #[error("is not a PNG, JPEG or TIFF image{}", foreign(*.instead))]
    NotAnImage {
        /// The actual kind of file, if known.
        instead: Option<ForeignFile>,
    },
    /// More than [`MAX_PIXELS`] pixels.
    #[error("claims {width} × {height} pixels; the limit for images is {} million pixels", MAX_PIXELS / 1_000_000)]
    TooManyPixels { width: u32, height: u32 },
    /// The file ends before the image does.
    #[error("is a truncated {format}: the file ends before the image does")]
    Truncated { format: ImageFormat },
    /// The file violates its format.
    #[error("is a damaged {format}: {reason}")]
    Damaged { format: ImageFormat, reason: String },
    /// A valid image of an unsupported kind, which `reason` names.
    #[error("is a {format} of an unsupported kind ({reason}); save it as 8- or 16-bit grey PNG")]
    Unsupported { format: ImageFormat, reason: String },
    /// The samples cannot be converted to grey levels.
    #[error(transparent)]
    GreyRange(#[from] GreyRangeFault),
    /// The decoder panicked with this message.
    #[error("is a {format} that crashes the decoder ({message}); save it as 8- or 16-bit grey PNG, and report it")]
    DecoderFault { format: ImageFormat, message: String },
}

fn foreign(instead: Option<ForeignFile>) -> String {
    instead.map(|file| format!(" but {file}; {}", file.advice())).unwrap_or_default()
}

pub(crate) fn one_line(text: &dyn fmt::Display) -> String {
    printable(text.to_string().trim())
}
