//! The drawing of the picture viewer.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph};

use super::ViewerPopup;
use crate::tui::protocol::viewer::ListedImage;
use crate::tui::shared_state::SharedState;
use crate::tui::widgets::fitted::{fitted, fitted_name, width};
use crate::tui::widgets::pane::draw_pane;
use crate::tui::widgets::picture::PictureContent;
use mammoscope_domain::text::printable::{printable, printable_os};

impl ViewerPopup {
    pub(in crate::tui) fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, shared: &SharedState) {
        let theme = &shared.theme;
        frame.render_widget(Clear, area);
        let images = &self.images.images;
        let place = format!("{} of {}", self.images.position + 1, images.len());
        let place = if images.is_empty() { String::new() } else { place };
        let inner = draw_pane(frame, area, theme, true, [&printable(&self.images.title), &place]);
        let Some(image) = images.get(self.images.position).cloned() else {
            frame.render_widget(Paragraph::new(Line::styled(" no images", theme.dim())), inner);
            return;
        };
        let [room, caption, facts] =
            Layout::vertical([Constraint::Fill(1), Constraint::Length(1), Constraint::Length(1)]).areas(inner);
        let position = self.images.position;
        let neighbours = || {
            let around = [position.checked_add(1), position.checked_sub(1)];
            around.into_iter().flatten().filter_map(|at| images.get(at)).map(|image| image.path.clone()).collect()
        };
        if let Some(hanging) = &mut self.hanging {
            hanging.draw(frame, room, shared, &image.path, self.window);
        } else {
            let content = PictureContent::stored(&image.path, self.window);
            self.picture.draw(frame, room, shared, content, neighbours);
        }
        self.draw_caption(frame, caption, &image, shared);
        self.draw_facts(frame, facts, &image, shared);
        if let Some(field) = &self.window_field {
            field.draw(frame, inner, shared);
        }
    }

    /// What the image is, and what part of it is shown.
    fn draw_caption(&self, frame: &mut Frame<'_>, area: Rect, image: &ListedImage, shared: &SharedState) {
        let theme = &shared.theme;
        let cells = usize::from(area.width).saturating_sub(2);
        let scale = match &self.hanging {
            Some(hanging) => hanging.scale_text(theme.ascii),
            None => self.picture.caption(&image.path, theme.ascii),
        };
        let text = fitted(&printable(&image.caption), cells.saturating_sub(width(&scale) + 3));
        let separator = if scale.is_empty() || text.is_empty() { "" } else { " · " };
        let line = Line::from(vec![Span::raw(text), Span::raw(separator), Span::styled(scale, theme.accent())]);
        frame.render_widget(Paragraph::new(line.centered()), area);
    }

    /// The file and the grey window.
    fn draw_facts(&self, frame: &mut Frame<'_>, area: Rect, image: &ListedImage, shared: &SharedState) {
        let theme = &shared.theme;
        let cells = usize::from(area.width).saturating_sub(2);
        let name = image.path.file_name().map(printable_os).unwrap_or_default();
        let line = match self.picture.facts(&image.path) {
            Some(known) => {
                let mut window = known.window_text();
                let centre = known.centre_text();
                let file = format!("{name} · {}", known.header.facts);
                if !centre.is_empty() && cells >= width(&file) + width(&window) + width(&centre) + 6 {
                    window = format!("{window} · {centre}");
                }
                let room = cells.saturating_sub(width(&window) + 3);
                let left = if width(&name) > room { fitted_name(&name, room) } else { fitted(&file, room) };
                Line::from(vec![Span::styled(left, theme.dim()), Span::raw(" · "), Span::raw(window)])
            }
            None => Line::styled(fitted_name(&name, cells), theme.dim()),
        };
        frame.render_widget(Paragraph::new(line.centered()), area);
    }
}
