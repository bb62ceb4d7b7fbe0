//! Text drawn on pictures.

use image::{Rgb, RgbImage, imageops};
use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster, get_raster_width};

/// A face of Noto Sans Mono.
#[derive(Clone, Copy)]
pub(super) struct Face {
    pub(super) weight: FontWeight,
    pub(super) height: RasterHeight,
}

impl Face {
    /// The number of letters that fit into a width in pixels.
    pub(super) fn letters_within(self, width: u32) -> usize {
        width as usize / get_raster_width(self.weight, self.height)
    }

    /// The width of a text in pixels.
    fn width(self, text: &str) -> u32 {
        (text.chars().count() * get_raster_width(self.weight, self.height)) as u32
    }
}

/// The alignment of a text to its point.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    /// The point is the left end, at half height.
    Left,
    /// The point is the middle.
    Center,
}

/// Shortens a line to a width in pixels. The middle is left out, since names differ at their ends. Characters other than
/// ASCII have no glyph and become spaces.
pub(super) fn fitted(text: &str, face: Face, width: u32) -> String {
    let text: Vec<char> = text.chars().map(|letter| if letter.is_ascii_graphic() { letter } else { ' ' }).collect();
    let room = face.letters_within(width);
    if text.len() <= room {
        return text.into_iter().collect();
    }
    let head = room.saturating_sub(2) / 2;
    let tail = room.saturating_sub(2) - head;
    text[..head].iter().chain(&['.', '.']).chain(&text[text.len() - tail..]).collect()
}

/// Writes a line of ASCII text at a point, blended with the background.
pub(super) fn write(picture: &mut RgbImage, text: &str, face: Face, color: Rgb<u8>, at: (u32, u32), anchor: Anchor) {
    let left = if anchor == Anchor::Center { at.0.saturating_sub(face.width(text) / 2) } else { at.0 };
    let top = at.1.saturating_sub(face.height.val() as u32 / 2);
    let advance = get_raster_width(face.weight, face.height) as u32;
    for (place, character) in text.chars().enumerate() {
        let glyph = get_raster(character, face.weight, face.height)
            .or_else(|| get_raster('?', face.weight, face.height))
            .expect("the Basic Latin glyphs are built in");
        let glyph_left = left + advance * place as u32;
        for (y, row) in glyph.rows().enumerate() {
            for (x, &coverage) in row.iter().enumerate() {
                if let Some(pixel) = picture.get_pixel_mut_checked(glyph_left + x as u32, top + y as u32) {
                    *pixel = blend(*pixel, color, coverage);
                }
            }
        }
    }
}

/// Writes a line of ASCII text from bottom to top, centred on a point, on white.
pub(super) fn write_upwards(picture: &mut RgbImage, text: &str, face: Face, color: Rgb<u8>, center: (u32, u32)) {
    let (width, height) = (face.width(text), face.height.val() as u32);
    let mut line = RgbImage::from_pixel(width, height, Rgb([255; 3]));
    write(&mut line, text, face, color, (0, height / 2), Anchor::Left);
    let (left, top) = (center.0.saturating_sub(height / 2), center.1.saturating_sub(width / 2));
    imageops::replace(picture, &imageops::rotate270(&line), i64::from(left), i64::from(top));
}

fn blend(under: Rgb<u8>, over: Rgb<u8>, coverage: u8) -> Rgb<u8> {
    let coverage = f32::from(coverage) / 255.0;
    Rgb(std::array::from_fn(|channel| {
        (f32::from(under.0[channel]) * (1.0 - coverage) + f32::from(over.0[channel]) * coverage).round() as u8
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FACE: Face = Face { weight: FontWeight::Bold, height: RasterHeight::Size20 };

    #[test]
    fn long_names_lose_their_middle() {
        let long = format!("{}_1_A_CC_R.png", "x".repeat(300));
        let short = fitted(&long, FACE, 900);
        assert!(short.ends_with("_1_A_CC_R.png") && short.contains(".."), "{short}");
        assert!(FACE.letters_within(900) == short.len());
        assert_eq!(fitted("a\u{202e}b", FACE, 900), "a b");
    }
}
