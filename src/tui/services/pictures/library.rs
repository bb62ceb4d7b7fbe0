//! Images that were decoded lately, and the small pictures made from them.

use crate::terminal::sizes::Pixels;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use image::imageops::FilterType;
use image::{DynamicImage, GrayImage, ImageBuffer, Luma, RgbImage};

use crate::tui::protocol::pictures::PictureFacts;
use mammoscope_domain::image::image_findings::ImageDoubt;
use mammoscope_imaging::decode::{Samples, decode, read_file};
use mammoscope_imaging::image_header::ImageHeader;
use mammoscope_imaging::intensity_window::{GreyStatistics, IntensityWindow, WindowChoice};
use mammoscope_imaging::raster::Channels;

/// Bytes of decoded images that are kept; the last one is kept whatever its size is.
const KEPT_BYTES: usize = 8 << 20;
/// Small pictures that are kept.
const KEPT_SHRUNK: usize = 8;

/// Pixels as they are stored.
enum StoredPixels {
    Grey8(GrayImage),
    Grey16(ImageBuffer<Luma<u16>, Vec<u16>>),
    Colour(RgbImage),
}

/// A decoded image.
pub(super) struct KnownPicture {
    header: ImageHeader,
    statistics: Arc<GreyStatistics>,
    doubts: Arc<[ImageDoubt]>,
    pixels: StoredPixels,
}

/// A small picture, not windowed yet.
pub(super) struct ShrunkPicture(StoredPixels);

/// Images that were decoded lately, and the small pictures made from them; the latest last.
#[derive(Default)]
pub(super) struct PictureLibrary {
    known: Vec<(FileKey, Arc<KnownPicture>)>,
    shrunk: Vec<(FileKey, Pixels, Arc<ShrunkPicture>)>,
}

/// A file as it is now.
#[derive(Clone, PartialEq)]
struct FileKey {
    path: PathBuf,
    length: u64,
    modified: Option<SystemTime>,
}

impl FileKey {
    fn of(path: &Path) -> Self {
        let metadata = std::fs::metadata(path).ok();
        Self {
            path: path.to_owned(),
            length: metadata.as_ref().map_or(0, std::fs::Metadata::len),
            modified: metadata.and_then(|metadata| metadata.modified().ok()),
        }
    }
}

impl PictureLibrary {
    /// The image in a file, or why it cannot be read.
    pub(super) fn picture(&mut self, path: &Path) -> Result<Arc<KnownPicture>, String> {
        let key = FileKey::of(path);
        if let Some(at) = self.known.iter().position(|(known, _)| *known == key) {
            let found = self.known.remove(at);
            self.known.push(found);
        } else {
            let picture = KnownPicture::read(path)?;
            self.known.push((key, Arc::new(picture)));
            while self.known.len() > 1 && self.known.iter().map(|(_, known)| known.bytes()).sum::<usize>() > KEPT_BYTES
            {
                self.known.remove(0);
            }
        }
        Ok(self.known.last().map(|(_, known)| Arc::clone(known)).expect("just put there"))
    }

    /// It in so many pixels.
    pub(super) fn shrunk(&mut self, path: &Path, known: &KnownPicture, size: Pixels) -> Arc<ShrunkPicture> {
        let key = FileKey::of(path);
        if let Some((_, _, found)) = self.shrunk.iter().find(|(other, pixels, _)| *other == key && *pixels == size) {
            return Arc::clone(found);
        }
        let shrunk = Arc::new(known.shrunk(size));
        if self.shrunk.len() >= KEPT_SHRUNK {
            self.shrunk.remove(0);
        }
        self.shrunk.push((key, size, Arc::clone(&shrunk)));
        shrunk
    }
}

impl KnownPicture {
    fn read(path: &Path) -> Result<Self, String> {
        let bytes = read_file(path).map_err(|error| error.to_string())?;
        let length = bytes.len() as u64;
        let image = decode(bytes).map_err(|error| error.to_string())?;
        let header = ImageHeader { facts: image.facts, bytes: length };
        let statistics = Arc::new(GreyStatistics::of(&image.samples));
        let doubts = image.doubts().into();
        Ok(Self { header, statistics, doubts, pixels: pixels(image.samples) })
    }

    fn bytes(&self) -> usize {
        match &self.pixels {
            StoredPixels::Grey8(image) => image.as_raw().len(),
            StoredPixels::Grey16(image) => image.as_raw().len() * 2,
            StoredPixels::Colour(image) => image.as_raw().len(),
        }
    }

    /// Width and height in pixels.
    pub(super) fn size(&self) -> Pixels {
        Pixels { width: self.header.facts.width, height: self.header.facts.height }
    }

    /// What is known of it, shown with this window.
    pub(super) fn facts(&self, choice: WindowChoice) -> PictureFacts {
        let grey = !matches!(self.pixels, StoredPixels::Colour(_));
        PictureFacts {
            header: self.header,
            statistics: Arc::clone(&self.statistics),
            window: grey.then(|| choice.window(&self.statistics)),
            window_name: choice.name(&self.statistics),
            doubts: Arc::clone(&self.doubts),
        }
    }

    /// Values are averaged as they are stored, and windowed afterwards: so a window can be changed at once.
    fn shrunk(&self, Pixels { width, height }: Pixels) -> ShrunkPicture {
        let filter = FilterType::Triangle;
        ShrunkPicture(match &self.pixels {
            StoredPixels::Grey8(image) => StoredPixels::Grey8(image::imageops::resize(image, width, height, filter)),
            StoredPixels::Grey16(image) => StoredPixels::Grey16(image::imageops::resize(image, width, height, filter)),
            StoredPixels::Colour(image) => StoredPixels::Colour(image::imageops::resize(image, width, height, filter)),
        })
    }
}

impl ShrunkPicture {
    /// It in 8 bits, grey with this window, coloured as it is.
    pub(super) fn windowed(&self, window: Option<IntensityWindow>) -> DynamicImage {
        let level = |value: u16| window.map_or((value >> 8) as u8, |window| window.level(value));
        match &self.0 {
            StoredPixels::Grey8(image) => {
                let levels: Vec<u8> = (0..=255).map(level).collect();
                let mut image = image.clone();
                image.iter_mut().for_each(|value| *value = levels[usize::from(*value)]);
                image.into()
            }
            StoredPixels::Grey16(image) => {
                let levels = image.as_raw().iter().map(|&value| level(value)).collect();
                GrayImage::from_raw(image.width(), image.height(), levels).expect("as many as before").into()
            }
            StoredPixels::Colour(image) => image.clone().into(),
        }
    }
}

/// Grey, where no pixel has a colour, also if the file holds red, green and blue.
fn pixels(samples: Samples) -> StoredPixels {
    let sound = "a raster holds as many samples as its size says";
    match samples {
        Samples::Depth16(raster) if raster.channels() == Channels::Grey => {
            let (width, height) = (raster.width() as u32, raster.height() as u32);
            StoredPixels::Grey16(ImageBuffer::from_raw(width, height, raster.into_samples()).expect(sound))
        }
        Samples::Depth16(raster) => {
            pixels(Samples::Depth8(raster.map(|sample| ((u32::from(sample) + 128) / 257) as u8)))
        }
        Samples::Depth8(raster) => {
            let (width, height) = (raster.width() as u32, raster.height() as u32);
            let channels = raster.channels();
            let mut samples = raster.into_samples();
            if channels == Channels::Rgb {
                if !samples.chunks_exact(3).all(|pixel| pixel[0] == pixel[1] && pixel[1] == pixel[2]) {
                    return StoredPixels::Colour(RgbImage::from_raw(width, height, samples).expect(sound));
                }
                samples = samples.into_iter().step_by(3).collect();
            }
            StoredPixels::Grey8(GrayImage::from_raw(width, height, samples).expect(sound))
        }
    }
}
