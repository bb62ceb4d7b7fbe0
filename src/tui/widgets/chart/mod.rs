//! A chart of curves over a common axis: braille dots, axes with ticks, marks, and a cursor.

pub(in crate::tui) mod axis_ticks;
mod curve_dots;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;
use ratatui::widgets::Block;

use super::fitted::{fitted, padded_start, width};
use crate::tui::theme::Theme;
use crate::tui::widgets::chart::axis_ticks::{Tick, linear_ticks, log_ticks};
use crate::tui::widgets::chart::curve_dots::{DotGrid, PlotScale, draw_curve};
use mammoscope_domain::run::metric_series::{Extent, MetricSeries};

/// A curve in a chart.
pub(in crate::tui) struct Layer<'a> {
    /// Where its points lie on the horizontal axis; they never fall.
    pub(in crate::tui) places: &'a [f64],
    /// Their values.
    pub(in crate::tui) series: &'a MetricSeries,
    /// Its colour.
    pub(in crate::tui) style: Style,
    /// Whether its dots take the place of those under them instead of joining them.
    pub(in crate::tui) covers: bool,
    /// Whether each point is marked, where there is room.
    pub(in crate::tui) pointed: bool,
}

/// A sign in a chart.
pub(in crate::tui) struct Mark {
    /// Where.
    pub(in crate::tui) x: f64,
    /// At which height; at the upper edge without one.
    pub(in crate::tui) y: Option<f64>,
    /// The sign, one cell wide.
    pub(in crate::tui) sign: &'static str,
    /// Its colour.
    pub(in crate::tui) style: Style,
}

/// A chart.
pub(in crate::tui) struct Chart<'a> {
    /// In the frame, left and right.
    pub(in crate::tui) titles: [Line<'static>; 2],
    /// From the first curve to the last, which lies on top.
    pub(in crate::tui) layers: Vec<Layer<'a>>,
    /// Over the curves.
    pub(in crate::tui) marks: Vec<Mark>,
    /// The range of the horizontal axis.
    pub(in crate::tui) x: (f64, f64),
    /// Its ticks.
    pub(in crate::tui) x_ticks: fn((f64, f64), usize) -> Vec<Tick>,
    /// Whether the vertical axis is logarithmic.
    pub(in crate::tui) log: bool,
    /// Whether the vertical axis begins at zero.
    pub(in crate::tui) from_zero: bool,
    /// Where the cursor is.
    pub(in crate::tui) cursor: Option<f64>,
}

/// The share of the height that is left free above and below.
const MARGIN: f64 = 0.04;

impl Chart<'_> {
    /// Draws it; where the curves are comes back.
    pub(in crate::tui) fn draw(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) -> Rect {
        let [left, right] = self.titles.clone();
        let mut block = Block::bordered().border_set(theme.borders()).border_style(theme.border()).title_top(left);
        if self.titles[0].width() + self.titles[1].width() + 4 <= usize::from(area.width) {
            block = block.title_top(right.right_aligned());
        }
        let inner = block.inner(area);
        frame.render_widget(block, area);
        if inner.width < 12 || inner.height < 3 {
            return Rect::default();
        }
        let Some((low, high)) = self.y_range() else {
            let text = fitted("nothing yet", usize::from(inner.width));
            let column = inner.x + (inner.width - width(&text) as u16) / 2;
            frame.buffer_mut().set_string(column, inner.y + inner.height / 2, text, theme.dim());
            return Rect::default();
        };
        let footer = if inner.height >= 5 { 2 } else { 1 };
        let rows = inner.height - footer;
        let most = usize::from(rows / 3).max(2);
        let y_ticks = if self.is_log(low) { log_ticks((low, high), most) } else { linear_ticks((low, high), most) };
        let gutter = y_ticks.iter().map(|tick| width(&tick.label)).max().unwrap_or(0).clamp(3, 7) as u16 + 1;
        let plot = Rect::new(inner.x + gutter, inner.y, inner.width - gutter, rows);
        let grid_size = DotGrid::new(usize::from(plot.width), usize::from(plot.height)).dots();
        let scale = PlotScale { x: self.x, y: (low, high), log: self.is_log(low), dots: grid_size };
        let buffer = frame.buffer_mut();
        draw_y_axis(buffer, plot, gutter, (&y_ticks, &scale), theme);
        self.draw_x_axis(buffer, plot, (gutter, footer), &scale, theme);
        self.draw_cursor(buffer, plot, &scale, theme);
        self.draw_layers(buffer, plot, &scale, theme);
        self.draw_gaps(buffer, plot, &scale, theme);
        for mark in &self.marks {
            put(buffer, plot, &scale, (mark.x, mark.y), mark.sign, mark.style);
        }
        plot
    }

    fn is_log(&self, low: f64) -> bool {
        self.log && low > 0.0
    }

    /// The values in sight, with a margin; `None` where there is nothing.
    fn y_range(&self) -> Option<(f64, f64)> {
        let in_sight = |layer: &Layer<'_>| {
            let start = layer.places.partition_point(|x| *x < self.x.0);
            let end = layer.places.partition_point(|x| *x <= self.x.1);
            // Between two points there may be nothing but the line from one to the other.
            let range =
                if start < end { start..end } else { start.saturating_sub(1)..(end + 1).min(layer.places.len()) };
            layer.series.extent(range)
        };
        let Extent { min, max } = self.layers.iter().filter_map(in_sight).reduce(Extent::and)?;
        let (mut low, mut high) = (f64::from(min), f64::from(max));
        if self.log && high > 0.0 {
            // Six powers of ten are as much as can be told apart.
            let low = if low > 0.0 { low } else { high * 1e-6 };
            let margin = (high / low).max(1.05).powf(MARGIN);
            return Some((low / margin, high * margin));
        }
        if self.from_zero {
            low = low.min(0.0);
        }
        if high - low <= high.abs() * 1e-6 {
            let around = if high == 0.0 { 1.0 } else { high.abs() * 0.1 };
            (low, high) = (low - around, high + around);
        }
        let margin = (high - low) * MARGIN;
        Some((if self.from_zero && low >= 0.0 { 0.0 } else { low - margin }, high + margin))
    }

    fn draw_x_axis(
        &self,
        buffer: &mut Buffer,
        plot: Rect,
        (gutter, footer): (u16, u16),
        scale: &PlotScale,
        theme: &Theme,
    ) {
        let ticks = (self.x_ticks)(self.x, usize::from(plot.width / 8).max(2));
        let row = plot.bottom();
        if footer == 2 {
            let line = theme.sign("─", "-").repeat(usize::from(plot.width));
            buffer.set_string(plot.x - 1, row, format!("{}{line}", theme.sign("└", "+")), theme.border());
        }
        let labels = row + footer - 1;
        let mut free = plot.x - gutter;
        for tick in ticks {
            let column = plot.x + (scale.column(tick.value).max(0) / 2).min(i64::from(plot.width) - 1) as u16;
            let cells = width(&tick.label) as u16;
            let start = column.saturating_sub(cells / 2).max(plot.x - 1);
            if start < free || start + cells > plot.right() {
                continue;
            }
            if footer == 2 {
                buffer.set_string(column, row, theme.sign("┬", "+"), theme.border());
            }
            buffer.set_string(start, labels, &tick.label, theme.dim());
            free = start + cells + 1;
        }
    }

    fn draw_cursor(&self, buffer: &mut Buffer, plot: Rect, scale: &PlotScale, theme: &Theme) {
        let Some(column) = self.cursor.map(|cursor| scale.column(cursor).div_euclid(2)) else { return };
        if (0..i64::from(plot.width)).contains(&column) {
            for row in plot.y..plot.bottom() {
                buffer.set_string(plot.x + column as u16, row, theme.sign("│", "|"), theme.accent());
            }
        }
    }

    fn draw_layers(&self, buffer: &mut Buffer, plot: Rect, scale: &PlotScale, theme: &Theme) {
        let cells = (usize::from(plot.width), usize::from(plot.height));
        let mut shown = vec![(0_u8, Style::new()); cells.0 * cells.1];
        for layer in &self.layers {
            let mut grid = DotGrid::new(cells.0, cells.1);
            draw_curve(&mut grid, scale, layer.places, layer.series);
            for (at, cell) in shown.iter_mut().enumerate() {
                match grid.pattern(at % cells.0, at / cells.0) {
                    0 => {}
                    pattern if layer.covers => *cell = (pattern, layer.style),
                    pattern => *cell = (cell.0 | pattern, layer.style),
                }
            }
        }
        for (at, (pattern, style)) in shown.into_iter().enumerate().filter(|(_, (pattern, _))| *pattern != 0) {
            let symbol = if theme.ascii {
                // The dots of the upper half, of the lower half, of both.
                match (pattern & 0x1b != 0, pattern & 0xe4 != 0) {
                    (true, true) => ':',
                    (true, false) => '\'',
                    _ => '.',
                }
            } else {
                char::from_u32(0x2800 + u32::from(pattern)).unwrap_or(' ')
            };
            let place = (plot.x + (at % cells.0) as u16, plot.y + (at / cells.0) as u16);
            buffer[place].set_char(symbol).set_style(style);
        }
        for layer in self.layers.iter().filter(|layer| layer.pointed) {
            let range = scale.in_sight(layer.places);
            if range.len() * 3 > cells.0 {
                continue;
            }
            for at in range {
                let place = (layer.places[at], Some(f64::from(layer.series.values()[at])));
                put(buffer, plot, scale, place, theme.sign("•", "o"), layer.style);
            }
        }
    }

    /// Where a value is not finite, on the lower edge.
    fn draw_gaps(&self, buffer: &mut Buffer, plot: Rect, scale: &PlotScale, theme: &Theme) {
        for layer in self.layers.iter().filter(|layer| !layer.pointed) {
            let range = scale.in_sight(layer.places);
            let gaps = layer.series.gaps();
            let first = gaps.partition_point(|gap| gap.end <= range.start);
            for gap in gaps[first..].iter().take_while(|gap| gap.start < range.end) {
                let column = scale.column(layer.places[gap.start]).div_euclid(2);
                let last = scale.column(layer.places[gap.end - 1]).div_euclid(2);
                for column in column.max(0)..=last.min(i64::from(plot.width) - 1) {
                    let place = (plot.x + column as u16, plot.bottom() - 1);
                    buffer.set_string(place.0, place.1, theme.sign("×", "x"), theme.bad());
                }
            }
        }
    }
}

fn draw_y_axis(buffer: &mut Buffer, plot: Rect, gutter: u16, (ticks, scale): (&[Tick], &PlotScale), theme: &Theme) {
    for row in plot.y..plot.bottom() {
        buffer.set_string(plot.x - 1, row, theme.sign("│", "|"), theme.border());
    }
    for tick in ticks {
        let row = scale.row(tick.value).div_euclid(4);
        if !(0..i64::from(plot.height)).contains(&row) {
            continue;
        }
        let row = plot.y + row as u16;
        let label = padded_start(&tick.label, usize::from(gutter - 1));
        buffer.set_string(plot.x - gutter, row, label, theme.dim());
        buffer.set_string(plot.x - 1, row, theme.sign("┤", "+"), theme.border());
    }
}

/// Puts a sign where it belongs, if that is in sight.
fn put(
    buffer: &mut Buffer,
    plot: Rect,
    scale: &PlotScale,
    (x, y): (f64, Option<f64>),
    sign: &'static str,
    style: Style,
) {
    if x < scale.x.0 || x > scale.x.1 || y.is_some_and(|y| !y.is_finite()) {
        return;
    }
    let column = scale.column(x).div_euclid(2);
    let row = y.map_or(0, |y| scale.row(y).div_euclid(4));
    if (0..i64::from(plot.width)).contains(&column) && (0..i64::from(plot.height)).contains(&row) {
        buffer.set_string(plot.x + column as u16, plot.y + row as u16, sign, style);
    }
}
