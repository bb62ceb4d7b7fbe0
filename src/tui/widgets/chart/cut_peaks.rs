//! Arrows where curves leave a chart, with the values that they reach there.

use ratatui::buffer::Buffer;
use ratatui::style::Style;

use super::Layer;
use super::axis_ticks::brief_label;
use super::plot::Plot;
use crate::tui::widgets::fitted::width;

/// Cells between two stretches that share an arrow.
const GAP: i64 = 3;

/// A part of a curve beyond the upper or the lower edge.
struct Cut {
    /// The last column of cells.
    end: i64,
    /// The column and the value of the farthest point.
    peak: (i64, f64),
}

/// Draws an arrow for each part of a curve beyond an edge, the farthest first; parts without room are left out.
pub(super) fn draw_cuts(buffer: &mut Buffer, plot: &Plot<'_>, layers: &[Layer<'_>]) {
    let (low, high) = plot.scale.y;
    let edges =
        [(plot.theme.sign("▲", "^"), high, 1.0, 0), (plot.theme.sign("▼", "v"), low, -1.0, plot.area.height - 1)];
    for (sign, edge, direction, row) in edges {
        let mut cuts: Vec<(Cut, Style)> = Vec::new();
        for layer in layers {
            cuts.extend(cuts_of(layer, plot, edge, direction).into_iter().map(|cut| (cut, layer.style)));
        }
        cuts.sort_by(|(one, _), (other, _)| (direction * other.peak.1).total_cmp(&(direction * one.peak.1)));
        let mut taken: Vec<(u16, u16)> = Vec::new();
        for (cut, style) in cuts {
            let (column, value) = (cut.peak.0 as u16, cut.peak.1);
            let text = format!("{sign}{}", brief_label(value));
            // Where the number does not fit to the right of its arrow, it is to the left of it.
            let cells = width(&text) as u16;
            let (start, text) = if column + cells <= plot.area.width {
                (column, text)
            } else {
                ((column + 1).saturating_sub(cells), format!("{}{sign}", brief_label(value)))
            };
            let is_free = taken.iter().all(|(from, to)| start + cells < *from || start > *to);
            if is_free && plot.draw_text(buffer, (start, row), &text, style) {
                taken.push((start, start + cells));
            }
        }
    }
}

/// The parts of a curve beyond an edge in a direction.
fn cuts_of(layer: &Layer<'_>, plot: &Plot<'_>, edge: f64, direction: f64) -> Vec<Cut> {
    let scale = &plot.scale;
    let cell = |at: usize| scale.column(layer.places[at]).div_euclid(2);
    let visible = scale.visible(layer.places);
    let mut cuts: Vec<Cut> = Vec::new();
    let mut start = visible.start;
    while start < visible.end {
        let column = cell(start);
        let end =
            start + layer.places[start..visible.end].partition_point(|x| scale.column(*x).div_euclid(2) <= column);
        let extent = layer.series.extent(start..end);
        start = end;
        let Some(extent) = extent.filter(|_| (0..i64::from(plot.area.width)).contains(&column)) else { continue };
        let value = f64::from(if direction > 0.0 { extent.max } else { extent.min });
        if (value - edge) * direction <= 0.0 {
            continue;
        }
        match cuts.last_mut().filter(|cut| column - cut.end <= GAP) {
            Some(cut) => {
                cut.end = column;
                if (value - cut.peak.1) * direction > 0.0 {
                    cut.peak = (column, value);
                }
            }
            None => cuts.push(Cut { end: column, peak: (column, value) }),
        }
    }
    cuts
}
