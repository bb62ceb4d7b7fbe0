//! The search for the straight line nearest to the muscle's edge.

use super::muscle_grid::{Gradient, HEIGHT, MuscleGrid, WIDTH};

/// The angles of the edge from the vertical in the picture, in degrees.
const ANGLES: (f64, f64) = (3.0, 60.0);

/// The first and the step of the places where lines cross the upper edge and the chest wall, in grid pixels.
const TOPS: (f64, f64) = (10.0, 3.0);
const ENDS: (f64, f64) = (36.0, 4.0);

/// The farthest of these places, in sides of the grid: the edge may leave the breast through the skin or at the bottom.
const FARTHEST: (f64, f64) = (1.25, 1.4);

/// Rows on which a line is in the breast, and those on which it is outside the rim, at least.
const MIN_ROWS: (u32, u32) = (25, 20);

/// The fall of grey per grid pixel that counts fully.
pub(super) const FULL_FALL: f32 = 0.08;

/// The end of the muscle at the chest wall, in heights of the breast, up to which all ends are equally likely, and the
/// score lost per height below.
const LIKELY_END: f64 = 0.95;
const UNLIKELY: f64 = 3.0;

/// The rows from one to the next at which the overlap of two lines is measured.
const OVERLAP_ROWS: usize = 4;

/// A straight line on the grid: a candidate for the muscle's edge.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct MuscleLine {
    /// Where it crosses the upper edge, in grid pixels from the chest wall.
    pub(super) top: f64,
    /// Where it meets the chest wall, in grid pixels from the upper edge.
    pub(super) end: f64,
}

/// A line with its score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct ScoredLine {
    pub(super) line: MuscleLine,
    /// The fall of grey across the line, summed over its rows and divided by the root of their number: in units of a full
    /// fall, up to 16. It weighs a long line that is faint against a short one that is clear.
    pub(super) score: f64,
}

impl MuscleLine {
    /// The column of the line on a row.
    pub(super) fn column(&self, row: usize) -> f64 {
        self.top - self.top / self.end * (row as f64 + 0.5) - 0.5
    }

    /// The direction away from the muscle (to the right, down), at right angles to the line.
    pub(super) fn normal(&self) -> (f32, f32) {
        let slope = self.top / self.end;
        let length = slope.hypot(1.0);
        ((1.0 / length) as f32, (slope / length) as f32)
    }

    /// The area between the chest wall and both lines as a share of the area between it and either, inside the grid.
    pub(super) fn overlap(&self, other: &Self) -> f64 {
        let (mut both, mut either) = (0.0, 0.0);
        for row in (0..HEIGHT).step_by(OVERLAP_ROWS) {
            let [first, second] = [self, other].map(|line| line.column(row).clamp(0.0, WIDTH as f64));
            both += first.min(second);
            either += first.max(second);
        }
        if either > 0.0 { both / either } else { 1.0 }
    }
}

/// All lines that could be the muscle's edge, with their scores at the scale of a gradient.
pub(super) fn scored_lines(grid: &MuscleGrid, gradient: &Gradient, full_fall: f32) -> Vec<ScoredLine> {
    let steps = |(first, step): (f64, f64), last: f64| {
        let count = ((last - first) / step) as u32;
        (0..=count).map(move |index| first + step * f64::from(index))
    };
    let mut scored = Vec::new();
    for top in steps(TOPS, FARTHEST.0 * WIDTH as f64) {
        for end in steps(ENDS, FARTHEST.1 * HEIGHT as f64) {
            let angle = (top * grid.scale.0).atan2(end * grid.scale.1).to_degrees();
            if (ANGLES.0..=ANGLES.1).contains(&angle) {
                scored.extend(score(grid, gradient, full_fall, MuscleLine { top, end }));
            }
        }
    }
    scored
}

fn score(grid: &MuscleGrid, gradient: &Gradient, full_fall: f32, line: MuscleLine) -> Option<ScoredLine> {
    let normal = line.normal();
    let (mut inside, mut rows, mut sum) = (0, 0, 0.0);
    for row in 0..HEIGHT {
        let column = line.column(row);
        if column < 1.0 {
            break;
        }
        if column >= (WIDTH - 1) as f64 {
            continue;
        }
        inside += 1;
        if let Some(fall) = grid.fall(gradient, column as f32, row, normal, full_fall) {
            sum += f64::from(fall);
            rows += 1;
        }
    }
    if inside < MIN_ROWS.0 || rows < MIN_ROWS.1 {
        return None;
    }
    let unlikely = UNLIKELY * (line.end / HEIGHT as f64 - LIKELY_END).max(0.0);
    let score = sum / f64::from(rows).sqrt() - unlikely;
    Some(ScoredLine { line, score })
}
