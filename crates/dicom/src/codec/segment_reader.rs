//! The marker segments that JPEG and JPEG-LS share.

use super::{CodecError, Codestream};

/// Reads markers, each after any number of fill bytes, with their segments.
pub(super) struct SegmentReader<'a> {
    pub(super) kind: Codestream,
    pub(super) codestream: &'a [u8],
    pub(super) position: usize,
}

impl<'a> SegmentReader<'a> {
    /// The next marker's second byte, and its segment without the length.
    pub(super) fn next(&mut self) -> Result<(u8, &'a [u8]), CodecError> {
        let ends_early = || CodecError::EndsEarly(self.kind);
        let damaged = |reason| CodecError::Damaged { codestream: self.kind, reason };
        let rest = self.codestream.get(self.position..).ok_or_else(ends_early)?;
        let fill = rest.iter().take_while(|&&byte| byte == 0xFF).count();
        let marker = *rest.get(fill).ok_or_else(ends_early)?;
        if fill == 0 {
            return Err(damaged(format!("byte {} should begin a marker", self.position)));
        }
        if matches!(marker, 0 | 1 | 0xD0..=0xD9) {
            return Err(damaged(format!("the marker FF{marker:02X} is misplaced")));
        }
        let rest = &rest[fill + 1..];
        let length = rest.first_chunk::<2>().ok_or_else(ends_early)?;
        let length = usize::from(u16::from_be_bytes(*length));
        if length < 2 {
            return Err(damaged(format!("the segment FF{marker:02X} has a length below 2")));
        }
        let segment = rest.get(2..length).ok_or_else(ends_early)?;
        self.position += fill + 1 + length;
        Ok((marker, segment))
    }
}
