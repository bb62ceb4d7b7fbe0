//! The drawing of the workbench, and the pictures in it.

use ratatui::Frame;

use super::App;
use crate::tui::ascii::to_ascii;
use crate::tui::frame::{MIN_SIZE, draw_frame, draw_too_small};
use crate::tui::popups::Popup;
use crate::tui::protocol::app_action::APP_BINDINGS;
use crate::tui::protocol::binding::KeyTables;
use crate::tui::protocol::effect::Effect;
use crate::tui::protocol::examination_views::ViewsMessage;
use crate::tui::protocol::pictures::PictureMessage;
use crate::tui::protocol::thumbnails::ThumbnailMessage;
use crate::tui::screens::screen::Screen;
use crate::tui::widgets::contact_sheet::ContactSheet;
use crate::tui::widgets::picture::PictureView;

impl App {
    pub(super) fn on_picture(&mut self, message: &PictureMessage) -> Vec<Effect> {
        // Every place knows the picture that it requested.
        for popup in &mut self.popups {
            if let Popup::Viewer(viewer) = popup {
                viewer.on_message(message);
            }
        }
        self.screens.all().for_each(|screen| screen.on_picture(message));
        Vec::new()
    }

    pub(super) fn on_views(&mut self, message: &ViewsMessage) -> Vec<Effect> {
        for popup in &mut self.popups {
            if let Popup::Viewer(viewer) = popup {
                viewer.on_views(message);
            }
        }
        Vec::new()
    }

    pub(super) fn on_thumbnail(&mut self, message: &ThumbnailMessage) -> Vec<Effect> {
        self.screens.all().filter_map(Screen::sheet_mut).for_each(|sheet| sheet.on_message(message));
        Vec::new()
    }

    /// The effects that follow from a drawing: only then the visible rows and the room of pictures are known.
    pub(in crate::tui) fn after_draw(&mut self) -> Vec<Effect> {
        let mut effects: Vec<Effect> = self.screens.all().flat_map(Screen::after_draw).collect();
        for popup in &mut self.popups {
            if let Popup::Viewer(viewer) = popup {
                effects.extend(viewer.take_requests());
            }
        }
        effects
    }

    /// Forgets all pictures, since the terminal has lost them.
    pub(super) fn forget_pictures(&mut self) {
        self.screens.all().flat_map(Screen::pictures_mut).for_each(PictureView::forget);
        self.screens.all().filter_map(Screen::sheet_mut).for_each(ContactSheet::forget);
        for popup in &mut self.popups {
            if let Popup::Viewer(viewer) = popup {
                viewer.pictures_mut().for_each(PictureView::forget);
            }
        }
    }

    pub(in crate::tui) fn draw(&mut self, frame: &mut Frame<'_>) {
        self.draw_all(frame);
        if self.shared.theme.ascii {
            to_ascii(frame.buffer_mut());
        }
    }

    fn draw_all(&mut self, frame: &mut Frame<'_>) {
        let area = frame.area();
        if area.width < MIN_SIZE.columns || area.height < MIN_SIZE.rows {
            draw_too_small(frame, area);
            return;
        }
        let table = match self.popups.last() {
            Some(popup) => popup.bindings(),
            None => self.screens.get(self.screen).bindings(&self.shared),
        };
        let everywhere: KeyTables = if self.popups.is_empty() { &[APP_BINDINGS] } else { &[] };
        let notice = self.notice.as_ref().map(|(_, notice)| notice);
        self.areas = draw_frame(frame, &self.shared, self.screen, [table, everywhere], notice);
        let body = self.areas.body;
        let covered = !self.popups.is_empty();
        self.screens.all().flat_map(Screen::pictures_mut).for_each(|picture| picture.covered = covered);
        self.screens.all().filter_map(Screen::sheet_mut).for_each(|sheet| sheet.covered = covered);
        // A full-screen picture hides everything below it.
        let first = self.popups.iter().rposition(|popup| matches!(popup, Popup::Viewer(_)));
        if first.is_none() {
            self.screens.get(self.screen).draw(frame, body, &self.shared);
        }
        let first = first.unwrap_or(0);
        let last = self.popups.len().saturating_sub(1);
        for (at, popup) in self.popups.iter_mut().enumerate().skip(first) {
            if let Popup::Viewer(viewer) = popup {
                let is_covered = at < last;
                viewer.pictures_mut().for_each(|picture| picture.covered = is_covered);
            }
            popup.draw(frame, body, &self.shared);
        }
    }
}
