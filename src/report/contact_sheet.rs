//! Explained images of a class on one sheet.

use std::io::Cursor;

use image::imageops::{self, FilterType};
use image::{ImageFormat, ImageResult, Rgb, RgbImage};
use noto_sans_mono_bitmap::{FontWeight, RasterHeight};

use super::lettering::{Anchor, Face, write};
use crate::imaging::raster::Raster;

const TITLE: Face = Face { weight: FontWeight::Bold, height: RasterHeight::Size24 };
const NAME: Face = Face { weight: FontWeight::Bold, height: RasterHeight::Size20 };
const SMALL: Face = Face { weight: FontWeight::Regular, height: RasterHeight::Size20 };

const INK: Rgb<u8> = Rgb([34, 34, 34]);
const FAINT: Rgb<u8> = Rgb([96, 96, 96]);
const PAPER: Rgb<u8> = Rgb([255; 3]);

/// Side of a picture, and the space around it, in pixels.
const PICTURE: u32 = 300;
const GAP: u32 = 12;
/// Above the first row: the title, and what the columns are.
const HEAD: u32 = 96;
/// Above the pictures of a row: two lines.
const CAPTION: u32 = 60;
const ROW: u32 = CAPTION + PICTURE + GAP;
const WIDTH: u32 = 3 * (PICTURE + GAP) + GAP;

/// Rows on a sheet: more would make a picture that no viewer opens.
pub const MOST_ROWS: usize = 60;

/// A sheet under construction: a row an image, with the image, its overlay and its contours side by side. It keeps small
/// pictures only, so that a thousand large ones may pass by.
///
/// `new → add* → png`.
pub struct ContactSheet {
    title: String,
    rows: Vec<Row>,
    left_out: usize,
}

struct Row {
    name: String,
    facts: String,
    pictures: [RgbImage; 3],
}

impl ContactSheet {
    /// An empty sheet. The title says what is on it, as in `CC_R  class C  grad-cam`.
    #[must_use]
    pub fn new(title: &str) -> Self {
        Self { title: title.to_owned(), rows: Vec::new(), left_out: 0 }
    }

    /// Adds a row: the file's name, a line of facts such as its class and probability, and image, overlay and contours.
    /// Beyond [`MOST_ROWS`] images are counted only.
    pub fn add(&mut self, name: &str, facts: &str, pictures: [&Raster<u8>; 3]) {
        if self.rows.len() < MOST_ROWS {
            let pictures = pictures.map(small);
            self.rows.push(Row { name: name.to_owned(), facts: facts.to_owned(), pictures });
        } else {
            self.left_out += 1;
        }
    }

    /// The sheet as PNG; `None` without rows.
    pub fn png(&self) -> ImageResult<Option<Vec<u8>>> {
        if self.rows.is_empty() {
            return Ok(None);
        }
        let mut bytes = Cursor::new(Vec::new());
        self.picture().write_to(&mut bytes, ImageFormat::Png)?;
        Ok(Some(bytes.into_inner()))
    }

    fn picture(&self) -> RgbImage {
        let foot = if self.left_out > 0 { 40 } else { 0 };
        let mut sheet = RgbImage::from_pixel(WIDTH, HEAD + self.rows.len() as u32 * ROW + foot, PAPER);
        write(&mut sheet, &fitted(&self.title, TITLE), TITLE, INK, (GAP, 28), Anchor::Left);
        let column = |place: u32| GAP + place * (PICTURE + GAP);
        for (place, what) in (0..).zip(["image", "map over it", "contours"]) {
            write(&mut sheet, what, SMALL, FAINT, (column(place) + PICTURE / 2, 70), Anchor::Center);
        }
        for (row, top) in self.rows.iter().zip((HEAD..).step_by(ROW as usize)) {
            write(&mut sheet, &fitted(&row.name, NAME), NAME, INK, (GAP, top + 16), Anchor::Left);
            write(&mut sheet, &fitted(&row.facts, SMALL), SMALL, FAINT, (GAP, top + 42), Anchor::Left);
            for (place, picture) in (0..).zip(&row.pictures) {
                // In the middle of its place: pictures keep their aspect.
                let left = column(place) + (PICTURE - picture.width()) / 2;
                let top = top + CAPTION + (PICTURE - picture.height()) / 2;
                imageops::replace(&mut sheet, picture, i64::from(left), i64::from(top));
            }
        }
        if self.left_out > 0 {
            let text = format!("and {} more images", self.left_out);
            let bottom = sheet.height() - 20;
            write(&mut sheet, &text, SMALL, FAINT, (GAP, bottom), Anchor::Left);
        }
        sheet
    }
}

/// A picture as large as its place, its aspect kept.
fn small(picture: &Raster<u8>) -> RgbImage {
    let channels = picture.channels().count();
    let samples = picture.samples().chunks_exact(channels);
    let samples = samples.flat_map(|pixel| [pixel[0], pixel[channels / 2], pixel[channels - 1]]).collect();
    let picture =
        RgbImage::from_raw(picture.width() as u32, picture.height() as u32, samples).expect("three samples a pixel");
    let longer = picture.width().max(picture.height());
    let side = |length: u32| (u64::from(length) * u64::from(PICTURE) / u64::from(longer)).max(1) as u32;
    imageops::resize(&picture, side(picture.width()), side(picture.height()), FilterType::Triangle)
}

/// A line as long as the sheet is wide; of a longer one the middle is left out, since names differ at their ends. What is
/// not ASCII has no letter here.
fn fitted(text: &str, face: Face) -> String {
    let text: Vec<char> = text.chars().map(|letter| if letter.is_ascii_graphic() { letter } else { ' ' }).collect();
    let room = face.letters_within(WIDTH - 2 * GAP);
    if text.len() <= room {
        return text.into_iter().collect();
    }
    let head = (room - 2) / 2;
    let tail = room - 2 - head;
    text[..head].iter().chain(&['.', '.']).chain(&text[text.len() - tail..]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imaging::raster::Channels;

    fn flat(width: usize, height: usize, level: u8) -> Raster<u8> {
        Raster::new(width, height, Channels::Grey, vec![level; width * height])
    }

    fn sheet(rows: usize) -> RgbImage {
        let mut sheet = ContactSheet::new("CC_R  class C  grad-cam");
        let rgb = Raster::new(2, 2, Channels::Rgb, [10, 20, 30].repeat(4));
        for _ in 0..rows {
            sheet.add("a name.png", "C as D .91", [&flat(600, 600, 50), &flat(200, 400, 90), &rgb]);
        }
        image::load_from_memory(&sheet.png().unwrap().unwrap()).unwrap().to_rgb8()
    }

    #[test]
    fn rows_stand_under_one_another() {
        let picture = sheet(2);
        assert_eq!(picture.dimensions(), (WIDTH, HEAD + 2 * ROW));
        for top in [HEAD + CAPTION, HEAD + ROW + CAPTION] {
            let middle =
                |place: u32| picture.get_pixel(GAP + place * (PICTURE + GAP) + PICTURE / 2, top + PICTURE / 2).0;
            assert_eq!([middle(0), middle(1), middle(2)], [[50; 3], [90; 3], [10, 20, 30]]);
            // 200 × 400 becomes 150 × 300.
            let beside = picture.get_pixel(GAP + PICTURE + GAP + 40, top + PICTURE / 2);
            assert_eq!(*beside, PAPER);
        }
    }

    #[test]
    fn there_is_an_end() {
        assert_eq!(sheet(MOST_ROWS + 3).height(), HEAD + MOST_ROWS as u32 * ROW + 40);
        assert_eq!(ContactSheet::new("none").png().unwrap(), None);
    }

    #[test]
    fn long_names_lose_their_middle() {
        let long = format!("{}_1_A_CC_R.png", "x".repeat(300));
        let fitted = fitted(&long, NAME);
        assert!(fitted.ends_with("_1_A_CC_R.png") && fitted.contains(".."), "{fitted}");
        assert!(NAME.letters_within(WIDTH - 2 * GAP) == fitted.len());
        assert_eq!(super::fitted("a\u{202e}b", NAME), "a b");
    }
}
