//! JPEG 2000 of one component (ITU-T T.800), with block decoders of part 1 and of high throughput (T.814).

mod bit_planes;
mod block_contexts;
mod boxes;
mod byte_reader;
mod codestream;
mod geometry;
mod high_throughput;
mod mq_decoder;
mod packet_bits;
mod packets;
mod parameters;
mod progression;
mod tag_tree;
mod tile;
mod wavelet;

use super::{CodecError, Codestream, DecodedFrame, FrameLayout};
use codestream::Image;

fn damaged(reason: impl Into<String>) -> CodecError {
    CodecError::Damaged { codestream: Codestream::Jpeg2000, reason: reason.into() }
}

fn unsupported(reason: impl Into<String>) -> CodecError {
    CodecError::Unsupported { codestream: Codestream::Jpeg2000, reason: reason.into() }
}

const ENDS_EARLY: CodecError = CodecError::EndsEarly(Codestream::Jpeg2000);

/// Decodes a JPEG 2000 codestream of one grey component, bare or in the boxes of a JP2 file.
pub(super) fn decode(bytes: &[u8], layout: FrameLayout) -> Result<DecodedFrame, CodecError> {
    let image = Image::parse(boxes::codestream(bytes)?, layout)?;
    let mut samples = vec![0; layout.pixels()];
    let mut lossy = false;
    for index in 0..image.tiles.len() {
        lossy |= tile::decode(&image, index, &mut samples)?;
    }
    Ok(DecodedFrame { samples, precision: image.size.precision, signed: image.size.signed, lossy })
}
