//! A chart of curves over a common axis: braille dots, axes with ticks, marks and a cursor.

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
    /// The positions of the points on the horizontal axis, in ascending order.
    pub(in crate::tui) places: &'a [f64],
    pub(in crate::tui) series: &'a MetricSeries,
    pub(in crate::tui) style: Style,
    /// True if the dots replace those under them instead of joining them.
    pub(in crate::tui) covers: bool,
    /// True if each point is marked, provided that there is room.
    pub(in crate::tui) pointed: bool,
}

/// A sign in a chart.
pub(in crate::tui) struct Mark {
    pub(in crate::tui) x: f64,
    /// `None` for the upper edge.
    pub(in crate::tui) y: Option<f64>,
    /// One cell wide.
    pub(in crate::tui) sign: &'static str,
    pub(in crate::tui) style: Style,
}

/// A chart of curves.
pub(in crate::tui) struct Chart<'a> {
    /// On the left and on the right of the frame.
    pub(in crate::tui) titles: [Line<'static>; 2],
    /// Drawn in this order, the last one on top.
    pub(in crate::tui) layers: Vec<Layer<'a>>,
    pub(in crate::tui) marks: Vec<Mark>,
    /// The range of the horizontal axis.
    pub(in crate::tui) x: (f64, f64),
    /// Makes the ticks of the horizontal axis.
    pub(in crate::tui) x_ticks: fn((f64, f64), usize) -> Vec<Tick>,
    /// True for a logarithmic vertical axis.
    pub(in crate::tui) log: bool,
    /// True if the vertical axis starts at zero.
    pub(in crate::tui) from_zero: bool,
    /// The position of the cursor on the horizontal axis.
    pub(in crate::tui) cursor: Option<f64>,
}

/// The share of the height that is kept free above and below the curves.
const MARGIN: f64 = 0.04;

/// The plotting area of a chart, between its axes.
struct Plot<'a> {
    area: Rect,
    /// Columns for the labels of the vertical axis.
    gutter: u16,
    /// Lines for the horizontal axis: its labels, preceded by a rule if there are two.
    footer: u16,
    scale: PlotScale,
    theme: &'a Theme,
}

impl Chart<'_> {
    /// Draws the chart; returns the area of the curves.
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
        let area = Rect::new(inner.x + gutter, inner.y, inner.width - gutter, rows);
        let dots = DotGrid::new(usize::from(area.width), usize::from(area.height)).dots();
        let scale = PlotScale { x: self.x, y: (low, high), log: self.is_log(low), dots };
        let plot = Plot { area, gutter, footer, scale, theme };
        let buffer = frame.buffer_mut();
        plot.draw_y_axis(buffer, &y_ticks);
        plot.draw_x_axis(buffer, &(self.x_ticks)(self.x, usize::from(area.width / 8).max(2)));
        if let Some(cursor) = self.cursor {
            plot.draw_cursor(buffer, cursor);
        }
        self.draw_layers(buffer, &plot);
        self.draw_gaps(buffer, &plot);
        for mark in &self.marks {
            plot.draw_mark(buffer, mark);
        }
        area
    }

    fn is_log(&self, low: f64) -> bool {
        self.log && low > 0.0
    }

    /// The range of the visible values with a margin; `None` if there are none.
    fn y_range(&self) -> Option<(f64, f64)> {
        let visible = |layer: &Layer<'_>| {
            let start = layer.places.partition_point(|x| *x < self.x.0);
            let end = layer.places.partition_point(|x| *x <= self.x.1);
            // Between two points, only the line that connects them may be visible.
            let range =
                if start < end { start..end } else { start.saturating_sub(1)..(end + 1).min(layer.places.len()) };
            layer.series.extent(range)
        };
        let Extent { min, max } = self.layers.iter().filter_map(visible).reduce(Extent::and)?;
        let (mut low, mut high) = (f64::from(min), f64::from(max));
        if self.log && high > 0.0 {
            // More than six powers of ten cannot be distinguished.
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

    fn draw_layers(&self, buffer: &mut Buffer, plot: &Plot<'_>) {
        let Plot { area, scale, theme, .. } = plot;
        let (across, down) = (usize::from(area.width), usize::from(area.height));
        let mut shown = vec![(0_u8, Style::new()); across * down];
        for layer in &self.layers {
            let mut grid = DotGrid::new(across, down);
            draw_curve(&mut grid, scale, layer.places, layer.series);
            for (at, cell) in shown.iter_mut().enumerate() {
                match grid.pattern(at % across, at / across) {
                    0 => {}
                    pattern if layer.covers => *cell = (pattern, layer.style),
                    pattern => *cell = (cell.0 | pattern, layer.style),
                }
            }
        }
        for (at, (pattern, style)) in shown.into_iter().enumerate().filter(|(_, (pattern, _))| *pattern != 0) {
            let symbol = if theme.ascii {
                // The dots of the upper half, of the lower half, or of both.
                match (pattern & 0x1b != 0, pattern & 0xe4 != 0) {
                    (true, true) => ':',
                    (true, false) => '\'',
                    _ => '.',
                }
            } else {
                char::from_u32(0x2800 + u32::from(pattern)).unwrap_or(' ')
            };
            let place = (area.x + (at % across) as u16, area.y + (at / across) as u16);
            buffer[place].set_char(symbol).set_style(style);
        }
        for layer in self.layers.iter().filter(|layer| layer.pointed) {
            let range = scale.visible(layer.places);
            if range.len() * 3 > across {
                continue;
            }
            for at in range {
                let y = Some(f64::from(layer.series.values()[at]));
                let mark = Mark { x: layer.places[at], y, sign: theme.sign("•", "o"), style: layer.style };
                plot.draw_mark(buffer, &mark);
            }
        }
    }

    /// Marks values that are not finite on the lower edge.
    fn draw_gaps(&self, buffer: &mut Buffer, plot: &Plot<'_>) {
        let Plot { area, scale, theme, .. } = plot;
        for layer in self.layers.iter().filter(|layer| !layer.pointed) {
            let range = scale.visible(layer.places);
            let gaps = layer.series.gaps();
            let first = gaps.partition_point(|gap| gap.end <= range.start);
            for gap in gaps[first..].iter().take_while(|gap| gap.start < range.end) {
                let column = scale.column(layer.places[gap.start]).div_euclid(2);
                let last = scale.column(layer.places[gap.end - 1]).div_euclid(2);
                for column in column.max(0)..=last.min(i64::from(area.width) - 1) {
                    let sign = theme.sign("×", "x");
                    buffer.set_string(area.x + column as u16, area.bottom() - 1, sign, theme.bad());
                }
            }
        }
    }
}

impl Plot<'_> {
    fn draw_y_axis(&self, buffer: &mut Buffer, ticks: &[Tick]) {
        let Self { area, gutter, theme, .. } = self;
        for row in area.y..area.bottom() {
            buffer.set_string(area.x - 1, row, theme.sign("│", "|"), theme.border());
        }
        for tick in ticks {
            let row = self.scale.row(tick.value).div_euclid(4);
            if !(0..i64::from(area.height)).contains(&row) {
                continue;
            }
            let row = area.y + row as u16;
            let label = padded_start(&tick.label, usize::from(gutter - 1));
            buffer.set_string(area.x - gutter, row, label, theme.dim());
            buffer.set_string(area.x - 1, row, theme.sign("┤", "+"), theme.border());
        }
    }

    fn draw_x_axis(&self, buffer: &mut Buffer, ticks: &[Tick]) {
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

    fn draw_cursor(&self, buffer: &mut Buffer, cursor: f64) {
        let Self { area, theme, .. } = self;
        let column = self.scale.column(cursor).div_euclid(2);
        if (0..i64::from(area.width)).contains(&column) {
            for row in area.y..area.bottom() {
                buffer.set_string(area.x + column as u16, row, theme.sign("│", "|"), theme.accent());
            }
        }
    }

    /// Draws a mark if its position is visible.
    fn draw_mark(&self, buffer: &mut Buffer, mark: &Mark) {
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
}
