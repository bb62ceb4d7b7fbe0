//! Decoding of a code block's coefficients, bit plane by bit plane (T.800 annex D).

use super::block_contexts::{
    ABOVE, ABOVE_LEFT, ABOVE_RIGHT, BELOW, BELOW_LEFT, BELOW_RIGHT, LEFT, NEGATIVE, NEIGHBOURS, REFINED, RIGHT, RUN,
    SIGNIFICANT, TO_SIGN, UNIFORM, VISITED, magnitude_context, sign_context, significance_contexts,
};
use super::damaged;
use super::geometry::{Block, Orientation};
use super::mq_decoder::{Contexts, MqDecoder, RawBits};
use super::parameters::BlockStyle;
use crate::codec::CodecError;

/// Rows that are scanned column by column.
const STRIPE: usize = 4;
/// Bit planes of which no pass is bypassed.
const CODED_PLANES: u32 = 4;

/// The coefficients of one code block while it is decoded. It is used for block after block.
pub(super) struct BlockDecoder {
    width: usize,
    height: usize,
    /// The state of each coefficient, in rows with a border of one on all sides.
    states: Vec<u16>,
    /// Magnitudes times two, in rows: the lowest bit is half of the last decoded plane.
    magnitudes: Vec<u32>,
    contexts: Contexts,
    significance: &'static [u8; 256],
    causal: bool,
    bytes: Vec<u8>,
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
            states: Vec::new(),
            magnitudes: Vec::new(),
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
        self.states.clear();
        self.states.resize((self.width + 2) * (self.height + 2), 0);
        self.magnitudes.clear();
        self.magnitudes.resize(self.width * self.height, 0);
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
            let is_raw = style.bypass() && pass >= 3 * CODED_PLANES - 2 && (pass + 2) % 3 < 2;
            if is_raw {
                let mut coder = RawBits::new(codeword);
                for _ in 0..segment.passes {
                    self.pass(&mut coder, pass, planes);
                    pass += 1;
                }
            } else {
                let mut coder = MqDecoder::new(codeword);
                for _ in 0..segment.passes {
                    if (pass + 2) % 3 == 2 {
                        self.clean_up(&mut coder, 1 << (planes - (pass + 2) / 3));
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
        }
        self.bytes = bytes;
        Ok(())
    }

    /// The coefficients times two, with their signs, row by row.
    pub(super) fn rows(&self) -> impl Iterator<Item = impl Iterator<Item = i32>> {
        let states = self.states.chunks_exact(self.width + 2).skip(1);
        self.magnitudes.chunks_exact(self.width).zip(states).map(|(magnitudes, states)| {
            magnitudes
                .iter()
                .zip(&states[1..])
                .map(|(&magnitude, &state)| if state & NEGATIVE == 0 { magnitude as i32 } else { -(magnitude as i32) })
        })
    }

    fn pass(&mut self, coder: &mut impl Coder, pass: u32, planes: u32) {
        // Twice the plane's value; the first plane has a clean-up pass only.
        let one = 2 << (planes - 1 - (pass + 2) / 3);
        if (pass + 2) % 3 == 0 { self.propagate(coder, one) } else { self.refine(coder, one) }
    }

    /// The significance pass: coefficients with a significant neighbour.
    fn propagate(&mut self, coder: &mut impl Coder, one: u32) {
        let stride = self.width + 2;
        for top in (0..self.height).step_by(STRIPE) {
            let bottom = (top + STRIPE).min(self.height);
            for column in 0..self.width {
                for row in top..bottom {
                    let at = (row + 1) * stride + column + 1;
                    let state = self.states[at];
                    if state & SIGNIFICANT != 0 || state & NEIGHBOURS == 0 {
                        continue;
                    }
                    let context = self.significance[usize::from(state & NEIGHBOURS)];
                    if coder.significance(&mut self.contexts, context) == 1 {
                        self.become_significant(coder, at, row, column, one);
                    }
                    self.states[at] |= VISITED;
                }
            }
        }
    }

    /// The refinement pass: a further bit of significant coefficients.
    fn refine(&mut self, coder: &mut impl Coder, one: u32) {
        let stride = self.width + 2;
        let half = one >> 1;
        for top in (0..self.height).step_by(STRIPE) {
            let bottom = (top + STRIPE).min(self.height);
            for column in 0..self.width {
                for row in top..bottom {
                    let at = (row + 1) * stride + column + 1;
                    let state = self.states[at];
                    if state & (SIGNIFICANT | VISITED) != SIGNIFICANT {
                        continue;
                    }
                    let bit = coder.magnitude(&mut self.contexts, state);
                    let magnitude = &mut self.magnitudes[row * self.width + column];
                    *magnitude = if bit == 1 { *magnitude + half } else { *magnitude - half };
                    self.states[at] = state | REFINED;
                }
            }
        }
    }

    /// The clean-up pass: all coefficients that the others left out.
    fn clean_up(&mut self, coder: &mut MqDecoder<'_>, one: u32) {
        let stride = self.width + 2;
        for top in (0..self.height).step_by(STRIPE) {
            let bottom = (top + STRIPE).min(self.height);
            for column in 0..self.width {
                let first = (top + 1) * stride + column + 1;
                let mut row = top;
                let quiet = |row: usize| self.states[first + row * stride] & (NEIGHBOURS | SIGNIFICANT | VISITED) == 0;
                if bottom - top == STRIPE && (0..STRIPE).all(quiet) {
                    if coder.decode(&mut self.contexts, RUN) == 0 {
                        continue;
                    }
                    let skipped = coder.decode(&mut self.contexts, UNIFORM) << 1;
                    row += (skipped | coder.decode(&mut self.contexts, UNIFORM)) as usize;
                    self.become_significant(coder, (row + 1) * stride + column + 1, row, column, one);
                    row += 1;
                }
                for row in row..bottom {
                    let at = (row + 1) * stride + column + 1;
                    let state = self.states[at];
                    if state & (SIGNIFICANT | VISITED) == 0 {
                        let context = self.significance[usize::from(state & NEIGHBOURS)];
                        if coder.decode(&mut self.contexts, context) == 1 {
                            self.become_significant(coder, at, row, column, one);
                        }
                    }
                    self.states[at] &= !VISITED;
                }
            }
        }
    }

    /// Takes the sign of a coefficient that becomes significant, and lets its neighbours know.
    #[inline]
    fn become_significant(&mut self, coder: &mut impl Coder, at: usize, row: usize, column: usize, one: u32) {
        let stride = self.width + 2;
        let negative = coder.sign(&mut self.contexts, self.states[at]) == 1;
        self.magnitudes[row * self.width + column] = one | one >> 1;
        self.states[at] |= SIGNIFICANT | if negative { NEGATIVE } else { 0 };
        let signed = |neighbour: u16| neighbour | if negative { neighbour << TO_SIGN } else { 0 };
        self.states[at - 1] |= signed(RIGHT);
        self.states[at + 1] |= signed(LEFT);
        self.states[at + stride - 1] |= ABOVE_RIGHT;
        self.states[at + stride] |= signed(ABOVE);
        self.states[at + stride + 1] |= ABOVE_LEFT;
        // With causal contexts, a stripe does not know of the one below.
        if !self.causal || row % STRIPE != 0 {
            self.states[at - stride - 1] |= BELOW_RIGHT;
            self.states[at - stride] |= signed(BELOW);
            self.states[at - stride + 1] |= BELOW_LEFT;
        }
    }

    fn is_segmentation_symbol(&mut self, coder: &mut MqDecoder<'_>) -> bool {
        (0..4).fold(0, |value, _| value << 1 | coder.decode(&mut self.contexts, UNIFORM)) == 0b1010
    }
}
