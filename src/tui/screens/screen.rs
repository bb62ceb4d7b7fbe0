//! The interface of a screen to the application.

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::terminal::input::{Key, Mouse};
use crate::tui::model::Model;
use crate::tui::protocol::binding::{Action, Binding};
use crate::tui::protocol::effect::Effect;

/// What a screen does. Nothing here reads or writes files: what is wanted of the world is returned as effects.
pub(in crate::tui) trait Screen {
    /// What can be done now: the table that dispatch, footer and help are made from, the most useful first.
    fn bindings(&self, model: &Model) -> &'static [Binding];

    /// Does it.
    fn act(&mut self, action: Action, model: &Model) -> Vec<Effect>;

    /// Takes a key before any binding, where text is being typed; `None` leaves it to the bindings.
    fn type_key(&mut self, _key: Key, _model: &Model) -> Option<Vec<Effect>> {
        None
    }

    /// Takes pasted text, where text is being typed.
    fn paste(&mut self, _text: &str, _model: &Model) -> Vec<Effect> {
        Vec::new()
    }

    /// Takes the mouse.
    fn mouse(&mut self, _mouse: Mouse, _model: &Model) -> Vec<Effect> {
        Vec::new()
    }

    /// Is shown from now on.
    fn enter(&mut self, _model: &Model) -> Vec<Effect> {
        Vec::new()
    }

    /// A second is over while it is shown.
    fn tick(&mut self, _model: &Model) -> Vec<Effect> {
        Vec::new()
    }

    /// Draws itself.
    fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, model: &Model);
}
