//! The bits of a packet header: a byte after `FF` has seven (T.800 B.10.1).

/// A reader of a packet header. Past the end it reads zeros, and [`Self::finish`] reports so.
pub(super) struct PacketBits<'a> {
    bytes: &'a [u8],
    position: usize,
    byte: u8,
    left: u32,
    overran: bool,
}

impl<'a> PacketBits<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0, byte: 0, left: 0, overran: false }
    }

    pub(super) fn bit(&mut self) -> u32 {
        if self.left == 0 {
            self.left = if self.byte == 0xFF { 7 } else { 8 };
            self.overran |= self.position >= self.bytes.len();
            self.byte = self.bytes.get(self.position).copied().unwrap_or(0);
            self.position += 1;
        }
        self.left -= 1;
        u32::from(self.byte >> self.left & 1)
    }

    pub(super) fn bits(&mut self, count: u32) -> u32 {
        (0..count).fold(0, |value, _| value << 1 | self.bit())
    }

    /// True if more was read than there is.
    pub(super) fn overran(&self) -> bool {
        self.overran
    }

    /// The number of bytes that the header takes, `None` if there are not so many.
    pub(super) fn finish(self) -> Option<usize> {
        let stuffed = usize::from(self.byte == 0xFF);
        (!self.overran && self.position + stuffed <= self.bytes.len()).then_some(self.position + stuffed)
    }
}
