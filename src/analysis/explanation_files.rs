//! The files of one explained image, its map and its pictures, under the reference's names.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::io::{self, Cursor};
use std::path::{Path, PathBuf};

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder as _};

use super::explained_image::ExplainedImage;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_imaging::colormap::Colormap;
use mammoscope_imaging::explanation_picture::{ExplanationDrawing, Outlines, draw_explanation};
use mammoscope_imaging::map_look::MapLook;
use mammoscope_imaging::map_zoom::nearest_zoom;
use mammoscope_imaging::overlay::MapScale;
use mammoscope_imaging::raster::{Channels, Raster};
use mammoscope_storage::atomic_file::write_atomically;
use mammoscope_storage::tables::map_file::write_map;

/// The options for painting a map.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MapPainting {
    pub colors: Colormap,
    /// Opacity of the strongest colour, 0 to 1.
    pub opacity: f32,
    /// The map value that gets the full colour.
    pub scale: MapScale,
    /// Positions as cells, or interpolated.
    pub look: MapLook,
}

/// The RGB pictures of an explained image, all at its picture's size.
#[derive(Clone, Debug)]
pub struct ExplanationPictures {
    /// The map alone.
    pub map: Raster<u8>,
    /// The map over the image.
    pub overlay: Raster<u8>,
    /// Contours of the map and the outline of dense tissue over the image.
    pub contours: Raster<u8>,
}

impl ExplanationPictures {
    #[must_use]
    pub fn of(image: &ExplainedImage, painting: MapPainting) -> Self {
        let shares = painting.scale.shares(&painted_values(image, painting.look));
        let draw = |drawing, outlines| drawn(image, &shares, painting, drawing, outlines);
        Self {
            map: draw(ExplanationDrawing::Map, Outlines::None),
            overlay: draw(ExplanationDrawing::Overlay, Outlines::None),
            contours: draw(ExplanationDrawing::Contours, Outlines::Dense),
        }
    }

    /// The overlay alone.
    #[must_use]
    pub fn overlay_of(image: &ExplainedImage, painting: MapPainting) -> Raster<u8> {
        let shares = painting.scale.shares(&painted_values(image, painting.look));
        drawn(image, &shares, painting, ExplanationDrawing::Overlay, Outlines::None)
    }
}

/// The values that are painted, at the picture's size: those of the positions as cells, or interpolated.
#[must_use]
pub fn painted_values(image: &ExplainedImage, look: MapLook) -> Cow<'_, Raster<f32>> {
    let (positions, picture) = (&image.positions, &image.examined.picture);
    if look.is_cells((positions.width(), positions.height())) {
        Cow::Owned(nearest_zoom(positions, picture.width(), picture.height()))
    } else {
        Cow::Borrowed(&image.map)
    }
}

fn drawn(
    image: &ExplainedImage,
    shares: &Raster<f32>,
    painting: MapPainting,
    drawing: ExplanationDrawing,
    outlines: Outlines,
) -> Raster<u8> {
    let (picture, regions) = (&image.examined.picture, image.examined.regions.as_ref());
    draw_explanation(picture, shares, regions, drawing, painting.colors, painting.opacity, outlines)
}

/// The file name of an image's map: `<stem>_map.npy`.
#[must_use]
pub fn map_file_name(stem: &OsStr) -> OsString {
    let mut name = stem.to_owned();
    name.push("_map.npy");
    name
}

/// The place of the plain image, the overlay and the contours among the files of a sound map.
pub const SHEET_FILES: [usize; 3] = [1, 3, 4];

/// The names of an image's files in the order in which they are written, each as its part before and its part after the
/// stem. The last three are those of a sound map only.
#[must_use]
pub fn file_names(predicted: DensityClass, width: usize, is_sound: bool) -> Vec<(String, String)> {
    let picture = |ending: String| (format!("{predicted}_"), ending);
    let mut names = vec![(String::new(), "_map.npy".to_owned()), picture(format!("_{width}.png"))];
    if is_sound {
        names.extend(["_map.png", "_overlay.png", "_contours.png"].map(|ending| picture(ending.to_owned())));
    }
    names
}

/// Writes an image's map (`<stem>_map.npy`, signed) and its pictures (`<predicted>_<stem>_650.png`, `…_map.png`,
/// `…_overlay.png`, `…_contours.png`) into an existing folder, and returns the pictures. For a degenerate map only the
/// map itself and the plain image are written, and the result is `None`.
pub fn write_explanation(
    folder: &Path,
    stem: &OsStr,
    predicted: DensityClass,
    image: &ExplainedImage,
    painting: MapPainting,
) -> io::Result<Option<ExplanationPictures>> {
    let picture = &image.examined.picture;
    let pictures = image.status.is_sound().then(|| ExplanationPictures::of(image, painting));
    let painted = pictures.iter().flat_map(|pictures| [&pictures.map, &pictures.overlay, &pictures.contours]);
    write_map(&folder.join(map_file_name(stem)), image.map.width(), image.map.samples())?;
    let names = file_names(predicted, picture.width(), pictures.is_some());
    for ((prefix, ending), picture) in names.iter().skip(1).zip([picture].into_iter().chain(painted)) {
        write_png(&named(folder, prefix, stem, ending), picture)?;
    }
    Ok(pictures)
}

fn named(folder: &Path, prefix: &str, stem: &OsStr, ending: &str) -> PathBuf {
    let mut name = OsString::from(prefix);
    name.push(stem);
    name.push(ending);
    folder.join(name)
}

fn write_png(path: &Path, picture: &Raster<u8>) -> io::Result<()> {
    let mut bytes = Cursor::new(Vec::new());
    let color = match picture.channels() {
        Channels::Grey => ExtendedColorType::L8,
        Channels::Rgb => ExtendedColorType::Rgb8,
    };
    PngEncoder::new_with_quality(&mut bytes, CompressionType::Fast, FilterType::Adaptive)
        .write_image(picture.samples(), picture.width() as u32, picture.height() as u32, color)
        .map_err(io::Error::other)?;
    write_atomically(path, &bytes.into_inner())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::Arc;

    use super::*;
    use crate::analysis::explained_image::{ExaminedPicture, MapZoom};
    use mammoscope_domain::explanation::explanation_map::ExplanationMap;
    use mammoscope_engine_protocol::event::ExplainedSample;

    /// The number of colours in the picture of a map with this many positions a side.
    fn colors_of(side: usize, look: MapLook) -> usize {
        let picture = Raster::new(96, 96, Channels::Grey, vec![100; 96 * 96]);
        let examined = Arc::new(ExaminedPicture::new(picture, (96, 96), None, 1));
        let values = (0..side * side).map(|at| at as f32 / (side * side) as f32).collect();
        let map = ExplanationMap::new(side, side, values);
        let logits = [0.0, 1.0, 0.0, 0.0];
        let class = DensityClass::B;
        let sample =
            ExplainedSample { logits, class, map, all_gradients_negative: false, curves: None, findings: None };
        let image = examined.explained(&sample, MapZoom::Bilinear);
        let painting = MapPainting { colors: Colormap::default(), opacity: 1.0, scale: MapScale::PerImage, look };
        let pictures = ExplanationPictures::of(&image, painting);
        pictures.map.samples().chunks(3).collect::<HashSet<_>>().len()
    }

    #[test]
    fn a_coarse_map_is_not_smoothed_into_hot_spots() {
        assert_eq!(colors_of(3, MapLook::Auto), 9, "a colour a position");
        assert!(colors_of(3, MapLook::Smooth) > 50);
        assert!(colors_of(12, MapLook::Auto) > 150, "interpolated");
    }
}
