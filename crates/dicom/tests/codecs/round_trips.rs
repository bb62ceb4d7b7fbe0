//! The encoder of lossless JPEG and the decoder are inverse to each other.

use mammoscope_dicom::codec::{DecodedFrame, Encoding, FrameLayout, decode, encode_jpeg_lossless};
use proptest::prelude::*;

fn decoded(codestream: &[u8], rows: usize, columns: usize, bits_stored: u8) -> DecodedFrame {
    let layout = FrameLayout { rows, columns, bits_allocated: 16, bits_stored };
    decode(Encoding::Jpeg, codestream, layout).unwrap()
}

/// An image with its precision: noise, few levels, or rows that repeat.
fn images() -> impl Strategy<Value = (Vec<u16>, usize, usize, u8)> {
    (2_u8..=16, 1_usize..40, 1_usize..40, 0..3).prop_flat_map(|(precision, rows, columns, kind)| {
        let largest = ((1_u32 << precision) - 1) as u16;
        let level = match kind {
            0 => (0..=largest).boxed(),
            1 => prop_oneof![Just(0), Just(largest)].boxed(),
            _ => (0..=largest.min(3)).boxed(),
        };
        (prop::collection::vec(level, rows * columns), Just(rows), Just(columns), Just(precision))
    })
}

proptest! {
    #[test]
    fn lossless_jpeg_gives_the_same_samples(
        (samples, rows, columns, precision) in images(),
        predictor in 1_u8..=7,
        restart in prop::option::of(1_usize..20),
    ) {
        let codestream = encode_jpeg_lossless(&samples, rows, columns, precision, predictor, restart);
        let frame = decoded(&codestream, rows, columns, precision);
        prop_assert!(frame.samples.iter().copied().eq(samples.iter().map(|&sample| i32::from(sample))));
        prop_assert_eq!((frame.precision, frame.signed, frame.lossy), (precision, false, false));
    }
}

#[test]
fn skewed_frequencies_need_codes_of_limited_length() {
    // Each category is about twice as frequent as the next larger one, which makes an unlimited code 17 bits long.
    let mut samples = Vec::new();
    for category in 0..=16_u32 {
        for _ in 0..1_u32 << (16 - category) {
            let difference = if category == 0 { 0 } else { 1_u32 << (category - 1) };
            let left = samples.last().copied().unwrap_or(1 << 15);
            samples.push((u32::from(left) + difference) as u16);
        }
    }
    samples.truncate(511 * 256);
    let codestream = encode_jpeg_lossless(&samples, 256, 511, 16, 1, None);
    let frame = decoded(&codestream, 256, 511, 16);
    assert!(frame.samples.iter().copied().eq(samples.iter().map(|&sample| i32::from(sample))));
}

#[test]
fn predictors_make_a_slope_small() {
    let samples: Vec<u16> = (0..200 * 300).map(|index| (index / 300 + index % 300) as u16).collect();
    let bits_per_sample =
        |predictor| encode_jpeg_lossless(&samples, 200, 300, 12, predictor, None).len() * 8 / samples.len();
    // One bit is the least that Huffman coding allows, for the plane's predictor; the others leave a difference of 1 or 2.
    assert_eq!([1, 2, 3, 4, 5, 6, 7].map(bits_per_sample), [2, 2, 3, 1, 2, 2, 2]);
}

#[test]
fn restart_intervals_that_are_too_long_are_shortened() {
    let samples = vec![7; 3 * 40_000];
    let codestream = encode_jpeg_lossless(&samples, 3, 40_000, 8, 1, Some(2));
    assert_eq!(decoded(&codestream, 3, 40_000, 8).samples, vec![7; 3 * 40_000]);
}
