//! The boxes of a JP2 file around a codestream (T.800 annex I).

use super::failure::{ENDS_EARLY, damaged};
use crate::codec::codec_error::CodecError;

/// The bare codestream: the bytes themselves, or the content of the box of type `jp2c`.
pub(super) fn codestream(bytes: &[u8]) -> Result<&[u8], CodecError> {
    const START: [u8; 4] = [0xFF, 0x4F, 0xFF, 0x51];
    const SIGNATURE: [u8; 8] = *b"\0\0\0\x0CjP  ";
    if bytes.len() < START.len() {
        return Err(ENDS_EARLY);
    }
    if bytes.starts_with(&START) {
        return Ok(bytes);
    }
    if !bytes.starts_with(&SIGNATURE) {
        return Err(damaged("it does not begin with a start-of-codestream marker"));
    }
    let mut rest = bytes;
    loop {
        let header = rest.first_chunk::<8>().ok_or(ENDS_EARLY)?;
        let [a, b, c, d, kind @ ..] = *header;
        let (length, start) = match u32::from_be_bytes([a, b, c, d]) {
            0 => (rest.len(), 8),
            1 => {
                let long = rest.get(8..16).ok_or(ENDS_EARLY)?.try_into().expect("eight bytes");
                (usize::try_from(u64::from_be_bytes(long)).unwrap_or(usize::MAX), 16)
            }
            length => (length as usize, 8),
        };
        if length < start {
            return Err(damaged("a box is shorter than its header"));
        }
        if &kind == b"jp2c" {
            return rest.get(start..length).ok_or(ENDS_EARLY);
        }
        rest = rest.get(length..).ok_or(ENDS_EARLY)?;
    }
}
