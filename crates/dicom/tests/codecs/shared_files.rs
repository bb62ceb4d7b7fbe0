//! The shared files decode to the values that a second decoder found.

use mammoscope_dicom::codec::{CodecError, Codestream, Encoding, decode};

use crate::encapsulated::{SharedFrame, crc32, damaged_frame, shared_frames, stored_values};

#[test]
fn shared_files_decode_to_the_expected_values() {
    let mut count = 0;
    for frame in shared_frames() {
        let SharedFrame { name, stored, layout, .. } = &frame;
        if name.contains("RGB") {
            let refused = decode(frame.encoding, &frame.codestream, *layout);
            assert_eq!(refused, Err(CodecError::NotGrey { components: 3 }), "{name}");
            continue;
        }
        let decoded =
            decode(frame.encoding, &frame.codestream, *layout).unwrap_or_else(|error| panic!("{name}: {error}"));
        let values = stored_values(&frame, &decoded);
        let Some((crc, min, max, mean)) = *stored else { continue };
        count += 1;
        if name.contains("near") || name.contains("Near") || name.contains("JLSN") || !decoded.lossy {
            assert_eq!(crc32(&values), crc, "{name}");
            continue;
        }
        // Decoders of lossy codestreams may round each sample to either side; the integer transform of 12 bits in libjpeg, which
        // has one bit of fraction between its two passes, makes them 0.013 larger on average.
        let found = values.iter().map(|&value| f64::from(value)).sum::<f64>() / values.len() as f64;
        assert!((found - mean).abs() < 0.02, "{name}: mean {found} instead of {mean}");
        assert!((values.iter().min().unwrap() - min).abs() <= 1, "{name}");
        assert!((values.iter().max().unwrap() - max).abs() <= 1, "{name}");
    }
    assert!(count == 0 || count >= 28, "only {count} files");
}

#[test]
fn truncated_files_are_refused() {
    let files = [
        ("truncated-jpeg-lossless.dcm", Encoding::Jpeg, Codestream::Jpeg),
        ("truncated-j2k.dcm", Encoding::Jpeg2000, Codestream::Jpeg2000),
    ];
    for (name, encoding, kind) in files {
        let Some((codestream, layout)) = damaged_frame(name) else { return };
        assert_eq!(decode(encoding, &codestream, layout), Err(CodecError::EndsEarly(kind)), "{name}");
    }
}

#[test]
fn damaged_files_are_refused() {
    let Some((codestream, layout)) = damaged_frame("flipped-bytes-jpeg-lossless.dcm") else { return };
    let refused = decode(Encoding::Jpeg, &codestream, layout).unwrap_err();
    assert!(matches!(refused, CodecError::Damaged { .. } | CodecError::EndsEarly(_)), "{refused}");
    let Some((codestream, layout)) = damaged_frame("jpeg-size-disagrees.dcm") else { return };
    let refused = decode(Encoding::Jpeg, &codestream, layout).unwrap_err();
    assert!(matches!(refused, CodecError::SizeMismatch { .. }), "{refused}");
}
