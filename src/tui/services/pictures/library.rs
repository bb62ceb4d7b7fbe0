//! A cache of recently decoded images and of the scaled pictures made from them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use image::imageops::{FilterType, crop_imm, flip_horizontal_in_place, resize};
use image::{DynamicImage, GrayImage, ImageBuffer, Luma, Pixel, RgbImage};

use crate::terminal::sizes::Pixels;
use crate::tui::protocol::failure::Failure;
use crate::tui::protocol::framing::{FramedPart, Share};
use crate::tui::protocol::pictures::{PictureFacts, PictureRequest, Probe, StoredValue};
use mammoscope_domain::image::image_findings::ImageDoubt;
use mammoscope_domain::subject::view::Side;
use mammoscope_imaging::anatomy::{chest_wall_side, find_breast};
use mammoscope_imaging::breast_range::{BreastRange, EXAMINED_SIDE};
use mammoscope_imaging::decode::{Samples, decode, read_file};
use mammoscope_imaging::image_header::{ImageHeader, read_header};
use mammoscope_imaging::intensity_window::{GreyStatistics, IntensityWindow, WindowChoice, WindowPreset};
use mammoscope_imaging::raster::{Channels, Raster};

/// The largest number of bytes of decoded images; the latest image is kept regardless of its size.
const MAX_BYTES: usize = 16 << 20;
/// The largest number of scaled pictures.
const MAX_SCALED: usize = 8;
/// The largest number of known sizes of images.
const MAX_SIZES: usize = 200;

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
    /// The statistics with those of the breast, once they were needed.
    with_breast: OnceLock<Arc<GreyStatistics>>,
    /// The side of the chest wall, once it was needed.
    chest_wall: OnceLock<Option<Side>>,
}

/// A scaled picture before windowing.
pub(super) struct ScaledPicture(StoredPixels);

/// A cache of decoded images and of scaled pictures, the latest last.
#[derive(Default)]
pub(super) struct PictureLibrary {
    decoded: Vec<(FileKey, Arc<DecodedPicture>)>,
    scaled: Vec<(FileKey, FramedPart, Arc<ScaledPicture>)>,
    /// The sizes of images that hang side by side.
    sizes: HashMap<FileKey, Option<Pixels>>,
}

/// The identity of a file's content.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct FileKey {
    path: PathBuf,
    length: u64,
    modified: Option<SystemTime>,
}

impl FileKey {
    pub(super) fn of(path: &Path) -> Self {
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

    /// The part of an image that a request shows.
    pub(super) fn part(&mut self, request: &PictureRequest, decoded: &DecodedPicture) -> FramedPart {
        let PictureRequest { look, room, framing, .. } = request;
        let image = decoded.size();
        let mut part = match (framing.zoom, &framing.hanging) {
            (Some(zoom), _) => FramedPart::magnified(*look, image, *room, zoom),
            (None, Some(hanging)) => {
                let sizes = hanging.beside.iter().filter_map(|path| self.size(path));
                let shared = sizes.fold(image, |one, other| Pixels {
                    width: one.width.max(other.width),
                    height: one.height.max(other.height),
                });
                FramedPart::at_shared_scale(*look, image, shared, *room)
            }
            (None, None) => FramedPart::whole(*look, image, *room),
        };
        if let Some(hanging) = &framing.hanging {
            part.is_flipped = decoded.chest_wall().is_some_and(|side| side != hanging.chest_wall);
        }
        part
    }

    /// The size of an image by its header; `None` if it cannot be read.
    fn size(&mut self, path: &Path) -> Option<Pixels> {
        if self.sizes.len() > MAX_SIZES {
            self.sizes.clear();
        }
        *self.sizes.entry(FileKey::of(path)).or_insert_with(|| {
            let facts = read_header(path).ok()?.facts;
            Some(Pixels { width: facts.width, height: facts.height })
        })
    }

    /// A part of a decoded image at the size of its picture.
    pub(super) fn scaled(&mut self, path: &Path, decoded: &DecodedPicture, size: FramedPart) -> Arc<ScaledPicture> {
        let key = FileKey::of(path);
        if let Some((_, _, found)) = self.scaled.iter().find(|(other, part, _)| *other == key && *part == size) {
            return Arc::clone(found);
        }
        let scaled = Arc::new(decoded.scaled(&size));
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
        let pixels = pixels(image.samples);
        Ok(Self { header, statistics, doubts, pixels, with_breast: OnceLock::new(), chest_wall: OnceLock::new() })
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
        let statistics = match choice.preset {
            WindowPreset::Breast => self.with_breast.get_or_init(|| {
                let breast = BreastRange::of(&self.reduced());
                Arc::new(GreyStatistics { breast, ..GreyStatistics::clone(&self.statistics) })
            }),
            _ => &self.statistics,
        };
        PictureFacts {
            header: self.header,
            statistics: Arc::clone(statistics),
            window: grey.then(|| choice.window(statistics)),
            window_name: choice.name(statistics),
            doubts: Arc::clone(&self.doubts),
        }
    }

    /// The side of the chest wall; `None` if it cannot be said.
    fn chest_wall(&self) -> Option<Side> {
        *self.chest_wall.get_or_init(|| {
            let reduced = self.reduced();
            let range = GreyStatistics::of(&Samples::Depth16(reduced.clone()));
            let window = WindowPreset::Range.choice().window(&range);
            chest_wall_side(&find_breast(&reduced.map(|value| window.level(value)))?)
        })
    }

    /// The stored grey values at a size that is enough to find the breast.
    fn reduced(&self) -> Raster<u16> {
        let Pixels { width, height } = self.size();
        let factor = width.max(height).div_ceil(EXAMINED_SIDE as u32).max(1);
        let (columns, rows) = ((width / factor).max(1), (height / factor).max(1));
        let at = |index: u32| (index % columns * factor, index / columns * factor);
        let values = (0..columns * rows).map(at).map(|(x, y)| match self.value(x, y) {
            StoredValue::Grey(grey) => grey,
            StoredValue::Colour(colour) => colour.into_iter().map(u16::from).sum::<u16>() / 3,
        });
        Raster::new(columns as usize, rows as usize, Channels::Grey, values.collect())
    }

    /// The stored value of a pixel of the image.
    fn value(&self, column: u32, row: u32) -> StoredValue {
        match &self.pixels {
            StoredPixels::Grey8(image) => StoredValue::Grey(image.get_pixel(column, row).0[0].into()),
            StoredPixels::Grey16(image) => StoredValue::Grey(image.get_pixel(column, row).0[0]),
            StoredPixels::Colour(image) => StoredValue::Colour(image.get_pixel(column, row).0),
        }
    }

    /// The pixel at a position of the image.
    pub(super) fn probe(&self, part: &FramedPart, position: Share) -> Probe {
        let (column, row) = part.pixel(position);
        Probe { column, row, value: self.value(column, row) }
    }

    /// Stored values are averaged, and windowed afterwards, so that a change of the window is quick. Magnified pixels
    /// stay what they are.
    fn scaled(&self, part: &FramedPart) -> ScaledPicture {
        ScaledPicture(match &self.pixels {
            StoredPixels::Grey8(image) => StoredPixels::Grey8(scaled(image, part)),
            StoredPixels::Grey16(image) => StoredPixels::Grey16(scaled(image, part)),
            StoredPixels::Colour(image) => StoredPixels::Colour(scaled(image, part)),
        })
    }
}

/// A part of an image, turned, at the size of its picture.
fn scaled<P>(image: &ImageBuffer<P, Vec<P::Subpixel>>, part: &FramedPart) -> ImageBuffer<P, Vec<P::Subpixel>>
where
    P: Pixel + 'static,
    P::Subpixel: 'static,
{
    let Pixels { width, height } = part.picture;
    let filter = if part.scale() < 1.0 { FilterType::Triangle } else { FilterType::Nearest };
    let mut scaled = if part.is_whole() {
        resize(image, width, height, filter)
    } else {
        let left = if part.is_flipped { part.image.width - part.left - part.part.width } else { part.left };
        let cut = crop_imm(image, left, part.top, part.part.width, part.part.height).to_image();
        if part.part == part.picture { cut } else { resize(&cut, width, height, filter) }
    };
    if part.is_flipped {
        flip_horizontal_in_place(&mut scaled);
    }
    scaled
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
