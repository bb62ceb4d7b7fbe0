//! The muscle's edge as a curve near a straight line.

use super::muscle_grid::{Gradient, HEIGHT, MuscleGrid};
use super::muscle_line::{FULL_FALL, MuscleLine};

/// Places on either side of the line on each row, and their distance in grid pixels.
const REACH: usize = 20;
const STEP: f32 = 0.5;

/// The places by which the curve moves sideways, relative to the line, from one row to the next, at most.
const MAX_MOVE: usize = 2;

/// The cost of a sideways move and of the distance from the line, per square of grid pixels, against a gain of 1 for a
/// full fall of grey.
const BENDING: f32 = 0.5;
const DISTANCE: f32 = 0.001;

/// The standard deviation, in rows, of the Gaussian that smooths the curve.
const SMOOTHING: f64 = 3.0;

/// The edge's column on each row of the grid: the path along which the grey falls most, found by dynamic programming in a
/// band around the line, and smoothed.
pub(super) fn refined(grid: &MuscleGrid, gradient: &Gradient, line: MuscleLine) -> Vec<f64> {
    const PLACES: usize = 2 * REACH + 1;
    let offset = |place: usize| (place as f32 - REACH as f32) * STEP;
    let normal = line.normal();
    let mut costs = [0.0_f32; PLACES];
    let mut from = vec![[0_u8; PLACES]; HEIGHT];
    for (row, from) in from.iter_mut().enumerate() {
        let before = costs;
        for (place, cost) in costs.iter_mut().enumerate() {
            let column = line.column(row) as f32 + offset(place);
            let fall = grid.fall(gradient, column, row, normal, FULL_FALL).unwrap_or(0.0);
            let near = place.saturating_sub(MAX_MOVE)..(place + MAX_MOVE + 1).min(PLACES);
            let moved = |other: usize| before[other] + BENDING * (offset(place) - offset(other)).powi(2);
            // Straight on is preferred among equals.
            let best = near.fold(place, |best, other| if moved(other) < moved(best) { other } else { best });
            from[place] = best as u8;
            *cost = moved(best) + DISTANCE * offset(place).powi(2) - fall;
        }
    }
    let cheapest = (0..PLACES).min_by(|&a, &b| costs[a].total_cmp(&costs[b])).unwrap_or(REACH);
    let mut offsets = vec![0.0; HEIGHT];
    let mut place = cheapest;
    for row in (0..HEIGHT).rev() {
        offsets[row] = f64::from(offset(place));
        place = usize::from(from[row][place]);
    }
    smoothed(&offsets).into_iter().enumerate().map(|(row, offset)| line.column(row) + offset).collect()
}

/// Offsets smoothed along the rows; they continue beyond the ends with the outermost values.
fn smoothed(offsets: &[f64]) -> Vec<f64> {
    let radius = (4.0 * SMOOTHING) as usize;
    let weight = |distance: usize| (-0.5 * (distance as f64 / SMOOTHING).powi(2)).exp();
    let total: f64 = (0..=2 * radius).map(|at| weight(at.abs_diff(radius))).sum();
    let last = offsets.len() - 1;
    (0..offsets.len())
        .map(|row| {
            let value = |at: usize| offsets[(row + at).saturating_sub(radius).min(last)];
            (0..=2 * radius).map(|at| weight(at.abs_diff(radius)) * value(at)).sum::<f64>() / total
        })
        .collect()
}
