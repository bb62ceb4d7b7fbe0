//! The search for the straight line nearest to the muscle's edge.

use super::muscle_grid::{Gradient, HEIGHT, MuscleGrid, WIDTH};

/// The angles of the edge from the vertical in the picture, in degrees.
const ANGLES: (f64, f64) = (3.0, 60.0);

/// The first and the step of the places where lines cross the upper edge and the chest wall, in grid pixels.
const TOPS: (f64, f64) = (5.0, 2.5);
const ENDS: (f64, f64) = (36.0, 4.0);

/// The farthest of these places, in sides of the grid: the edge may leave the breast through the skin or at the bottom.
const FARTHEST: (f64, f64) = (1.25, 1.4);

/// The distance of these places from the best ones, and their steps, when the line is adjusted at a finer scale.
const NEAR_TOPS: (f64, f64) = (4.0, 0.5);
const NEAR_ENDS: (f64, f64) = (30.0, 3.0);

/// Rows on which a line is in the breast, and those on which it is outside the rim, at least.
const MIN_ROWS: (usize, usize) = (25, 20);

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
    /// The place on the upper edge that it crosses, in grid pixels from the chest wall.
    pub(super) top: f64,
    /// The place at the chest wall that it meets, in grid pixels from the upper edge.
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

/// A search for lines at one scale.
#[derive(Clone, Copy, Debug)]
pub(super) struct LineSearch {
    /// The fall of grey per grid pixel that counts fully.
    pub(super) full_fall: f32,
    /// The distance of lines from each other, relative to that of a full search.
    pub(super) spacing: f64,
    /// Of so many rows one is looked at.
    pub(super) every: usize,
}

/// All lines that could be the muscle's edge, with their scores at the scale of a gradient.
pub(super) fn scored_lines(grid: &MuscleGrid, gradient: &Gradient, search: LineSearch) -> Vec<ScoredLine> {
    let steps = |(first, step): (f64, f64), last: f64| {
        let step = step * search.spacing;
        let count = ((last - first) / step) as u32;
        (0..=count).map(move |index| first + step * f64::from(index))
    };
    let mut scored = Vec::new();
    for top in steps(TOPS, FARTHEST.0 * WIDTH as f64) {
        for end in steps(ENDS, FARTHEST.1 * HEIGHT as f64) {
            let angle = (top * grid.scale.0).atan2(end * grid.scale.1).to_degrees();
            if (ANGLES.0..=ANGLES.1).contains(&angle) {
                scored.extend(score(grid, gradient, search, MuscleLine { top, end }));
            }
        }
    }
    scored
}

/// The best line near another, for a gradient at a finer scale.
pub(super) fn adjusted(grid: &MuscleGrid, gradient: &Gradient, line: MuscleLine) -> MuscleLine {
    let search = LineSearch { full_fall: FULL_FALL, spacing: 1.0, every: 1 };
    let steps = |(reach, step): (f64, f64)| {
        let count = (reach / step) as i32;
        (-count..=count).map(move |index| step * f64::from(index))
    };
    let mut best = (f64::NEG_INFINITY, line);
    for top in steps(NEAR_TOPS).map(|by| line.top + by) {
        for end in steps(NEAR_ENDS).map(|by| line.end + by) {
            let near = MuscleLine { top, end };
            let angle = (top * grid.scale.0).atan2(end * grid.scale.1).to_degrees();
            if top <= 0.0 || end < ENDS.0 || !(ANGLES.0..=ANGLES.1).contains(&angle) {
                continue;
            }
            if let Some(scored) = score(grid, gradient, search, near).filter(|scored| scored.score > best.0) {
                best = (scored.score, near);
            }
        }
    }
    best.1
}

fn score(grid: &MuscleGrid, gradient: &Gradient, search: LineSearch, line: MuscleLine) -> Option<ScoredLine> {
    let normal = line.normal();
    let (mut inside, mut rows, mut sum) = (0, 0, 0.0);
    for row in (0..HEIGHT).step_by(search.every) {
        let column = line.column(row);
        if column < 1.0 {
            break;
        }
        if column >= (WIDTH - 1) as f64 {
            continue;
        }
        inside += search.every;
        if let Some(fall) = grid.fall(gradient, column as f32, row, normal, search.full_fall) {
            sum += f64::from(fall) * search.every as f64;
            rows += search.every;
        }
    }
    if inside < MIN_ROWS.0 || rows < MIN_ROWS.1 {
        return None;
    }
    let unlikely = UNLIKELY * (line.end / HEIGHT as f64 - LIKELY_END).max(0.0);
    Some(ScoredLine { line, score: sum / (rows as f64).sqrt() - unlikely })
}
