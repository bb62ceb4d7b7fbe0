//! The layout of the screen Runs.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::metric::Metric;
use super::{PlotArea, RunsScreen, SMOOTHING, Typing};
use crate::tui::protocol::runs::Lower;
use crate::tui::shared_state::SharedState;
use crate::tui::widgets::pane::draw_box;

/// The width from which on the list is beside the charts.
const BESIDE: u16 = 100;
/// The smallest useful height of a chart.
const MIN_CHART_HEIGHT: u16 = 7;
/// The height of charts from which on more of them are shown.
const ROOMY_CHART_HEIGHT: u16 = 9;
/// The width from which on charts are side by side.
const MIN_WIDTH_OF_PAIRS: u16 = 56;

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
        if self.alone {
            self.draw_alone(frame, area, shared);
        } else {
            self.draw_panes(frame, area, shared, beside);
        }
        if self.menu.is_some() {
            self.draw_menu(frame, area, shared);
        }
        if self.chooser.is_some() {
            self.draw_chooser(frame, area, shared);
        }
        if self.label_form.is_some() {
            self.draw_label_form(frame, area, shared);
        }
        if self.typing == Some(Typing::ReferenceFolder) {
            self.draw_folder_field(frame, area, shared);
        }
    }

    fn draw_panes(&mut self, frame: &mut Frame<'_>, area: Rect, shared: &SharedState, beside: bool) {
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
    }

    fn draw_charts(&mut self, frame: &mut Frame<'_>, area: Rect, shared: &SharedState) {
        let legend = self.legend_height(area.height);
        let [legend, area] = Layout::vertical([Constraint::Length(legend), Constraint::Fill(1)]).areas(area);
        if legend.height > 0 {
            self.draw_legend(frame, legend, shared);
        }
        let mut first = true;
        for (metrics, row) in self.chart_rows(area) {
            let widths = Layout::horizontal(metrics.iter().map(|_| Constraint::Fill(1))).split(row);
            for (metric, place) in metrics.iter().zip(widths.iter()) {
                let area = self.draw_chart(frame, *place, *metric, first, shared);
                self.areas.plots.push(PlotArea { area, metric: *metric });
                first = false;
            }
        }
    }

    /// The metrics of each row of charts, and the areas of the rows.
    fn chart_rows(&self, area: Rect) -> Vec<(Vec<Metric>, Rect)> {
        let charted = self.charted();
        let per_row = if area.width >= MIN_WIDTH_OF_PAIRS { 2 } else { 1 };
        // Three rows of small charts before a fourth row of large ones.
        let rows = usize::from((area.height / MIN_CHART_HEIGHT).min(3).max(area.height / ROOMY_CHART_HEIGHT).max(1));
        let has_large = per_row == 2 && rows >= 3;
        let room = rows * per_row - usize::from(has_large);
        let mut shown: Vec<Metric> = charted.iter().copied().take(room).collect();
        if charted.contains(&self.view.chart)
            && !shown.contains(&self.view.chart)
            && let Some(last) = shown.last_mut()
        {
            *last = self.view.chart;
        }
        // An odd one out has a row of its own, which is the first and the largest.
        let odd = shown.len() % per_row;
        let mut rows: Vec<Vec<Metric>> = Vec::new();
        if odd == 1 {
            rows.push(shown[..1].to_vec());
        }
        rows.extend(shown[odd..].chunks(per_row).map(<[Metric]>::to_vec));
        let share = |at: usize| if at == 0 && rows.len() > 1 && per_row == 2 { 3 } else { 2 };
        let heights = Layout::vertical((0..rows.len()).map(|at| Constraint::Fill(share(at)))).split(area);
        rows.iter().cloned().zip(heights.iter().copied()).collect()
    }

    /// Draws the chosen chart over the whole screen.
    fn draw_alone(&mut self, frame: &mut Frame<'_>, area: Rect, shared: &SharedState) {
        let charted = self.charted();
        if !charted.contains(&self.view.chart) {
            self.view.chart = charted[0];
        }
        // The list is hidden, so the legend names a single run too.
        let legend = self.legend_height(area.height).max(1);
        let [legend, area] = Layout::vertical([Constraint::Length(legend), Constraint::Fill(1)]).areas(area);
        self.draw_legend(frame, legend, shared);
        let metric = self.view.chart;
        let area = self.draw_chart(frame, area, metric, true, shared);
        self.areas.plots.push(PlotArea { area, metric });
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
