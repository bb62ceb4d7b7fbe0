//! RLE: each byte of the samples is a plane of its own, compressed with `PackBits` (PS3.5 annex G).

use super::{CodecError, Codestream, DecodedFrame, FrameLayout};

const HEADER_BYTES: usize = 64;

fn damaged(reason: &str) -> CodecError {
    CodecError::Damaged { codestream: Codestream::Rle, reason: reason.to_owned() }
}

/// Decodes an RLE fragment: 64 bytes of offsets, then a segment per byte of a sample, the most significant byte first.
///
/// The samples are whole words of Bits Allocated, as in native pixel data, so bits outside Bits Stored are still to be
/// masked.
pub(super) fn decode(fragment: &[u8], layout: FrameLayout) -> Result<DecodedFrame, CodecError> {
    let planes = usize::from(layout.bits_allocated.div_ceil(8));
    let segments = segments(fragment, planes)?;
    let mut samples = vec![0_i32; layout.pixels()];
    for segment in segments {
        unpack(segment, &mut samples, layout.columns)?;
    }
    Ok(DecodedFrame { samples, precision: layout.bits_allocated, signed: false, lossy: false })
}

/// The bytes of each segment.
fn segments(fragment: &[u8], planes: usize) -> Result<Vec<&[u8]>, CodecError> {
    let header = fragment.get(..HEADER_BYTES).ok_or(CodecError::EndsEarly(Codestream::Rle))?;
    let mut words = header.as_chunks::<4>().0.iter().map(|word| u32::from_le_bytes(*word) as usize);
    let count = words.next().expect("sixteen words");
    if count != planes {
        // Colour has one segment per byte of each of three components.
        if count == 3 * planes {
            return Err(CodecError::NotGrey { components: 3 });
        }
        return Err(damaged(&format!("{count} segments instead of {planes}")));
    }
    let offsets: Vec<usize> = words.take(count).collect();
    let mut ends = offsets[1..].to_vec();
    ends.push(fragment.len());
    if offsets[0] != HEADER_BYTES || offsets.iter().zip(&ends[..count - 1]).any(|(start, end)| start > end) {
        return Err(damaged("the segments' offsets are out of order"));
    }
    let segments = offsets.iter().zip(&ends).map(|(&start, &end)| fragment.get(start..end));
    segments.collect::<Option<_>>().ok_or(CodecError::EndsEarly(Codestream::Rle))
}

/// Appends a plane to the samples as their next lower byte.
///
/// Encoders shall not let a run cross the end of a row, but some do; so only the plane's length is checked.
fn unpack(segment: &[u8], samples: &mut [i32], columns: usize) -> Result<(), CodecError> {
    let mut rest = segment;
    let mut done = 0;
    while done < samples.len() {
        let (&control, tail) = rest.split_first().ok_or(CodecError::EndsEarly(Codestream::Rle))?;
        rest = tail;
        let length = match control {
            0..128 => usize::from(control) + 1,
            128 => continue,
            129.. => 257 - usize::from(control),
        };
        let end = done + length;
        let target = samples.get_mut(done..end).ok_or_else(|| damaged(&past_the_end(done, columns)))?;
        if control < 128 {
            let literals = rest.split_off(..length).ok_or(CodecError::EndsEarly(Codestream::Rle))?;
            for (sample, &byte) in target.iter_mut().zip(literals) {
                *sample = *sample << 8 | i32::from(byte);
            }
        } else {
            let byte = *rest.split_off_first().ok_or(CodecError::EndsEarly(Codestream::Rle))?;
            for sample in target {
                *sample = *sample << 8 | i32::from(byte);
            }
        }
        done = end;
    }
    // A segment is padded to an even length; some encoders append no-operations.
    if rest.len() > 1 && rest.iter().any(|&byte| byte != 0 && byte != 128) {
        return Err(damaged(&format!("{} bytes are left after the last row of a segment", rest.len())));
    }
    Ok(())
}

fn past_the_end(done: usize, columns: usize) -> String {
    format!("a run in row {} goes past the last row", done / columns + 1)
}
