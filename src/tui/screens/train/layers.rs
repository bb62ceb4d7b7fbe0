//! The network to train, layer by layer.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::TrainScreen;
use crate::tui::shared_state::SharedState;
use crate::tui::widgets::fitted::{fitted, padded, padded_start};
use crate::tui::widgets::pane::draw_pane;
use mammoscope_domain::network::network_layers::LayerRow;
use mammoscope_domain::network::network_plan::NetworkPlan;
use mammoscope_domain::text::grouped_digits::grouped;

impl TrainScreen {
    pub(super) fn layer_count(&self) -> usize {
        NetworkPlan::new(self.form.config.width).layers(self.form.config.size).len()
    }

    pub(super) fn draw_layers(&mut self, frame: &mut Frame<'_>, area: Rect, shared: &SharedState) {
        let theme = &shared.theme;
        let config = &self.form.config;
        let plan = NetworkPlan::new(config.width);
        let rows = plan.layers(config.size);
        let title = format!("Network · width {} · {size}×{size}×3", config.width, size = config.size);
        let place = format!("layer {} of {}", (self.reading.layers.cursor + 1).min(rows.len()), rows.len());
        let inner = draw_pane(frame, area, theme, true, [&title, &place]);
        let [head, list, foot] =
            Layout::vertical([Constraint::Length(1), Constraint::Fill(1), Constraint::Length(1)]).areas(inner);
        // A wider column would be hard to read.
        let name = usize::from(inner.width).saturating_sub(48).clamp(12, 32);
        let line = |layer: &str, kind: &str, output: &str, parameters: &str| {
            format!(
                " {} {} {} {}",
                padded(layer, name),
                padded(kind, 15),
                padded_start(output, 14),
                padded_start(parameters, 12)
            )
        };
        let heading = line("layer", "kind", "output", "parameters");
        frame.render_widget(Paragraph::new(Line::styled(heading, theme.dim())), head);
        let visible = self.reading.layers.visible(list, rows.len());
        let first = visible.start;
        for position in visible {
            let LayerRow { name, kind, output, parameters } = &rows[position];
            let times = if theme.ascii { "x" } else { "×" };
            let output = output.iter().map(ToString::to_string).collect::<Vec<_>>().join(times);
            let parameters = match *parameters {
                0 => theme.sign("–", "-").to_owned(),
                number => grouped(number),
            };
            let style = if position == self.reading.layers.cursor { theme.selected(true) } else { theme.text() };
            let place = Rect::new(list.x, list.y + (position - first) as u16, list.width, 1);
            frame.render_widget(Paragraph::new(line(name, kind, &output, &parameters)).style(style), place);
        }
        let total = format!(
            " {} parameters, {} of them trainable, in {} convolutions",
            grouped(plan.parameter_count()),
            grouped(plan.trainable_count()),
            plan.convolutions().len()
        );
        let total = fitted(&total, usize::from(foot.width));
        frame.render_widget(Paragraph::new(Line::from(Span::styled(total, theme.dim()))), foot);
    }
}
