//! The bits of JPEG-LS data: a byte after `FF` has seven (T.87 A.1).

use super::damaged;
use crate::codec::CodecError;

/// Splits the data of a scan at its restart markers, and returns the codestream from the marker that ends it, which is
/// empty if there is none.
pub(super) fn split_segments(data: &[u8], with_restarts: bool) -> Result<(Vec<&[u8]>, &[u8]), CodecError> {
    let (mut segments, mut start, mut at) = (Vec::new(), 0, 0);
    while let Some(offset) = memchr::memchr(0xFF, &data[at..]) {
        at += offset;
        match data.get(at + 1) {
            Some(0..0x80) => at += 2,
            Some(&marker @ 0xD0..=0xD7) if with_restarts => {
                if usize::from(marker - 0xD0) != segments.len() % 8 {
                    return Err(damaged(format!("restart marker {} is out of order", segments.len() + 1)));
                }
                segments.push(&data[start..at]);
                at += 2;
                start = at;
            }
            Some(_) => {
                segments.push(&data[start..at]);
                return Ok((segments, &data[at..]));
            }
            // Cut in the middle of a marker.
            None => {
                segments.push(&data[start..at]);
                return Ok((segments, &[]));
            }
        }
    }
    segments.push(&data[start..]);
    Ok((segments, &[]))
}

/// A reader of one segment. Past the end it reads zeros, and [`Self::overran`] reports so.
pub(super) struct BitReader<'a> {
    bytes: &'a [u8],
    position: usize,
    /// The next bits, at the top; zeros below `count`.
    bits: u64,
    count: u32,
    /// The number of bits made up past the end.
    made_up: u32,
    after_ff: bool,
}

impl<'a> BitReader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0, bits: 0, count: 0, made_up: 0, after_ff: false }
    }

    /// Makes at least 56 bits available.
    #[inline]
    pub(super) fn refill(&mut self) {
        if self.count >= 56 {
            return;
        }
        if !self.after_ff
            && let Some(word) = self.bytes.get(self.position..).and_then(<[u8]>::first_chunk::<8>)
        {
            let word = u64::from_be_bytes(*word);
            // A byte of all ones is a zero byte of the complement.
            let zeros = (!word).wrapping_sub(0x0101_0101_0101_0101) & word & 0x8080_8080_8080_8080;
            if zeros == 0 {
                let taken = (64 - self.count) / 8;
                let used = word & !(u64::MAX.checked_shr(taken * 8).unwrap_or(0));
                self.bits |= used >> self.count;
                self.count += taken * 8;
                self.position += taken as usize;
                return;
            }
        }
        self.refill_by_bytes();
    }

    fn refill_by_bytes(&mut self) {
        while self.count <= 56 {
            let Some(&byte) = self.bytes.get(self.position) else {
                self.count += 8;
                self.made_up += 8;
                continue;
            };
            let width = if self.after_ff { 7 } else { 8 };
            self.bits |= u64::from(byte) << (64 - width) >> self.count;
            self.count += width;
            self.position += 1;
            self.after_ff = byte == 0xFF;
        }
    }

    /// Takes `count` bits, 0 to 32, which a refill has made available.
    #[inline]
    pub(super) fn take(&mut self, count: u32) -> u32 {
        let value = (self.bits >> 32 >> (32 - count)) as u32;
        self.bits <<= count;
        self.count -= count;
        value
    }

    /// Takes zeros and the one after them, and returns their number; `None` from `limit` zeros, which is at most 56. A refill
    /// has made the bits available.
    #[inline]
    pub(super) fn take_zeros(&mut self, limit: u32) -> Option<u32> {
        let zeros = self.bits.leading_zeros();
        if zeros >= limit {
            return None;
        }
        self.bits = self.bits << zeros << 1;
        self.count -= zeros + 1;
        Some(zeros)
    }

    /// True if more bits were taken than the segment has.
    pub(super) fn overran(&self) -> bool {
        self.made_up > self.count
    }

    /// True if what is left is padding: the rest of a byte, and at most two bytes of equal bits.
    pub(super) fn only_padding_is_left(&self) -> bool {
        let held = self.count - self.made_up.min(self.count);
        let unread = self.bytes.len() - self.position;
        let whole = held as usize / 8 + unread;
        let tail = &self.bytes[self.bytes.len() - whole.min(self.bytes.len())..];
        whole <= 2 && (tail.iter().all(|&byte| byte == 0) || tail.iter().all(|&byte| byte == 0xFF))
    }
}
