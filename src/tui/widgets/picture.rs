//! A place on the screen that shows a picture.

use std::path::{Path, PathBuf};

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Clear, Paragraph, Wrap};
use ratatui_image::Image;

use crate::terminal::sizes::Cells;
use crate::tui::protocol::effect::Effect;
use crate::tui::protocol::failure::Failure;
use crate::tui::protocol::pictures::{
    Drawing, Painted, PictureEffect, PictureFacts, PictureMessage, PicturePlace, PictureRequest,
};
use crate::tui::shared_state::SharedState;
use mammoscope_imaging::intensity_window::WindowChoice;

/// The content to show in the place of a picture.
pub(in crate::tui) struct PictureContent<'a> {
    path: &'a Path,
    window: WindowChoice,
    painted: Option<Painted>,
}

impl<'a> PictureContent<'a> {
    /// The image in a file as it is stored, through a grey window.
    pub(in crate::tui) fn stored(path: &'a Path, window: WindowChoice) -> Self {
        Self { path, window, painted: None }
    }

    /// A picture that is painted for the image in a file, for example with an explanation over it.
    pub(in crate::tui) fn painted(path: &'a Path, window: WindowChoice, painted: impl Into<Painted>) -> Self {
        Self { path, window, painted: Some(painted.into()) }
    }
}

/// A place on the screen that shows a picture: it requests what it lacks and draws what has come.
#[derive(Debug)]
pub(in crate::tui) struct PictureView {
    place: PicturePlace,
    /// True while something covers the picture.
    pub(in crate::tui) covered: bool,
    requested: Option<PictureRequest>,
    pending: Option<PictureEffect>,
    shown: Option<PictureMessage>,
    /// True once the picture was drawn in full: kitty gets the pixels with the first cell that is drawn.
    sent: bool,
}

impl PictureView {
    pub(in crate::tui) fn new(place: PicturePlace) -> Self {
        Self { place, covered: false, requested: None, pending: None, shown: None, sent: false }
    }

    /// Takes a picture if it answers the latest request.
    pub(in crate::tui) fn on_message(&mut self, message: &PictureMessage) {
        if self.requested.as_ref() == Some(&message.request) {
            self.shown = Some(message.clone());
            self.sent = false;
        }
    }

    /// Forgets the picture, since the terminal has lost it.
    pub(in crate::tui) fn forget(&mut self) {
        (self.requested, self.shown) = (None, None);
    }

    /// Takes the request that the last drawing led to.
    pub(in crate::tui) fn take_request(&mut self) -> Option<Effect> {
        self.pending.take().map(Effect::Picture)
    }

    /// Facts about the image in this file, if it is the one that is shown.
    pub(in crate::tui) fn facts(&self, path: &Path) -> Option<&PictureFacts> {
        self.shown_of(path)?.outcome.as_ref().ok()?.facts.as_ref()
    }

    /// The reason why the image in this file cannot be shown.
    pub(in crate::tui) fn problem(&self, path: &Path) -> Option<&str> {
        self.shown_of(path)?.outcome.as_ref().err().map(Failure::text)
    }

    fn shown_of(&self, path: &Path) -> Option<&PictureMessage> {
        self.shown.as_ref().filter(|shown| shown.request.path == path)
    }

    /// Draws the picture, or requests it. The images of `neighbours` will probably be shown next.
    pub(in crate::tui) fn draw(
        &mut self,
        frame: &mut Frame<'_>,
        area: Rect,
        shared: &SharedState,
        content: PictureContent<'_>,
        neighbours: impl FnOnce() -> Vec<PathBuf>,
    ) {
        let Some(look) = shared.graphics.look(shared.theme.text_look()).filter(|_| !area.is_empty()) else { return };
        let room = Cells { columns: area.width, rows: area.height };
        let PictureContent { path, window, painted } = content;
        let is_painted = painted.is_some();
        let request = PictureRequest { place: self.place, path: path.to_owned(), room, window, painted, look };
        if self.requested.as_ref() != Some(&request) {
            self.requested = Some(request.clone());
            self.pending = Some(PictureEffect::Show { request, neighbours: neighbours() });
        }
        let is_it = |request: &PictureRequest| {
            request.path == path && request.look == look && request.painted.is_some() == is_painted
        };
        match self.shown.as_ref().filter(|shown| is_it(&shown.request)).map(|shown| &shown.outcome) {
            Some(Ok(picture)) => {
                if !self.covered || (self.sent && !look.way.is_painted()) {
                    self.sent |= draw_centered(frame, area, &picture.drawing);
                }
            }
            Some(Err(problem)) => {
                let text = format!("{} the file {problem}", shared.theme.sign("✖", "x"));
                frame.render_widget(Paragraph::new(text).style(shared.theme.bad()).wrap(Wrap { trim: true }), area);
            }
            // No picture is better than that of another image.
            None => {
                let middle = Rect { y: area.y + area.height / 2, height: 1, ..area };
                frame.render_widget(Paragraph::new(Line::styled("reading …", shared.theme.dim()).centered()), middle);
            }
        }
    }
}

/// Draws a picture in the middle of an area; returns `false` if it was made for a larger one.
fn draw_centered(frame: &mut Frame<'_>, area: Rect, drawing: &Drawing) -> bool {
    let Cells { columns: width, rows: height } = drawing.size();
    if width > area.width || height > area.height {
        return false;
    }
    let place = Rect::new(area.x + (area.width - width) / 2, area.y + (area.height - height) / 2, width, height);
    frame.render_widget(Clear, place);
    match drawing {
        Drawing::Protocol(protocol) => frame.render_widget(Image::new(protocol), place),
        Drawing::Cells(cells) => cells.draw(place, frame.buffer_mut()),
    }
    true
}
