//! The pectoral muscle in a mediolateral oblique view.

use std::fmt;

use mammoscope_domain::subject::view::Side;

use crate::breast_mask::grey_levels;
use crate::mask::Mask;
use crate::raster::{Channels, Raster};

use super::filled_muscle::filled_muscle;
use super::muscle_confidence::{Evidence, best_of};
use super::muscle_grid::{HEIGHT, MuscleGrid};
use super::muscle_line::{FULL_FALL, LineSearch, adjusted, scored_lines};
use super::muscle_refinement::refined;
use super::pectoral_curve::{CurvePoint, PectoralCurve};
use super::pixel_box::PixelBox;

/// The standard deviation of the Gaussian before the slope is taken, in grid pixels: for the line, for its check at a
/// coarser scale, and for the curve.
const SCALE: f32 = 2.5;
const COARSE: f32 = 5.0;
const FINE: f32 = 1.5;

/// Grid rows from one point of a curve to the next.
const POINT_ROWS: usize = 8;

/// The confidence from which an edge counts as found, and below which there is no muscle to be seen.
const FOUND: f64 = 0.45;
const SEEN: f64 = 0.1;

/// The smallest breast, in pixels of its shorter side, in which a muscle is searched.
const MIN_BREAST: usize = 16;

/// The pectoral muscle of a picture.
#[derive(Clone, Debug, PartialEq)]
pub enum PectoralFinding {
    /// It was filled with one grey before; the mask has the size of the picture.
    Filled(Mask),
    /// Its edge was found.
    Muscle {
        curve: PectoralCurve,
        /// From 0.45 to 1.
        confidence: f64,
    },
    /// There may be a muscle, but its edge is doubtful: leave the picture untouched until someone has looked at it.
    Uncertain {
        /// The most likely edge, if there is one to start a correction from.
        curve: Option<PectoralCurve>,
        /// From 0 to 1.
        confidence: f64,
        reason: UncertainReason,
    },
    /// No edge of a muscle is visible.
    None,
}

/// The reason why a muscle's edge is doubtful.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UncertainReason {
    /// The breast is too small in the picture.
    TooSmall,
    /// Grey falls hardly at all across the edge.
    FaintEdge,
    /// Another line is nearly as likely.
    RivalEdge,
    /// A search at a coarser scale finds another edge.
    ScalesDisagree,
    /// The muscle's side of the edge is not brighter throughout.
    NotBrighter,
    /// The grey of the region varies more than that of muscle.
    Mixed,
    /// The region is larger or smaller than muscles are.
    UnusualSize,
}

impl fmt::Display for UncertainReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooSmall => "the breast is too small in the picture",
            Self::FaintEdge => "the edge is faint",
            Self::RivalEdge => "another edge is nearly as likely",
            Self::ScalesDisagree => "a coarser search finds another edge",
            Self::NotBrighter => "the muscle is not brighter than the tissue beside it",
            Self::Mixed => "the grey of the region varies more than that of muscle",
            Self::UnusualSize => "the region is unusually large or small for a muscle",
        })
    }
}

/// The pectoral muscle of a mediolateral oblique view of the breast of this side; in other views there is none to find.
///
/// A muscle that was filled before is reported as such. Otherwise the breast is brought to a grid of fixed size. Of all
/// lines 3 to 60° from the vertical, the one across which the grey falls most is taken, each row counting to a limit so
/// that single bright structures do not decide; then a path near it is found by dynamic programming. The confidence comes
/// from the strength of the edge, from the lead over other lines, from a second search at a coarser scale, and from the
/// grey of strips on either side of the edge.
///
/// # Panics
/// If mask and picture differ in size.
#[must_use]
pub fn find_pectoral(image: &Raster<u8>, breast: &Mask, side: Side) -> PectoralFinding {
    let (width, height) = (image.width(), image.height());
    assert_eq!((width, height), (breast.width(), breast.height()), "mask and picture have the same size");
    let Some(around) = PixelBox::around(breast) else { return PectoralFinding::None };
    let cropped = around.cropped(&Raster::new(width, height, Channels::Grey, grey_levels(image)));
    let part = around.cropped_mask(breast);
    if let Some(filled) = filled_muscle(&cropped, &part, side) {
        return PectoralFinding::Filled(around.uncropped_mask(&filled, width, height));
    }
    if around.width().min(around.height()) < MIN_BREAST {
        return PectoralFinding::Uncertain { curve: None, confidence: 0.0, reason: UncertainReason::TooSmall };
    }
    let grid = MuscleGrid::new(&cropped, &part, side);
    let margin = if side == Side::Left { around.left } else { width - around.right };
    search(&grid, |columns| curve_in_picture(columns, &grid, margin, around.top))
}

fn search(grid: &MuscleGrid, in_picture: impl Fn(&[f64]) -> Option<PectoralCurve>) -> PectoralFinding {
    let gradient = grid.gradient(SCALE);
    let lines = scored_lines(grid, &gradient, LineSearch { full_fall: FULL_FALL, spacing: 1.0, every: 2 });
    let Some(best) = best_of(&lines).filter(|best| best.score > 0.0) else { return PectoralFinding::None };
    let fine = grid.gradient(FINE);
    let columns = refined(grid, &fine, adjusted(grid, &fine, best.line));
    // A Gaussian twice as wide halves the slope of an edge.
    let search = LineSearch { full_fall: FULL_FALL * SCALE / COARSE, spacing: 2.0, every: 4 };
    let coarse = best_of(&scored_lines(grid, &grid.gradient(COARSE), search));
    let evidence = Evidence::of(grid, &gradient, &lines, (best, coarse), &columns);
    let (confidence, reason) = evidence.confidence();
    match in_picture(&columns) {
        _ if confidence < SEEN => PectoralFinding::None,
        Some(curve) if confidence >= FOUND => PectoralFinding::Muscle { curve, confidence },
        curve => PectoralFinding::Uncertain { curve, confidence, reason },
    }
}

/// The curve in pixels of the picture from its column on each row of the grid, down to the row at which it reaches the
/// chest wall.
fn curve_in_picture(columns: &[f64], grid: &MuscleGrid, margin: usize, top: usize) -> Option<PectoralCurve> {
    let (across, down) = grid.scale;
    // Grid pixel 0 covers the first `across` columns; the edge of a region ends half a pixel after its last pixel.
    let point = |row: f64, column: f64| CurvePoint {
        distance: (margin as f64 + (column + 0.5) * across - 0.5) as f32,
        y: (top as f64 + (row + 0.5) * down - 0.5) as f32,
    };
    let end = columns.iter().position(|&column| column <= -0.5).unwrap_or(HEIGHT - 1).max(1);
    let mut rows: Vec<usize> = (0..end).step_by(POINT_ROWS).collect();
    if end - rows[rows.len() - 1] < POINT_ROWS / 2 && rows.len() > 1 {
        rows.pop();
    }
    rows.push(end);
    PectoralCurve::new(rows.into_iter().map(|row| point(row as f64, columns[row])).collect()).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WIDTH: usize = 100;
    const HEIGHT: usize = 140;

    /// The width of the muscle on a row.
    fn muscle_width(y: usize) -> f64 {
        45.0 * (1.0 - y as f64 / 90.0)
    }

    /// A breast at the left edge whose muscle is `excess` grey levels brighter than the tissue, which varies by `texture`.
    fn picture(excess: u8, texture: u8) -> (Raster<u8>, Mask) {
        let breast = |x: usize, y: usize| 4 * x * x + (y.abs_diff(70)).pow(2) < 4 * 90 * 90 - 60 * 60 && x < 88;
        let pattern = |x: usize, y: usize| ((x * 5 + y * 11) % 17 * usize::from(texture) / 16) as u8;
        let samples = (0..WIDTH * HEIGHT).map(|at| (at % WIDTH, at / WIDTH)).map(|(x, y)| match breast(x, y) {
            true if (x as f64) < muscle_width(y) => 90 + excess + pattern(x, y) / 2,
            true => 90 + pattern(x, y),
            false => 8,
        });
        let image = Raster::new(WIDTH, HEIGHT, Channels::Grey, samples.collect());
        (image, Mask::new(WIDTH, HEIGHT, (0..WIDTH * HEIGHT).map(|at| breast(at % WIDTH, at / WIDTH)).collect()))
    }

    fn mirrored<T: Copy>(pixels: &[T], width: usize) -> Vec<T> {
        pixels.chunks_exact(width).flat_map(|row| row.iter().rev()).copied().collect()
    }

    #[test]
    fn a_bright_wedge_is_a_muscle() {
        let (image, breast) = picture(50, 20);
        let PectoralFinding::Muscle { curve, confidence } = find_pectoral(&image, &breast, Side::Left) else {
            panic!("{:?}", find_pectoral(&image, &breast, Side::Left))
        };
        assert!(confidence > 0.8, "{confidence}");
        let angle = (45.0_f64 / 90.0).atan().to_degrees();
        assert!((curve.angle_from_vertical() - angle).abs() < 3.0, "{}°", curve.angle_from_vertical());
        for y in [5, 30, 60] {
            let distance = f64::from(curve.distance_at(y as f32));
            assert!((distance - muscle_width(y)).abs() < 2.0, "row {y}: {distance}");
        }
        let filled = super::super::fill(&image, &curve.mask(WIDTH, HEIGHT, Side::Left), &breast).unwrap();
        let refound = find_pectoral(&filled.image, &breast, Side::Left);
        assert!(matches!(refound, PectoralFinding::Filled(_)), "{refound:?}");
    }

    #[test]
    fn a_mirrored_picture_has_the_same_curve() {
        for (excess, texture) in [(50, 20), (25, 60), (5, 60)] {
            let (image, breast) = picture(excess, texture);
            let found = find_pectoral(&image, &breast, Side::Left);
            let image = Raster::new(WIDTH, HEIGHT, Channels::Grey, mirrored(image.samples(), WIDTH));
            let breast = Mask::new(WIDTH, HEIGHT, mirrored(breast.pixels(), WIDTH));
            assert_eq!(find_pectoral(&image, &breast, Side::Right), found, "{excess} and {texture}");
        }
    }

    #[test]
    fn an_even_breast_shows_no_muscle() {
        for texture in [0, 30] {
            let (image, breast) = picture(0, texture);
            let found = find_pectoral(&image, &breast, Side::Left);
            assert!(!matches!(found, PectoralFinding::Muscle { .. } | PectoralFinding::Filled(_)), "{found:?}");
        }
        let (image, _) = picture(50, 20);
        assert_eq!(
            find_pectoral(&image, &Mask::new(WIDTH, HEIGHT, vec![false; WIDTH * HEIGHT]), Side::Left),
            PectoralFinding::None
        );
    }

    #[test]
    fn saturated_muscle_is_not_a_filled_one() {
        let (image, breast) = picture(50, 20);
        let saturated = image.map(|grey| if grey >= 140 { 255 } else { grey });
        let found = find_pectoral(&saturated, &breast, Side::Left);
        assert!(matches!(found, PectoralFinding::Muscle { .. }), "{found:?}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn any_picture_has_a_finding(width in 1_usize..40, height in 1_usize..40, grey in prop::collection::vec(any::<u8>(), 1600), bits in prop::collection::vec(0_u8..4, 1600), left in any::<bool>()) {
            let image = Raster::new(width, height, Channels::Grey, grey[..width * height].to_vec());
            let breast = Mask::new(width, height, bits[..width * height].iter().map(|&bit| bit > 0).collect());
            let side = if left { Side::Left } else { Side::Right };
            match find_pectoral(&image, &breast, side) {
                PectoralFinding::Filled(mask) => prop_assert_eq!((mask.width(), mask.height()), (width, height)),
                PectoralFinding::Muscle { curve, confidence } => {
                    prop_assert!((FOUND..=1.0).contains(&confidence));
                    let mask = curve.mask(width, height, side);
                    prop_assert_eq!((mask.width(), mask.height()), (width, height));
                }
                PectoralFinding::Uncertain { confidence, .. } => prop_assert!((0.0..FOUND).contains(&confidence)),
                PectoralFinding::None => {}
            }
        }

        #[test]
        fn uniform_pictures_have_no_muscle(width in 1_usize..60, height in 1_usize..60, grey in any::<u8>()) {
            let image = Raster::new(width, height, Channels::Grey, vec![grey; width * height]);
            let found = find_pectoral(&image, &Mask::new(width, height, vec![true; width * height]), Side::Left);
            let uncertain = matches!(found, PectoralFinding::Uncertain { curve: None, .. });
            prop_assert!(found == PectoralFinding::None || uncertain, "{:?}", found);
        }
    }
}
