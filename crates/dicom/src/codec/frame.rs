//! A frame as a header promises it and as a decoder returns it.

use super::codec_error::{CodecError, Codestream};

/// The most pixels in a frame, as for image files. A mammogram has 5 to 30 million.
pub const MAX_FRAME_PIXELS: usize = 100_000_000;

/// The pixels that a file's header promises for one frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameLayout {
    pub rows: usize,
    pub columns: usize,
    /// Bits Allocated: 8 or 16.
    pub bits_allocated: u8,
    /// Bits Stored: 1 up to Bits Allocated.
    pub bits_stored: u8,
}

impl FrameLayout {
    /// The number of samples.
    #[must_use]
    pub fn pixels(&self) -> usize {
        self.rows * self.columns
    }

    /// Compares what a codestream claims with the header.
    pub(super) fn check(&self, columns: usize, rows: usize, precision: u8) -> Result<(), CodecError> {
        if (columns, rows) != (self.columns, self.rows) {
            let (header_columns, header_rows) = (self.columns, self.rows);
            return Err(CodecError::SizeMismatch { columns, rows, header_columns, header_rows });
        }
        if precision > self.bits_allocated {
            return Err(CodecError::PrecisionMismatch { precision, bits_allocated: self.bits_allocated });
        }
        Ok(())
    }
}

/// The decoded samples of one grey frame, row by row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodedFrame {
    /// `rows` × `columns` samples as the codestream has them: signed if it says so, otherwise 0 up to 2^precision − 1.
    pub samples: Vec<i32>,
    /// Bits per sample in the codestream.
    pub precision: u8,
    /// True if the codestream itself calls its samples signed (JPEG 2000 only).
    pub signed: bool,
    /// True if the codestream is of a kind that loses information. A reversible JPEG 2000 codestream from which passes were
    /// left out to save space does not show it.
    pub lossy: bool,
}

/// The encoding of encapsulated pixels, one per family of transfer syntaxes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// JPEG baseline, extended and lossless, ITU-T T.81 processes 1, 2, 4 and 14. The codestream itself names its process.
    Jpeg,
    /// JPEG-LS lossless and near-lossless, ITU-T T.87.
    JpegLs,
    /// JPEG 2000 and high-throughput JPEG 2000, ITU-T T.800 and T.814.
    Jpeg2000,
    /// Run lengths of byte planes, PS3.5 annex G.
    Rle,
}

impl Encoding {
    pub(super) fn codestream(self) -> Codestream {
        match self {
            Self::Jpeg => Codestream::Jpeg,
            Self::JpegLs => Codestream::JpegLs,
            Self::Jpeg2000 => Codestream::Jpeg2000,
            Self::Rle => Codestream::Rle,
        }
    }
}
