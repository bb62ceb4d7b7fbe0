//! The place of a picture: what is wanted there, and what came.

use crate::terminal::sizes::Cells;
use std::path::{Path, PathBuf};

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Clear, Paragraph, Wrap};
use ratatui_image::Image;

use crate::tui::model::Model;
use crate::tui::protocol::effect::Effect;
use crate::tui::protocol::painted::PaintedExplanation;
use crate::tui::protocol::pictures::PictureFacts;
use crate::tui::protocol::pictures::{
    Drawing, EncodedPicture, PictureEffect, PictureMessage, PicturePlace, PictureRequest,
};
use mammoscope_imaging::intensity_window::WindowChoice;

/// The place of a picture.
#[derive(Debug)]
pub(in crate::tui) struct PictureView {
    place: PicturePlace,
    /// Whether something lies over it.
    pub(in crate::tui) covered: bool,
    asked: Option<PictureRequest>,
    wanted: Option<PictureEffect>,
    shown: Option<(PictureRequest, Result<EncodedPicture, String>)>,
    /// Whether what is shown was drawn in full; kitty gets the pixels with the first cell that is drawn.
    sent: bool,
}

impl PictureView {
    pub(in crate::tui) fn new(place: PicturePlace) -> Self {
        Self { place, covered: false, asked: None, wanted: None, shown: None, sent: false }
    }

    /// Takes a picture, if it is the one that was asked for last.
    pub(in crate::tui) fn on_message(&mut self, message: &PictureMessage) {
        if self.asked.as_ref() == Some(&message.request) {
            self.shown = Some((message.request.clone(), message.outcome.clone()));
            self.sent = false;
        }
    }

    /// The terminal has forgotten what it was sent.
    pub(in crate::tui) fn forget(&mut self) {
        (self.asked, self.shown) = (None, None);
    }

    /// What is to be asked for since it was drawn last.
    pub(in crate::tui) fn take_wanted(&mut self) -> Option<Effect> {
        self.wanted.take().map(Effect::Picture)
    }

    /// What is known of the picture of this file.
    pub(in crate::tui) fn facts(&self, path: &Path) -> Option<&PictureFacts> {
        self.outcome(path)?.as_ref().ok()?.facts.as_ref()
    }

    /// Why there is no picture of this file.
    pub(in crate::tui) fn problem(&self, path: &Path) -> Option<&str> {
        self.outcome(path)?.as_ref().err().map(String::as_str)
    }

    fn outcome(&self, path: &Path) -> Option<&Result<EncodedPicture, String>> {
        self.shown.as_ref().filter(|(request, _)| request.path == path).map(|(_, outcome)| outcome)
    }

    /// Draws the picture of a file, or asks for it.
    pub(in crate::tui) fn draw(
        &mut self,
        frame: &mut Frame<'_>,
        area: Rect,
        model: &Model,
        path: &Path,
        window: WindowChoice,
        neighbours: impl FnOnce() -> Vec<PathBuf>,
    ) {
        self.draw_painted(frame, area, model, (path, window, None), neighbours);
    }

    /// Draws the picture of a file with something painted over it, or asks for it.
    pub(in crate::tui) fn draw_painted(
        &mut self,
        frame: &mut Frame<'_>,
        area: Rect,
        model: &Model,
        (path, window, painted): (&Path, WindowChoice, Option<PaintedExplanation>),
        neighbours: impl FnOnce() -> Vec<PathBuf>,
    ) {
        let Some(look) = model.graphics.look(model.theme.text_look()).filter(|_| !area.is_empty()) else { return };
        let room = Cells { columns: area.width, rows: area.height };
        let painting = painted.is_some();
        let request = PictureRequest { place: self.place, path: path.to_owned(), room, window, painted, look };
        if self.asked.as_ref() != Some(&request) {
            self.asked = Some(request.clone());
            self.wanted = Some(PictureEffect::Show { request, neighbours: neighbours() });
        }
        let is_it = |request: &PictureRequest| {
            request.path == path && request.look == look && request.painted.is_some() == painting
        };
        match self.shown.as_ref().filter(|(request, _)| is_it(request)) {
            Some((_, Ok(picture))) => {
                if !self.covered || (self.sent && !look.way.is_painted()) {
                    self.sent |= draw_within(frame, area, &picture.drawing);
                }
            }
            Some((_, Err(problem))) => {
                let text = format!("{} the file {problem}", model.theme.sign("✖", "x"));
                frame.render_widget(Paragraph::new(text).style(model.theme.bad()).wrap(Wrap { trim: true }), area);
            }
            // The picture before is another's: none is better than the wrong one.
            None => {
                let middle = Rect { y: area.y + area.height / 2, height: 1, ..area };
                frame.render_widget(Paragraph::new(Line::styled("reading", model.theme.dim()).centered()), middle);
            }
        }
    }
}

/// In the middle of the area; nothing where it was made for a larger one.
fn draw_within(frame: &mut Frame<'_>, area: Rect, drawing: &Drawing) -> bool {
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
