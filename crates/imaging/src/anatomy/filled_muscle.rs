//! A pectoral muscle that was filled before, exactly or up to noise and compression, and the angle of its edge.

use std::ops::{Add, Sub};

use mammoscope_domain::subject::view::Side;

use crate::filled_pectoral::filled_pectoral;
use crate::mask::Mask;
use crate::raster::{Channels, Raster};

use super::pixel_box::PixelBox;

/// The standard deviation of a fill's grey levels, at most: noise and lossy compression cause no more, and real muscle
/// varies more.
const MAX_DEVIATION: f64 = 1.0;

/// The distance of the mean of a small square from the fill's grey, at most: a constant part, and one in standard
/// deviations of the fill; and the same for the standard deviation in the square.
const MEAN: (f64, f64) = (0.5, 0.5);
const SPREAD: (f64, f64) = (0.2, 1.3);

/// The sides of that square and of the corner from which the fill's grey is taken, as shares of the shorter side.
const SQUARE: f64 = 0.03;
const CORNER: f64 = 0.04;

/// The share of a fill's pixels that noise gives another grey, at most, if its grey counts as exact.
const MAX_HOLES: f64 = 0.02;

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
    match exact.map(|muscle| (muscle.holes_filled(), muscle.area())) {
        Some((whole, area)) if area as f64 >= (1.0 - MAX_HOLES) * whole.area() as f64 => Some(whole),
        noisy => nearly_filled(image, breast, side).or(noisy.map(|(whole, _)| whole)),
    }
}

/// The region of nearly one grey in the upper corner at the chest wall, if it looks like a filled muscle.
///
/// Single pixels of tissue often have the fill's grey, but the mean and the spread of small squares in tissue are seldom
/// both those of the fill. The region consists of the squares that have the mean and no more spread than the corner.
fn nearly_filled(image: &Raster<u8>, breast: &Mask, side: Side) -> Option<Mask> {
    let (width, height) = (image.width(), image.height());
    let shorter = width.min(height) as f64;
    let corner = ((CORNER * shorter) as usize).max(5).min(width).min(height);
    let first = if side == Side::Left { 0 } else { width - corner };
    let in_corner = Moments::of((0..corner).flat_map(|y| image.row(y)[first..first + corner].iter().copied()));
    let (level, noise) = (in_corner.mean(), in_corner.deviation());
    if noise > MAX_DEVIATION {
        return None;
    }
    let radius = ((SQUARE * shorter / 2.0).round() as usize).max(2);
    let even = |square: Moments| {
        (square.mean() - level).abs() <= MEAN.0 + MEAN.1 * noise && square.deviation() <= SPREAD.0 + SPREAD.1 * noise
    };
    let centres = squares(image, radius).zip(breast.pixels()).map(|(square, &inside)| inside && even(square)).collect();
    let centres = Mask::new(width, height, centres).opened(1).largest_component();
    // The squares at a straight edge end there, unless the tissue beyond it has the same grey.
    let covered = centres.dilated(radius);
    let close = |grey: u8| (f64::from(grey) - level).abs() <= 3.0 * noise + 1.0;
    let pixels = image.samples().iter().zip(covered.pixels()).zip(breast.pixels());
    let inside = pixels.map(|((&grey, &covered), &inside)| covered && inside && close(grey)).collect();
    let muscle = Mask::new(width, height, inside).holes_filled().opened(1).largest_component();
    looks_filled(image, breast, &muscle, side, radius).then_some(muscle)
}

/// True if a region has the place, the shape and the contrast of a filled muscle.
fn looks_filled(image: &Raster<u8>, breast: &Mask, muscle: &Mask, side: Side, radius: usize) -> bool {
    let large_enough = muscle.area() as f64 >= MIN_SIZE * breast.area() as f64;
    if !(large_enough && is_at_chest_wall(muscle, side) && muscle.pixels()[..muscle.width()].contains(&true)) {
        return false;
    }
    let (Some(around), Some(edge)) = (PixelBox::around(muscle), edge_line(muscle, side)) else { return false };
    let filled = muscle.area() as f64 / (around.width() * around.height()) as f64;
    let [fill, rest] = [&muscle.eroded(radius), &breast.without(muscle).eroded(2 * radius)].map(|mask| {
        let inside = image.samples().iter().zip(mask.pixels()).filter(|&(_, &inside)| inside);
        Moments::of(inside.map(|(&grey, _)| grey)).deviation()
    });
    let uniform = fill <= MAX_DEVIATION && rest >= MIN_CONTRAST * fill.max(0.5);
    let triangular = (FILLED.0..=FILLED.1).contains(&filled)
        && edge.deviation <= MAX_EDGE_DEVIATION * around.height() as f64
        && edge.slope > 0.0;
    uniform && triangular && !is_saturated(image, breast, muscle, 2)
}

/// The grey levels of the square of `2·radius + 1` pixels around each pixel, as far as it is in the picture.
fn squares(image: &Raster<u8>, radius: usize) -> impl Iterator<Item = Moments> {
    let (width, height) = (image.width(), image.height());
    let mut columns = vec![Moments::default(); width];
    let add_row = move |columns: &mut [Moments], row: usize| {
        columns.iter_mut().zip(image.row(row)).for_each(|(column, &grey)| *column = *column + Moments::of_one(grey));
    };
    (0..radius.min(height)).for_each(|row| add_row(&mut columns, row));
    (0..height).flat_map(move |y| {
        if y + radius < height {
            add_row(&mut columns, y + radius);
        }
        if let Some(left) = y.checked_sub(radius + 1) {
            columns
                .iter_mut()
                .zip(image.row(left))
                .for_each(|(column, &grey)| *column = *column - Moments::of_one(grey));
        }
        let mut square = columns[..radius.min(width)].iter().fold(Moments::default(), |sum, &column| sum + column);
        let row: Vec<Moments> = (0..width)
            .map(|x| {
                square = square + columns.get(x + radius).copied().unwrap_or_default();
                if let Some(left) = x.checked_sub(radius + 1) {
                    square = square - columns[left];
                }
                square
            })
            .collect();
        row
    })
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
    brighter as f64 <= MIN_BRIGHTER * rest.len() as f64
}

fn is_at_chest_wall(muscle: &Mask, side: Side) -> bool {
    let column = if side == Side::Left { 0 } else { muscle.width() - 1 };
    muscle.pixels().chunks_exact(muscle.width()).any(|row| row[column])
}

/// The number of grey levels, their sum and that of their squares.
#[derive(Clone, Copy, Default)]
struct Moments {
    count: u64,
    sum: u64,
    squares: u64,
}

impl Add for Moments {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { count: self.count + other.count, sum: self.sum + other.sum, squares: self.squares + other.squares }
    }
}

impl Sub for Moments {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self { count: self.count - other.count, sum: self.sum - other.sum, squares: self.squares - other.squares }
    }
}

impl Moments {
    fn of_one(level: u8) -> Self {
        let level = u64::from(level);
        Self { count: 1, sum: level, squares: level * level }
    }

    fn of(levels: impl Iterator<Item = u8>) -> Self {
        levels.map(Self::of_one).fold(Self::default(), Add::add)
    }

    /// 0 without levels.
    fn mean(&self) -> f64 {
        self.sum as f64 / self.count.max(1) as f64
    }

    fn deviation(&self) -> f64 {
        (self.squares as f64 / self.count.max(1) as f64 - self.mean().powi(2)).max(0.0).sqrt()
    }
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
