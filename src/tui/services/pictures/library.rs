//! A cache of recently decoded images and of the scaled pictures made from them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use image::imageops::FilterType;
use image::{DynamicImage, GrayImage, ImageBuffer, Luma, RgbImage};

use crate::terminal::sizes::Pixels;
use crate::tui::protocol::failure::Failure;
use crate::tui::protocol::pictures::PictureFacts;
use mammoscope_domain::image::image_findings::ImageDoubt;
use mammoscope_imaging::decode::{Samples, decode, read_file};
use mammoscope_imaging::image_header::ImageHeader;
use mammoscope_imaging::intensity_window::{GreyStatistics, IntensityWindow, WindowChoice};
use mammoscope_imaging::raster::Channels;

/// The largest number of bytes of decoded images; the latest image is kept regardless of its size.
const MAX_BYTES: usize = 8 << 20;
/// The largest number of scaled pictures.
const MAX_SCALED: usize = 8;

/// Pixels as stored.
enum StoredPixels {
    Grey8(GrayImage),
    Grey16(ImageBuffer<Luma<u16>, Vec<u16>>),
    Colour(RgbImage),
}

/// A decoded image.
pub(super) struct DecodedPicture {
    header: ImageHeader,
    statistics: Arc<GreyStatistics>,
    doubts: Arc<[ImageDoubt]>,
    pixels: StoredPixels,
}

/// A scaled picture before windowing.
pub(super) struct ScaledPicture(StoredPixels);

/// A cache of decoded images and of scaled pictures, the latest last.
#[derive(Default)]
pub(super) struct PictureLibrary {
    decoded: Vec<(FileKey, Arc<DecodedPicture>)>,
    scaled: Vec<(FileKey, Pixels, Arc<ScaledPicture>)>,
}

/// The identity of a file's content.
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
    /// The image in a file, decoded if it is not in the cache.
    pub(super) fn picture(&mut self, path: &Path) -> Result<Arc<DecodedPicture>, Failure> {
        let key = FileKey::of(path);
        if let Some(at) = self.decoded.iter().position(|(decoded, _)| *decoded == key) {
            let found = self.decoded.remove(at);
            self.decoded.push(found);
        } else {
            let picture = DecodedPicture::read(path)?;
            self.decoded.push((key, Arc::new(picture)));
            while self.decoded.len() > 1
                && self.decoded.iter().map(|(_, decoded)| decoded.bytes()).sum::<usize>() > MAX_BYTES
            {
                self.decoded.remove(0);
            }
        }
        Ok(self.decoded.last().map(|(_, decoded)| Arc::clone(decoded)).expect("the cache has just got it"))
    }

    /// A decoded image scaled to a size.
    pub(super) fn scaled(&mut self, path: &Path, decoded: &DecodedPicture, size: Pixels) -> Arc<ScaledPicture> {
        let key = FileKey::of(path);
        if let Some((_, _, found)) = self.scaled.iter().find(|(other, pixels, _)| *other == key && *pixels == size) {
            return Arc::clone(found);
        }
        let scaled = Arc::new(decoded.scaled(size));
        if self.scaled.len() >= MAX_SCALED {
            self.scaled.remove(0);
        }
        self.scaled.push((key, size, Arc::clone(&scaled)));
        scaled
    }
}

impl DecodedPicture {
    fn read(path: &Path) -> Result<Self, Failure> {
        let bytes = read_file(path).map_err(Failure::new)?;
        let length = bytes.len() as u64;
        let image = decode(bytes).map_err(Failure::new)?;
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

    pub(super) fn size(&self) -> Pixels {
        Pixels { width: self.header.facts.width, height: self.header.facts.height }
    }

    /// Facts about the image when shown with this window.
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

    /// Stored values are averaged, and windowed afterwards, so that a change of the window is quick.
    fn scaled(&self, Pixels { width, height }: Pixels) -> ScaledPicture {
        let filter = FilterType::Triangle;
        ScaledPicture(match &self.pixels {
            StoredPixels::Grey8(image) => StoredPixels::Grey8(image::imageops::resize(image, width, height, filter)),
            StoredPixels::Grey16(image) => StoredPixels::Grey16(image::imageops::resize(image, width, height, filter)),
            StoredPixels::Colour(image) => StoredPixels::Colour(image::imageops::resize(image, width, height, filter)),
        })
    }
}

impl ScaledPicture {
    /// The picture in 8 bits: a grey one through the window, a coloured one as it is.
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

/// The pixels as grey if none has a colour, even if the file stores red, green and blue.
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
