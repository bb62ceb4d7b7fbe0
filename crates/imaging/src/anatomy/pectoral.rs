//! The pectoral muscle in a mediolateral oblique view.

use std::fmt;

use mammoscope_domain::subject::view::Side;

use crate::breast_mask::grey_levels;
use crate::mask::Mask;
use crate::raster::{Channels, Raster};

use super::filled_muscle::filled_muscle;
use super::muscle_confidence::{COARSE, Evidence, best_of};
use super::muscle_grid::{HEIGHT, MuscleGrid};
use super::muscle_line::{FULL_FALL, scored_lines};
use super::muscle_refinement::refined;
use super::pectoral_curve::{CurvePoint, PectoralCurve};
use super::pixel_box::PixelBox;

/// The standard deviation of the Gaussian before the slope is taken, in grid pixels.
const SCALE: f32 = 2.5;

/// Grid rows from one point of a curve to the next.
const POINT_ROWS: usize = 8;

/// The confidence from which an edge counts as found, and below which there is no muscle to be seen.
const FOUND: f64 = 0.5;
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
        /// From 0.5 to 1.
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
    let lines = scored_lines(grid, &gradient, FULL_FALL);
    let Some(best) = best_of(&lines).filter(|best| best.score > 0.0) else { return PectoralFinding::None };
    let columns = refined(grid, &gradient, best.line);
    let evidence = Evidence::of(grid, &lines, &best, &grid.gradient(COARSE * SCALE), &columns);
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
