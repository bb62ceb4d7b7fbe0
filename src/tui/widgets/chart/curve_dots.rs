//! Curves as braille dots, two by four per cell. Every column of dots shows the extent of its raw points, so that no
//! spike is lost, however many points there are.

use std::ops::Range;

use mammoscope_domain::run::metric_series::MetricSeries;

/// A grid of dots. Columns count from the left, rows from the top.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DotGrid {
    /// The numbers of cells across and down.
    cells: (usize, usize),
    /// One byte per cell, with the bits of a braille character.
    patterns: Vec<u8>,
}

impl DotGrid {
    /// An empty grid.
    #[must_use]
    pub(super) fn new(across: usize, down: usize) -> Self {
        Self { cells: (across, down), patterns: vec![0; across * down] }
    }

    /// The numbers of columns and rows of dots.
    #[must_use]
    pub(super) fn dots(&self) -> (i64, i64) {
        (self.cells.0 as i64 * 2, self.cells.1 as i64 * 4)
    }

    /// The dots of a cell as an offset from U+2800, the empty braille character.
    #[must_use]
    pub(super) fn pattern(&self, across: usize, down: usize) -> u8 {
        self.patterns[down * self.cells.0 + across]
    }

    /// Fills the dots between two rows of a column, both included, clipped to the grid.
    fn fill(&mut self, column: i64, one: i64, other: i64) {
        const BITS: [[u8; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];
        let (columns, rows) = self.dots();
        if !(0..columns).contains(&column) {
            return;
        }
        for row in one.min(other).max(0)..=one.max(other).min(rows - 1) {
            let cell = (row / 4) as usize * self.cells.0 + (column / 2) as usize;
            self.patterns[cell] |= BITS[(column % 2) as usize][(row % 4) as usize];
        }
    }

    /// Draws a line between dots in different columns, the left one first.
    fn connect(&mut self, (left, from): (i64, i64), (right, to): (i64, i64)) {
        let width = (right - left) as f64;
        // The row halfway to the column before.
        let row_before = |column: i64| {
            let share = ((column - left) as f64 - 0.5) / width;
            (from as f64 + (to - from) as f64 * share).round() as i64
        };
        for column in left.max(0)..=right.min(self.dots().0 - 1) {
            let first = if column == left { from } else { row_before(column) };
            let last = if column == right { to } else { row_before(column + 1) };
            // The next column starts there, so this one ends a dot before.
            let last = if column == right { last } else { last - (last - first).signum() };
            self.fill(column, first, last);
        }
    }
}

/// The mapping of values to dots.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct PlotScale {
    /// The values at the left and the right edge.
    pub x: (f64, f64),
    /// The values at the lower and the upper edge.
    pub y: (f64, f64),
    /// True for a logarithmic vertical axis.
    pub log: bool,
    /// The numbers of columns and rows of dots.
    pub dots: (i64, i64),
}

/// A distance in dots beyond which lines need not be exact.
const FAR: f64 = 1e7;

impl PlotScale {
    /// The column of dots for a value.
    #[must_use]
    pub(super) fn column(&self, x: f64) -> i64 {
        let share = (x - self.x.0) / (self.x.1 - self.x.0);
        (share * (self.dots.0 - 1) as f64).round().clamp(-FAR, FAR) as i64
    }

    /// The row of dots for a value; on a logarithmic axis, values that are not positive are below the lower edge.
    #[must_use]
    pub(super) fn row(&self, y: f64) -> i64 {
        let (low, high, y) = if self.log {
            (self.y.0.log10(), self.y.1.log10(), if y > 0.0 { y.log10() } else { f64::NEG_INFINITY })
        } else {
            (self.y.0, self.y.1, y)
        };
        ((high - y) / (high - low) * (self.dots.1 - 1) as f64).round().clamp(-FAR, FAR) as i64
    }

    /// The visible range of points with ascending `places`, and one point on either side, whose lines may be visible.
    #[must_use]
    pub(super) fn visible(&self, places: &[f64]) -> Range<usize> {
        let start = places.partition_point(|x| self.column(*x) < 0).saturating_sub(1);
        let end = (places.partition_point(|x| self.column(*x) < self.dots.0) + 1).min(places.len());
        start.min(end)..end
    }
}

/// Draws a curve. There is one place for each value, in ascending order; a value that is not finite makes a gap.
pub(super) fn draw_curve(grid: &mut DotGrid, scale: &PlotScale, places: &[f64], series: &MetricSeries) {
    let row = |at: usize| scale.row(f64::from(series.values()[at]));
    for stretch in series.finite_ranges(scale.visible(places)) {
        let mut before = None;
        let mut start = stretch.start;
        while start < stretch.end {
            let column = scale.column(places[start]);
            let end = start + places[start..stretch.end].partition_point(|x| scale.column(*x) <= column);
            if let Some(before) = before {
                grid.connect(before, (column, row(start)));
            }
            if let Some(extent) = series.extent(start..end) {
                grid.fill(column, scale.row(f64::from(extent.max)), scale.row(f64::from(extent.min)));
            }
            before = Some((column, row(end - 1)));
            start = end;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Draws every raw point and every line between two of them.
    fn draw_every_point(grid: &mut DotGrid, scale: &PlotScale, places: &[f64], values: &[f32]) {
        let dot = |at: usize| (scale.column(places[at]), scale.row(f64::from(values[at])));
        for at in 0..values.len() {
            if !values[at].is_finite() {
                continue;
            }
            grid.fill(dot(at).0, dot(at).1, dot(at).1);
            if at > 0 && values[at - 1].is_finite() {
                let (one, other) = (dot(at - 1), dot(at));
                if one.0 == other.0 {
                    grid.fill(one.0, one.1, other.1);
                } else {
                    grid.connect(one, other);
                }
            }
        }
    }

    fn shown(grid: &DotGrid) -> String {
        let line =
            |down| (0..grid.cells.0).map(move |across| char::from_u32(0x2800 + u32::from(grid.pattern(across, down))));
        (0..grid.cells.1).map(|down| line(down).map(Option::unwrap).collect::<String>() + "\n").collect()
    }

    proptest! {
        #[test]
        fn the_dots_equal_those_of_drawing_every_raw_point(
            points in prop::collection::vec(
                (0.0_f64..3.0, prop_oneof![9 => -2.0_f32..8.0, 1 => Just(f32::NAN), 1 => Just(1e6_f32)]),
                0..1500,
            ),
            (cells, cells_down) in (1_usize..40, 1_usize..12),
            (from, width) in (-100.0_f64..2000.0, 0.5_f64..3000.0),
            (low, height) in (-3.0_f64..5.0, 0.01_f64..9.0),
            log in any::<bool>(),
        ) {
            let (mut place, mut places, mut series) = (0.0, Vec::new(), MetricSeries::default());
            for (gap, value) in points {
                place += gap;
                places.push(place);
                series.push(value);
            }
            let low = if log { low.abs() + 0.01 } else { low };
            let (mut fast, mut slow) = (DotGrid::new(cells, cells_down), DotGrid::new(cells, cells_down));
            let scale = PlotScale { x: (from, from + width), y: (low, low + height), log, dots: fast.dots() };
            draw_curve(&mut fast, &scale, &places, &series);
            draw_every_point(&mut slow, &scale, &places, series.values());
            prop_assert_eq!(shown(&fast), shown(&slow));
        }
    }

    #[test]
    fn a_line_with_a_spike_and_a_gap() {
        let mut series = MetricSeries::default();
        let places: Vec<f64> = (0..1000).map(f64::from).collect();
        for at in 0..1000 {
            series.push(match at {
                500 => 3.0,
                700..800 => f32::NAN,
                _ => 0.0,
            });
        }
        let mut grid = DotGrid::new(10, 2);
        let scale = PlotScale { x: (0.0, 999.0), y: (0.0, 3.0), log: false, dots: grid.dots() };
        draw_curve(&mut grid, &scale, &places, &series);
        assert_eq!(shown(&grid), "⠀⠀⠀⠀⠀⡇⠀⠀⠀⠀\n⣀⣀⣀⣀⣰⣇⣀⢀⣀⣀\n");
    }
}
