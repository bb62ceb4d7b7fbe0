//! The arithmetic decoder of JPEG 2000, and the raw bits of bypassed passes (T.800 annex C, D.6).

/// The number of adaptive contexts.
const CONTEXTS: usize = 19;

/// Per state: the probability of the less probable symbol, the states after the more and the less probable one, and
/// whether the symbols change places (T.800 table C.2).
const STATES: [(u16, u8, u8, bool); 47] = [
    (0x5601, 1, 1, true),
    (0x3401, 2, 6, false),
    (0x1801, 3, 9, false),
    (0x0AC1, 4, 12, false),
    (0x0521, 5, 29, false),
    (0x0221, 38, 33, false),
    (0x5601, 7, 6, true),
    (0x5401, 8, 14, false),
    (0x4801, 9, 14, false),
    (0x3801, 10, 14, false),
    (0x3001, 11, 17, false),
    (0x2401, 12, 18, false),
    (0x1C01, 13, 20, false),
    (0x1601, 29, 21, false),
    (0x5601, 15, 14, true),
    (0x5401, 16, 14, false),
    (0x5101, 17, 15, false),
    (0x4801, 18, 16, false),
    (0x3801, 19, 17, false),
    (0x3401, 20, 18, false),
    (0x3001, 21, 19, false),
    (0x2801, 22, 19, false),
    (0x2401, 23, 20, false),
    (0x2201, 24, 21, false),
    (0x1C01, 25, 22, false),
    (0x1801, 26, 23, false),
    (0x1601, 27, 24, false),
    (0x1401, 28, 25, false),
    (0x1201, 29, 26, false),
    (0x1101, 30, 27, false),
    (0x0AC1, 31, 28, false),
    (0x09C1, 32, 29, false),
    (0x08A1, 33, 30, false),
    (0x0521, 34, 31, false),
    (0x0441, 35, 32, false),
    (0x02A1, 36, 33, false),
    (0x0221, 37, 34, false),
    (0x0141, 38, 35, false),
    (0x0111, 39, 36, false),
    (0x0085, 40, 37, false),
    (0x0049, 41, 38, false),
    (0x0025, 42, 39, false),
    (0x0015, 43, 40, false),
    (0x0009, 44, 41, false),
    (0x0005, 45, 42, false),
    (0x0001, 45, 43, false),
    (0x5601, 46, 46, false),
];

/// A state with its more probable symbol in the lowest bit of its number.
#[derive(Clone, Copy)]
struct Transition {
    probability: u32,
    after_more: u8,
    after_less: u8,
}

/// The states of both symbols, filled up to a power of two so that an index needs no check.
static TRANSITIONS: [Transition; 128] = {
    let mut table = [Transition { probability: 1, after_more: 0, after_less: 0 }; 128];
    let mut index = 0;
    while index < 2 * STATES.len() {
        let (probability, more, less, switches) = STATES[index / 2];
        let symbol = index as u8 & 1;
        table[index] = Transition {
            probability: probability as u32,
            after_more: more * 2 + symbol,
            after_less: less * 2 + (symbol ^ switches as u8),
        };
        index += 1;
    }
    table
};

/// The adaptive states of all contexts.
#[derive(Clone)]
pub(super) struct Contexts([u8; CONTEXTS.next_power_of_two()]);

impl Contexts {
    pub(super) fn new() -> Self {
        let mut states = [0; CONTEXTS.next_power_of_two()];
        states[0] = 4 * 2;
        states[usize::from(super::block_contexts::RUN)] = 3 * 2;
        states[usize::from(super::block_contexts::UNIFORM)] = 46 * 2;
        Self(states)
    }
}

/// The decoder of one codeword. Past the end it reads ones, as the standard demands.
pub(super) struct MqDecoder<'a> {
    bytes: &'a [u8],
    position: usize,
    interval: u32,
    code: u32,
    left: u32,
}

impl<'a> MqDecoder<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let first = bytes.first().copied().unwrap_or(0xFF);
        let mut decoder = Self { bytes, position: 0, interval: 0x8000, code: u32::from(first) << 16, left: 0 };
        decoder.read_byte();
        decoder.code <<= 7;
        decoder.left -= 7;
        decoder
    }

    fn read_byte(&mut self) {
        let byte = |position: usize| self.bytes.get(position).copied().unwrap_or(0xFF);
        let next = byte(self.position + 1);
        if byte(self.position) == 0xFF {
            if next > 0x8F {
                self.code = self.code.wrapping_add(0xFF00);
                self.left = 8;
            } else {
                self.position += 1;
                self.code = self.code.wrapping_add(u32::from(next) << 9);
                self.left = 7;
            }
        } else {
            self.position += 1;
            self.code = self.code.wrapping_add(u32::from(next) << 8);
            self.left = 8;
        }
    }

    /// Decodes a symbol in a context.
    #[inline]
    pub(super) fn decode(&mut self, contexts: &mut Contexts, context: u8) -> u32 {
        let state = &mut contexts.0[usize::from(context) % CONTEXTS.next_power_of_two()];
        let symbol = u32::from(*state & 1);
        let Transition { probability, after_more, after_less } = TRANSITIONS[usize::from(*state & 127)];
        self.interval -= probability;
        let below = self.code >> 16 < probability;
        if !below {
            self.code -= probability << 16;
            if self.interval & 0x8000 != 0 {
                return symbol;
            }
        }
        // The larger part of the interval is the more probable symbol's, even if it was to be the smaller.
        let is_more = below == (self.interval < probability);
        if below {
            self.interval = probability;
        }
        *state = if is_more { after_more } else { after_less };
        self.renormalize();
        symbol ^ u32::from(!is_more)
    }

    #[inline]
    fn renormalize(&mut self) {
        let mut shift = self.interval.leading_zeros() - 16;
        while shift > self.left {
            self.interval <<= self.left;
            self.code <<= self.left;
            shift -= self.left;
            self.read_byte();
        }
        self.interval <<= shift;
        self.code <<= shift;
        self.left -= shift;
    }
}

/// The bits of a bypassed pass: a byte after `FF` has seven.
pub(super) struct RawBits<'a> {
    bytes: &'a [u8],
    position: usize,
    byte: u8,
    left: u32,
}

impl<'a> RawBits<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0, byte: 0, left: 0 }
    }

    pub(super) fn bit(&mut self) -> u32 {
        if self.left == 0 {
            self.left = if self.byte == 0xFF { 7 } else { 8 };
            self.byte = self.bytes.get(self.position).copied().unwrap_or(0xFF);
            self.position += 1;
        }
        self.left -= 1;
        u32::from(self.byte >> self.left & 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_test_sequence_of_the_standard_is_decoded() {
        // ITU-T T.88 H.2: the decoder is the same.
        const CODED: [u8; 30] = [
            0x84, 0xC7, 0x3B, 0xFC, 0xE1, 0xA1, 0x43, 0x04, 0x02, 0x20, 0x00, 0x00, 0x41, 0x0D, 0xBB, 0x86, 0xF4, 0x31,
            0x7F, 0xFF, 0x88, 0xFF, 0x37, 0x47, 0x1A, 0xDB, 0x6A, 0xDF, 0xFF, 0xAC,
        ];
        const DECODED: [u8; 32] = [
            0x00, 0x02, 0x00, 0x51, 0x00, 0x00, 0x00, 0xC0, 0x03, 0x52, 0x87, 0x2A, 0xAA, 0xAA, 0xAA, 0xAA, 0x82, 0xC0,
            0x20, 0x00, 0xFC, 0xD7, 0x9E, 0xF6, 0xBF, 0x7F, 0xED, 0x90, 0x4F, 0x46, 0xA3, 0xBF,
        ];
        let (mut decoder, mut contexts) = (MqDecoder::new(&CODED), Contexts::new());
        let decoded = DECODED.map(|_| (0..8).fold(0, |byte, _| byte << 1 | decoder.decode(&mut contexts, 1) as u8));
        assert_eq!(decoded, DECODED);
    }
}
