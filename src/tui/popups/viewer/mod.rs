//! The full-screen picture viewer, for browsing a list of images.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph};

use crate::terminal::input::{Key, Mouse, MouseKind};
use crate::tui::popups::outcome::PopupOutcome;
use crate::tui::protocol::binding::{Action, Binding, KeyTables, action_of};
use crate::tui::protocol::effect::Effect;
use crate::tui::protocol::pictures::{PictureMessage, PicturePlace};
use crate::tui::protocol::verb::{KeyMap, Verb};
use crate::tui::protocol::viewer::{ImageList, ViewerAction};
use crate::tui::shared_state::SharedState;
use crate::tui::widgets::fitted::{fitted, width};
use crate::tui::widgets::pane::draw_pane;
use crate::tui::widgets::picture::{PictureContent, PictureView};
use mammoscope_domain::text::printable::{printable, printable_os};
use mammoscope_imaging::intensity_window::WindowChoice;

const fn act(action: ViewerAction) -> Action {
    Action::Viewer(action)
}

const BINDINGS: KeyTables = &[&[
    Binding::new(act(ViewerAction::Next), &[Verb::Right, Verb::Down], "next", "show the next image"),
    Binding::new(act(ViewerAction::Previous), &[Verb::Left, Verb::Up], "previous", "show the previous image"),
    Binding::new(act(ViewerAction::NextWindow), &[Verb::Window], "window", "switch to the next grey window"),
    Binding::new(act(ViewerAction::Darker), &[Verb::Darker], "darker", "darken the image"),
    Binding::new(act(ViewerAction::Brighter), &[Verb::Brighter], "brighter", "brighten the image"),
    Binding::new(act(ViewerAction::MoreContrast), &[Verb::MoreContrast], "contrast", "increase the contrast"),
    Binding::quiet(act(ViewerAction::LessContrast), &[Verb::LessContrast], "decrease the contrast"),
    Binding::quiet(act(ViewerAction::ResetWindow), &[Verb::ResetView], "reset the grey window"),
    Binding::quiet(act(ViewerAction::TenForward), &[Verb::PageDown], "go ten images forward"),
    Binding::quiet(act(ViewerAction::TenBack), &[Verb::PageUp], "go ten images back"),
    Binding::quiet(act(ViewerAction::First), &[Verb::First], "show the first image"),
    Binding::quiet(act(ViewerAction::Last), &[Verb::Last], "show the last image"),
    Binding::new(act(ViewerAction::Close), &[Verb::Back, Verb::Quit], "back", "go back"),
]];

pub(in crate::tui) struct ViewerPopup {
    images: ImageList,
    window: WindowChoice,
    pub(in crate::tui) picture: PictureView,
}

impl ViewerPopup {
    /// A viewer of these images. Pictures are requested on drawing, since their size is known only then.
    pub(in crate::tui) fn open(mut images: ImageList) -> Self {
        images.position = images.position.min(images.images.len().saturating_sub(1));
        Self { images, window: WindowChoice::default(), picture: PictureView::new(PicturePlace::Viewer) }
    }

    #[expect(clippy::unused_self, reason = "the tables are the popup's")]
    pub(in crate::tui) fn bindings(&self) -> KeyTables {
        BINDINGS
    }

    pub(super) fn press(&mut self, key: Key, keymap: &KeyMap) -> PopupOutcome {
        let Some(Action::Viewer(action)) = action_of(key, keymap, BINDINGS.iter().copied().flatten()) else {
            return PopupOutcome::Unbound;
        };
        self.act(action)
    }

    fn act(&mut self, action: ViewerAction) -> PopupOutcome {
        match action {
            ViewerAction::Next => self.step(1),
            ViewerAction::Previous => self.step(-1),
            ViewerAction::TenForward => self.step(10),
            ViewerAction::TenBack => self.step(-10),
            ViewerAction::First => self.images.position = 0,
            ViewerAction::Last => self.images.position = self.images.images.len().saturating_sub(1),
            ViewerAction::NextWindow => self.window = self.window.next(),
            ViewerAction::Brighter => self.window = self.window.brighter(1),
            ViewerAction::Darker => self.window = self.window.brighter(-1),
            ViewerAction::MoreContrast => self.window = self.window.steeper(1),
            ViewerAction::LessContrast => self.window = self.window.steeper(-1),
            ViewerAction::ResetWindow => self.window = WindowChoice::default(),
            ViewerAction::Close => return PopupOutcome::Close(Vec::new()),
        }
        PopupOutcome::Stay(Vec::new())
    }

    fn step(&mut self, images: isize) {
        let last = self.images.images.len().saturating_sub(1);
        self.images.position = self.images.position.saturating_add_signed(images).min(last);
    }

    pub(super) fn mouse(&mut self, mouse: Mouse) -> PopupOutcome {
        match mouse.kind {
            MouseKind::WheelDown => self.act(ViewerAction::Next),
            MouseKind::WheelUp => self.act(ViewerAction::Previous),
            _ => PopupOutcome::Stay(Vec::new()),
        }
    }

    pub(in crate::tui) fn on_message(&mut self, message: &PictureMessage) {
        self.picture.on_message(message);
    }

    /// Takes the request that the last drawing led to.
    pub(in crate::tui) fn take_request(&mut self) -> Option<Effect> {
        self.picture.take_request()
    }

    pub(in crate::tui) fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, shared: &SharedState) {
        let theme = &shared.theme;
        frame.render_widget(Clear, area);
        let images = &self.images.images;
        let place = format!("{} of {}", self.images.position + 1, images.len());
        let place = if images.is_empty() { String::new() } else { place };
        let inner = draw_pane(frame, area, theme, true, [&printable(&self.images.title), &place]);
        let Some(image) = images.get(self.images.position) else {
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
        self.picture.draw(frame, room, shared, PictureContent::stored(&image.path, self.window), neighbours);
        let cells = usize::from(inner.width).saturating_sub(2);
        let text = fitted(&printable(&image.caption), cells);
        frame.render_widget(Paragraph::new(Line::raw(text).centered()), caption);
        let name = image.path.file_name().map(printable_os).unwrap_or_default();
        let known = self.picture.facts(&image.path).map(|known| (known.header.facts.to_string(), known.window_text()));
        let line = match known {
            Some((stored, window)) => {
                let left = fitted(&format!("{name} · {stored}"), cells.saturating_sub(width(&window) + 3));
                Line::from(vec![Span::styled(left, theme.dim()), Span::raw(" · "), Span::raw(window)])
            }
            None => Line::styled(fitted(&name, cells), theme.dim()),
        };
        frame.render_widget(Paragraph::new(line.centered()), facts);
    }
}

#[cfg(test)]
mod tests;
