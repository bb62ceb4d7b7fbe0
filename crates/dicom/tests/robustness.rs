//! Damaged, hostile and unusual files made from a phantom's: never a panic, and never pixels that are not there.

use mammoscope_dicom::examination::{Examination, Force};
use mammoscope_dicom::grey::choice::GreyRequest;
use mammoscope_dicom::header::pixel_layout::Photometric;
use mammoscope_dicom::writer::{WrittenGrey, WrittenMammogram, WrittenSyntax};
use mammoscope_domain::subject::view::View;
use proptest::prelude::*;

const ROWS: usize = 24;
const COLUMNS: usize = 20;

fn samples() -> Vec<u16> {
    (0..ROWS * COLUMNS).map(|at| ((at * 37) % 4096) as u16).collect()
}

fn file(syntax: WrittenSyntax, photometric: Photometric, grey: WrittenGrey) -> Vec<u8> {
    let mammogram = WrittenMammogram {
        patient_id: "1",
        patient_name: "Phantom^1",
        uids: ["2.25.1", "2.25.2", "2.25.3"],
        date: "20200101",
        view: View::MloL,
        rows: ROWS,
        columns: COLUMNS,
        bits: 12,
        samples: &samples(),
        photometric,
        grey,
        syntax,
        manufacturer: "test",
        comment: "synthetic",
    };
    mammogram.to_bytes()
}

fn kinds() -> Vec<Vec<u8>> {
    let restart_rows = Some(4);
    vec![
        file(WrittenSyntax::Explicit, Photometric::Monochrome2, WrittenGrey::Window),
        file(WrittenSyntax::Implicit, Photometric::Monochrome1, WrittenGrey::Table),
        file(WrittenSyntax::JpegLossless { restart_rows }, Photometric::Monochrome1, WrittenGrey::Window),
    ]
}

fn examine(bytes: Vec<u8>) -> Examination {
    Examination::of(bytes, GreyRequest::Auto, &[Force::All])
}

#[test]
fn written_files_are_read_with_the_same_values() {
    for bytes in kinds() {
        let found = examine(bytes);
        assert_eq!(found.faults, []);
        let image = found.image.expect("an accepted file has an image");
        let inverted = found.layout.expect("a layout").photometric == Photometric::Monochrome1;
        assert_eq!(image.pixels.words, samples());
        let grey = |value: u16| if inverted { 4095 - value } else { value };
        let expected: Vec<u8> =
            samples().into_iter().map(|value| (f64::from(grey(value)) / 4095.0 * 255.0 + 0.5).floor() as u8).collect();
        assert_eq!(image.rendering.to_8_bits(&image.pixels), expected);
    }
}

#[test]
fn files_cut_anywhere_are_refused() {
    for whole in kinds() {
        for length in 0..whole.len() {
            let found = examine(whole[..length].to_vec());
            // The last bytes of an encapsulated file delimit its fragments; all pixels may be there without them.
            let is_complete = found.image.as_ref().is_some_and(|image| image.pixels.words == samples());
            assert!(!found.faults.is_empty() || is_complete, "cut at {length} of {}", whole.len());
            assert!(found.image.is_none() || is_complete, "cut at {length} of {}", whole.len());
        }
    }
}

/// The position of an element's value in an explicit file.
fn value_at(bytes: &[u8], tag: [u8; 4], header: usize) -> usize {
    bytes.windows(4).position(|window| window == tag).expect("the element is there") + header
}

#[test]
fn lies_about_sizes_are_refused_before_anything_is_allocated() {
    let whole = file(WrittenSyntax::Explicit, Photometric::Monochrome2, WrittenGrey::Window);
    let change = |tag: [u8; 4], header: usize, value: &[u8]| {
        let mut bytes = whole.clone();
        let at = value_at(&bytes, tag, header);
        bytes[at..at + value.len()].copy_from_slice(value);
        let faults = examine(bytes).faults;
        faults.first().map(ToString::to_string).expect("refused")
    };
    let rows = [0x28, 0, 0x10, 0];
    assert!(change(rows, 8, &[0, 0]).contains("no pixels"));
    assert!(change(rows, 8, &[0xFF, 0xFF]).contains("fewer pixels"));
    assert!(
        change([0x28, 0, 0, 1], 8, &[12, 0]).contains("12 bits")
            || change([0x28, 0, 0, 1], 8, &[8, 0]).contains("stored in 8")
    );
    assert!(change([0x28, 0, 1, 1], 8, &[17, 0]).contains("17 bits stored in 16"));
    // The length of the pixel data itself.
    assert!(change([0xE0, 0x7F, 0x10, 0], 8, &[0xFE, 0xFF, 0xFF, 0xFF]).contains("end early"));
}

#[test]
fn sequences_nested_three_thousand_deep_do_not_overflow_the_stack() {
    let mut bytes = vec![0; 128];
    bytes.extend_from_slice(b"DICM");
    bytes.extend_from_slice(b"\x08\0\x60\0CS\x02\0MG");
    // A private sequence of undefined length, again and again.
    for _ in 0..3000 {
        bytes.extend_from_slice(&[9, 0, 0x10, 0x10, b'S', b'Q', 0, 0, 0xFF, 0xFF, 0xFF, 0xFF]);
        bytes.extend_from_slice(&[0xFE, 0xFF, 0, 0xE0, 0xFF, 0xFF, 0xFF, 0xFF]);
    }
    let found = examine(bytes);
    assert!(found.faults.iter().any(|fault| fault.to_string().contains("nested")), "{:?}", found.faults);
}

#[test]
fn a_million_frames_are_refused_as_tomosynthesis() {
    let mut bytes = file(WrittenSyntax::Explicit, Photometric::Monochrome2, WrittenGrey::Window);
    let at = value_at(&bytes, [0x28, 0, 0x10, 0], 0);
    let mut frames = vec![0x28, 0, 8, 0, b'I', b'S', 8, 0];
    frames.extend_from_slice(b"1000000 ");
    bytes.splice(at..at, frames);
    let found = Examination::of(bytes, GreyRequest::Auto, &[]);
    let reason = found.faults.first().map(ToString::to_string).unwrap_or_default();
    assert!(reason.contains("1000000 frames"), "{reason}");
}

proptest! {
    #[test]
    fn flipped_bytes_never_panic(kind in 0_usize..3, flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let mut bytes = kinds().swap_remove(kind);
        for (index, value) in flips {
            let length = bytes.len();
            bytes[index.index(length)] = value;
        }
        let found = examine(bytes);
        if let Some(image) = &found.image {
            prop_assert_eq!(image.pixels.words.len(), image.pixels.rows * image.pixels.columns);
        }
    }

    #[test]
    fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..400), with_preamble: bool) {
        let mut whole = if with_preamble { [&[0; 128][..], b"DICM"].concat() } else { Vec::new() };
        whole.extend_from_slice(&bytes);
        prop_assert!(examine(whole).image.is_none());
    }
}
