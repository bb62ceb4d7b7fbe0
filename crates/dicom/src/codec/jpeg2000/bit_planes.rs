//! Decoding of a code block's coefficients, bit plane by bit plane (T.800 annex D).

use super::block_contexts::{
    ABOVE, ABOVE_LEFT, ABOVE_RIGHT, BELOW, BELOW_LEFT, BELOW_RIGHT, LEFT, NEGATIVE, NEIGHBOURS, REFINED, RIGHT, RUN,
    SIGNIFICANT, TO_SIGN, UNIFORM, VISITED, magnitude_context, sign_context, significance_contexts,
};
use super::failure::damaged;
use super::geometry::{Block, Orientation};
use super::mq_decoder::{Contexts, MqDecoder, RawBits};
use super::parameters::BlockStyle;
use crate::codec::codec_error::CodecError;

/// Rows that are scanned column by column.
const STRIPE: usize = 4;
/// Bit planes of which no pass is bypassed.
const CODED_PLANES: u32 = 4;

/// The most columns of stripes in a code block of 4096 samples, with a border on all sides, up to a power of two.
const WORDS: usize = 1 << 12;
/// The most samples in a code block.
const SAMPLES: usize = 1 << 12;

/// The same bits in all four states of a word.
const fn in_each(bits: u16) -> u64 {
    bits as u64 * 0x0001_0001_0001_0001
}

/// The coefficients of one code block while it is decoded. It is used for block after block.
pub(super) struct BlockDecoder {
    width: usize,
    height: usize,
    /// The states of coefficients, four of a column in one word, the upper one lowest. Rows of words have a border of one on
    /// all sides. The length is a power of two so that masked indices need no check.
    states: Box<[u64; WORDS]>,
    /// Magnitudes times two, in rows: the lowest bit is half of the last decoded plane.
    magnitudes: Box<[u32; SAMPLES]>,
    values: Vec<i32>,
    contexts: Contexts,
    significance: &'static [u8; 256],
    causal: bool,
    bytes: Vec<u8>,
}

/// A boxed array of zeros that was never on the stack.
#[allow(clippy::unnecessary_box_returns, reason = "the array is too large for the stack")]
fn zeros<T: Copy + Default, const LENGTH: usize>() -> Box<[T; LENGTH]> {
    let zeros = vec![T::default(); LENGTH].into_boxed_slice();
    zeros.try_into().map_err(|_| ()).expect("as many as were made")
}

/// Twice the value of the bit plane that a pass codes. The first plane has a clean-up pass only, the others have three.
fn value_of_plane(pass: u32, planes: u32) -> u32 {
    1 << (planes - pass.div_ceil(3))
}

/// The coder of a pass.
trait Coder {
    fn significance(&mut self, contexts: &mut Contexts, context: u8) -> u32;
    fn sign(&mut self, contexts: &mut Contexts, state: u16) -> u32;
    fn magnitude(&mut self, contexts: &mut Contexts, state: u16) -> u32;
}

impl Coder for MqDecoder<'_> {
    #[inline]
    fn significance(&mut self, contexts: &mut Contexts, context: u8) -> u32 {
        self.decode(contexts, context)
    }

    #[inline]
    fn sign(&mut self, contexts: &mut Contexts, state: u16) -> u32 {
        let (context, flip) = sign_context(state);
        self.decode(contexts, context) ^ flip
    }

    #[inline]
    fn magnitude(&mut self, contexts: &mut Contexts, state: u16) -> u32 {
        self.decode(contexts, magnitude_context(state))
    }
}

impl Coder for RawBits<'_> {
    fn significance(&mut self, _: &mut Contexts, _: u8) -> u32 {
        self.bit()
    }

    fn sign(&mut self, _: &mut Contexts, _: u16) -> u32 {
        self.bit()
    }

    fn magnitude(&mut self, _: &mut Contexts, _: u16) -> u32 {
        self.bit()
    }
}

impl BlockDecoder {
    pub(super) fn new() -> Self {
        Self {
            width: 0,
            height: 0,
            states: zeros(),
            magnitudes: zeros(),
            values: Vec::new(),
            contexts: Contexts::new(),
            significance: significance_contexts(Orientation::Low),
            causal: false,
            bytes: Vec::new(),
        }
    }

    /// Decodes a block of `planes` bit planes, of which `data` are the tile's data.
    pub(super) fn decode(
        &mut self,
        block: &Block,
        planes: u32,
        orientation: Orientation,
        style: BlockStyle,
        data: &[u8],
    ) -> Result<(), CodecError> {
        if block.passes > 3 * planes.max(1) - 2 || planes == 0 {
            return Err(damaged("a code block has more passes than bit planes"));
        }
        (self.width, self.height) = block.size;
        let words = self.stride() * (self.height.div_ceil(STRIPE) + 2);
        self.states[..words].fill(0);
        self.magnitudes[..self.width * self.height].fill(0);
        self.contexts = Contexts::new();
        self.significance = significance_contexts(orientation);
        self.causal = style.vertically_causal();
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.clear();
        block.chunks.iter().for_each(|&(start, length)| bytes.extend_from_slice(&data[start..start + length]));

        let (mut start, mut pass) = (0, 0);
        for segment in &block.segments {
            let codeword = &bytes[start..start + segment.bytes];
            start += segment.bytes;
            // The passes of a segment are all bypassed or none.
            if style.bypass() && pass >= 3 * CODED_PLANES - 2 && pass % 3 != 0 {
                let mut coder = RawBits::new(codeword);
                for _ in 0..segment.passes {
                    self.pass(&mut coder, pass, planes);
                    pass += 1;
                }
                continue;
            }
            let mut coder = MqDecoder::new(codeword);
            for _ in 0..segment.passes {
                if pass % 3 == 0 {
                    self.clean_up(&mut coder, value_of_plane(pass, planes));
                    if style.segmentation_symbols() && !self.is_segmentation_symbol(&mut coder) {
                        return Err(damaged("a code block's segmentation symbol is wrong"));
                    }
                } else {
                    self.pass(&mut coder, pass, planes);
                }
                if style.resets_contexts() {
                    self.contexts = Contexts::new();
                }
                pass += 1;
            }
        }
        self.bytes = bytes;
        self.values.clear();
        for row in 0..self.height {
            let words = &self.states[self.word_at(row, 0)..][..self.width];
            let magnitudes = &self.magnitudes[row * self.width..][..self.width];
            let negative = u64::from(NEGATIVE) << (16 * (row % STRIPE));
            self.values.extend(
                magnitudes.iter().zip(words).map(|(&magnitude, &word)| {
                    if word & negative == 0 { magnitude as i32 } else { -(magnitude as i32) }
                }),
            );
        }
        Ok(())
    }

    /// The coefficients times two, with their signs, in rows.
    pub(super) fn values(&self) -> &[i32] {
        &self.values
    }

    /// Words per row of stripes.
    fn stride(&self) -> usize {
        self.width + 2
    }

    /// The word of a column in the stripe that begins at this row.
    #[inline]
    fn word_at(&self, top: usize, column: usize) -> usize {
        (top / STRIPE + 1) * self.stride() + column + 1
    }

    #[inline]
    fn state(&self, at: usize, row: usize) -> u16 {
        (self.states[at % WORDS] >> (16 * row)) as u16
    }

    #[inline]
    fn set(&mut self, at: usize, row: usize, bits: u16) {
        self.states[at % WORDS] |= u64::from(bits) << (16 * row);
    }

    /// A pass other than a clean-up pass.
    fn pass(&mut self, coder: &mut impl Coder, pass: u32, planes: u32) {
        let one = value_of_plane(pass, planes);
        if pass % 3 == 1 { self.propagate(coder, one) } else { self.refine(coder, one) }
    }

    /// The significance pass: coefficients with a significant neighbour.
    fn propagate(&mut self, coder: &mut impl Coder, one: u32) {
        for top in (0..self.height).step_by(STRIPE) {
            let rows = STRIPE.min(self.height - top);
            for column in 0..self.width {
                let at = self.word_at(top, column);
                if self.states[at % WORDS] & in_each(NEIGHBOURS) == 0 {
                    continue;
                }
                for row in 0..rows {
                    let state = self.state(at, row);
                    if state & SIGNIFICANT != 0 || state & NEIGHBOURS == 0 {
                        continue;
                    }
                    let context = self.significance[usize::from(state & NEIGHBOURS)];
                    if coder.significance(&mut self.contexts, context) == 1 {
                        self.become_significant(coder, at, row, (top + row) * self.width + column, one);
                    }
                    self.set(at, row, VISITED);
                }
            }
        }
    }

    /// The refinement pass: a further bit of significant coefficients.
    fn refine(&mut self, coder: &mut impl Coder, one: u32) {
        let half = one >> 1;
        for top in (0..self.height).step_by(STRIPE) {
            let rows = STRIPE.min(self.height - top);
            for column in 0..self.width {
                let at = self.word_at(top, column);
                let word = self.states[at % WORDS];
                if word & in_each(SIGNIFICANT) == 0 {
                    continue;
                }
                for row in 0..rows {
                    let state = (word >> (16 * row)) as u16;
                    if state & (SIGNIFICANT | VISITED) != SIGNIFICANT {
                        continue;
                    }
                    let bit = coder.magnitude(&mut self.contexts, state);
                    let magnitude = &mut self.magnitudes[((top + row) * self.width + column) % SAMPLES];
                    *magnitude = if bit == 1 { *magnitude + half } else { *magnitude - half };
                    self.set(at, row, REFINED);
                }
            }
        }
    }

    /// The clean-up pass: all coefficients that the others left out.
    fn clean_up(&mut self, coder: &mut MqDecoder<'_>, one: u32) {
        for top in (0..self.height).step_by(STRIPE) {
            let rows = STRIPE.min(self.height - top);
            for column in 0..self.width {
                let at = self.word_at(top, column);
                let mut first = 0;
                let quiet = self.states[at % WORDS] & in_each(NEIGHBOURS | SIGNIFICANT | VISITED) == 0;
                if quiet && rows == STRIPE {
                    if coder.decode(&mut self.contexts, RUN) == 0 {
                        continue;
                    }
                    let skipped = coder.decode(&mut self.contexts, UNIFORM) << 1;
                    let row = (skipped | coder.decode(&mut self.contexts, UNIFORM)) as usize;
                    self.become_significant(coder, at, row, (top + row) * self.width + column, one);
                    first = row + 1;
                }
                for row in first..rows {
                    let state = self.state(at, row);
                    if state & (SIGNIFICANT | VISITED) == 0 {
                        let context = self.significance[usize::from(state & NEIGHBOURS)];
                        if coder.decode(&mut self.contexts, context) == 1 {
                            self.become_significant(coder, at, row, (top + row) * self.width + column, one);
                        }
                    }
                }
                self.states[at % WORDS] &= !in_each(VISITED);
            }
        }
    }

    /// Takes the sign of a coefficient that becomes significant, and lets its neighbours know.
    #[inline]
    fn become_significant(&mut self, coder: &mut impl Coder, at: usize, row: usize, sample: usize, one: u32) {
        let state = self.state(at, row);
        let negative = coder.sign(&mut self.contexts, state) == 1;
        self.magnitudes[sample % SAMPLES] = one | one >> 1;
        let signed = |neighbour: u16| neighbour | if negative { neighbour << TO_SIGN } else { 0 };
        let itself = SIGNIFICANT | if negative { NEGATIVE } else { 0 };
        // The states of the rows before, at and after this one, as far as they are in the stripe.
        let rows = |before: u16, same: u16, after: u16| {
            let three = u64::from(before) | u64::from(same) << 16 | u64::from(after) << 32;
            if row == 0 { three >> 16 } else { three << (16 * (row - 1)) }
        };
        self.states[(at - 1) % WORDS] |= rows(BELOW_RIGHT, signed(RIGHT), ABOVE_RIGHT);
        self.states[at % WORDS] |= rows(signed(BELOW), itself, signed(ABOVE));
        self.states[(at + 1) % WORDS] |= rows(BELOW_LEFT, signed(LEFT), ABOVE_LEFT);
        if row == STRIPE - 1 {
            let below = at + self.stride();
            self.set(below - 1, 0, ABOVE_RIGHT);
            self.set(below, 0, signed(ABOVE));
            self.set(below + 1, 0, ABOVE_LEFT);
        }
        // With causal contexts, a stripe does not know of the one below.
        if row == 0 && !self.causal {
            let above = at - self.stride();
            self.set(above - 1, STRIPE - 1, BELOW_RIGHT);
            self.set(above, STRIPE - 1, signed(BELOW));
            self.set(above + 1, STRIPE - 1, BELOW_LEFT);
        }
    }

    fn is_segmentation_symbol(&mut self, coder: &mut MqDecoder<'_>) -> bool {
        (0..4).fold(0, |value, _| value << 1 | coder.decode(&mut self.contexts, UNIFORM)) == 0b1010
    }
}
