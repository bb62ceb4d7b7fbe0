//! Decoding of high-throughput code blocks: the clean-up pass (T.814 7.3).

mod bits;
mod code_tables;

use crate::codec::codec_error::CodecError;
use crate::codec::jpeg2000::failure::{damaged, unsupported};
use crate::codec::jpeg2000::geometry::Block;
use bits::{BackwardBits, Streams};
use code_tables::{CodeTable, FIRST_ROW, OTHER_ROWS};

/// The coefficients of one code block while it is decoded. It is used for block after block.
#[derive(Default)]
pub(super) struct QuadDecoder {
    width: usize,
    /// Coefficients times two, in rows.
    values: Vec<i32>,
    /// The exponents of the row above the quads, and of their lower row, with one more at the left and two at the right; 0
    /// for insignificant samples.
    above: Vec<u32>,
    lower: Vec<u32>,
    bytes: Vec<u8>,
}

impl QuadDecoder {
    /// Decodes a block of `planes` bit planes from the one of the clean-up pass, of which `data` are the tile's data.
    pub(super) fn decode(&mut self, block: &Block, planes: u32, data: &[u8]) -> Result<(), CodecError> {
        if block.passes != 1 {
            return Err(unsupported("refinement passes of high-throughput code blocks"));
        }
        if planes == 0 {
            return Err(damaged("a code block has more passes than bit planes"));
        }
        self.bytes.clear();
        block.chunks.iter().for_each(|&(start, length)| self.bytes.extend_from_slice(&data[start..start + length]));
        let bytes = std::mem::take(&mut self.bytes);
        let mut streams = Streams::split(&bytes)?;
        let (width, height) = block.size;
        self.width = width;
        self.values.clear();
        self.values.resize(width * height, 0);
        self.above.clear();
        self.above.resize(width + 4, 0);
        self.lower.clear();
        self.lower.resize(width + 4, 0);
        // More bits than the planes that the header leaves are damage.
        let largest_exponent = block.zero_planes + 2;
        for top in (0..height).step_by(2) {
            self.decode_row(&mut streams, top, height, planes, largest_exponent)?;
            std::mem::swap(&mut self.above, &mut self.lower);
        }
        self.bytes = bytes;
        Ok(())
    }

    /// The coefficients times two, in rows.
    pub(super) fn values(&self) -> &[i32] {
        &self.values
    }

    /// Decodes a row of quads of 2 × 2 samples, in pairs.
    fn decode_row(
        &mut self,
        streams: &mut Streams<'_>,
        top: usize,
        height: usize,
        planes: u32,
        largest_exponent: u32,
    ) -> Result<(), CodecError> {
        let table = if top == 0 { &FIRST_ROW } else { &OTHER_ROWS };
        self.lower.fill(0);
        let mut before = 0;
        for left in (0..self.width).step_by(4) {
            let mut quads = [0; 2];
            for (quad, left) in quads.iter_mut().zip([left, left + 2]) {
                if left < self.width {
                    *quad = take_quad(streams, table, self.context(top, left, before));
                    before = *quad;
                }
            }
            let offsets = take_offsets(streams, top == 0, quads);
            for ((quad, offset), left) in quads.into_iter().zip(offsets).zip([left, left + 2]) {
                let mut exponent = offset + 1;
                if top > 0 && (quad >> 4 & 15).count_ones() > 1 {
                    let above = self.above[left.min(self.width)..].iter().take(4).copied().max().unwrap_or(0);
                    exponent += above.saturating_sub(2);
                }
                if exponent > largest_exponent {
                    return Err(damaged("a code block has more bits than its planes"));
                }
                self.take_samples(streams, quad, exponent, (left, top), height, planes)?;
            }
        }
        Ok(())
    }

    /// The context of a quad from its neighbours, `before` being the entry of the one to the left.
    fn context(&self, top: usize, left: usize, before: u32) -> usize {
        let significant = |sample: u32| before >> (4 + sample) & 1;
        let context = if top == 0 {
            (significant(0) | significant(1)) | significant(2) << 1 | significant(3) << 2
        } else {
            let above = |at: usize| u32::from(self.above[at] > 0 || self.above[at + 1] > 0);
            above(left) | (significant(2) | significant(3)) << 1 | above(left + 2) << 2
        };
        context as usize
    }

    /// Takes the magnitudes and signs of a quad's significant samples, column by column.
    fn take_samples(
        &mut self,
        streams: &mut Streams<'_>,
        quad: u32,
        exponent: u32,
        (left, top): (usize, usize),
        height: usize,
        planes: u32,
    ) -> Result<(), CodecError> {
        for sample in 0..4 {
            if quad >> (4 + sample) & 1 == 0 {
                continue;
            }
            let (column, row) = (left + sample / 2, top + sample % 2);
            if column >= self.width || row >= height {
                return Err(damaged("a code block has samples outside of its area"));
            }
            let count = exponent - (quad >> (12 + sample) & 1);
            let bits = streams.magnitudes.take(count);
            // The sign is in the lowest bit, which then stands for half of the last plane.
            let coded = bits | u64::from(quad >> (8 + sample) & 1) << count | 1;
            let magnitude = i32::try_from((coded + 2) << (planes - 1));
            let magnitude = magnitude.map_err(|_| damaged("a coefficient is out of range"))?;
            self.values[row * self.width + column] = if bits & 1 == 1 { -magnitude } else { magnitude };
            if sample % 2 == 1 {
                self.lower[column + 1] = 64 - coded.leading_zeros();
            }
        }
        Ok(())
    }
}

/// Takes the code of a quad; one without significant neighbours has none unless an event says so.
#[inline]
fn take_quad(streams: &mut Streams<'_>, table: &CodeTable, context: usize) -> u32 {
    if context == 0 && !streams.events.next() {
        return 0;
    }
    let entry = table.entry(context, streams.codes.peek());
    streams.codes.skip(entry & 7);
    entry
}

/// Takes the exponent offsets of two quads (T.814 7.3.6).
fn take_offsets(streams: &mut Streams<'_>, first_row: bool, quads: [u32; 2]) -> [u32; 2] {
    let has_offset = quads.map(|quad| quad >> 3 & 1 == 1);
    let both = has_offset == [true, true];
    // In the first row, two offsets may both be above 2, as an event says.
    let both_large = first_row && both && streams.events.next();
    let codes = &mut streams.codes;
    let [first, second] = has_offset.map(|has_offset| has_offset.then_some(()));
    let first = first.map(|()| Prefix::take(codes));
    // After a large first offset in the first row, the second has a single bit.
    if first_row && both && !both_large && first.as_ref().is_some_and(|prefix| prefix.bits > 2) {
        let second = 1 + take(codes, 1);
        return [first.map_or(0, |prefix| prefix.finish(codes)), second];
    }
    let second = second.map(|()| Prefix::take(codes));
    let extra = if both_large { 2 } else { 0 };
    let mut finish = |prefix: Option<Prefix>| prefix.map_or(0, |prefix| prefix.finish(codes) + extra);
    [finish(first), finish(second)]
}

/// The prefix of an offset's code.
struct Prefix {
    bits: u32,
    suffix_bits: u32,
    value: u32,
}

impl Prefix {
    fn take(codes: &mut BackwardBits<'_>) -> Self {
        let prefix = match codes.peek() & 7 {
            0 => Self { bits: 3, suffix_bits: 5, value: 5 },
            4 => Self { bits: 3, suffix_bits: 1, value: 3 },
            2 | 6 => Self { bits: 2, suffix_bits: 0, value: 2 },
            _ => Self { bits: 1, suffix_bits: 0, value: 1 },
        };
        codes.skip(prefix.bits);
        prefix
    }

    fn finish(self, codes: &mut BackwardBits<'_>) -> u32 {
        self.value + take(codes, self.suffix_bits)
    }
}

fn take(codes: &mut BackwardBits<'_>, count: u32) -> u32 {
    let value = codes.peek() & ((1 << count) - 1);
    codes.skip(count);
    value as u32
}
