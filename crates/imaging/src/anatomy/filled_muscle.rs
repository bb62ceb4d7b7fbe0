//! A pectoral muscle that was filled before, exactly or up to noise and compression, and the angle of its edge.

use mammoscope_domain::subject::view::Side;

use crate::filled_pectoral::filled_pectoral;
use crate::mask::Mask;
use crate::raster::{Channels, Raster};

use super::pixel_box::PixelBox;

/// The distance from the fill's grey that noise and lossy compression cause, at most.
const TOLERANCE: u8 = 3;

/// The standard deviation of a fill's grey levels, at most: real muscle varies more.
const MAX_DEVIATION: f64 = 1.6;

/// The standard deviation of the grey levels in the rest of the breast, at least, in those of the fill.
const MIN_CONTRAST: f64 = 3.0;

/// The share of the breast outside the fill that is brighter, at least. Muscle that saturates the film has one grey too,
/// but nothing is brighter.
const MIN_BRIGHTER: f64 = 0.01;

/// The smallest muscle as a share of the breast.
const MIN_SIZE: f64 = 0.015;

/// The shares of a triangle's bounding box that a muscle fills.
const FILLED: (f64, f64) = (0.35, 0.8);

/// The standard deviation of the edge from a straight line, at most, as a share of the muscle's height.
const MAX_EDGE_DEVIATION: f64 = 0.025;

/// The shares of the muscle's height that are left out at its upper and lower end when a line is fitted to its edge:
/// morphology rounds them.
const ENDS: (f64, f64) = (0.04, 0.08);

/// The filled muscle of a grey picture that is cropped at the skin: exactly one grey, or one grey up to noise.
pub(super) fn filled_muscle(image: &Raster<u8>, breast: &Mask, side: Side) -> Option<Mask> {
    debug_assert_eq!(image.channels(), Channels::Grey, "the picture was converted");
    let exact = filled_pectoral(image, breast)
        .filter(|muscle| is_at_chest_wall(muscle, side) && !is_saturated(image, breast, muscle, 0));
    exact.or_else(|| nearly_filled(image, breast, side))
}

/// The region of nearly one grey in the upper corner at the chest wall, if it looks like a filled muscle.
fn nearly_filled(image: &Raster<u8>, breast: &Mask, side: Side) -> Option<Mask> {
    let (width, height) = (image.width(), image.height());
    let corner = (width.min(height) / 25).max(2).min(width).min(height);
    let first = if side == Side::Left { 0 } else { width - corner };
    let mut levels: Vec<u8> = (0..corner).flat_map(|y| image.row(y)[first..first + corner].iter().copied()).collect();
    let level = *levels.select_nth_unstable(corner * corner / 2).1;
    let close = image.samples().iter().zip(breast.pixels());
    let close = close.map(|(&grey, &inside)| inside && grey.abs_diff(level) <= TOLERANCE).collect();
    let radius = (width.min(height) / 100).max(1);
    let muscle = Mask::new(width, height, close).holes_filled().opened(radius).largest_component();
    let large_enough = muscle.area() as f64 >= MIN_SIZE * breast.area() as f64;
    if !(large_enough && is_at_chest_wall(&muscle, side) && muscle.pixels()[..width].contains(&true)) {
        return None;
    }
    let around = PixelBox::around(&muscle)?;
    let filled = muscle.area() as f64 / (around.width() * around.height()) as f64;
    let edge = edge_line(&muscle, side)?;
    let deviations =
        [&muscle.eroded(radius), &breast.without(&muscle).eroded(3 * radius)].map(|mask| deviation(image, mask));
    let uniform = deviations[0] <= MAX_DEVIATION && deviations[1] >= MIN_CONTRAST * deviations[0].max(0.5);
    let triangular = (FILLED.0..=FILLED.1).contains(&filled)
        && edge.deviation <= MAX_EDGE_DEVIATION * around.height() as f64
        && edge.slope > 0.0;
    (uniform && triangular && !is_saturated(image, breast, &muscle, TOLERANCE)).then_some(muscle)
}

/// True if hardly anything in the breast is brighter than the muscle.
fn is_saturated(image: &Raster<u8>, breast: &Mask, muscle: &Mask, tolerance: u8) -> bool {
    let inside = |mask: &Mask| {
        image
            .samples()
            .iter()
            .zip(mask.pixels().to_vec())
            .filter(|&(_, inside)| inside)
            .map(|(&grey, _)| grey)
            .collect::<Vec<u8>>()
    };
    let mut fill = inside(muscle);
    if fill.is_empty() {
        return true;
    }
    let middle = fill.len() / 2;
    let level = fill.select_nth_unstable(middle).1.saturating_add(tolerance);
    let rest = inside(&breast.without(muscle));
    let brighter = rest.iter().filter(|&&grey| grey > level).count();
    (brighter as f64) < MIN_BRIGHTER * rest.len() as f64
}

fn is_at_chest_wall(muscle: &Mask, side: Side) -> bool {
    let column = if side == Side::Left { 0 } else { muscle.width() - 1 };
    muscle.pixels().chunks_exact(muscle.width()).any(|row| row[column])
}

/// The standard deviation of the grey levels in a mask; 0 if it is empty.
fn deviation(image: &Raster<u8>, mask: &Mask) -> f64 {
    let (mut count, mut sum, mut squares) = (0_u64, 0_u64, 0_u64);
    for (&grey, _) in image.samples().iter().zip(mask.pixels()).filter(|&(_, &inside)| inside) {
        (count, sum, squares) = (count + 1, sum + u64::from(grey), squares + u64::from(grey).pow(2));
    }
    let mean = sum as f64 / count.max(1) as f64;
    (squares as f64 / count.max(1) as f64 - mean * mean).max(0.0).sqrt()
}

/// The angle of a filled muscle's edge in degrees from the vertical, positive if the muscle becomes narrower downwards;
/// `None` if the mask has fewer than five rows.
///
/// A straight line is fitted to the pixels farthest from the chest wall, without the rounded ends and without the rows
/// that deviate most.
#[must_use]
pub fn filled_edge_angle(muscle: &Mask, side: Side) -> Option<f64> {
    edge_line(muscle, side).map(|line| line.slope.atan().to_degrees())
}

/// A straight line through the edge of a muscle.
struct EdgeLine {
    /// Columns by which the edge approaches the chest wall per row.
    slope: f64,
    /// Standard deviation of the edge from the line in columns, outliers left out.
    deviation: f64,
}

fn edge_line(muscle: &Mask, side: Side) -> Option<EdgeLine> {
    let widths = muscle.pixels().chunks_exact(muscle.width()).map(|row| match side {
        Side::Left => row.iter().rposition(|&inside| inside).map_or(0, |last| last + 1),
        Side::Right => row.iter().position(|&inside| inside).map_or(0, |first| row.len() - first),
    });
    let rows: Vec<(f64, f64)> =
        widths.enumerate().filter(|&(_, width)| width > 0).map(|(y, width)| (y as f64, width as f64)).collect();
    let count = rows.len() as f64;
    let inner = (ENDS.0 * count).ceil() as usize..((1.0 - ENDS.1) * count) as usize;
    let mut rows = rows.get(inner)?.to_vec();
    let mut line = fitted(&rows)?;
    for _ in 0..3 {
        let limit = (2.0 * line.2).max(1.0);
        rows.retain(|&(y, width)| (width - line.0 - line.1 * y).abs() <= limit);
        line = fitted(&rows)?;
    }
    Some(EdgeLine { slope: -line.1, deviation: line.2 })
}

/// Offset, slope and standard deviation of the least-squares line; `None` for fewer than four points.
fn fitted(points: &[(f64, f64)]) -> Option<(f64, f64, f64)> {
    if points.len() < 4 {
        return None;
    }
    let count = points.len() as f64;
    let mean = |value: &dyn Fn(&(f64, f64)) -> f64| points.iter().map(value).sum::<f64>() / count;
    let (x, y) = (mean(&|point| point.0), mean(&|point| point.1));
    let slope = mean(&|point| (point.0 - x) * (point.1 - y)) / mean(&|point| (point.0 - x).powi(2));
    let offset = y - slope * x;
    Some((offset, slope, mean(&|point| (point.1 - offset - slope * point.0).powi(2)).sqrt()))
}
