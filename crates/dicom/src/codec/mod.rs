//! Decoders of the pixel encodings in DICOM files.
//!
//! Each decoder checks the sizes that a codestream claims against the header's before it allocates memory, and refuses a
//! codestream that ends early or is damaged; none fills the rest with grey. All are written in safe Rust, and their memory
//! is bounded by the frame's size and the codestream's length.

mod codec_error;
mod frame;
mod jpeg;
mod jpeg2000;
mod jpeg_ls;
mod rle;
mod segment_reader;

use mammoscope_domain::text::contained_panic::contain_panic;

pub use codec_error::{CodecError, Codestream};
pub use frame::{DecodedFrame, Encoding, FrameLayout, MAX_FRAME_PIXELS};
pub use jpeg::lossless_encoder::encode_jpeg_lossless;

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
        Encoding::Jpeg2000 => jpeg2000::decode(codestream, layout),
        Encoding::Rle => rle::decode(codestream, layout),
    });
    decoded
        .unwrap_or_else(|panic| Err(CodecError::DecoderFault { codestream: encoding.codestream(), message: panic.0 }))
}
