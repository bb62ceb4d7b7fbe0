//! The drawing of the charts.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::RunsScreen;
use super::curves::RunCurves;
use super::metric::Metric;
use super::note_text::{is_bad, sign};
use super::places::XAxis;
use crate::terminal::color_depth::ColorDepth;
use crate::tui::protocol::runs::NoteKind;
use crate::tui::shared_state::SharedState;
use crate::tui::theme::Theme;
use crate::tui::widgets::chart::axis_ticks::{linear_ticks, time_ticks};
use crate::tui::widgets::chart::{Chart, Layer, Mark};
use mammoscope_domain::run::run_status::BestEpoch;
use mammoscope_domain::training::training_config::Monitor;

/// The letters of overlaid runs on their training and validation curves.
pub(super) const LETTERS: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];
pub(super) const VALIDATION_LETTERS: [&str; 8] = ["A", "B", "C", "D", "E", "F", "G", "H"];

/// A run in the charts.
pub(super) struct DrawnRun<'a> {
    /// The index of its colour and its letter.
    pub(super) series: usize,
    pub(super) curves: &'a RunCurves,
}

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
        let drawn = |run| Some(DrawnRun { series: self.series_of(run), curves: self.followed.curves.get(run)? });
        let drawn: Vec<DrawnRun<'_>> = runs.iter().filter_map(drawn).collect();
        let overlaid = runs.len() > 1;
        let axis = self.view.axis;
        let reference = self.reference_curves(metric);
        let mut layers: Vec<Layer<'_>> = Vec::new();
        for curve in &reference {
            let style = if curve.is_validation { theme.dim() } else { faint(theme) };
            let (places, series) = (&curve.places, curve.series);
            layers.push(Layer { places, series, style, pointed: curve.is_validation, letter: None });
        }
        // The selected run is on top.
        for &DrawnRun { series: at, curves } in drawn.iter().rev() {
            let places = curves.places_of(metric).on(axis);
            let style = theme.series(at);
            let letter = overlaid.then(|| LETTERS[at]);
            let series = match curves.smooth(metric) {
                Some(smooth) => {
                    if !overlaid {
                        let (series, style) = (curves.raw(metric), faint(theme));
                        layers.push(Layer { places, series, style, pointed: false, letter: None });
                    }
                    smooth
                }
                None => curves.raw(metric),
            };
            layers.push(Layer { places, series, style, pointed: false, letter });
            if let Some(series) = curves.validation(metric) {
                let style = if overlaid { style } else { theme.series(1) };
                let places = curves.epoch_places.on(axis);
                let letter = overlaid.then(|| VALIDATION_LETTERS[at]);
                layers.push(Layer { places, series, style, pointed: true, letter });
            }
        }
        let chart = Chart {
            titles: self.chart_titles(metric, &drawn, first, area, theme),
            layers,
            marks: self.marks(metric, theme),
            x: self.range(),
            x_ticks: if axis == XAxis::Time { time_ticks } else { linear_ticks },
            log: self.view.log && metric != Metric::Accuracy,
            from_zero: metric.starts_at_zero(),
            cuts_peaks: !self.view.peaks && metric.has_peaks(),
            cursor: self.cursor,
        };
        chart.draw(frame, area, theme)
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
    pub(super) fn best_on(&self, metric: Metric) -> Option<(&BestEpoch, f64)> {
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

/// The style of curves in the background.
fn faint(theme: &Theme) -> Style {
    if theme.depth == ColorDepth::None { theme.dim() } else { theme.border() }
}
