//! Pictures of an explanation: the mammogram with the map, its contours and the outlines of regions.

use super::colormap::Colormap;
use super::contour::{Contour, contours, drawn, outline};
use super::mask::Mask;
use super::overlay::{overlay, painted};
use super::picture_regions::PictureRegions;
use super::raster::{Channels, Raster};

/// The contours' levels, as shares of the full colour, and their colours: the inner ones are lighter.
const LEVELS: [(f32, [u8; 3]); 3] = [(0.25, [86, 180, 233]), (0.5, [240, 228, 66]), (0.75, [255, 255, 255])];
/// The outlines of breast, skin edge, pectoral muscle and dense tissue.
const BREAST: [u8; 3] = [86, 180, 233];
const SKIN: [u8; 3] = [204, 121, 167];
const PECTORAL: [u8; 3] = [230, 159, 0];
const DENSE: [u8; 3] = [0, 158, 115];
/// Width of a contour in a picture of 650 pixels.
const LINE: f32 = 1.6;
/// Width of an outline relative to a contour.
const OUTLINE: f32 = 0.6;

/// The part of an explanation that is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExplanationDrawing {
    /// The mammogram alone.
    Image,
    /// The map over the mammogram.
    Overlay,
    /// The map's contours at a quarter, half and three quarters of the full colour, over the mammogram.
    Contours,
    /// The map alone.
    Map,
}

/// The regions that are outlined in a picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outlines {
    #[default]
    None,
    Dense,
    Breast,
    /// The rim along the skin.
    Skin,
    Pectoral,
    All,
}

impl Outlines {
    /// All choices, in the order in which a key cycles through them.
    pub const ALL: [Self; 6] = [Self::None, Self::Dense, Self::Breast, Self::Skin, Self::Pectoral, Self::All];

    /// The name in the interface.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Dense => "dense tissue",
            Self::Breast => "breast",
            Self::Skin => "skin edge",
            Self::Pectoral => "pectoral muscle",
            Self::All => "all",
        }
    }

    fn of(self, regions: &PictureRegions) -> Vec<(&Mask, [u8; 3])> {
        let dense = regions.dense.as_ref().map(|dense| (dense, DENSE));
        let chosen = |region: Self| self == region || self == Self::All;
        let mut masks = Vec::new();
        if chosen(Self::Breast) {
            masks.push((&regions.breast, BREAST));
        }
        if chosen(Self::Skin) {
            masks.push((&regions.skin_band, SKIN));
        }
        let pectoral = regions.pectoral.as_ref().map(|pectoral| (pectoral, PECTORAL));
        masks.extend(pectoral.filter(|_| chosen(Self::Pectoral)));
        masks.extend(dense.filter(|_| chosen(Self::Dense)));
        masks
    }
}

/// Draws an explanation over a picture. `shares` are the map's values from 0 to 1
/// ([`MapScale::shares`](super::overlay::MapScale::shares)); the map's `opacity` is from 0 to 1 as well.
///
/// # Panics
/// If picture, shares and masks differ in size.
#[must_use]
pub fn draw_explanation(
    picture: &Raster<u8>,
    shares: &Raster<f32>,
    regions: Option<&PictureRegions>,
    drawing: ExplanationDrawing,
    colors: Colormap,
    opacity: f32,
    outlines: Outlines,
) -> Raster<u8> {
    let width = LINE * (picture.width() as f32 / 650.0).max(0.5);
    let mut result = match drawing {
        ExplanationDrawing::Image | ExplanationDrawing::Contours => picture.clone(),
        ExplanationDrawing::Overlay => overlay(picture, shares, colors, opacity),
        ExplanationDrawing::Map => painted(shares, colors),
    };
    let mut draw_lines = |lines: &[Contour], color, width| result = drawn(&as_rgb(&result), lines, color, width);
    for (mask, color) in regions.map(|regions| outlines.of(regions)).unwrap_or_default() {
        draw_lines(&outline(mask), color, width * OUTLINE);
    }
    if drawing == ExplanationDrawing::Contours {
        for (level, color) in LEVELS {
            draw_lines(&contours(shares, level), color, width);
        }
    }
    result
}

fn as_rgb(picture: &Raster<u8>) -> Raster<u8> {
    match picture.channels() {
        Channels::Rgb => picture.clone(),
        Channels::Grey => {
            let samples = picture.samples().iter().flat_map(|&grey| [grey; 3]).collect();
            Raster::new(picture.width(), picture.height(), Channels::Rgb, samples)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture_regions::TrueMasks;
    use crate::skin_band::SkinBandWidth;

    #[test]
    fn each_drawing_shows_its_part() {
        let picture = Raster::new(40, 40, Channels::Grey, vec![100; 1600]);
        let inside = |at: usize| (10..30).contains(&(at % 40)) && (10..30).contains(&(at / 40));
        let shares = Raster::new(40, 40, Channels::Grey, (0..1600).map(|at| f32::from(u8::from(inside(at)))).collect());
        let breast = Mask::new(40, 40, (0..1600).map(|at| at % 40 < 35).collect());
        let dense = Mask::new(40, 40, (0..1600).map(inside).collect());
        let pectoral = Mask::new(40, 40, (0..1600).map(|at| at % 40 + at / 40 < 8).collect());
        let known =
            TrueMasks { breast: Some(breast), dense: Some(dense), pectoral: Some(pectoral), ..TrueMasks::default() };
        let regions = PictureRegions::of(&picture, known, SkinBandWidth::default()).unwrap();
        let draw = |drawing, outlines| {
            draw_explanation(&picture, &shares, Some(&regions), drawing, Colormap::Grey, 0.5, outlines)
        };
        let pixel = |raster: &Raster<u8>, x: usize, y: usize| {
            let channels = raster.channels().count();
            raster.samples()[(y * 40 + x) * channels..][..channels].to_vec()
        };
        assert_eq!(draw(ExplanationDrawing::Image, Outlines::None), picture);
        let overlaid = draw(ExplanationDrawing::Overlay, Outlines::None);
        assert_eq!((pixel(&overlaid, 20, 20), pixel(&overlaid, 2, 2)), (vec![178; 3], vec![100; 3]));
        let map = draw(ExplanationDrawing::Map, Outlines::None);
        assert_eq!((pixel(&map, 20, 20), pixel(&map, 2, 2)), (vec![255; 3], vec![0; 3]));
        let lines = draw(ExplanationDrawing::Contours, Outlines::None);
        assert_eq!(pixel(&lines, 20, 20), vec![100; 3], "nothing inside");
        assert_ne!(pixel(&lines, 10, 20), vec![100; 3], "a line at the edge");
        for outlines in [Outlines::Dense, Outlines::Breast, Outlines::Skin, Outlines::Pectoral, Outlines::All] {
            let changed = |at: usize| pixel(&draw(ExplanationDrawing::Image, outlines), at % 40, at / 40) != [100; 3];
            let [dense, breast, pectoral] = [20 * 40 + 10, 20 * 40 + 34, 4 * 40 + 4].map(changed);
            let expected = match outlines {
                Outlines::Dense => (true, false, false),
                Outlines::Breast => (false, true, false),
                Outlines::Skin => (dense, breast, false),
                Outlines::Pectoral => (false, false, true),
                _ => (true, true, true),
            };
            assert_eq!((dense, breast, pectoral), expected, "{outlines:?}");
        }
    }
}
