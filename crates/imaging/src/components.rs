//! Which pixels of a mask hang together.

use std::ops::Range;

use super::mask::Mask;

/// The connected parts of a mask, by runs of pixels: the two-pass algorithm with a union of labels (Rosenfeld and Pfaltz
/// 1966), over runs instead of pixels. Pixels are connected that share a side.
pub(super) struct Components {
    runs: Vec<Run>,
    /// A part's first run has itself as parent.
    parents: Vec<usize>,
    parts: Vec<Connected>,
}

/// A part that hangs together.
#[derive(Clone, Copy)]
pub(super) struct Connected {
    /// Its first run, by which it is told from others.
    pub(super) first: usize,
    /// Number of pixels.
    pub(super) area: usize,
    /// Whether it reaches the edge of the picture.
    pub(super) at_edge: bool,
}

/// Neighbouring pixels of one row.
struct Run {
    row: usize,
    columns: Range<usize>,
    /// Its pixels, counted row by row through the whole picture.
    pixels: Range<usize>,
}

impl Components {
    pub(super) fn of(mask: &Mask) -> Self {
        let mut found = Self { runs: Vec::new(), parents: Vec::new(), parts: Vec::new() };
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

    /// Joins the runs of a row with those above that they touch; both in the order of columns.
    fn join(&mut self, above: Range<usize>, row: Range<usize>) {
        let (mut upper, mut lower) = (above.start, row.start);
        while upper < above.end && lower < row.end {
            let (above, below) = (self.runs[upper].columns.clone(), self.runs[lower].columns.clone());
            if above.start < below.end && below.start < above.end {
                let (first, second) = (self.part_of(upper), self.part_of(lower));
                // Towards the smaller number, so that a part is called by its first run.
                self.parents[first.max(second)] = first.min(second);
            }
            if above.end <= below.end { upper += 1 } else { lower += 1 }
        }
    }

    fn part_of(&mut self, run: usize) -> usize {
        let mut at = run;
        while self.parents[at] != at {
            self.parents[at] = self.parents[self.parents[at]];
            at = self.parents[at];
        }
        at
    }

    fn measure(&mut self, mask: &Mask) {
        self.parts = (0..self.runs.len()).map(|first| Connected { first, area: 0, at_edge: false }).collect();
        for run in 0..self.runs.len() {
            let first = self.part_of(run);
            self.parents[run] = first;
            let Run { row, columns, .. } = &self.runs[run];
            let part = &mut self.parts[first];
            part.area += columns.len();
            part.at_edge |= *row == 0 || *row + 1 == mask.height() || columns.start == 0 || columns.end == mask.width();
        }
    }

    /// The part of the most pixels, the first of equals.
    pub(super) fn largest(&self) -> Option<Connected> {
        self.parts.iter().copied().reduce(|best, part| if part.area > best.area { part } else { best })
    }

    /// The pixels of every run, and the part that it belongs to.
    pub(super) fn runs(&self) -> impl Iterator<Item = (Range<usize>, Connected)> {
        self.runs.iter().zip(&self.parents).map(|(run, &part)| (run.pixels.clone(), self.parts[part]))
    }
}
