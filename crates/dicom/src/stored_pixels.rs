//! Stored pixel values: decoded, unused bits masked and the sign restored.

use crate::codec::{CodecError, DecodedFrame, Encoding, FrameLayout, decode};
use crate::file::data_set::{DataSet, Value};
use crate::file::tag;
use crate::file::transfer_syntax::TransferSyntax;
use crate::header::finding::Finding;
use crate::header::pixel_layout::PixelLayout;

/// The stored values of the first frame, row by row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPixels {
    pub rows: usize,
    pub columns: usize,
    /// Values as 16-bit words, in two's complement if the layout is signed.
    pub words: Vec<u16>,
    pub signed: bool,
}

/// A reason why pixel data cannot be decoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PixelFault {
    #[error("fewer pixels than Rows × Columns: the pixel data have {there} bytes, {needed} are needed")]
    TooShort { there: usize, needed: usize },
    #[error("the transfer syntax {0} and the pixel data contradict each other")]
    Encapsulation(&'static str),
    #[error("the pixel data have no encoded image")]
    NoFragments,
    #[error(transparent)]
    Codec(#[from] CodecError),
}

impl StoredPixels {
    /// Decodes the first frame of an image.
    pub fn decode(
        header: &DataSet<'_>,
        layout: &PixelLayout,
        syntax: &TransferSyntax,
        findings: &mut Vec<Finding>,
    ) -> Result<Self, PixelFault> {
        let words = match (header.value(tag::PIXEL_DATA), syntax.pixels) {
            (Some(Value::Bytes(bytes)), None) => native(bytes, header, layout, findings)?,
            (Some(Value::Fragments(fragments)), Some(encoding)) => {
                let frame = first_frame(fragments, layout.frames, encoding)?;
                let of_frame = FrameLayout {
                    rows: layout.rows,
                    columns: layout.columns,
                    bits_allocated: layout.bits_allocated,
                    bits_stored: layout.bits_stored,
                };
                from_codestream(&decode(encoding, &frame, of_frame)?, layout, syntax, findings)
            }
            _ => return Err(PixelFault::Encapsulation(syntax.name)),
        };
        Ok(Self { rows: layout.rows, columns: layout.columns, words, signed: layout.signed })
    }

    /// The value of a word.
    #[must_use]
    pub fn value(&self, word: u16) -> i32 {
        if self.signed { i32::from(word.cast_signed()) } else { i32::from(word) }
    }
}

fn native(
    bytes: &[u8],
    header: &DataSet<'_>,
    layout: &PixelLayout,
    findings: &mut Vec<Finding>,
) -> Result<Vec<u16>, PixelFault> {
    let pixels = layout.pixels();
    let needed = pixels * usize::from(layout.bits_allocated / 8);
    let Some(frame) = bytes.get(..needed) else {
        return Err(PixelFault::TooShort { there: bytes.len(), needed });
    };
    let mut words: Vec<u16> = match (layout.bits_allocated, header.big_endian()) {
        // Bytes in big-endian words come in pairs, the second one first.
        (8, true) if header.representation(tag::PIXEL_DATA) == Some(*b"OW") => {
            let swapped = (0..pixels).map(|at| bytes.get(at ^ 1).copied().map(u16::from));
            let there = bytes.len();
            swapped.collect::<Option<_>>().ok_or(PixelFault::TooShort { there, needed: needed + 1 })?
        }
        (8, _) => frame.iter().copied().map(u16::from).collect(),
        (_, true) => frame.as_chunks::<2>().0.iter().copied().map(u16::from_be_bytes).collect(),
        (_, false) => frame.as_chunks::<2>().0.iter().copied().map(u16::from_le_bytes).collect(),
    };
    mask(&mut words, layout, findings);
    Ok(words)
}

/// Keeps the stored bits and restores the sign.
fn mask(words: &mut [u16], layout: &PixelLayout, findings: &mut Vec<Finding>) {
    let stored = u32::from(layout.bits_stored);
    let shift = u32::from(layout.high_bit) + 1 - stored;
    let unused = 16 - stored;
    let bits = u16::MAX >> unused;
    let mut other_bits = 0;
    for word in words.iter_mut() {
        let value = (*word >> shift) & bits;
        let kept = if layout.signed { ((value << unused).cast_signed() >> unused).cast_unsigned() } else { value };
        // The sign may be repeated in the bits above the stored ones.
        let repeated = (value << unused).cast_signed() >> unused;
        let above = *word >> shift;
        let sign_repeated = layout.signed && shift == 0 && above == repeated.cast_unsigned();
        if !sign_repeated {
            other_bits |= *word & !(bits << shift);
        }
        *word = kept;
    }
    if other_bits != 0 && !(layout.signed && layout.bits_allocated == 8) {
        findings.push(Finding::UnusedBitsSet);
    }
}

/// The codestream of the first frame: its fragments joined.
fn first_frame(fragments: &[&[u8]], frames: u64, encoding: Encoding) -> Result<Vec<u8>, PixelFault> {
    let Some(first) = fragments.first() else { return Err(PixelFault::NoFragments) };
    let of_first_frame = if frames <= 1 {
        fragments.len()
    } else if fragments.len() as u64 <= frames || encoding == Encoding::Rle {
        1
    } else {
        // Without an offset table, the frame ends with the first end-of-image marker at the end of a fragment.
        let ends = |fragment: &&[u8]| fragment.ends_with(b"\xff\xd9") || fragment.ends_with(b"\xff\xd9\0");
        fragments.iter().position(ends).map_or(fragments.len(), |last| last + 1)
    };
    if of_first_frame == 1 {
        return Ok(first.to_vec());
    }
    Ok(fragments[..of_first_frame].concat())
}

/// The words of a decoded codestream: masked if it is lossless, clamped to the range of Bits Stored if it is not, because
/// a lossy decoder may leave that range by a few levels. A reversible codestream that was cut to a rate is lossy too,
/// which only its transfer syntax tells.
fn from_codestream(
    frame: &DecodedFrame,
    layout: &PixelLayout,
    syntax: &TransferSyntax,
    findings: &mut Vec<Finding>,
) -> Vec<u16> {
    let precision = u32::from(frame.precision);
    if frame.precision < layout.bits_stored || (frame.signed && !layout.signed) {
        findings.push(Finding::CodestreamDiffers { codestream: frame.precision, header: layout.bits_stored });
    }
    // Unsigned codestreams hold two's complement of the stored bits, or of all bits of their own samples.
    let value = |sample: i32| {
        if !layout.signed || frame.signed {
            return sample;
        }
        let bits = if sample >> layout.bits_stored == 0 { u32::from(layout.bits_stored) } else { precision };
        (sample << (32 - bits)) >> (32 - bits)
    };
    if frame.lossy || syntax.may_be_lossy() {
        let (lowest, highest) = layout.value_range();
        return frame.samples.iter().map(|&sample| value(sample).clamp(lowest, highest) as u16).collect();
    }
    let mut words: Vec<u16> = frame.samples.iter().map(|&sample| value(sample) as u16).collect();
    if precision > u32::from(layout.bits_stored) || layout.signed {
        mask(&mut words, layout, findings);
    }
    words
}
