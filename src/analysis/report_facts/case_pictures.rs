//! Pictures of a case: a mammogram beside the map over it, small enough for a page.

use std::path::{Path, PathBuf};

use image::imageops::{self, FilterType};
use image::{Rgb, RgbImage};

use crate::analysis::explanation_files::MapPainting;
use mammoscope_domain::explanation::map_status::MapStatus;
use mammoscope_domain::image::grey_range::GreyRange;
use mammoscope_domain::network::input_route::InputRoute;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_imaging::breast_mask::grey_levels;
use mammoscope_imaging::colormap::Colormap;
use mammoscope_imaging::decode::{ImageError, decode_file};
use mammoscope_imaging::explanation_picture::{ExplanationDrawing, Outlines, draw_explanation};
use mammoscope_imaging::map_look::MapLook;
use mammoscope_imaging::map_zoom::bilinear_zoom;
use mammoscope_imaging::overlay::MapScale;
use mammoscope_imaging::pixel_checksum::pixel_sha256;
use mammoscope_imaging::raster::{Channels, Raster};
use mammoscope_imaging::resize::resize;

/// The height of a picture, and the most width of each of its halves, in pixels.
const HEIGHT: u32 = 272;
const MOST_WIDTH: u32 = 272;
/// The gap between image and map.
const GAP: u32 = 6;
/// The quality of the JPEG file: 24 pictures take about half a megabyte.
const QUALITY: f32 = 82.0;

/// How maps are painted in reports: as in the workbench.
const PAINTING: MapPainting =
    MapPainting { colors: Colormap::Inferno, opacity: 0.6, scale: MapScale::PerImage, look: MapLook::Auto };

/// A picture as a JPEG file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CasePicture {
    pub jpeg: Vec<u8>,
    /// Width and height in pixels.
    pub size: (u32, u32),
    /// The class that the map beside the image explains; `None` without a map.
    pub explained: Option<DensityClass>,
    /// A remark about the map, such as the reason why there is none.
    pub remark: Option<String>,
}

/// The reason why there is no picture.
#[derive(Debug, thiserror::Error)]
pub enum PictureFault {
    #[error("{} is not there", printable_path(.0))]
    Missing(PathBuf),
    #[error("{}: its pixels are not those that were predicted", printable_path(.0))]
    Changed(PathBuf),
    #[error(transparent)]
    Image(#[from] ImageError),
    #[error("compress a picture: {0}")]
    Encoding(#[from] std::io::Error),
}

/// An image as the network takes it, and its size before it was squeezed into a square.
#[derive(Clone, Debug)]
pub struct PictureSource {
    picture: Raster<u8>,
    stored: (usize, usize),
}

impl PictureSource {
    /// Reads an image and resizes it to `size` × `size` pixels. `checksum` is that of the pixels that were predicted, if
    /// it is known.
    pub fn read(path: &Path, size: usize, range: GreyRange, checksum: Option<&str>) -> Result<Self, PictureFault> {
        if !path.exists() {
            return Err(PictureFault::Missing(path.to_owned()));
        }
        let image = decode_file(path)?.into_levels(range)?.raster;
        if checksum.is_some_and(|checksum| checksum != pixel_sha256(&image)) {
            return Err(PictureFault::Changed(path.to_owned()));
        }
        let resized = resize(&image, size, InputRoute::default());
        let picture = Raster::new(size, size, Channels::Grey, grey_levels(&resized));
        Ok(Self { picture, stored: (image.width(), image.height()) })
    }

    /// A picture at the network's input, of an image of that size in pixels.
    #[must_use]
    pub const fn new(picture: Raster<u8>, stored: (usize, usize)) -> Self {
        Self { picture, stored }
    }

    #[must_use]
    pub fn side(&self) -> usize {
        self.picture.width()
    }
}

/// The picture of an image without a map.
pub fn case_picture(source: &PictureSource, remark: Option<String>) -> Result<CasePicture, PictureFault> {
    let picture = half(source, &source.picture);
    let jpeg = encoded(&picture)?;
    Ok(CasePicture { jpeg, size: picture.dimensions(), explained: None, remark })
}

/// The picture of an image beside the map over it. `map` has a value per position; a degenerate map is not painted.
pub fn with_map(
    source: &PictureSource,
    map: &Raster<f32>,
    explained: DensityClass,
) -> Result<CasePicture, PictureFault> {
    let status = MapStatus::of(map.samples());
    if !status.is_sound() {
        return case_picture(source, Some(format!("no map is painted, as it is {status}")));
    }
    let (width, height) = (source.picture.width(), source.picture.height());
    let is_cells = PAINTING.look.is_cells((map.width(), map.height()));
    let enlarged = if is_cells {
        mammoscope_imaging::map_zoom::nearest_zoom(map, width, height)
    } else {
        bilinear_zoom(map, width, height)
    };
    let shares = PAINTING.scale.shares(&enlarged);
    let overlay = draw_explanation(
        &source.picture,
        &shares,
        None,
        ExplanationDrawing::Overlay,
        PAINTING.colors,
        PAINTING.opacity,
        Outlines::None,
    );
    let (image, overlay) = (half(source, &source.picture), half(source, &overlay));
    let mut both = RgbImage::from_pixel(2 * image.width() + GAP, image.height(), Rgb([0; 3]));
    imageops::replace(&mut both, &image, 0, 0);
    imageops::replace(&mut both, &overlay, i64::from(image.width() + GAP), 0);
    Ok(CasePicture { jpeg: encoded(&both)?, size: both.dimensions(), explained: Some(explained), remark: None })
}

/// A square picture in the proportions of its image.
fn half(source: &PictureSource, picture: &Raster<u8>) -> RgbImage {
    let channels = picture.channels().count();
    let samples = picture.samples().chunks_exact(channels);
    let samples = samples.flat_map(|pixel| [pixel[0], pixel[channels / 2], pixel[channels - 1]]).collect();
    let picture =
        RgbImage::from_raw(picture.width() as u32, picture.height() as u32, samples).expect("three samples a pixel");
    let (width, height) = (source.stored.0.max(1) as f64, source.stored.1.max(1) as f64);
    let scale = (f64::from(HEIGHT) / height).min(f64::from(MOST_WIDTH) / width);
    let side = |length: f64| ((length * scale).round() as u32).max(1);
    imageops::resize(&picture, side(width), side(height), FilterType::Triangle)
}

fn encoded(picture: &RgbImage) -> std::io::Result<Vec<u8>> {
    let mut encoder = mozjpeg::Compress::new(mozjpeg::ColorSpace::JCS_RGB);
    encoder.set_size(picture.width() as usize, picture.height() as usize);
    encoder.set_quality(QUALITY);
    let mut encoder = encoder.start_compress(Vec::new())?;
    encoder.write_scanlines(picture.as_raw())?;
    encoder.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(stored: (usize, usize)) -> PictureSource {
        PictureSource::new(Raster::new(64, 64, Channels::Grey, vec![90; 64 * 64]), stored)
    }

    #[test]
    fn pictures_have_the_proportions_of_their_images() {
        let plain = case_picture(&source((600, 1200)), None).unwrap();
        assert_eq!((plain.size, plain.explained), ((136, 272), None));
        let map = Raster::new(8, 8, Channels::Grey, (0..64).map(|at| at as f32).collect());
        let both = with_map(&source((600, 1200)), &map, DensityClass::C).unwrap();
        assert_eq!((both.size, both.explained), ((278, 272), Some(DensityClass::C)));
        let read = image::load_from_memory(&both.jpeg).unwrap().to_rgb8();
        let [left, right] = [read.get_pixel(130, 265).0, read.get_pixel(274, 265).0];
        assert!(left.iter().all(|level| level.abs_diff(90) < 4), "{left:?}: the image");
        assert!(right[0] > right[2], "{right:?}: the warm end of the colours");
    }

    #[test]
    fn a_degenerate_map_is_named_and_not_painted() {
        let map = Raster::new(8, 8, Channels::Grey, vec![0.0; 64]);
        let picture = with_map(&source((64, 64)), &map, DensityClass::A).unwrap();
        assert_eq!(picture.explained, None);
        assert_eq!(
            picture.remark.as_deref(),
            Some("no map is painted, as it is zero everywhere: the layer has no effect")
        );
    }
}
