//! Damaged codestreams are refused, and decoders neither panic nor make pixels up.

use std::time::{Duration, Instant};

use mammoscope_dicom::codec::{
    CodecError, Codestream, Encoding, FrameLayout, MAX_FRAME_PIXELS, decode, encode_jpeg_lossless,
};
use proptest::prelude::*;

use crate::other_encoders::FIXTURES;

#[test]
fn a_cut_anywhere_is_an_error_or_leaves_all_pixels() {
    for fixture in FIXTURES {
        let whole = decode(fixture.encoding, fixture.codestream, fixture.layout()).unwrap();
        for length in 0..fixture.codestream.len() {
            match decode(fixture.encoding, &fixture.codestream[..length], fixture.layout()) {
                Ok(decoded) => assert_eq!(decoded, whole, "{} cut at {length}", fixture.name),
                Err(CodecError::EndsEarly(_) | CodecError::Damaged { .. }) => {}
                Err(error) => panic!("{} cut at {length}: {error}", fixture.name),
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn changed_bytes_do_not_crash_a_decoder(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), any::<bool>()), 1..5),
    ) {
        for fixture in FIXTURES {
            let mut codestream = fixture.codestream.to_vec();
            for (place, byte, in_header) in &changes {
                let range = if *in_header { codestream.len().min(160) } else { codestream.len() };
                codestream[place.index(range)] = *byte;
            }
            if let Err(error) = decode(fixture.encoding, &codestream, fixture.layout()) {
                prop_assert!(!matches!(error, CodecError::DecoderFault { .. }), "{}: {error}", fixture.name);
                prop_assert!(!error.to_string().contains('\n'));
            }
        }
    }

    #[test]
    fn noise_is_refused(mut bytes in prop::collection::vec(any::<u8>(), 0..600), start in 0..4_usize) {
        let starts: [&[u8]; 4] = [&[], &[0xFF, 0xD8, 0xFF], &[0xFF, 0x4F, 0xFF, 0x51], &[2, 0, 0, 0, 64, 0, 0, 0]];
        bytes.splice(0..0, starts[start].iter().copied());
        let layout = FrameLayout { rows: 100, columns: 100, bits_allocated: 16, bits_stored: 12 };
        for encoding in [Encoding::Jpeg, Encoding::JpegLs, Encoding::Jpeg2000, Encoding::Rle] {
            let error = decode(encoding, &bytes, layout).unwrap_err();
            prop_assert!(!matches!(error, CodecError::DecoderFault { .. }), "{error}");
        }
    }
}

fn layout(rows: usize, columns: usize) -> FrameLayout {
    FrameLayout { rows, columns, bits_allocated: 16, bits_stored: 12 }
}

#[test]
fn a_claim_of_a_huge_image_is_refused_at_once() {
    let start = Instant::now();
    let mut codestream = encode_jpeg_lossless(&[5; 64], 8, 8, 12, 1, None);
    let claimed = 65_500_u16.to_be_bytes();
    codestream[7..9].copy_from_slice(&claimed);
    codestream[9..11].copy_from_slice(&claimed);
    let error = decode(Encoding::Jpeg, &codestream, layout(8, 8)).unwrap_err();
    assert_eq!(error.to_string(), "the codestream is 65500 × 65500 pixels, the header says 8 × 8");
    for (rows, columns) in [(65_500, 65_500), (usize::MAX, usize::MAX), (0, 8), (8, 0)] {
        let error = decode(Encoding::Jpeg, &codestream, layout(rows, columns)).unwrap_err();
        assert!(matches!(error, CodecError::UnusableSize { .. }), "{error}");
    }
    assert!(start.elapsed() < Duration::from_millis(200));
    const { assert!(MAX_FRAME_PIXELS < 65_500 * 65_500) };
}

#[test]
fn restart_markers_out_of_order_are_refused() {
    let samples: Vec<u16> = (0..400).map(|index| index * 7 % 4096).collect();
    let codestream = encode_jpeg_lossless(&samples, 20, 20, 12, 1, Some(4));
    let marker = codestream.windows(2).position(|bytes| bytes == [0xFF, 0xD1]).unwrap();
    for (number, expected) in [(0xD2, "restart marker 2 is out of order"), (0xD9, "data follow the end of the image")] {
        let mut changed = codestream.clone();
        changed[marker + 1] = number;
        let error = decode(Encoding::Jpeg, &changed, layout(20, 20)).unwrap_err();
        assert_eq!(error.to_string(), format!("is a damaged JPEG: {expected}"));
    }
    // Without its second interval, and with the markers renumbered, the image lacks rows.
    let third = codestream.windows(2).position(|bytes| bytes == [0xFF, 0xD2]).unwrap();
    let mut shortened = [&codestream[..marker], &codestream[third..]].concat();
    for marker in 0xD2..=0xD3 {
        let at = shortened.windows(2).position(|bytes| bytes == [0xFF, marker]).unwrap();
        shortened[at + 1] = marker - 1;
    }
    let error = decode(Encoding::Jpeg, &shortened, layout(20, 20)).unwrap_err();
    assert_eq!(error.to_string(), "is a damaged JPEG: 3 restart markers instead of 4");
}

#[test]
fn data_that_are_left_over_are_refused() {
    let samples: Vec<u16> = (0..400).map(|index| index * 7 % 4096).collect();
    let mut codestream = encode_jpeg_lossless(&samples, 20, 20, 12, 1, None);
    let end = codestream.len() - 2;
    codestream.splice(end..end, [1, 2, 3]);
    let error = decode(Encoding::Jpeg, &codestream, layout(20, 20)).unwrap_err();
    assert_eq!(error.to_string(), "is a damaged JPEG: data are left over after the last sample");
}

#[test]
fn unsupported_processes_are_refused_by_name() {
    let codestream = encode_jpeg_lossless(&[5; 64], 8, 8, 12, 1, None);
    let refused = |marker: u8| {
        let mut changed = codestream.clone();
        changed[3] = marker;
        decode(Encoding::Jpeg, &changed, layout(8, 8)).unwrap_err()
    };
    for (marker, reason) in [(0xC2, "progressive coding"), (0xC9, "arithmetic coding"), (0xC7, "hierarchical coding")] {
        let reason = reason.to_owned();
        assert_eq!(refused(marker), CodecError::Unsupported { codestream: Codestream::Jpeg, reason });
    }
    let mut colour = codestream.clone();
    colour[11] = 3;
    assert_eq!(decode(Encoding::Jpeg, &colour, layout(8, 8)), Err(CodecError::NotGrey { components: 3 }));
}
