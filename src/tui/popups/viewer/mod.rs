//! The full-screen picture viewer, for browsing a list of images.

mod keys;
mod view;

use crate::terminal::input::{Key, Mouse, MouseKind};
use crate::tui::popups::outcome::PopupOutcome;
use crate::tui::protocol::binding::{Action, KeyTables, action_of};
use crate::tui::protocol::effect::Effect;
use crate::tui::protocol::examination_views::ViewsMessage;
use crate::tui::protocol::picture_action::PictureAction;
use crate::tui::protocol::pictures::{PictureMessage, PicturePlace};
use crate::tui::protocol::verb::{KeyMap, Verb};
use crate::tui::protocol::viewer::{ImageList, ListedImage, ViewerAction};
use crate::tui::widgets::hanging::HangingView;
use crate::tui::widgets::picture::PictureView;
use crate::tui::widgets::window_field::WindowField;
use mammoscope_imaging::intensity_window::WindowChoice;

/// The full-screen picture viewer.
pub(in crate::tui) struct ViewerPopup {
    images: ImageList,
    /// The grey window, which all pictures share.
    window: WindowChoice,
    /// The line for typing a grey window, while it is open.
    window_field: Option<WindowField>,
    picture: PictureView,
    /// The four views of the image's examination, while they are shown in its place.
    hanging: Option<HangingView>,
    /// True if it was opened with the four views, so that one step back from them leaves it.
    opened_hung: bool,
}

impl ViewerPopup {
    /// A viewer of these images through this grey window. Pictures are requested on drawing, since their size is known
    /// only then.
    pub(in crate::tui) fn open(mut images: ImageList, window: WindowChoice) -> Self {
        images.position = images.position.min(images.images.len().saturating_sub(1));
        let picture = PictureView::new(PicturePlace::Viewer);
        Self { images, window, window_field: None, picture, hanging: None, opened_hung: false }
    }

    /// A viewer that begins with the four views of an examination.
    pub(in crate::tui) fn hung(images: ImageList, window: WindowChoice) -> Self {
        Self { hanging: Some(HangingView::default()), opened_hung: true, ..Self::open(images, window) }
    }

    /// The places of its pictures.
    pub(in crate::tui) fn pictures_mut(&mut self) -> impl Iterator<Item = &mut PictureView> {
        let hung = self.hanging.as_mut().map(HangingView::pictures_mut).unwrap_or_default();
        std::iter::once(&mut self.picture).chain(hung)
    }

    #[expect(clippy::unused_self, reason = "the tables are the popup's")]
    pub(in crate::tui) fn bindings(&self) -> KeyTables {
        keys::BINDINGS
    }

    fn image(&self) -> Option<&ListedImage> {
        self.images.images.get(self.images.position)
    }

    pub(super) fn press(&mut self, key: Key, keymap: &KeyMap) -> PopupOutcome {
        if let Some(outcome) = WindowField::press_open(&mut self.window_field, key) {
            let chosen = outcome.chosen();
            return PopupOutcome::Stay(chosen.map(|window| self.show_through(window)).unwrap_or_default());
        }
        if let Some((across, down)) = keymap.verb_of(key).and_then(Verb::direction)
            && match &mut self.hanging {
                Some(hanging) => hanging.arrow(across, down),
                None => self.picture.arrow(across, down),
            }
        {
            return PopupOutcome::Stay(Vec::new());
        }
        let Some(Action::Viewer(action)) = action_of(key, keymap, keys::BINDINGS.iter().copied().flatten()) else {
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
            ViewerAction::Picture(action) => return PopupOutcome::Stay(self.act_on_picture(action)),
            ViewerAction::CopyPath => {
                let path = self.image().map(|image| image.path.to_string_lossy().into_owned());
                return PopupOutcome::Stay(path.map(Effect::Copy).into_iter().collect());
            }
            ViewerAction::Hanging if self.hanging.is_some() => self.take_down(),
            ViewerAction::Hanging => {
                self.hanging = Some(HangingView::default());
                self.picture.forget();
            }
            ViewerAction::Close => return self.back(),
        }
        PopupOutcome::Stay(Vec::new())
    }

    /// Goes one step back: from a magnification or the crosshair to the whole, from the four views to the image that they
    /// were opened from, then to where it came from.
    fn back(&mut self) -> PopupOutcome {
        match &mut self.hanging {
            Some(hanging) if hanging.is_zoomed() => hanging.reset(),
            Some(_) if !self.opened_hung => self.take_down(),
            None if self.picture.is_zoomed() || self.picture.has_cursor() => self.picture.reset(),
            Some(_) | None => return PopupOutcome::Close(Vec::new()),
        }
        PopupOutcome::Stay(Vec::new())
    }

    /// Shows the image in place of the four views.
    fn take_down(&mut self) {
        self.hanging = None;
        self.picture.forget();
    }

    fn act_on_picture(&mut self, action: PictureAction) -> Vec<Effect> {
        let is_whole = match &self.hanging {
            Some(hanging) => !hanging.is_zoomed(),
            None => !self.picture.is_zoomed(),
        };
        let action = if action == PictureAction::Whole && is_whole { PictureAction::ResetWindow } else { action };
        if let Some(window) = action.window(self.window) {
            return self.show_through(window);
        }
        if action == PictureAction::TypeWindow {
            let in_use = self.image().and_then(|image| self.picture.facts(&image.path)?.window);
            self.window_field = Some(WindowField::new(in_use));
        } else if let Some(hanging) = &mut self.hanging {
            hanging.act(action);
        } else {
            self.picture.act(action);
        }
        Vec::new()
    }

    fn show_through(&mut self, window: WindowChoice) -> Vec<Effect> {
        self.window = window;
        vec![Effect::Window(window)]
    }

    fn step(&mut self, images: isize) {
        let last = self.images.images.len().saturating_sub(1);
        self.images.position = self.images.position.saturating_add_signed(images).min(last);
    }

    pub(super) fn mouse(&mut self, mouse: Mouse) -> PopupOutcome {
        let is_taken = match &mut self.hanging {
            Some(hanging) => hanging.mouse(mouse),
            None => self.picture.mouse(mouse),
        };
        if is_taken {
            return PopupOutcome::Stay(Vec::new());
        }
        match mouse.kind {
            MouseKind::WheelDown => self.act(ViewerAction::Next),
            MouseKind::WheelUp => self.act(ViewerAction::Previous),
            _ => PopupOutcome::Stay(Vec::new()),
        }
    }

    pub(in crate::tui) fn on_message(&mut self, message: &PictureMessage) {
        self.pictures_mut().for_each(|picture| picture.on_message(message));
    }

    /// Takes the views of the examination that is shown.
    pub(in crate::tui) fn on_views(&mut self, message: &ViewsMessage) {
        if let Some(hanging) = &mut self.hanging {
            hanging.on_views(message);
        }
    }

    /// Takes the requests that the last drawing led to.
    pub(in crate::tui) fn take_requests(&mut self) -> Vec<Effect> {
        match &mut self.hanging {
            Some(hanging) => hanging.take_requests(),
            None => self.picture.take_request().into_iter().collect(),
        }
    }
}

#[cfg(test)]
mod tests;
