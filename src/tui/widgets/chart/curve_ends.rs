//! Letters at the ends of curves, which tell them apart without colours.

use ratatui::buffer::Buffer;

use super::Layer;
use super::plot::Plot;

/// Draws the letter of each layer at its last visible value, or next to it if another letter is there.
pub(super) fn draw_ends(buffer: &mut Buffer, plot: &Plot<'_>, layers: &[Layer<'_>]) {
    let (scale, area) = (&plot.scale, plot.area);
    let mut taken: Vec<(u16, u16)> = Vec::new();
    // From the top layer down.
    for layer in layers.iter().rev() {
        let Some(letter) = layer.letter else { continue };
        let is_visible = |at: &usize| {
            let column = scale.column(layer.places[*at]);
            layer.series.values()[*at].is_finite() && (0..scale.dots.0).contains(&column)
        };
        let Some(last) = scale.visible(layer.places).rev().find(is_visible) else { continue };
        let column = scale.column(layer.places[last]).div_euclid(2) + 1;
        let column = column.min(i64::from(area.width) - 1) as u16;
        let row = scale.row(f64::from(layer.series.values()[last])).div_euclid(4);
        let row = row.clamp(0, i64::from(area.height) - 1) as u16;
        let rows = [0, 1, -1, 2, -2].into_iter().filter_map(|offset| row.checked_add_signed(offset));
        let free = rows.filter(|row| *row < area.height).find(|row| !taken.contains(&(column, *row)));
        if let Some(row) = free {
            plot.draw_text(buffer, (column, row), letter, layer.style);
            taken.push((column, row));
        }
    }
}
