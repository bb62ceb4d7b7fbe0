//! The interface of a screen to the application.

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::terminal::input::{Key, Mouse};
use crate::tui::protocol::binding::{Action, KeyTables, StateTables};
use crate::tui::protocol::effect::Effect;
use crate::tui::protocol::list_motion::ListMotion;
use crate::tui::protocol::pictures::PictureMessage;
use crate::tui::shared_state::SharedState;
use crate::tui::widgets::contact_sheet::ContactSheet;
use crate::tui::widgets::picture::PictureView;

/// A screen, whose state changes by input and messages. It does no I/O but returns effects.
pub(in crate::tui) trait Screen {
    /// The key tables for the current state, for dispatch, footer and help.
    fn bindings(&self, shared: &SharedState) -> KeyTables;

    /// The key tables of all states, for the command palette.
    fn states(&self) -> &'static [StateTables];

    /// The reason why an action of the current tables cannot be performed now, such as `no run is selected`.
    fn unavailable(&self, _action: Action, _model: &SharedState) -> Option<String> {
        None
    }

    /// Performs an action of this screen.
    fn act(&mut self, action: Action, shared: &SharedState) -> Vec<Effect>;

    /// Moves the cursor of the current list.
    fn move_cursor(&mut self, _motion: ListMotion, _model: &SharedState) -> Vec<Effect> {
        Vec::new()
    }

    /// Handles a key before the bindings while text is being typed; `None` leaves it to the bindings.
    fn type_key(&mut self, _key: Key, _model: &SharedState) -> Option<Vec<Effect>> {
        None
    }

    /// Inserts pasted text while text is being typed.
    fn paste(&mut self, _text: &str, _model: &SharedState) -> Vec<Effect> {
        Vec::new()
    }

    fn mouse(&mut self, _mouse: Mouse, _model: &SharedState) -> Vec<Effect> {
        Vec::new()
    }

    /// Called once, when the workbench opens.
    fn start(&mut self, _model: &SharedState) -> Vec<Effect> {
        Vec::new()
    }

    /// Called whenever the screen is entered.
    fn enter(&mut self, _model: &SharedState) -> Vec<Effect> {
        Vec::new()
    }

    /// Called every second while the screen is shown.
    fn tick(&mut self, _model: &SharedState) -> Vec<Effect> {
        Vec::new()
    }

    /// Takes note of an effect of any screen before it is performed.
    fn on_effect(&mut self, _effect: &Effect) {}

    /// The places of pictures on this screen.
    fn pictures_mut(&mut self) -> &mut [PictureView] {
        &mut []
    }

    /// Takes a picture; each place knows which one it requested.
    fn on_picture(&mut self, message: &PictureMessage) {
        for picture in self.pictures_mut() {
            picture.on_message(message);
        }
    }

    /// The contact sheet of this screen, if it has one.
    fn sheet_mut(&mut self) -> Option<&mut ContactSheet> {
        None
    }

    /// Effects that follow from a drawing: only then the visible rows and the room of pictures are known.
    fn after_draw(&mut self) -> Vec<Effect> {
        let mut effects: Vec<Effect> = self.pictures_mut().iter_mut().filter_map(PictureView::take_request).collect();
        effects.extend(self.sheet_mut().and_then(ContactSheet::take_request));
        effects
    }

    fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, shared: &SharedState);
}
