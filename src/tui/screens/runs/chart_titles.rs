//! The titles of the charts: metrics, legends, and the values of every run at the cursor.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::charts_view::{DrawnRun, LETTERS, VALIDATION_LETTERS};
use super::curves::RunCurves;
use super::metric::Metric;
use super::places::XAxis;
use super::{Focus, RunsScreen, SMOOTHING};
use crate::tui::theme::Theme;
use crate::tui::widgets::chart::axis_ticks::{number_label, time_label};
use crate::tui::widgets::fitted::width;
use mammoscope_domain::text::grouped_digits::grouped;

/// The legend of the reference.
const REFERENCE: &str = " reference ";
/// The cells of a chart's frame and the gap between its titles.
const BETWEEN_TITLES: usize = 6;

impl RunsScreen {
    /// The titles on the left and on the right of a chart; the first chart also shows the visible range.
    pub(super) fn chart_titles(
        &self,
        metric: Metric,
        drawn: &[DrawnRun<'_>],
        first: bool,
        area: Rect,
        theme: &Theme,
    ) -> [Line<'static>; 2] {
        let cells = usize::from(area.width);
        let Some(cursor) = self.cursor else {
            return [self.legend(metric, drawn, cells, theme), self.chart_range(metric, first, area, theme)];
        };
        let name = Line::from(self.title_span(metric, theme));
        let room = cells.saturating_sub(name.width() + BETWEEN_TITLES);
        let legend = self.legend(metric, drawn, cells, theme);
        let values = self.values_at(metric, cursor, drawn, first, room, theme);
        let left = if legend.width() + values.width() + BETWEEN_TITLES <= cells { legend } else { name };
        [left, values]
    }

    /// The name of a metric, marked if its chart is chosen.
    fn title_span(&self, metric: Metric, theme: &Theme) -> Span<'static> {
        let is_chosen = metric == self.view.chart && self.focus == Focus::Charts;
        Span::styled(format!(" {} ", metric.title()), if is_chosen { theme.accent() } else { theme.text() })
    }

    fn legend(&self, metric: Metric, drawn: &[DrawnRun<'_>], cells: usize, theme: &Theme) -> Line<'static> {
        let mut spans = vec![self.title_span(metric, theme)];
        let overlaid = drawn.len() > 1;
        if drawn.iter().any(|run| run.curves.validation(metric).is_some()) {
            let (line, point) = (theme.sign("─", "-"), theme.sign("•", "o"));
            if overlaid {
                spans.push(Span::styled(format!("{line}a train {point}A val "), theme.dim()));
            } else {
                spans.push(Span::styled(format!("{line} train "), theme.series(0)));
                spans.push(Span::styled(format!("{point} val "), theme.series(1)));
            }
        }
        if let Some((best, _)) = self.best_on(metric).filter(|_| self.shows_best()) {
            let used: usize = spans.iter().map(|span| width(&span.content)).sum();
            let words = format!("best: epoch {}", best.epoch);
            let fits = used + words.len() + BETWEEN_TITLES <= cells;
            let text = if fits { words } else { best.epoch.to_string() };
            spans.push(Span::styled(format!("{} {text} ", theme.sign("★", "*")), theme.accent()));
        }
        // The reference is named if there is room, at least in the largest chart.
        let used: usize = spans.iter().map(|span| width(&span.content)).sum();
        if !self.reference_curves(metric).is_empty() && used + REFERENCE.len() + BETWEEN_TITLES <= cells {
            spans.push(Span::styled(theme.sign("─", "-"), theme.border()));
            spans.push(Span::styled(format!("{}{REFERENCE}", theme.sign("•", "o")), theme.dim()));
        }
        Line::from(spans)
    }

    /// True if the best epoch of the selected run is within the visible range.
    fn shows_best(&self) -> bool {
        let curves = self.chosen.as_ref().and_then(|run| self.followed.curves.get(run));
        let best = curves.and_then(|curves| Some((curves, curves.summary.as_ref()?.best.as_ref()?)));
        best.is_some_and(|(curves, best)| {
            let records = curves.summary.iter().flat_map(|summary| summary.records.iter());
            let at = records.take_while(|record| record.metrics.epoch < best.epoch).count();
            let (from, to) = self.range();
            curves.epoch_places.on(self.view.axis).get(at).is_some_and(|place| (from..=to).contains(place))
        })
    }

    /// The visible range, or the latest value of the selected run.
    fn chart_range(&self, metric: Metric, first: bool, area: Rect, theme: &Theme) -> Line<'static> {
        let axis = self.view.axis;
        let (from, to) = self.range();
        let range = format!("{} {}–{}", axis.title(), place_text(axis, from), place_text(axis, to));
        let smoothing = SMOOTHING[self.view.smoothing];
        let text = if !first {
            let curves = self.chosen.as_ref().and_then(|run| self.followed.curves.get(run));
            let last = curves.and_then(|curves| curves.raw(metric).values().last().copied());
            last.map_or_else(String::new, |value| format!(" {} ", value_text(metric, value)))
        } else if area.width >= 60 {
            let smooth = if smoothing > 0.0 { format!(" smooth {smoothing} ·") } else { String::new() };
            let peaks = if self.view.peaks { " all values ·" } else { "" };
            format!("{smooth}{peaks}{} {range} ", if self.view.log { " log ·" } else { "" })
        } else {
            format!(" {range} ")
        };
        Line::styled(text, theme.dim())
    }

    /// The values of every run at the cursor, each in its colour, as many as fit. A run has none beyond its ends.
    fn values_at(
        &self,
        metric: Metric,
        cursor: f64,
        drawn: &[DrawnRun<'_>],
        first: bool,
        room: usize,
        theme: &Theme,
    ) -> Line<'static> {
        let axis = self.view.axis;
        let overlaid = drawn.len() > 1;
        let place = match axis {
            XAxis::Steps => format!("step {}", place_text(axis, cursor)),
            XAxis::Epochs => format!("epoch {}", place_text(axis, cursor)),
            XAxis::Time => place_text(axis, cursor),
        };
        let place = if first { format!(" {place} ") } else { " ".to_owned() };
        let values = |drawn: &[DrawnRun<'_>], with_validation: bool| {
            let mut spans = vec![Span::styled(place.clone(), theme.accent())];
            for run in drawn {
                let value = value_at(run.curves, metric, axis, cursor);
                let value = value.map_or_else(|| "–".to_owned(), |value| value_text(metric, value));
                let letter = if overlaid { format!("{} ", LETTERS[run.series]) } else { String::new() };
                spans.push(Span::styled(format!("{letter}{value} "), theme.series(run.series)));
                let Some(series) = run.curves.validation(metric).filter(|_| with_validation) else { continue };
                let at = run.curves.nearest_epoch(axis, cursor).filter(|_| run.curves.covers(axis, cursor));
                let value = at.map_or_else(|| "–".to_owned(), |at| value_text(metric, series.values()[at]));
                let (name, style) = if overlaid {
                    (VALIDATION_LETTERS[run.series], theme.series(run.series))
                } else {
                    ("val", theme.series(1))
                };
                spans.push(Span::styled(format!("{name} {value} "), style));
            }
            Line::from(spans)
        };
        let line = [true, false].map(|with_validation| values(drawn, with_validation));
        // The legend above the charts has the values of all runs.
        let of_selected = || values(&drawn[..drawn.len().min(1)], false);
        line.into_iter().find(|line| line.width() <= room).unwrap_or_else(of_selected)
    }
}

/// A position on an axis.
fn place_text(axis: XAxis, place: f64) -> String {
    match axis {
        XAxis::Time => time_label(place),
        XAxis::Steps => grouped(place.round() as usize),
        XAxis::Epochs => number_label((place * 10.0).round() / 10.0),
    }
}

/// The value of a run's curve at a position; `None` beyond its ends.
pub(super) fn value_at(curves: &RunCurves, metric: Metric, axis: XAxis, place: f64) -> Option<f32> {
    let at = curves.places_of(metric).nearest(axis, place).filter(|_| curves.covers(axis, place))?;
    Some(curves.smooth(metric).unwrap_or(curves.raw(metric)).values()[at])
}

/// A value of a metric.
pub(super) fn value_text(metric: Metric, value: f32) -> String {
    if !value.is_finite() {
        return "not finite".to_owned();
    }
    match metric {
        Metric::Loss => format!("{value:.4}"),
        Metric::Accuracy => format!("{value:.3}"),
        Metric::LearningRate => number_label(f64::from(value)),
        Metric::ImagesPerS | Metric::GradientNorm | Metric::GpuMemory | Metric::Memory => format!("{value:.1}"),
        Metric::GpuUse | Metric::GpuTemperature | Metric::Cpu => format!("{value:.0}"),
    }
}
