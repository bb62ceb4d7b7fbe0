//! Letters at the ends of curves and, without colours, along them, which tell them apart.

use ratatui::buffer::Buffer;

use super::Layer;
use super::plot::Plot;
use crate::terminal::color_depth::ColorDepth;

/// The number of letters along a curve without colours.
const ALONG: usize = 3;

/// Draws the letter of each layer at its last visible value, or above or below it if another letter is there.
pub(super) fn draw_ends(buffer: &mut Buffer, plot: &Plot<'_>, layers: &[Layer<'_>]) {
    let mut letters = Letters { plot, taken: Vec::new() };
    let lettered: Vec<&Layer<'_>> = layers.iter().rev().filter(|layer| layer.letter.is_some()).collect();
    // From the top layer down.
    for layer in &lettered {
        let last = letters.visible(layer).next_back();
        if let Some(last) = last {
            letters.draw(buffer, layer, last, 1);
        }
    }
    if plot.theme.depth != ColorDepth::None {
        return;
    }
    for (number, layer) in lettered.iter().enumerate() {
        let visible: Vec<usize> = letters.visible(layer).collect();
        for part in 0..ALONG {
            // Each curve has its letters at other places.
            let at = visible.len() * (part * lettered.len() + number) / (ALONG * lettered.len());
            if let Some(at) = visible.get(at) {
                letters.draw(buffer, layer, *at, 0);
            }
        }
    }
}

/// The letters that were drawn.
struct Letters<'a> {
    plot: &'a Plot<'a>,
    taken: Vec<(u16, u16)>,
}

impl Letters<'_> {
    /// The visible points of a layer.
    fn visible(&self, layer: &Layer<'_>) -> impl DoubleEndedIterator<Item = usize> {
        let scale = self.plot.scale;
        let is_visible = move |at: &usize| {
            let column = scale.column(layer.places[*at]);
            layer.series.values()[*at].is_finite() && (0..scale.dots.0).contains(&column)
        };
        scale.visible(layer.places).filter(is_visible)
    }

    /// Draws the letter of a layer at one of its points or `shift` cells after it, in the nearest free row.
    fn draw(&mut self, buffer: &mut Buffer, layer: &Layer<'_>, at: usize, shift: i64) {
        let Self { plot, taken } = self;
        let area = plot.area;
        let column = plot.scale.column(layer.places[at]).div_euclid(2) + shift;
        let column = column.min(i64::from(area.width) - 1) as u16;
        let row = plot.scale.row(f64::from(layer.series.values()[at])).div_euclid(4);
        let row = row.clamp(0, i64::from(area.height) - 1) as i16;
        let rows = (0..area.height as i16).flat_map(|distance| [row - distance, row + distance]);
        let is_free = |row: &u16| *row < area.height && !taken.contains(&(column, *row));
        let free = rows.filter_map(|row| u16::try_from(row).ok()).find(is_free);
        if let (Some(row), Some(letter)) = (free, layer.letter) {
            plot.draw_text(buffer, (column, row), letter, layer.style);
            taken.push((column, row));
        }
    }
}
