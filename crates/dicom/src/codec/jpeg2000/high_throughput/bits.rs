//! The three bit streams of a clean-up pass (T.814 7.1).

use crate::codec::codec_error::CodecError;
use crate::codec::jpeg2000::failure::damaged;

/// The streams of one code block's codeword.
pub(super) struct Streams<'a> {
    pub(super) magnitudes: ForwardBits<'a>,
    pub(super) events: EventBits<'a>,
    pub(super) codes: BackwardBits<'a>,
}

impl<'a> Streams<'a> {
    /// Splits a codeword: magnitudes and signs first, then events from the front and codes from the back of the rest, whose
    /// length is in the last 12 bits.
    pub(super) fn split(codeword: &'a [u8]) -> Result<Self, CodecError> {
        let &[.., before, last] = codeword else {
            return Err(damaged("a code block is too short"));
        };
        let length = usize::from(last) << 4 | usize::from(before & 15);
        if length < 2 || length > codeword.len().min(4079) {
            return Err(damaged("a code block has parts of impossible lengths"));
        }
        let (magnitudes, rest) = codeword.split_at(codeword.len() - length);
        Ok(Self {
            magnitudes: ForwardBits { bytes: magnitudes, bits: 0, count: 0, after_ff: false },
            events: EventBits::new(&rest[..length - 1]),
            codes: BackwardBits::new(&rest[..length - 1]),
        })
    }
}

/// Bits from the front, the lowest of a byte first; a byte after `FF` has seven. Ones follow the end.
pub(super) struct ForwardBits<'a> {
    bytes: &'a [u8],
    bits: u64,
    count: u32,
    after_ff: bool,
}

impl ForwardBits<'_> {
    /// Takes up to 32 bits.
    #[inline]
    pub(super) fn take(&mut self, count: u32) -> u64 {
        while self.count < count {
            let byte = self.bytes.split_off_first().copied().unwrap_or(0xFF);
            self.bits |= u64::from(byte) << self.count;
            self.count += if self.after_ff { 7 } else { 8 };
            self.after_ff = byte == 0xFF;
        }
        let value = self.bits & ((1 << count) - 1);
        self.bits >>= count;
        self.count -= count;
        value
    }
}

/// Bits from the back, the lowest of a byte first; a byte before one above `8F` has seven if they are all ones. Zeros follow
/// the end.
pub(super) struct BackwardBits<'a> {
    bytes: &'a [u8],
    bits: u64,
    count: u32,
    after_high: bool,
}

impl<'a> BackwardBits<'a> {
    /// The lower half of the last byte belongs to the length.
    fn new(bytes: &'a [u8]) -> Self {
        let (&last, bytes) = bytes.split_last().expect("a byte that ends with the length");
        let bits = u64::from(last >> 4);
        Self { bytes, bits, count: if bits & 7 == 7 { 3 } else { 4 }, after_high: last | 0xF > 0x8F }
    }

    /// Makes at least 32 bits available and returns the bits at hand.
    #[inline]
    pub(super) fn peek(&mut self) -> u64 {
        while self.count < 32 {
            let byte = self.bytes.split_off_last().copied().unwrap_or(0);
            self.bits |= u64::from(byte) << self.count;
            self.count += if self.after_high && byte & 0x7F == 0x7F { 7 } else { 8 };
            self.after_high = byte > 0x8F;
        }
        self.bits
    }

    /// Takes bits that were made available.
    #[inline]
    pub(super) fn skip(&mut self, count: u32) {
        self.bits >>= count;
        self.count -= count;
    }
}

/// Run lengths of events that are mostly 0, in an adaptive code from the front (T.814 7.3.3).
pub(super) struct EventBits<'a> {
    bytes: &'a [u8],
    byte: u8,
    left: u32,
    state: usize,
    /// Events of 0 that are left in the run, and whether an event of 1 follows them.
    zeros: u32,
    ends_with_one: bool,
}

/// The number of bits of a run length per state.
const RUN_BITS: [u32; 13] = [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 4, 5];

impl<'a> EventBits<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, byte: 0, left: 0, state: 0, zeros: 0, ends_with_one: false }
    }

    fn bit(&mut self) -> u32 {
        if self.left == 0 {
            self.left = if self.byte == 0xFF { 7 } else { 8 };
            let is_last = self.bytes.len() == 1;
            self.byte = self.bytes.split_off_first().copied().unwrap_or(0xFF);
            // The lower half of the last byte belongs to the length.
            self.byte |= if is_last { 0xF } else { 0 };
        }
        self.left -= 1;
        u32::from(self.byte >> self.left & 1)
    }

    /// The next event.
    #[inline]
    pub(super) fn next(&mut self) -> bool {
        if self.zeros == 0 && !self.ends_with_one {
            let bits = RUN_BITS[self.state];
            if self.bit() == 1 {
                self.zeros = 1 << bits;
                self.state = (self.state + 1).min(RUN_BITS.len() - 1);
            } else {
                self.zeros = (0..bits).fold(0, |value, _| value << 1 | self.bit());
                self.ends_with_one = true;
                self.state = self.state.saturating_sub(1);
            }
        }
        if self.zeros > 0 {
            self.zeros -= 1;
            return false;
        }
        self.ends_with_one = false;
        true
    }
}
