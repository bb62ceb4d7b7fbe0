//! Reading of bits from one entropy-coded segment, the most significant first.

/// A reader of a segment without stuffed bytes. Past the end it reads zeros, and [`Self::overran`] reports so.
pub(super) struct BitReader<'a> {
    bytes: &'a [u8],
    position: usize,
    /// The next bits, at the top.
    bits: u64,
    /// The number of bits in `bits`, made-up ones included.
    count: u32,
    /// The number of bits made up past the end.
    made_up: u32,
}

impl<'a> BitReader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0, bits: 0, count: 0, made_up: 0 }
    }

    /// Makes at least 56 bits available.
    #[inline]
    pub(super) fn refill(&mut self) {
        if let Some(word) = self.bytes.get(self.position..).and_then(<[u8]>::first_chunk::<8>) {
            self.bits |= u64::from_be_bytes(*word) >> self.count;
            let taken = (63 - self.count) >> 3;
            self.position += taken as usize;
            self.count += taken * 8;
        } else {
            self.refill_at_end();
        }
    }

    #[cold]
    fn refill_at_end(&mut self) {
        // A word that was read ahead leaves bits below `count`; they are set again here.
        self.bits &= !(u64::MAX.checked_shr(self.count).unwrap_or(0));
        while self.count <= 56 {
            let byte = self.bytes.get(self.position).copied();
            self.made_up += if byte.is_none() { 8 } else { 0 };
            self.position += usize::from(byte.is_some());
            self.bits |= u64::from(byte.unwrap_or(0)) << (56 - self.count);
            self.count += 8;
        }
    }

    /// The next `count` bits, 1 to 32, without taking them.
    #[inline]
    pub(super) fn peek(&self, count: u32) -> u32 {
        (self.bits >> (64 - count)) as u32
    }

    /// Takes `count` bits, which a refill has made available.
    #[inline]
    pub(super) fn skip(&mut self, count: u32) {
        self.bits <<= count;
        self.count -= count;
    }

    /// Takes a difference or coefficient of `size` bits, 0 to 16, in the sign convention of T.81 figure F.12.
    #[inline]
    pub(super) fn extended(&mut self, size: u32) -> i32 {
        if size == 0 {
            return 0;
        }
        let value = self.peek(size) as i32;
        self.skip(size);
        if value < 1 << (size - 1) { value - (1 << size) + 1 } else { value }
    }

    /// The number of bits at hand, made-up ones included.
    pub(super) fn available(&self) -> u32 {
        self.count
    }

    /// True if more bits were taken than the segment has.
    pub(super) fn overran(&self) -> bool {
        self.made_up > self.count
    }

    /// True if what is left is padding: the rest of a byte, and at most two bytes of equal bits.
    pub(super) fn only_padding_is_left(&self) -> bool {
        let left = (self.count - self.made_up.min(self.count)) as usize + (self.bytes.len() - self.position) * 8;
        let whole = &self.bytes[self.bytes.len() - left / 8..];
        whole.len() <= 2 && (whole.iter().all(|&byte| byte == 0) || whole.iter().all(|&byte| byte == 0xFF))
    }
}
