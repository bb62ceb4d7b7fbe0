//! JPEG 2000 of one component (ITU-T T.800), with block decoders of part 1 and of high throughput (T.814).

mod bit_planes;
mod block_contexts;
mod boxes;
mod byte_reader;
mod codestream;
mod failure;
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

use crate::codec::codec_error::CodecError;
use crate::codec::frame::{DecodedFrame, FrameLayout};
use codestream::Image;

/// Decodes a JPEG 2000 codestream of one grey component, bare or in the boxes of a JP2 file.
pub(super) fn decode(bytes: &[u8], layout: FrameLayout) -> Result<DecodedFrame, CodecError> {
    let image = Image::parse(boxes::codestream(bytes)?, layout)?;
    let (mut samples, mut lossy) = (Vec::new(), false);
    for index in 0..image.tiles.len() {
        let tile = tile::decode(&image, index)?;
        lossy |= !tile.reversible;
        if image.tiles.len() == 1 {
            samples = tile.samples;
            continue;
        }
        samples.resize(layout.pixels(), 0);
        let left = (tile.rect.left - u64::from(image.size.start.0)) as usize;
        let top = (tile.rect.top - u64::from(image.size.start.1)) as usize;
        for (row, line) in tile.samples.chunks_exact(tile.rect.width()).enumerate() {
            samples[(top + row) * layout.columns + left..][..line.len()].copy_from_slice(line);
        }
    }
    Ok(DecodedFrame { samples, precision: image.size.precision, signed: image.size.signed, lossy })
}
