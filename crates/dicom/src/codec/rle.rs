//! RLE: each byte of the samples is a plane of its own, compressed with `PackBits` (PS3.5 annex G).

use super::codec_error::{CodecError, Codestream};
use super::frame::{DecodedFrame, FrameLayout};

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

#[cfg(test)]
mod tests {
    use super::*;

    fn fragment(segments: &[&[u8]]) -> Vec<u8> {
        let mut words = vec![segments.len() as u32];
        let mut offset = HEADER_BYTES;
        for segment in segments {
            words.push(offset as u32);
            offset += segment.len();
        }
        words.resize(16, 0);
        let header = words.iter().flat_map(|word| word.to_le_bytes());
        header.chain(segments.iter().flat_map(|segment| segment.iter().copied())).collect()
    }

    fn decoded(fragment: &[u8]) -> Result<Vec<i32>, CodecError> {
        let layout = FrameLayout { rows: 2, columns: 3, bits_allocated: 16, bits_stored: 12 };
        decode(fragment, layout).map(|frame| frame.samples)
    }

    #[test]
    fn literals_runs_and_no_operations_are_unpacked() {
        // Five times 1 across the row's end, then 2; and six literals, a no-operation before them.
        let planes: [&[u8]; 2] = [&[252, 1, 0, 2], &[128, 5, 10, 11, 12, 13, 14, 15]];
        assert_eq!(decoded(&fragment(&planes)), Ok(vec![266, 267, 268, 269, 270, 527]));
    }

    #[test]
    fn impossible_segments_are_refused() {
        let good: &[u8] = &[252, 1, 0, 2];
        let message = |fragment: &[u8]| decoded(fragment).unwrap_err().to_string();
        assert_eq!(message(&fragment(&[good])), "is a damaged RLE frame: 1 segments instead of 2");
        assert_eq!(decoded(&fragment(&[good; 6])), Err(CodecError::NotGrey { components: 3 }));
        let long = fragment(&[good, &[250, 1]]);
        assert_eq!(message(&long), "is a damaged RLE frame: a run in row 1 goes past the last row");
        assert_eq!(message(&fragment(&[good, &[253, 1]])), "the RLE frame ends early");
        let left_over = fragment(&[&[252, 1, 0, 2, 9, 9], good]);
        assert_eq!(message(&left_over), "is a damaged RLE frame: 2 bytes are left after the last row of a segment");
        let mut past_the_end = fragment(&[good; 2]);
        past_the_end[8..12].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(message(&past_the_end), "the RLE frame ends early");
        past_the_end[8..12].copy_from_slice(&3_u32.to_le_bytes());
        assert_eq!(message(&past_the_end), "is a damaged RLE frame: the segments' offsets are out of order");
    }
}
