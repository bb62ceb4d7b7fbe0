//! A chart of curves over a common axis: braille dots, axes with ticks, marks and a cursor.

pub(in crate::tui) mod axis_ticks;
mod curve_dots;
mod curve_ends;
mod cut_peaks;
mod plot;
mod value_range;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};
use ratatui::text::Line;
use ratatui::widgets::Block;

use self::curve_ends::draw_ends;
use self::cut_peaks::draw_cuts;
use self::plot::Plot;
use self::value_range::ValueRange;
use super::fitted::{fitted, width};
use crate::terminal::color_depth::ColorDepth;
use crate::tui::theme::Theme;
use crate::tui::widgets::chart::axis_ticks::{Tick, linear_ticks, log_ticks};
use crate::tui::widgets::chart::curve_dots::{DotGrid, PlotScale, draw_curve};
use mammoscope_domain::run::metric_series::MetricSeries;

/// A curve in a chart.
pub(in crate::tui) struct Layer<'a> {
    /// The positions of the points on the horizontal axis, in ascending order.
    pub(in crate::tui) places: &'a [f64],
    pub(in crate::tui) series: &'a MetricSeries,
    pub(in crate::tui) style: Style,
    /// True for a curve with few points, each of which is marked, provided that there is room.
    pub(in crate::tui) pointed: bool,
    /// A letter at the end of the curve that tells it from others; without colours, it also marks the points.
    pub(in crate::tui) letter: Option<&'static str>,
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
    /// True to cut values far from the others, which would flatten them.
    pub(in crate::tui) cuts_peaks: bool,
    /// The position of the cursor on the horizontal axis.
    pub(in crate::tui) cursor: Option<f64>,
}

/// The smallest height with room for a rule above the labels of the horizontal axis.
const MIN_HEIGHT_WITH_RULE: u16 = 6;
/// The share of the height that is kept free above and below the curves.
const MARGIN: f64 = 0.04;

impl Chart<'_> {
    /// Draws the chart; returns the area of the curves.
    pub(in crate::tui) fn draw(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) -> Rect {
        // Without a colour of its own, a title would take the frame's, which is too faint for letters.
        let [left, right] = self.titles.clone().map(|title| match title.style.fg {
            Some(_) => title,
            None => title.patch_style(Color::Reset),
        });
        let mut block = Block::bordered().border_set(theme.borders()).border_style(theme.border()).title_top(left);
        if self.titles[0].width() + self.titles[1].width() + 4 <= usize::from(area.width) {
            block = block.title_top(right.right_aligned());
        }
        let inner = block.inner(area);
        frame.render_widget(block, area);
        if inner.width < 12 || inner.height < 3 {
            return Rect::default();
        }
        let Some(range) = ValueRange::of(&self.layers, self.x) else {
            let text = fitted("nothing yet", usize::from(inner.width));
            let column = inner.x + (inner.width - width(&text) as u16) / 2;
            frame.buffer_mut().set_string(column, inner.y + inner.height / 2, text, theme.dim());
            return Rect::default();
        };
        let cuts = self.cuts_peaks && !self.log;
        let bulk = if cuts { range.without_peaks() } else { range.whole };
        let (low, high) = self.with_margin(bulk);
        let footer = if inner.height >= MIN_HEIGHT_WITH_RULE { 2 } else { 1 };
        let rows = inner.height - footer;
        let wanted = usize::from(rows / 3).max(2);
        let y_ticks = if self.is_log(low) { log_ticks((low, high), wanted) } else { linear_ticks((low, high), wanted) };
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
        if bulk != range.whole {
            draw_cuts(buffer, &plot, &self.layers);
        }
        draw_ends(buffer, &plot, &self.layers);
        area
    }

    fn is_log(&self, low: f64) -> bool {
        self.log && low > 0.0
    }

    /// A range of values with a margin.
    fn with_margin(&self, (mut low, mut high): (f64, f64)) -> (f64, f64) {
        if self.log && high > 0.0 {
            // More than six powers of ten cannot be distinguished.
            let low = if low > 0.0 { low } else { high * 1e-6 };
            let margin = (high / low).max(1.05).powf(MARGIN);
            return (low / margin, high * margin);
        }
        if self.from_zero {
            low = low.min(0.0);
        }
        if high - low <= high.abs() * 1e-6 {
            let around = if high == 0.0 { 1.0 } else { high.abs() * 0.1 };
            (low, high) = (low - around, high + around);
        }
        let margin = (high - low) * MARGIN;
        (if self.from_zero && low >= 0.0 { 0.0 } else { low - margin }, high + margin)
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
            let letter = layer.letter.filter(|_| theme.depth == ColorDepth::None);
            let range = scale.visible(layer.places);
            if range.len() * 3 > across {
                continue;
            }
            for at in range {
                let y = Some(f64::from(layer.series.values()[at]));
                let sign = letter.unwrap_or(theme.sign("•", "o"));
                let mark = Mark { x: layer.places[at], y, sign, style: layer.style };
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

#[cfg(test)]
mod tests;
