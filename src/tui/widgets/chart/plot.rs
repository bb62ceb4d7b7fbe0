//! The plotting area of a chart: its axes, its cursor, and the signs in it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::Mark;
use super::axis_ticks::Tick;
use super::curve_dots::PlotScale;
use crate::tui::theme::Theme;
use crate::tui::widgets::fitted::{padded_start, width};

/// The plotting area of a chart, between its axes.
pub(super) struct Plot<'a> {
    pub(super) area: Rect,
    /// Columns for the labels of the vertical axis.
    pub(super) gutter: u16,
    /// Lines for the horizontal axis: its labels, preceded by a rule if there are two.
    pub(super) footer: u16,
    pub(super) scale: PlotScale,
    pub(super) theme: &'a Theme,
}

impl Plot<'_> {
    pub(super) fn draw_y_axis(&self, buffer: &mut Buffer, ticks: &[Tick]) {
        let Self { area, gutter, theme, .. } = self;
        for row in area.y..area.bottom() {
            buffer.set_string(area.x - 1, row, theme.sign("│", "|"), theme.border());
        }
        let mut labelled = None;
        for tick in ticks {
            let row = self.scale.row(tick.value).div_euclid(4);
            if !(0..i64::from(area.height)).contains(&row) || labelled.replace(row) == Some(row) {
                continue;
            }
            let row = area.y + row as u16;
            let label = padded_start(&tick.label, usize::from(gutter - 1));
            buffer.set_string(area.x - gutter, row, label, theme.dim());
            buffer.set_string(area.x - 1, row, theme.sign("┤", "+"), theme.border());
        }
    }

    pub(super) fn draw_x_axis(&self, buffer: &mut Buffer, ticks: &[Tick]) {
        let Self { area, theme, .. } = self;
        let has_rule = self.footer == 2;
        let row = area.bottom();
        if has_rule {
            let line = theme.sign("─", "-").repeat(usize::from(area.width));
            buffer.set_string(area.x - 1, row, format!("{}{line}", theme.sign("└", "+")), theme.border());
        }
        let labels = row + self.footer - 1;
        let mut free = area.x - self.gutter;
        for tick in ticks {
            let column = area.x + (self.scale.column(tick.value).max(0) / 2).min(i64::from(area.width) - 1) as u16;
            let cells = width(&tick.label) as u16;
            let start = column.saturating_sub(cells / 2).max(area.x - 1);
            if start < free || start + cells > area.right() {
                continue;
            }
            if has_rule {
                buffer.set_string(column, row, theme.sign("┬", "+"), theme.border());
            }
            buffer.set_string(start, labels, &tick.label, theme.dim());
            free = start + cells + 1;
        }
    }

    pub(super) fn draw_cursor(&self, buffer: &mut Buffer, cursor: f64) {
        let Self { area, theme, .. } = self;
        let column = self.scale.column(cursor).div_euclid(2);
        if (0..i64::from(area.width)).contains(&column) {
            for row in area.y..area.bottom() {
                buffer.set_string(area.x + column as u16, row, theme.sign("│", "|"), theme.accent());
            }
        }
    }

    /// Draws a mark if its position is visible.
    pub(super) fn draw_mark(&self, buffer: &mut Buffer, mark: &Mark) {
        let Self { area, scale, .. } = self;
        if mark.x < scale.x.0 || mark.x > scale.x.1 || mark.y.is_some_and(|y| !y.is_finite()) {
            return;
        }
        let column = scale.column(mark.x).div_euclid(2);
        let row = mark.y.map_or(0, |y| scale.row(y).div_euclid(4));
        if (0..i64::from(area.width)).contains(&column) && (0..i64::from(area.height)).contains(&row) {
            buffer.set_string(area.x + column as u16, area.y + row as u16, mark.sign, mark.style);
        }
    }

    /// Draws a text in a row of cells, if it fits there; returns whether it does.
    pub(super) fn draw_text(&self, buffer: &mut Buffer, (column, row): (u16, u16), text: &str, style: Style) -> bool {
        let fits = column + width(text) as u16 <= self.area.width && row < self.area.height;
        if fits {
            buffer.set_string(self.area.x + column, self.area.y + row, text, style);
        }
        fits
    }
}
