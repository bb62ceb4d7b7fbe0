//! Reading of big-endian numbers from a marker segment.

use super::failure::damaged;
use crate::codec::codec_error::CodecError;

/// What is left of a marker segment.
pub(super) struct ByteReader<'a>(pub(super) &'a [u8]);

impl ByteReader<'_> {
    fn number(&mut self, bytes: usize) -> Result<u32, CodecError> {
        let taken = self.0.split_off(..bytes).ok_or_else(|| damaged("a marker segment is too short"))?;
        Ok(taken.iter().fold(0, |value, &byte| value << 8 | u32::from(byte)))
    }

    pub(super) fn u8(&mut self) -> Result<u8, CodecError> {
        self.number(1).map(|value| value as u8)
    }

    pub(super) fn u16(&mut self) -> Result<u16, CodecError> {
        self.number(2).map(|value| value as u16)
    }

    pub(super) fn u32(&mut self) -> Result<u32, CodecError> {
        self.number(4)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
