//! Whether a JPEG file was cut off: decoders paint the missing part grey and say nothing.

/// Whether the end-of-image marker follows the first scan of a JPEG file (ITU-T T.81, B.1.1).
///
/// The segments before the scan are stepped over by their lengths, so that the end of an embedded thumbnail is not taken
/// for the end of the picture.
pub(super) fn has_end(bytes: &[u8]) -> bool {
    const END_OF_IMAGE: u8 = 0xd9;
    const START_OF_SCAN: u8 = 0xda;
    let mut at = 2;
    while let Some(&[prefix, marker, high, low]) = bytes.get(at..at + 4) {
        if prefix != 0xff {
            // Not a marker where one must be: the decoder decides what to make of it.
            at += 1;
            continue;
        }
        match marker {
            // Fill bytes, and markers without a length.
            0xff => at += 1,
            0x00 | 0x01 | 0xd0..=0xd8 => at += 2,
            END_OF_IMAGE => return false,
            // Within a scan 0xff is followed by 0x00 or a restart marker, so the pair can only be the end.
            START_OF_SCAN => return bytes[at..].windows(2).any(|pair| pair == [0xff, END_OF_IMAGE]),
            _ => at += 2 + usize::from(u16::from_be_bytes([high, low])),
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_thumbnail_is_not_the_end() {
        let start = [0xff, 0xd8];
        let thumbnail = [0xff, 0xe1, 0x00, 0x06, 0xff, 0xd8, 0xff, 0xd9];
        let scan = [0xff, 0xda, 0x00, 0x02, 0x12, 0xff, 0x00, 0x34];
        let end = [0xff, 0xd9];
        let whole = [&start[..], &thumbnail, &scan, &end].concat();
        assert!(has_end(&whole));
        for length in 0..whole.len() {
            assert!(!has_end(&whole[..length]), "{length} of {} bytes", whole.len());
        }
        assert!(has_end(&[&whole[..], b"bytes of a camera behind the end"].concat()));
    }
}
