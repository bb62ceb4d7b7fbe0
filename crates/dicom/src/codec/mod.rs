//! Decoders of the pixel encodings in DICOM files.
//!
//! Each decoder checks the sizes that a codestream claims against the header's before it allocates memory, and refuses a
//! codestream that ends early or is damaged; none fills the rest with grey. All are written in safe Rust, and their memory
//! is bounded by the frame's size and the codestream's length.

mod codec_error;
mod jpeg;
mod jpeg_ls;
mod rle;
mod segment_reader;

use mammoscope_domain::text::contained_panic::contain_panic;

pub use codec_error::{CodecError, Codestream};
pub use jpeg::lossless_encoder::encode_jpeg_lossless;

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
    fn check(&self, columns: usize, rows: usize, precision: u8) -> Result<(), CodecError> {
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
    /// True if the encoding loses information.
    pub lossy: bool,
}

/// The encoding of encapsulated pixels, one per family of transfer syntaxes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// JPEG baseline, extended and lossless, ITU-T T.81 processes 1, 2, 4 and 14. The codestream itself names its process.
    Jpeg,
    /// JPEG-LS lossless and near-lossless, ITU-T T.87.
    JpegLs,
    /// Run lengths of byte planes, PS3.5 annex G.
    Rle,
}

impl Encoding {
    fn codestream(self) -> Codestream {
        match self {
            Self::Jpeg => Codestream::Jpeg,
            Self::JpegLs => Codestream::JpegLs,
            Self::Rle => Codestream::Rle,
        }
    }
}

/// Decodes one grey frame from its codestream, all fragments joined; padding after its end is ignored.
pub fn decode(encoding: Encoding, codestream: &[u8], layout: FrameLayout) -> Result<DecodedFrame, CodecError> {
    let FrameLayout { rows, columns, .. } = layout;
    let pixels = rows.checked_mul(columns).filter(|&pixels| pixels > 0 && pixels <= MAX_FRAME_PIXELS);
    if pixels.is_none() {
        return Err(CodecError::UnusableSize { columns, rows });
    }
    let decoded = contain_panic(|| match encoding {
        Encoding::Jpeg => jpeg::decode(codestream, layout),
        Encoding::JpegLs => jpeg_ls::decode(codestream, layout),
        Encoding::Rle => rle::decode(codestream, layout),
    });
    decoded
        .unwrap_or_else(|panic| Err(CodecError::DecoderFault { codestream: encoding.codestream(), message: panic.0 }))
}
