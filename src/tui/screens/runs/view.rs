//! The layout of the screen Runs.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::curves::Metric;
use super::{RunsScreen, SMOOTHING, Typing};
use crate::tui::protocol::runs::Lower;
use crate::tui::shared_state::SharedState;
use crate::tui::widgets::pane::draw_box;

/// The width from which on the list is beside the charts.
const BESIDE: u16 = 100;
/// The smallest useful height of a chart.
const MIN_CHART_HEIGHT: u16 = 7;

impl RunsScreen {
    pub(super) fn draw_all(&mut self, frame: &mut Frame<'_>, area: Rect, shared: &SharedState) {
        for curves in self.followed.curves.values_mut() {
            curves.set_smoothing(SMOOTHING[self.view.smoothing]);
        }
        if self.pager.is_some() {
            self.draw_pager(frame, area, shared);
            return;
        }
        self.areas.plots.clear();
        self.areas.lower = Rect::default();
        let beside = area.width >= BESIDE;
        self.areas.compact_details = !beside;
        let right = if beside {
            let left = (area.width / 2).clamp(50, 96);
            let [left, right] = Layout::horizontal([Constraint::Length(left), Constraint::Fill(1)]).areas(area);
            let [list, details] =
                Layout::vertical([Constraint::Fill(1), Constraint::Length(12.min(area.height / 2))]).areas(left);
            self.draw_list(frame, list, shared);
            self.draw_details(frame, details, shared, true);
            right
        } else {
            let list = (area.height / 4).clamp(3, 9);
            let [list, details, right] =
                Layout::vertical([Constraint::Length(list), Constraint::Length(2), Constraint::Fill(1)]).areas(area);
            self.draw_list(frame, list, shared);
            self.draw_details(frame, details, shared, false);
            right
        };
        let shown_lower = self.view.lower.unwrap_or(if right.height >= 24 { Lower::Events } else { Lower::Nothing });
        let lower = match shown_lower {
            Lower::Nothing => 0,
            // The charts take precedence.
            _ => (right.height / 4).clamp(4, 10).min(right.height.saturating_sub(MIN_CHART_HEIGHT)),
        };
        self.areas.shown_lower = Some(shown_lower);
        let [charts, below] = Layout::vertical([Constraint::Fill(1), Constraint::Length(lower)]).areas(right);
        self.draw_charts(frame, charts, shared);
        if lower > 2 {
            self.draw_info(frame, below, shared, shown_lower);
        }
        if self.menu.is_some() {
            self.draw_menu(frame, area, shared);
        }
        if self.label_form.is_some() {
            self.draw_label_form(frame, area, shared);
        }
        if self.typing == Some(Typing::ReferenceFolder) {
            self.draw_folder_field(frame, area, shared);
        }
    }

    fn draw_charts(&mut self, frame: &mut Frame<'_>, area: Rect, shared: &SharedState) {
        let legend = self.legend_height(area.height);
        let [legend, area] = Layout::vertical([Constraint::Length(legend), Constraint::Fill(1)]).areas(area);
        if legend.height > 0 {
            self.draw_legend(frame, legend, shared);
        }
        let mut rows: Vec<(Vec<Metric>, u16)> = Vec::new();
        let pairs = area.width >= 56;
        let lines = (area.height / MIN_CHART_HEIGHT).clamp(1, 3);
        match (pairs, lines) {
            (true, 1) => rows.push((vec![Metric::Loss, Metric::Accuracy], 1)),
            (false, 1) => rows.push((vec![Metric::Loss], 1)),
            (false, lines) => {
                rows.extend(Metric::ALL.into_iter().take(usize::from(lines)).map(|metric| (vec![metric], 1)));
            }
            (true, 2) => rows.extend([
                (vec![Metric::Loss, Metric::Accuracy], 3),
                (vec![Metric::LearningRate, Metric::ImagesPerS], 2),
            ]),
            (true, _) => rows.extend([
                (vec![Metric::Loss], 3),
                (vec![Metric::Accuracy, Metric::LearningRate], 2),
                (vec![Metric::ImagesPerS, Metric::GradientNorm], 2),
            ]),
        }
        let heights = Layout::vertical(rows.iter().map(|(_, share)| Constraint::Fill(*share))).split(area);
        let mut first = true;
        for ((metrics, _), row) in rows.iter().zip(heights.iter()) {
            let widths = Layout::horizontal(metrics.iter().map(|_| Constraint::Fill(1))).split(*row);
            for (metric, place) in metrics.iter().zip(widths.iter()) {
                let plot = self.draw_chart(frame, *place, *metric, first, shared);
                self.areas.plots.push(plot);
                first = false;
            }
        }
    }

    fn draw_folder_field(&self, frame: &mut Frame<'_>, area: Rect, shared: &SharedState) {
        let theme = &shared.theme;
        let inner = draw_box(frame, area, (70, 5), shared, ["Reference", "Enter show · Esc back"]);
        let text = "folder with loss_train.txt, acc_train.txt, loss_val.txt, acc_val.txt:";
        let mut spans = vec![Span::raw(" ")];
        spans.extend(self.folder.spans(usize::from(inner.width).saturating_sub(2), true, theme));
        let lines = vec![Line::styled(format!(" {text}"), theme.dim()), Line::from(spans)];
        frame.render_widget(Paragraph::new(lines), inner);
    }
}
