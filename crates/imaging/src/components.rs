//! Connected components of a mask.

use std::ops::Range;

use super::mask::Mask;

/// The 4-connected components of a mask: the two-pass algorithm with union–find (Rosenfeld and Pfaltz 1966), over runs
/// of pixels instead of single pixels.
pub(super) struct Components {
    runs: Vec<Run>,
    /// The parent of each run in the union–find forest; the first run of a component is its own parent.
    parents: Vec<usize>,
    connected: Vec<Connected>,
}

/// A connected component.
#[derive(Clone, Copy)]
pub(super) struct Connected {
    /// Index of its first run, which identifies it.
    pub(super) first: usize,
    /// Number of pixels.
    pub(super) area: usize,
    /// True if it touches the edge of the picture.
    pub(super) at_edge: bool,
}

/// A run of consecutive pixels in one row.
struct Run {
    row: usize,
    columns: Range<usize>,
    /// Indices of its pixels in the whole picture, row by row.
    pixels: Range<usize>,
}

impl Components {
    pub(super) fn of(mask: &Mask) -> Self {
        let mut found = Self { runs: Vec::new(), parents: Vec::new(), connected: Vec::new() };
        let (mut above, mut current) = (0..0, 0);
        for (row, pixels) in mask.pixels().chunks_exact(mask.width()).enumerate() {
            let mut column = 0;
            while let Some(skipped) = pixels[column..].iter().position(|&inside| inside) {
                let start = column + skipped;
                let length = pixels[start..].iter().position(|&inside| !inside).unwrap_or(mask.width() - start);
                column = start + length;
                let first_pixel = row * mask.width() + start;
                found.parents.push(found.runs.len());
                found.runs.push(Run { row, columns: start..column, pixels: first_pixel..first_pixel + length });
            }
            found.join(above, current..found.runs.len());
            above = current..found.runs.len();
            current = found.runs.len();
        }
        found.measure(mask);
        found
    }

    /// Unites the runs of a row with the runs above that they touch. Both ranges are ordered by column.
    fn join(&mut self, above: Range<usize>, row: Range<usize>) {
        let (mut upper, mut lower) = (above.start, row.start);
        while upper < above.end && lower < row.end {
            let (above, below) = (self.runs[upper].columns.clone(), self.runs[lower].columns.clone());
            if above.start < below.end && below.start < above.end {
                let (first, second) = (self.root_of(upper), self.root_of(lower));
                // The smaller index is the root, so that a component is identified by its first run.
                self.parents[first.max(second)] = first.min(second);
            }
            if above.end <= below.end { upper += 1 } else { lower += 1 }
        }
    }

    fn root_of(&mut self, run: usize) -> usize {
        let mut at = run;
        while self.parents[at] != at {
            self.parents[at] = self.parents[self.parents[at]];
            at = self.parents[at];
        }
        at
    }

    fn measure(&mut self, mask: &Mask) {
        self.connected = (0..self.runs.len()).map(|first| Connected { first, area: 0, at_edge: false }).collect();
        for run in 0..self.runs.len() {
            let first = self.root_of(run);
            self.parents[run] = first;
            let Run { row, columns, .. } = &self.runs[run];
            let component = &mut self.connected[first];
            component.area += columns.len();
            component.at_edge |=
                *row == 0 || *row + 1 == mask.height() || columns.start == 0 || columns.end == mask.width();
        }
    }

    /// The component with the most pixels; the first of several.
    pub(super) fn largest(&self) -> Option<Connected> {
        self.connected.iter().copied().reduce(|best, other| if other.area > best.area { other } else { best })
    }

    /// The pixel indices of every run and the component that it belongs to.
    pub(super) fn runs(&self) -> impl Iterator<Item = (Range<usize>, Connected)> {
        self.runs.iter().zip(&self.parents).map(|(run, &first)| (run.pixels.clone(), self.connected[first]))
    }
}
