//! A contact sheet of a class's explained images.

use std::io::{self, BufWriter, Cursor, Read, Seek, Write};

use image::imageops::{self, FilterType};
use image::{ImageFormat, Rgb, RgbImage};
use noto_sans_mono_bitmap::{FontWeight, RasterHeight};

use super::bitmap_text::{Anchor, Face, fitted, write};
use mammoscope_imaging::raster::Raster;

const TITLE: Face = Face { weight: FontWeight::Bold, height: RasterHeight::Size24 };
const NAME: Face = Face { weight: FontWeight::Bold, height: RasterHeight::Size20 };
const SMALL: Face = Face { weight: FontWeight::Regular, height: RasterHeight::Size20 };

const INK: Rgb<u8> = Rgb([34, 34, 34]);
const FAINT: Rgb<u8> = Rgb([96, 96, 96]);
const PAPER: Rgb<u8> = Rgb([255; 3]);

/// The side of a picture, and the space around it, in pixels.
const PICTURE: u32 = 300;
const GAP: u32 = 12;
/// Space above the first row, for the title and the column titles.
const HEAD: u32 = 96;
/// Space above the pictures of a row, for two lines.
const CAPTION: u32 = 60;
/// Space below the last row, if images were left out.
const FOOT: u32 = 40;
const ROW: u32 = CAPTION + PICTURE + GAP;
const WIDTH: u32 = 3 * (PICTURE + GAP) + GAP;
/// The width of a line of text.
const ROOM: u32 = WIDTH - 2 * GAP;

/// The most rows on a sheet: viewers cannot open larger pictures.
pub const MAX_ROWS: usize = 60;

/// A sheet under construction. Each image has a row: the image, its overlay and its contours. Rows are spooled to a
/// file of this sheet's own, so that memory does not grow with the number of images.
///
/// `new → add* → write_png`.
pub struct ContactSheet<S> {
    title: String,
    spool: S,
    /// The length of each row in the spool, in bytes.
    rows: Vec<usize>,
    left_out: usize,
}

impl<S: Read + Write + Seek> ContactSheet<S> {
    /// Starts an empty sheet with a title such as `CC_R  class C  grad-cam`.
    #[must_use]
    pub fn new(title: &str, spool: S) -> Self {
        Self { title: title.to_owned(), spool, rows: Vec::new(), left_out: 0 }
    }

    /// Adds a row: the file's name, a line of facts such as class and probability, and image, overlay and contours.
    /// Images beyond [`MAX_ROWS`] are only counted.
    pub fn add(&mut self, name: &str, facts: &str, pictures: [&Raster<u8>; 3]) -> io::Result<()> {
        if self.is_full() {
            self.leave_out();
            return Ok(());
        }
        let mut bytes = Cursor::new(Vec::new());
        row(name, facts, pictures).write_to(&mut bytes, ImageFormat::Png).map_err(io::Error::other)?;
        self.spool.write_all(bytes.get_ref())?;
        self.rows.push(bytes.get_ref().len());
        Ok(())
    }

    /// True if further images are only counted, so that their pictures are not needed.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.rows.len() >= MAX_ROWS
    }

    /// Counts an image without a row.
    pub fn leave_out(&mut self) {
        self.left_out += 1;
    }

    /// Writes the sheet as a PNG, row by row.
    pub fn write_png(mut self, file: &mut dyn Write) -> io::Result<()> {
        let foot = if self.left_out > 0 { FOOT } else { 0 };
        let height = HEAD + self.rows.len() as u32 * ROW + foot;
        let mut encoder = png::Encoder::new(BufWriter::new(file), WIDTH, height);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_compression(png::Compression::Fast);
        let mut picture = encoder.write_header()?;
        let mut lines = picture.stream_writer()?;
        lines.write_all(&head(&self.title))?;
        self.spool.rewind()?;
        for length in &self.rows {
            let mut bytes = vec![0; *length];
            self.spool.read_exact(&mut bytes)?;
            lines.write_all(&image::load_from_memory(&bytes).map_err(io::Error::other)?.into_rgb8())?;
        }
        if self.left_out > 0 {
            let mut strip = RgbImage::from_pixel(WIDTH, FOOT, PAPER);
            let text = format!("and {} more images", self.left_out);
            write(&mut strip, &text, SMALL, FAINT, (GAP, 20), Anchor::Left);
            lines.write_all(&strip)?;
        }
        lines.finish()?;
        Ok(picture.finish()?)
    }
}

/// The left edge of a picture in its row.
fn column(place: u32) -> u32 {
    GAP + place * (PICTURE + GAP)
}

/// The title and the column titles.
fn head(title: &str) -> RgbImage {
    let mut strip = RgbImage::from_pixel(WIDTH, HEAD, PAPER);
    write(&mut strip, &fitted(title, TITLE, ROOM), TITLE, INK, (GAP, 28), Anchor::Left);
    for (place, what) in (0..).zip(["image", "map over it", "contours"]) {
        write(&mut strip, what, SMALL, FAINT, (column(place) + PICTURE / 2, 70), Anchor::Center);
    }
    strip
}

fn row(name: &str, facts: &str, pictures: [&Raster<u8>; 3]) -> RgbImage {
    let mut strip = RgbImage::from_pixel(WIDTH, ROW, PAPER);
    write(&mut strip, &fitted(name, NAME, ROOM), NAME, INK, (GAP, 16), Anchor::Left);
    write(&mut strip, &fitted(facts, SMALL, ROOM), SMALL, FAINT, (GAP, 42), Anchor::Left);
    for (place, picture) in (0..).zip(pictures.map(small)) {
        // Centred: pictures keep their aspect ratio.
        let left = column(place) + (PICTURE - picture.width()) / 2;
        let top = CAPTION + (PICTURE - picture.height()) / 2;
        imageops::replace(&mut strip, &picture, i64::from(left), i64::from(top));
    }
    strip
}

/// Scales a picture to its place, keeping the aspect ratio.
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

#[cfg(test)]
mod tests {
    use super::*;
    use mammoscope_imaging::raster::Channels;

    fn flat(width: usize, height: usize, level: u8) -> Raster<u8> {
        Raster::new(width, height, Channels::Grey, vec![level; width * height])
    }

    fn sheet(rows: usize) -> RgbImage {
        let mut sheet = ContactSheet::new("CC_R  class C  grad-cam", Cursor::new(Vec::new()));
        let rgb = Raster::new(2, 2, Channels::Rgb, [10, 20, 30].repeat(4));
        for _ in 0..rows {
            sheet.add("a name.png", "C as D .91", [&flat(600, 600, 50), &flat(200, 400, 90), &rgb]).unwrap();
        }
        let mut bytes = Vec::new();
        sheet.write_png(&mut bytes).unwrap();
        image::load_from_memory(&bytes).unwrap().to_rgb8()
    }

    #[test]
    fn rows_are_stacked() {
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
    fn rows_beyond_the_limit_are_only_counted() {
        assert_eq!(sheet(MAX_ROWS + 3).height(), HEAD + MAX_ROWS as u32 * ROW + FOOT);
    }
}
