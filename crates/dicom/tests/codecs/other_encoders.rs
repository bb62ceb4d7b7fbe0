//! Codestreams of other encoders (libjpeg-turbo, `CharLS`, `OpenJPEG`, `OpenJPH`, pydicom) decode to the image that they
//! were made from.

use mammoscope_dicom::codec::Encoding::{Jpeg, Jpeg2000, JpegLs, Rle};
use mammoscope_dicom::codec::{Encoding, FrameLayout, decode};

const ROWS: usize = 23;
const COLUMNS: usize = 37;

/// A codestream of the image, and how it was made.
pub(crate) struct Fixture {
    pub(crate) name: &'static str,
    pub(crate) encoding: Encoding,
    pub(crate) codestream: &'static [u8],
    /// 8, 12 or 16.
    bits: u8,
    /// What the encoder subtracted from the samples.
    offset: i32,
    /// The largest error: none, NEAR, or what the encoder's own decoder leaves, plus one for rounding.
    tolerance: i32,
}

macro_rules! fixtures {
    ($($encoding:ident, $name:literal, $bits:literal, $offset:literal, $tolerance:literal;)*) => {
        [$(Fixture {
            name: $name,
            encoding: $encoding,
            codestream: include_bytes!(concat!("fixtures/", $name)),
            bits: $bits,
            offset: $offset,
            tolerance: $tolerance,
        }),*]
    };
}

pub(crate) const FIXTURES: [Fixture; 15] = fixtures![
    Jpeg, "jpeg-lossless-predictor-4.jpg", 12, 0, 0;
    Jpeg, "jpeg-lossless-predictor-7.jpg", 16, 0, 0;
    Jpeg, "jpeg-baseline-restarts.jpg", 8, 0, 7;
    Jpeg, "jpeg-extended.jpg", 12, 0, 8;
    JpegLs, "jpeg-ls-lossless-8.jls", 8, 0, 0;
    JpegLs, "jpeg-ls-lossless-16.jls", 16, 0, 0;
    JpegLs, "jpeg-ls-near-3.jls", 12, 0, 3;
    // Nine tiles and an offset, three layers, small precincts by position, SOP and EPH markers.
    Jpeg2000, "jpeg-2000-tiles-layers.j2k", 12, 0, 0;
    // Bypass, reset, termination, causal contexts and segmentation symbols.
    Jpeg2000, "jpeg-2000-all-block-styles.j2k", 12, 0, 0;
    Jpeg2000, "jpeg-2000-signed-in-boxes.jp2", 12, 2000, 0;
    // A region of interest, and a change of the progression order.
    Jpeg2000, "jpeg-2000-region.j2k", 12, 0, 0;
    Jpeg2000, "jpeg-2000-irreversible.j2k", 12, 0, 12;
    Jpeg2000, "high-throughput-lossless.j2k", 16, 0, 0;
    Jpeg2000, "high-throughput-irreversible.j2k", 12, 0, 13;
    Rle, "run-lengths.rle", 16, 0, 0;
];

/// The samples of the image that all fixtures show.
fn image(bits: u8) -> impl Iterator<Item = i32> {
    (0..ROWS * COLUMNS).map(move |index| {
        let (row, column) = ((index / COLUMNS) as i32, (index % COLUMNS) as i32);
        let level = 300 + 55 * column + 40 * row + (row * 7919 + column * 104_729) % 97;
        match bits {
            8 => level / 16,
            12 => level,
            _ => level * 16 + (row * 5 + column * 3) % 16,
        }
    })
}

impl Fixture {
    pub(crate) fn layout(&self) -> FrameLayout {
        let bits_allocated = if self.bits == 8 { 8 } else { 16 };
        FrameLayout { rows: ROWS, columns: COLUMNS, bits_allocated, bits_stored: self.bits }
    }
}

#[test]
fn other_encoders_are_understood() {
    for fixture in FIXTURES {
        let decoded = decode(fixture.encoding, fixture.codestream, fixture.layout()).unwrap();
        assert_eq!(decoded.samples.len(), ROWS * COLUMNS, "{}", fixture.name);
        let levels = decoded.samples.iter().zip(image(fixture.bits));
        let error = levels.map(|(&sample, level)| (sample + fixture.offset - level).abs()).max();
        assert!(error <= Some(fixture.tolerance), "{}: off by {error:?}", fixture.name);
        assert_eq!(decoded.lossy, fixture.tolerance > 0, "{}", fixture.name);
        assert_eq!(decoded.signed, fixture.offset > 0, "{}", fixture.name);
    }
}

#[test]
fn padding_after_the_end_is_ignored() {
    for fixture in FIXTURES {
        let padded = [fixture.codestream, &[0]].concat();
        let decoded = decode(fixture.encoding, fixture.codestream, fixture.layout());
        assert_eq!(decode(fixture.encoding, &padded, fixture.layout()), decoded, "{}", fixture.name);
    }
}
