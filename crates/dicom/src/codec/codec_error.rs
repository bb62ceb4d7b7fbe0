//! Errors of decoding encapsulated pixels.

use std::fmt;

/// The kind of codestream that an error is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codestream {
    Jpeg,
    JpegLs,
    Jpeg2000,
    Rle,
}

impl fmt::Display for Codestream {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Jpeg => "JPEG",
            Self::JpegLs => "JPEG-LS codestream",
            Self::Jpeg2000 => "JPEG 2000 codestream",
            Self::Rle => "RLE frame",
        })
    }
}

/// An error of decoding one frame. The messages are one line and do not name the file; the caller does.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// The data end before the last sample.
    #[error("the {0} ends early")]
    EndsEarly(Codestream),
    /// The codestream has another size than Rows × Columns.
    #[error("the codestream is {columns} × {rows} pixels, the header says {header_columns} × {header_rows}")]
    SizeMismatch { columns: usize, rows: usize, header_columns: usize, header_rows: usize },
    /// The codestream's samples do not fit into Bits Allocated.
    #[error("the codestream has {precision} bits per sample, the header allocates {bits_allocated}")]
    PrecisionMismatch { precision: u8, bits_allocated: u8 },
    /// Colour, or any other number of components than one.
    #[error("the codestream has {components} components; only grey images with one can be read")]
    NotGrey { components: usize },
    /// The codestream violates its format.
    #[error("is a damaged {codestream}: {reason}")]
    Damaged { codestream: Codestream, reason: String },
    /// A valid codestream of an unsupported kind, which `reason` names.
    #[error("is a {codestream} of an unsupported kind ({reason}); decompress it first: gdcmconv --raw IN.dcm OUT.dcm")]
    Unsupported { codestream: Codestream, reason: String },
    /// More than [`MAX_FRAME_PIXELS`](super::MAX_FRAME_PIXELS) pixels, or none.
    #[error("claims {columns} × {rows} pixels; a frame has 1 up to {} million", super::MAX_FRAME_PIXELS / 1_000_000)]
    UnusableSize { columns: usize, rows: usize },
    /// The decoder panicked with this message.
    #[error("is a {codestream} that crashes the decoder ({message}); decompress it first, and report it")]
    DecoderFault { codestream: Codestream, message: String },
}
