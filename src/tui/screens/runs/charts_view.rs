//! The drawing of the charts.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::curves::{Metric, RunCurves, XAxis};
use super::note_text::{is_bad, sign};
use super::{RunsScreen, SMOOTHING};
use crate::tui::protocol::runs::NoteKind;
use crate::tui::shared_state::SharedState;
use crate::tui::theme::Theme;
use crate::tui::widgets::chart::axis_ticks::{linear_ticks, number_label, time_label, time_ticks};
use crate::tui::widgets::chart::{Chart, Layer, Mark};
use crate::tui::widgets::fitted::width;
use mammoscope_domain::run::run_status::BestEpoch;
use mammoscope_domain::text::grouped_digits::grouped;
use mammoscope_domain::training::training_config::Monitor;

/// The legend of the reference.
const REFERENCE: &str = " reference ";

impl RunsScreen {
    /// Draws the chart of a metric; the first one also shows the visible range.
    pub(super) fn draw_chart(
        &self,
        frame: &mut Frame<'_>,
        area: Rect,
        metric: Metric,
        first: bool,
        shared: &SharedState,
    ) -> Rect {
        let theme = &shared.theme;
        let runs = self.drawn_runs();
        let drawn: Vec<(usize, &RunCurves)> =
            runs.iter().enumerate().filter_map(|(at, run)| Some((at, self.followed.curves.get(run)?))).collect();
        let overlaid = runs.len() > 1;
        let axis = self.view.axis;
        let reference = self.reference_curves(metric);
        let mut layers: Vec<Layer<'_>> = Vec::new();
        for curve in &reference {
            let style = if curve.is_validation { theme.dim() } else { theme.border() };
            let (places, series) = (&curve.places, curve.series);
            layers.push(Layer { places, series, style, covers: false, pointed: curve.is_validation });
        }
        // The selected run is on top.
        for (at, curves) in drawn.iter().rev() {
            let places = curves.places.on(axis);
            let style = theme.series(*at);
            match curves.smooth(metric) {
                Some(smooth) => {
                    if !overlaid {
                        let (series, style) = (curves.raw(metric), theme.border());
                        layers.push(Layer { places, series, style, covers: false, pointed: false });
                    }
                    layers.push(Layer { places, series: smooth, style, covers: true, pointed: false });
                }
                None => layers.push(Layer { places, series: curves.raw(metric), style, covers: true, pointed: false }),
            }
            if let Some(series) = curves.validation(metric) {
                let style = if overlaid { style } else { theme.series(1) };
                let places = curves.epoch_places.on(axis);
                layers.push(Layer { places, series, style, covers: true, pointed: true });
            }
        }
        let chart = Chart {
            titles: [
                self.chart_title(metric, &drawn, overlaid, area, theme),
                self.chart_range(metric, first, area, theme),
            ],
            layers,
            marks: self.marks(metric, theme),
            x: self.range(),
            x_ticks: if axis == XAxis::Time { time_ticks } else { linear_ticks },
            log: self.view.log && metric != Metric::Accuracy,
            from_zero: metric == Metric::ImagesPerS,
            cursor: self.cursor,
        };
        chart.draw(frame, area, theme)
    }

    fn chart_title(
        &self,
        metric: Metric,
        drawn: &[(usize, &RunCurves)],
        overlaid: bool,
        area: Rect,
        theme: &Theme,
    ) -> Line<'static> {
        let mut spans = vec![Span::styled(format!(" {} ", metric.title()), theme.text())];
        let has_validation = drawn.iter().any(|(_, curves)| curves.validation(metric).is_some());
        if has_validation && !overlaid {
            spans.push(Span::styled(format!("{} train ", theme.sign("─", "-")), theme.series(0)));
            spans.push(Span::styled(format!("{} val ", theme.sign("•", "o")), theme.series(1)));
        } else if has_validation {
            spans.push(Span::styled(format!("{} val ", theme.sign("•", "o")), theme.dim()));
        }
        if let Some((best, _)) = self.best_on(metric) {
            spans.push(Span::styled(format!("{} {} ", theme.sign("★", "*"), best.epoch), theme.accent()));
        }
        // With a legend if there is room, at least in the largest chart.
        let cells: usize = spans.iter().map(|span| width(&span.content)).sum();
        if !self.reference_curves(metric).is_empty() && cells + REFERENCE.len() + 6 <= usize::from(area.width) {
            spans.push(Span::styled(theme.sign("─", "-"), theme.border()));
            spans.push(Span::styled(format!("{}{REFERENCE}", theme.sign("•", "o")), theme.dim()));
        }
        Line::from(spans)
    }

    /// The title on the right: the values at the cursor, else the visible range or the latest value.
    fn chart_range(&self, metric: Metric, first: bool, area: Rect, theme: &Theme) -> Line<'static> {
        let axis = self.view.axis;
        let curves = self.chosen.as_ref().and_then(|run| self.followed.curves.get(run));
        if let (Some(cursor), Some(curves)) = (self.cursor, curves) {
            return self.values_at(metric, cursor, curves, first, theme);
        }
        let place = |place: f64| match axis {
            XAxis::Time => time_label(place),
            XAxis::Steps => grouped(place.round() as usize),
            XAxis::Epochs => number_label((place * 10.0).round() / 10.0),
        };
        let (from, to) = self.range();
        let range = format!("{} {}–{}", axis.title(), place(from), place(to));
        let smoothing = SMOOTHING[self.view.smoothing];
        let text = if !first {
            let last = curves.and_then(|curves| curves.raw(metric).values().last().copied());
            last.map_or_else(String::new, |value| format!(" {} ", value_text(metric, value)))
        } else if area.width >= 60 {
            let smooth = if smoothing > 0.0 { format!(" smooth {smoothing} ·") } else { String::new() };
            format!("{smooth}{} {range} ", if self.view.log { " log ·" } else { "" })
        } else {
            format!(" {range} ")
        };
        Line::styled(text, theme.dim())
    }

    fn values_at(&self, metric: Metric, cursor: f64, curves: &RunCurves, first: bool, theme: &Theme) -> Line<'static> {
        let axis = self.view.axis;
        let mut spans = Vec::new();
        if let Some(at) = curves.nearest(axis, cursor) {
            let step = curves.places.on(XAxis::Steps)[at];
            let value = curves.smooth(metric).unwrap_or(curves.raw(metric)).values()[at];
            let step = if first { format!(" step {} ", grouped(step as usize)) } else { " ".to_owned() };
            spans.push(Span::styled(step, theme.accent()));
            spans.push(Span::styled(format!("{} ", value_text(metric, value)), theme.series(0)));
        }
        if let (Some(series), Some(at)) = (curves.validation(metric), curves.nearest_epoch(axis, cursor)) {
            spans.push(Span::styled(format!("val {} ", value_text(metric, series.values()[at])), theme.series(1)));
        }
        Line::from(spans)
    }

    /// The marks of a chart: notes and the best epoch.
    fn marks(&self, metric: Metric, theme: &Theme) -> Vec<Mark> {
        let axis = self.view.axis;
        let Some(curves) = self.chosen.as_ref().and_then(|run| self.followed.curves.get(run)) else {
            return Vec::new();
        };
        let mut marks = Vec::new();
        for note in &curves.notes {
            // Findings in the loss are marked on its chart only, a spike at its height.
            let wanted = match note.kind {
                NoteKind::Event(_) => metric == Metric::Loss || metric == Metric::LearningRate,
                NoteKind::Spike(_) | NoteKind::Plateau(_) => metric == Metric::Loss,
            };
            if let Some((shown, ascii)) = sign(&note.kind).filter(|_| wanted) {
                let style: Style = if is_bad(&note.kind) { theme.bad() } else { theme.warning() };
                let x = curves.place_of(note.step, axis);
                let is_spike = matches!(note.kind, NoteKind::Spike(_));
                let value = |at: usize| f64::from(curves.raw(metric).values()[at]);
                let y = curves.nearest(axis, x).filter(|_| is_spike).map(value);
                marks.push(Mark { x, y, sign: theme.sign(shown, ascii), style });
            }
        }
        if let Some((best, y)) = self.best_on(metric)
            && let Some(summary) = &curves.summary
            && let Some(at) = summary.records.iter().position(|record| record.metrics.epoch == best.epoch)
        {
            let x = curves.epoch_places.on(axis)[at];
            marks.push(Mark { x, y: Some(y), sign: theme.sign("★", "*"), style: theme.accent() });
        }
        marks
    }
}

impl RunsScreen {
    /// The best epoch of the selected run and its value, on the chart of the metric that decides it.
    fn best_on(&self, metric: Metric) -> Option<(&BestEpoch, f64)> {
        let curves = self.chosen.as_ref().and_then(|run| self.followed.curves.get(run))?;
        let summary = curves.summary.as_ref()?;
        let own = match summary.monitor {
            Monitor::ValLoss => Metric::Loss,
            Monitor::ValAccuracy | Monitor::ValKappa => Metric::Accuracy,
        };
        let best = summary.best.as_ref().filter(|_| own == metric)?;
        let at = summary.records.iter().position(|record| record.metrics.epoch == best.epoch)?;
        Some((best, f64::from(curves.validation(metric)?.values()[at])))
    }
}

fn value_text(metric: Metric, value: f32) -> String {
    if !value.is_finite() {
        return "not finite".to_owned();
    }
    match metric {
        Metric::Loss => format!("{value:.4}"),
        Metric::Accuracy => format!("{value:.3}"),
        Metric::LearningRate => number_label(f64::from(value)),
        Metric::ImagesPerS | Metric::GradientNorm => format!("{value:.1}"),
    }
}
