//! The maps of an image over the epochs of a training: as a strip, and as an animation.

use std::io::{self, BufWriter, Cursor, Write};

use image::imageops::{self, FilterType};
use image::{ImageFormat, Rgb, RgbImage};
use noto_sans_mono_bitmap::{FontWeight, RasterHeight};

use super::bitmap_text::{Anchor, Face, fitted, write};
use mammoscope_domain::text::counted::counted;
use mammoscope_imaging::raster::Raster;

const TITLE: Face = Face { weight: FontWeight::Bold, height: RasterHeight::Size24 };
const EPOCH: Face = Face { weight: FontWeight::Bold, height: RasterHeight::Size20 };
const SMALL: Face = Face { weight: FontWeight::Regular, height: RasterHeight::Size20 };

const INK: Rgb<u8> = Rgb([34, 34, 34]);
const FAINT: Rgb<u8> = Rgb([96, 96, 96]);
const PAPER: Rgb<u8> = Rgb([255; 3]);

/// The side of a picture in the strip, and the space around it, in pixels.
const PICTURE: u32 = 256;
const GAP: u32 = 12;
/// Space above the pictures, for the title and a line of facts.
const HEAD: u32 = 80;
/// Space below each picture, for two lines.
const CAPTION: u32 = 60;
const CELL: (u32, u32) = (PICTURE + GAP, PICTURE + CAPTION + GAP);
/// The most pictures side by side; further ones start another row, since viewers cannot open wider pictures.
const COLUMNS: usize = 16;

/// The smallest width of a frame of the animation, which has room for its caption.
const MIN_FRAME: u32 = 256;
/// The time that a frame is shown, and the last one, in hundredths of a second.
const DELAY: [u16; 2] = [60, 200];

/// A map over its image at an epoch.
#[derive(Clone, Debug)]
pub struct FilmFrame {
    pub epoch: u32,
    /// The prediction, or why there is no map, in some twenty letters.
    pub facts: String,
    pub picture: Raster<u8>,
}

impl FilmFrame {
    fn caption(&self, strip: &mut RgbImage, (left, top): (u32, u32), width: u32) {
        let lines = [(format!("epoch {}", self.epoch), EPOCH, INK), (self.facts.clone(), SMALL, FAINT)];
        for (at, (text, face, color)) in (0..).zip(lines) {
            write(
                strip,
                &fitted(&text, face, width),
                face,
                color,
                (left + width / 2, top + 16 + 24 * at),
                Anchor::Center,
            );
        }
    }
}

/// A strip under construction: the image, then its maps epoch by epoch.
///
/// `new → add* → png`.
pub struct Filmstrip {
    strip: RgbImage,
    columns: u32,
    cells: u32,
}

impl Filmstrip {
    /// Starts the strip of an image with room for a number of maps.
    #[must_use]
    pub fn new(title: &str, facts: &str, picture: &Raster<u8>, maps: usize) -> Self {
        let cells = maps + 1;
        let columns = cells.min(COLUMNS) as u32;
        let rows = cells.div_ceil(COLUMNS) as u32;
        let width = GAP + columns * CELL.0;
        let mut strip = RgbImage::from_pixel(width, HEAD + rows * CELL.1, PAPER);
        let room = width - 2 * GAP;
        write(&mut strip, &fitted(title, TITLE, room), TITLE, INK, (GAP, 24), Anchor::Left);
        write(&mut strip, &fitted(facts, SMALL, room), SMALL, FAINT, (GAP, 54), Anchor::Left);
        let mut film = Self { strip, columns, cells: 0 };
        let (left, top) = film.place(picture);
        let below = (left + PICTURE / 2, top + PICTURE + 16);
        write(&mut film.strip, "image", EPOCH, INK, below, Anchor::Center);
        film
    }

    /// Adds the map of the next epoch.
    pub fn add(&mut self, frame: &FilmFrame) {
        let (left, top) = self.place(&frame.picture);
        frame.caption(&mut self.strip, (left, top + PICTURE), PICTURE);
    }

    /// The strip as a PNG.
    pub fn png(&self) -> io::Result<Vec<u8>> {
        let mut bytes = Cursor::new(Vec::new());
        self.strip.write_to(&mut bytes, ImageFormat::Png).map_err(io::Error::other)?;
        Ok(bytes.into_inner())
    }

    /// Draws a picture into the next cell, centred in its square; returns the corner of the square.
    fn place(&mut self, picture: &Raster<u8>) -> (u32, u32) {
        let (column, row) = (self.cells % self.columns, self.cells / self.columns);
        let corner = (GAP + column * CELL.0, HEAD + row * CELL.1);
        self.cells += 1;
        let small = fit(&rgb(picture));
        let left = corner.0 + (PICTURE - small.width()) / 2;
        let top = corner.1 + (PICTURE - small.height()) / 2;
        imageops::replace(&mut self.strip, &small, i64::from(left), i64::from(top));
        corner
    }
}

/// An animated PNG under construction: a frame for each epoch, repeated without end. A small picture is enlarged by a
/// whole factor, and its caption is below it, so that no pixel of the map is covered or smoothed.
///
/// `new → add* → finish`.
pub struct MapAnimation<W: Write> {
    writer: png::Writer<BufWriter<W>>,
    factor: u32,
    size: (u32, u32),
    left: usize,
}

impl<W: Write> MapAnimation<W> {
    /// Starts an animation of a number of frames, at least one, of pictures of this size.
    pub fn new(file: W, (width, height): (usize, usize), frames: usize) -> io::Result<Self> {
        let factor = magnification(width);
        let size = (width as u32 * factor, height as u32 * factor + CAPTION);
        let mut encoder = png::Encoder::new(BufWriter::new(file), size.0, size.1);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_compression(png::Compression::Fast);
        encoder.set_animated(u32::try_from(frames).unwrap_or(u32::MAX), 0)?;
        Ok(Self { writer: encoder.write_header()?, factor, size, left: frames })
    }

    /// Adds the frame of the next epoch.
    pub fn add(&mut self, frame: &FilmFrame) -> io::Result<()> {
        self.left = self.left.saturating_sub(1);
        self.writer.set_frame_delay(DELAY[usize::from(self.left == 0)], 100)?;
        let mut picture = RgbImage::from_pixel(self.size.0, self.size.1, PAPER);
        let map = rgb(&frame.picture);
        let map = imageops::resize(&map, map.width() * self.factor, map.height() * self.factor, FilterType::Nearest);
        imageops::replace(&mut picture, &map, 0, 0);
        frame.caption(&mut picture, (0, map.height()), self.size.0);
        Ok(self.writer.write_image_data(&picture)?)
    }

    /// Writes the end of the file. Fails if frames are missing: the header has announced them.
    pub fn finish(self) -> io::Result<()> {
        if self.left > 0 {
            return Err(io::Error::other(format!("{} of the animation are missing", counted(self.left, "frame"))));
        }
        Ok(self.writer.finish()?)
    }
}

/// The whole factor by which a picture is enlarged in the animation.
#[must_use]
pub fn magnification(width: usize) -> u32 {
    MIN_FRAME.div_ceil((width as u32).max(1)).max(1)
}

fn rgb(picture: &Raster<u8>) -> RgbImage {
    let channels = picture.channels().count();
    let samples = picture.samples().chunks_exact(channels);
    let samples = samples.flat_map(|pixel| [pixel[0], pixel[channels / 2], pixel[channels - 1]]).collect();
    RgbImage::from_raw(picture.width() as u32, picture.height() as u32, samples).expect("three samples a pixel")
}

/// Scales a picture to its square, keeping the aspect ratio. A small one is enlarged by a whole factor.
fn fit(picture: &RgbImage) -> RgbImage {
    let longer = picture.width().max(picture.height()).max(1);
    if longer <= PICTURE {
        let factor = PICTURE / longer;
        return imageops::resize(picture, picture.width() * factor, picture.height() * factor, FilterType::Nearest);
    }
    let side = |length: u32| (u64::from(length) * u64::from(PICTURE) / u64::from(longer)).max(1) as u32;
    imageops::resize(picture, side(picture.width()), side(picture.height()), FilterType::Triangle)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mammoscope_imaging::raster::Channels;

    fn flat(side: usize, color: [u8; 3]) -> Raster<u8> {
        Raster::new(side, side, Channels::Rgb, color.repeat(side * side))
    }

    fn frame(epoch: u32, side: usize) -> FilmFrame {
        FilmFrame { epoch, facts: "predicted C .71".to_owned(), picture: flat(side, [epoch as u8, 20, 30]) }
    }

    #[test]
    fn the_image_comes_first_and_the_maps_follow_row_by_row() {
        let grey = Raster::new(64, 64, Channels::Grey, vec![90; 64 * 64]);
        let mut film = Filmstrip::new("a name", "facts", &grey, 18);
        (1..=18).for_each(|epoch| film.add(&frame(epoch, 64)));
        let picture = image::load_from_memory(&film.png().unwrap()).unwrap().to_rgb8();
        assert_eq!(picture.dimensions(), (GAP + 16 * CELL.0, HEAD + 2 * CELL.1));
        let middle = |cell: u32| {
            let (column, row) = (cell % 16, cell / 16);
            let (x, y) = (GAP + column * CELL.0 + PICTURE / 2, HEAD + row * CELL.1 + PICTURE / 2);
            picture.get_pixel(x, y).0
        };
        assert_eq!([middle(0), middle(1), middle(15)], [[90; 3], [1, 20, 30], [15, 20, 30]]);
        assert_eq!([middle(16), middle(18), middle(19)], [[16, 20, 30], [18, 20, 30], PAPER.0]);
        assert!(fit(&rgb(&flat(650, [0; 3]))).dimensions() == (PICTURE, PICTURE));
    }

    #[test]
    fn an_animation_has_a_frame_for_each_epoch_with_the_map_unchanged() {
        let mut bytes = Vec::new();
        let mut animation = MapAnimation::new(&mut bytes, (64, 64), 3).unwrap();
        (1..=3).for_each(|epoch| animation.add(&frame(epoch, 64)).unwrap());
        animation.finish().unwrap();
        let mut reader = png::Decoder::new(Cursor::new(&bytes)).read_info().unwrap();
        let control = *reader.info().animation_control().unwrap();
        assert_eq!((control.num_frames, control.num_plays), (3, 0));
        let mut buffer = vec![0; reader.output_buffer_size().unwrap()];
        let mut captions = Vec::new();
        for epoch in 1..=3 {
            let info = reader.next_frame(&mut buffer).unwrap();
            assert_eq!((info.width, info.height), (256, 256 + CAPTION));
            let delay = reader.info().frame_control().unwrap().delay_num;
            assert_eq!(delay, if epoch == 3 { 200 } else { 60 });
            let picture = RgbImage::from_raw(info.width, info.height, buffer.clone()).unwrap();
            assert!((0..256).all(|at| picture.get_pixel(at, 255 - at).0 == [epoch, 20, 30]));
            captions.push(imageops::crop_imm(&picture, 0, 256, 256, CAPTION).to_image());
        }
        assert!(captions[0] != captions[1] && captions[1] != captions[2], "the epoch is in the picture");
        assert_eq!([1, 2, 4], [650, 128, 64].map(magnification));
    }

    #[test]
    fn an_animation_that_lacks_frames_is_not_finished() {
        let mut animation = MapAnimation::new(Vec::new(), (64, 64), 2).unwrap();
        animation.add(&frame(1, 64)).unwrap();
        assert!(animation.finish().is_err());
    }
}
