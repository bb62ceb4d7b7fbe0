//! The charts' response to actions and the mouse: range, scale, smoothing and cursor.

use super::metric::Metric;
use super::viewport::Viewport;
use super::{Focus, PlotArea, RunsScreen, SMOOTHING};
use crate::terminal::input::{Mouse, MouseKind};
use crate::tui::protocol::runs::RunsAction;

/// The smallest number of reports to which zooming leads.
const MIN_VISIBLE_REPORTS: f64 = 4.0;

impl RunsScreen {
    /// Performs an action of the charts; ignores others.
    pub(super) fn update_charts(&mut self, action: RunsAction) {
        let end = self.end();
        let viewport = self.view.viewport;
        self.focus = Focus::Charts;
        match action {
            RunsAction::Smoother => self.view.smoothing = (self.view.smoothing + 1).min(SMOOTHING.len() - 1),
            RunsAction::Rougher => self.view.smoothing = self.view.smoothing.saturating_sub(1),
            RunsAction::LogScale => self.view.log = !self.view.log,
            RunsAction::Axis => self.next_axis(),
            RunsAction::ZoomIn => self.view.viewport = viewport.zoomed_in(self.cursor, end, self.least_width()),
            RunsAction::ZoomOut => self.view.viewport = viewport.zoomed_out(self.cursor, end),
            RunsAction::PanLeft => self.view.viewport = viewport.panned(-1.0, end),
            RunsAction::PanRight => self.view.viewport = viewport.panned(1.0, end),
            RunsAction::Tail => self.view.viewport = viewport.at_the_tail(self.end_of_runs()),
            RunsAction::Reset => self.show_all(),
            RunsAction::CursorLeft => self.move_cursor(-1),
            RunsAction::CursorRight => self.move_cursor(1),
            RunsAction::NextChart => self.choose_chart(1),
            RunsAction::PreviousChart => self.choose_chart(-1),
            _ => {}
        }
    }

    /// The metrics that can be charted: those that were chosen, without those that no run on screen has.
    pub(super) fn charted(&self) -> Vec<Metric> {
        let has = |metric: &Metric| {
            Metric::OF_STEPS.contains(metric) || self.followed.curves.values().any(|curves| curves.has(*metric))
        };
        let charted: Vec<Metric> = self.view.metrics.iter().copied().filter(has).collect();
        if charted.is_empty() { vec![Metric::Loss] } else { charted }
    }

    /// Chooses the next or the previous chart.
    fn choose_chart(&mut self, direction: isize) {
        let charted = self.charted();
        let at = charted.iter().position(|metric| *metric == self.view.chart).unwrap_or(0);
        let at = (at as isize + direction).rem_euclid(charted.len() as isize);
        self.view.chart = charted[at as usize];
    }

    /// Shows the whole curves with all their values; if they are shown, peaks are cut again.
    fn show_all(&mut self) {
        self.view.peaks = self.view.viewport != Viewport::Whole || !self.view.peaks;
        self.view.viewport = Viewport::Whole;
    }

    /// The smallest range to which zooming leads.
    fn least_width(&self) -> f64 {
        self.end() * MIN_VISIBLE_REPORTS / self.longest().max(MIN_VISIBLE_REPORTS)
    }

    /// The largest number of reports of a run on screen.
    fn longest(&self) -> f64 {
        let axis = self.view.axis;
        self.followed.curves.values().map(|curves| curves.places.on(axis).len()).max().unwrap_or(0) as f64
    }

    /// Switches the horizontal axis; the cursor stays on its step, and the whole range becomes visible.
    fn next_axis(&mut self) {
        let axis = self.view.axis;
        let next = axis.next();
        let chosen = self.chosen.as_ref().and_then(|run| self.followed.curves.get(run));
        self.cursor = self.cursor.zip(chosen).and_then(|(cursor, curves)| {
            let at = curves.nearest(axis, cursor)?;
            Some(curves.places.on(next)[at])
        });
        self.view.axis = next;
        self.view.viewport = Viewport::Whole;
    }

    /// Moves the cursor by a cell, or to the next report of a run on screen if that is farther away.
    fn move_cursor(&mut self, direction: isize) {
        let axis = self.view.axis;
        let (from, to) = self.range();
        let end = self.end();
        let reports: Vec<&[f64]> = self.followed.curves.values().map(|curves| curves.places.on(axis)).collect();
        if reports.iter().all(|places| places.is_empty()) {
            return;
        }
        let cells = self.areas.plots.first().map_or(60, |plot| plot.area.width.max(1));
        let Some(cursor) = self.cursor else {
            let chosen = self.chosen.as_ref().and_then(|run| self.followed.curves.get(run));
            let place = to.min(chosen.map_or(end, |curves| curves.end(axis)));
            self.cursor = Some(place);
            self.view.viewport = self.view.viewport.showing(place, end);
            return;
        };
        let wanted = cursor + (to - from) / f64::from(cells) * direction as f64;
        // The reports on the way, of which the first at least a cell away is taken, else the last.
        let next = |places: &&[f64]| -> Option<f64> {
            if direction > 0 {
                let beyond = places.partition_point(|place| *place < wanted);
                places.get(beyond).or(places.last()).copied().filter(|place| *place > cursor)
            } else {
                let beyond = places.partition_point(|place| *place <= wanted);
                places.get(beyond.saturating_sub(1)).copied().filter(|place| *place < cursor)
            }
        };
        let distance = |place: &f64| (place - cursor).abs();
        let found = reports.iter().filter_map(next).min_by(|one, other| distance(one).total_cmp(&distance(other)));
        if let Some(place) = found {
            self.cursor = Some(place);
            self.view.viewport = self.view.viewport.showing(place, end);
        }
    }

    /// Handles the mouse over the curves of a chart.
    pub(super) fn mouse_in_chart(&mut self, mouse: Mouse, plot: &PlotArea) {
        let PlotArea { area: plot, metric } = *plot;
        self.view.chart = metric;
        let (from, to) = self.range();
        let share = f64::from(mouse.column - plot.x) / f64::from(plot.width.max(2) - 1);
        let place = from + (to - from) * share;
        let end = self.end();
        match mouse.kind {
            MouseKind::Press | MouseKind::Drag => self.cursor = Some(place),
            MouseKind::WheelUp => {
                self.view.viewport = self.view.viewport.zoomed_in(Some(place), end, self.least_width());
            }
            MouseKind::WheelDown => self.view.viewport = self.view.viewport.zoomed_out(Some(place), end),
            MouseKind::Release => {}
        }
    }
}
