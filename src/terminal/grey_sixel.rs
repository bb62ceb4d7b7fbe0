//! Grey pictures as sixel graphics (DEC STD 070; VT330/VT340 Programmer Reference, volume 2, chapter 14).
//!
//! General encoders choose a few colours and diffuse the error over the neighbours, which strews a mammogram with dots
//! that look like microcalcifications. Here every pixel gets the nearest grey that the terminal has, and no dithering.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use image::GrayImage;

/// Sixel specifies greys in whole per cent, so there are at most 101 levels.
pub(crate) const MAX_LEVELS: u32 = 101;

/// Pixel rows that one sixel character encodes.
const BAND_ROWS: usize = 6;

/// Encodes a grey picture pixel by pixel, without diffusion. 0 is black, 255 is white, and the levels between are
/// spread evenly over the terminal's colour `registers`, of which at least two and at most [`MAX_LEVELS`] are used.
#[must_use]
pub(crate) fn grey_sixel(picture: &GrayImage, registers: u32) -> String {
    let steps = registers.clamp(2, MAX_LEVELS) - 1;
    let level_of = |&grey: &u8| (u32::from(grey) * steps + 127) / 255;
    let width = picture.width() as usize;
    let mut sixel = format!("\x1bPq\"1;1;{width};{}", picture.height());
    for level in picture.as_raw().iter().map(level_of).collect::<BTreeSet<_>>() {
        let percent = (level * 100 + steps / 2) / steps;
        let _ = write!(sixel, "#{level};2;{percent};{percent};{percent}");
    }
    for (number, band) in picture.as_raw().chunks(BAND_ROWS * width).enumerate() {
        if number > 0 {
            sixel.push('-');
        }
        // For each level, the rows of every column that have it: the lowest bit is the uppermost row.
        let mut columns_of = BTreeMap::new();
        for (row, pixels) in band.chunks(width).enumerate() {
            for (column, level) in pixels.iter().map(level_of).enumerate() {
                columns_of.entry(level).or_insert_with(|| vec![0_u8; width])[column] |= 1 << row;
            }
        }
        for (number, (level, columns)) in columns_of.iter().enumerate() {
            let back_to_the_left = if number > 0 { "$" } else { "" };
            let _ = write!(sixel, "{back_to_the_left}#{level}");
            push_run_lengths(&mut sixel, columns);
        }
    }
    sixel.push_str("\x1b\\");
    sixel
}

/// Appends columns of six pixels: equal neighbours as a count, trailing empty columns not at all.
fn push_run_lengths(sixel: &mut String, columns: &[u8]) {
    let drawn = columns.iter().rposition(|&column| column != 0).map_or(0, |last| last + 1);
    for run in columns[..drawn].chunk_by(|one, next| one == next) {
        let character = char::from(b'?' + run[0]);
        if run.len() > 3 {
            let _ = write!(sixel, "!{}{character}", run.len());
        } else {
            sixel.extend(std::iter::repeat_n(character, run.len()));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Decodes a picture as a terminal would: width, height, and the per cent of white of every pixel.
    fn decoded(sixel: &str) -> (usize, usize, Vec<u32>) {
        let body = sixel.strip_prefix("\x1bPq").unwrap().strip_suffix("\x1b\\").unwrap();
        let (mut greys, mut chosen) = (BTreeMap::new(), 0);
        let (mut width, mut pixels, mut x, mut top) = (0, Vec::new(), 0, 0);
        let mut rest = body;
        while let Some(command) = rest.chars().next() {
            let numbers_end = rest[1..].find(|c: char| !c.is_ascii_digit() && c != ';').map_or(rest.len(), |at| at + 1);
            let numbers: Vec<u32> = rest[1..numbers_end].split(';').filter_map(|number| number.parse().ok()).collect();
            rest = &rest[numbers_end..];
            let mut run = 1;
            let mut character = command;
            match (command, &numbers[..]) {
                ('"', &[1, 1, wide, high]) => {
                    width = wide as usize;
                    pixels = vec![None; width * high as usize];
                    continue;
                }
                ('#', &[register, 2, red, green, blue]) => {
                    assert!(red == green && green == blue, "grey");
                    assert_eq!(greys.insert(register, red), None, "a register is set once");
                    continue;
                }
                ('#', &[register]) => {
                    chosen = greys[&register];
                    continue;
                }
                ('$', []) => {
                    x = 0;
                    continue;
                }
                ('-', []) => {
                    (x, top) = (0, top + BAND_ROWS);
                    continue;
                }
                ('!', &[count]) => {
                    run = count as usize;
                    character = rest.chars().next().unwrap();
                    rest = &rest[1..];
                }
                ('?'..='~', []) => {}
                other => panic!("not sixel: {other:?}"),
            }
            let bits = u8::try_from(character).unwrap() - b'?';
            for column in x..x + run {
                assert!(column < width, "no column beyond the picture");
                for row in (0..BAND_ROWS).filter(|row| bits >> row & 1 == 1) {
                    let pixel = &mut pixels[(top + row) * width + column];
                    assert_eq!(pixel.replace(chosen), None, "a pixel is drawn once");
                }
            }
            x += run;
        }
        let height = pixels.len() / width;
        (width, height, pixels.into_iter().map(|pixel| pixel.expect("every pixel is drawn")).collect())
    }

    fn percent(grey: u8) -> u32 {
        (f64::from(grey) * 100.0 / 255.0).round() as u32
    }

    fn ramp() -> GrayImage {
        GrayImage::from_raw(256, 1, (0..=255).collect()).unwrap()
    }

    #[test]
    fn the_bytes_of_a_small_picture() {
        let picture = GrayImage::from_raw(5, 7, [[0; 5], [255; 5], [0; 5], [0; 5], [0; 5], [0; 5], [51; 5]].concat());
        let expected = "\x1bPq\"1;1;5;7#0;2;0;0;0#20;2;20;20;20#100;2;100;100;100#0!5|$#100!5A-#20!5@\x1b\\";
        assert_eq!(grey_sixel(&picture.unwrap(), 256), expected);
    }

    #[test]
    fn a_constant_patch_stays_constant() {
        for grey in 0..=255 {
            let picture = GrayImage::from_pixel(9, 13, image::Luma([grey]));
            let (width, height, pixels) = decoded(&grey_sixel(&picture, 256));
            assert_eq!((width, height), (9, 13));
            assert!(pixels.iter().all(|&shown| shown == percent(grey)), "{grey}: {pixels:?}");
        }
    }

    #[test]
    fn a_ramp_keeps_every_level_that_sixel_has() {
        let (_, _, shown) = decoded(&grey_sixel(&ramp(), 256));
        assert_eq!(shown, (0..=255).map(percent).collect::<Vec<_>>());
        assert_eq!(shown.iter().collect::<BTreeSet<_>>().len(), MAX_LEVELS as usize);
    }

    #[test]
    fn fewer_registers_are_spread_evenly_from_black_to_white() {
        let (_, _, shown) = decoded(&grey_sixel(&ramp(), 16));
        assert!(shown.is_sorted());
        let levels: Vec<_> = shown.chunk_by(|one, next| one == next).map(|run| (run[0], run.len())).collect();
        assert_eq!(levels.len(), 16);
        assert_eq!((levels[0].0, levels[15].0), (0, 100));
        assert!(levels.windows(2).all(|pair| (6..=7).contains(&(pair[1].0 - pair[0].0))), "{levels:?}");
        assert!(levels[1..15].iter().all(|&(_, greys)| greys == 17), "{levels:?}");
        for registers in [0, 1, 2] {
            let (_, _, shown) = decoded(&grey_sixel(&ramp(), registers));
            assert_eq!(shown, [[0; 128], [100; 128]].concat(), "black and white");
        }
    }

    proptest! {
        #[test]
        fn decoding_returns_the_encoded_picture(width in 1_u32..40, height in 1_u32..20, seed in any::<u32>()) {
            // Both runs and single pixels, of many levels.
            let grey = |x: u32, y: u32| ((x / 3 * 37 + y * 91) ^ seed.rotate_left(x * y)) as u8;
            let picture = GrayImage::from_fn(width, height, |x, y| image::Luma([grey(x, y)]));
            let expected: Vec<_> = picture.as_raw().iter().map(|&grey| percent(grey)).collect();
            prop_assert_eq!(decoded(&grey_sixel(&picture, 256)), (width as usize, height as usize, expected));
        }
    }
}
