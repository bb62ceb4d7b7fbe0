//! A place on the screen that shows a picture, whole or magnified, with a crosshair.

use std::path::{Path, PathBuf};

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Clear, Paragraph, Wrap};
use ratatui_image::Image;

use crate::terminal::input::{Mouse, MouseKind};
use crate::terminal::sizes::Cells;
use crate::tui::protocol::effect::Effect;
use crate::tui::protocol::failure::Failure;
use crate::tui::protocol::framing::{FramedPart, Framing, Hanging, Share, Zoom};
use crate::tui::protocol::picture_action::PictureAction;
use crate::tui::protocol::pictures::{
    Drawing, EncodedPicture, Painted, PictureEffect, PictureFacts, PictureMessage, PicturePlace, PictureRequest,
};
use crate::tui::shared_state::SharedState;
use mammoscope_domain::subject::view::Side;
use mammoscope_imaging::intensity_window::WindowChoice;

/// The content to show in the place of a picture.
pub(in crate::tui) struct PictureContent<'a> {
    path: &'a Path,
    window: WindowChoice,
    painted: Option<Painted>,
    hanging: Option<Hanging>,
}

impl<'a> PictureContent<'a> {
    /// The image in a file as it is stored, through a grey window.
    pub(in crate::tui) fn stored(path: &'a Path, window: WindowChoice) -> Self {
        Self { path, window, painted: None, hanging: None }
    }

    /// A picture that is painted for the image in a file, for example with an explanation over it.
    pub(in crate::tui) fn painted(path: &'a Path, window: WindowChoice, painted: impl Into<Painted>) -> Self {
        Self { path, window, painted: Some(painted.into()), hanging: None }
    }

    /// The content as it hangs beside the other views; it is drawn at the side of its chest wall.
    pub(in crate::tui) fn hung(self, hanging: Hanging) -> Self {
        Self { hanging: Some(hanging), ..self }
    }
}

/// A place on the screen that shows a picture: it requests what it lacks and draws what has come.
#[derive(Debug)]
pub(in crate::tui) struct PictureView {
    place: PicturePlace,
    /// True while something covers the picture.
    pub(in crate::tui) covered: bool,
    /// `None` for the whole image.
    zoom: Option<Zoom>,
    cursor: Option<Share>,
    /// The cells that the picture takes, and those that it may take.
    area: Rect,
    room: Rect,
    requested: Option<PictureRequest>,
    pending: Option<PictureEffect>,
    shown: Option<PictureMessage>,
    /// True once the picture was drawn in full: kitty gets the pixels with the first cell that is drawn.
    sent: bool,
}

impl PictureView {
    pub(in crate::tui) fn new(place: PicturePlace) -> Self {
        Self {
            place,
            covered: false,
            zoom: None,
            cursor: None,
            area: Rect::ZERO,
            room: Rect::ZERO,
            requested: None,
            pending: None,
            shown: None,
            sent: false,
        }
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
        self.encoded(path)?.facts.as_ref()
    }

    /// The part of the image in this file that is shown.
    pub(in crate::tui) fn part(&self, path: &Path) -> Option<&FramedPart> {
        self.encoded(path).map(|picture| &picture.part)
    }

    /// The scale in words, such as `31 %`, `1:1` or `×2`.
    pub(in crate::tui) fn scale_text(&self, path: &Path, ascii: bool) -> String {
        self.part(path).map_or_else(String::new, |part| part.scale_text(ascii))
    }

    /// The pixel under the crosshair, such as `x 512  y 1033  grey 87`.
    pub(in crate::tui) fn probe_text(&self, path: &Path) -> Option<String> {
        self.encoded(path)?.probe.map(|probe| probe.to_string())
    }

    /// The scale and, with a crosshair, the pixel under it.
    pub(in crate::tui) fn caption(&self, path: &Path, ascii: bool) -> String {
        let scale = self.scale_text(path, ascii);
        match self.probe_text(path) {
            Some(probe) => format!("{scale} · {probe}"),
            None => scale,
        }
    }

    /// The reason why the image in this file cannot be shown.
    pub(in crate::tui) fn problem(&self, path: &Path) -> Option<&str> {
        self.shown_of(path)?.outcome.as_ref().err().map(Failure::text)
    }

    fn encoded(&self, path: &Path) -> Option<&EncodedPicture> {
        self.shown_of(path)?.outcome.as_ref().ok()
    }

    fn shown_of(&self, path: &Path) -> Option<&PictureMessage> {
        self.shown.as_ref().filter(|shown| shown.request.path == path)
    }

    /// The part that the present magnification shows, which may still be on its way.
    fn present_part(&self) -> Option<FramedPart> {
        let shown = self.shown.as_ref()?;
        let (request, part) = (&shown.request, &shown.outcome.as_ref().ok()?.part);
        Some(match (self.zoom, request.framing.zoom) {
            (zoom, shown) if zoom == shown => *part,
            (Some(zoom), _) => {
                let is_flipped = part.is_flipped;
                FramedPart { is_flipped, ..FramedPart::magnified(request.look, part.image, request.room, zoom) }
            }
            (None, _) => {
                FramedPart { is_flipped: part.is_flipped, ..FramedPart::whole(request.look, part.image, request.room) }
            }
        })
    }

    /// The magnification a number of steps from the present one, around a position.
    fn zoomed(&self, steps: i32, around: Share) -> Option<Zoom> {
        let request = &self.shown.as_ref()?.request;
        let part = self.present_part()?;
        let whole = FramedPart::whole(request.look, part.image, request.room);
        part.zoomed(steps, around, whole.scale())
    }

    /// True while a part of the image is magnified.
    pub(in crate::tui) fn is_zoomed(&self) -> bool {
        self.zoom.is_some()
    }

    /// True while the crosshair is shown.
    pub(in crate::tui) fn has_cursor(&self) -> bool {
        self.cursor.is_some()
    }

    /// The magnified part; `None` for the whole image.
    pub(in crate::tui) fn zoom(&self) -> Option<Zoom> {
        self.zoom
    }

    /// Shows the same part as another picture, mirrored if their chest walls are on different sides.
    pub(in crate::tui) fn follow(&mut self, other: Option<Zoom>, is_mirrored: bool) {
        let turned = |centre: Share| if is_mirrored { Share { x: 1.0 - centre.x, ..centre } } else { centre };
        self.zoom = other.map(|zoom| Zoom { centre: turned(zoom.centre), ..zoom });
    }

    /// True if an action would reset the grey window, since the image is shown whole.
    pub(in crate::tui) fn resets_window(&self, action: PictureAction) -> bool {
        action == PictureAction::Whole && self.zoom.is_none()
    }

    /// Shows the whole image again, without a crosshair.
    pub(in crate::tui) fn reset(&mut self) {
        (self.zoom, self.cursor) = (None, None);
    }

    /// Performs an action on the picture; those on the grey window are not the picture's own.
    pub(in crate::tui) fn act(&mut self, action: PictureAction) {
        let Some(part) = self.present_part() else { return };
        match action {
            PictureAction::ZoomIn | PictureAction::ZoomOut => {
                let steps = if action == PictureAction::ZoomIn { 1 } else { -1 };
                let around = self.cursor.unwrap_or_else(|| part.centre());
                self.zoom = self.zoomed(steps, around);
            }
            PictureAction::Whole => self.zoom = None,
            PictureAction::Crosshair => {
                self.cursor = if self.cursor.is_some() { None } else { Some(part.centre()) };
            }
            action => {
                if let (Some((across, down)), Some(zoom)) = (action.pan(), &mut self.zoom) {
                    zoom.centre = part.panned(across, down);
                }
            }
        }
    }

    /// Moves the crosshair or, without one, the magnified part; returns `false` if neither is shown.
    pub(in crate::tui) fn arrow(&mut self, across: i32, down: i32) -> bool {
        match (self.cursor, self.present_part()) {
            (Some(cursor), Some(part)) => {
                let moved = part.cursor_moved(cursor, across, down);
                self.cursor = Some(moved);
                // The part follows the crosshair beyond its edges.
                let Share { x, y } = part.in_picture(moved);
                if let (Some(zoom), true) = (&mut self.zoom, !(0.0..=1.0).contains(&x) || !(0.0..=1.0).contains(&y)) {
                    zoom.centre = moved;
                }
                true
            }
            (None, Some(part)) => match &mut self.zoom {
                Some(zoom) => {
                    zoom.centre = part.panned(across, down);
                    true
                }
                None => false,
            },
            (_, None) => false,
        }
    }

    /// Zooms by the wheel around the position under the mouse, and moves the crosshair there by a click or a drag;
    /// returns `false` if the mouse is elsewhere.
    pub(in crate::tui) fn mouse(&mut self, mouse: Mouse) -> bool {
        let (Some(part), true) = (self.present_part(), self.area.contains((mouse.column, mouse.row).into())) else {
            return false;
        };
        let under = part.position(share_at(mouse, self.area));
        match mouse.kind {
            MouseKind::WheelUp | MouseKind::WheelDown => {
                let steps = if mouse.kind == MouseKind::WheelUp { 1 } else { -1 };
                self.zoom = self.zoomed(steps, under);
                self.keep_under(mouse, under);
            }
            MouseKind::Press | MouseKind::Drag if self.cursor.is_some() => self.cursor = Some(under),
            MouseKind::Press | MouseKind::Drag | MouseKind::Release => return false,
        }
        true
    }

    /// Moves the magnified part so that a position of the image is under the mouse.
    fn keep_under(&mut self, mouse: Mouse, position: Share) {
        let chest_wall = self.shown.as_ref().and_then(|shown| shown.request.framing.hanging.as_ref());
        let side = chest_wall.map(|hanging| hanging.chest_wall);
        let Some((part, zoom)) = self.present_part().zip(self.zoom) else { return };
        let Some(place) = placed(self.room, part.cells, side) else { return };
        let share = share_at(mouse, place);
        let centre = |position: f64, share: f64, part: u32, image: u32| {
            (position + (0.5 - share) * f64::from(part) / f64::from(image.max(1))).clamp(0.0, 1.0)
        };
        let x = centre(position.x, share.x, part.part.width, part.image.width);
        let y = centre(position.y, share.y, part.part.height, part.image.height);
        self.zoom = Some(Zoom { centre: Share { x, y }, ..zoom });
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
        self.room = area;
        let room = Cells { columns: area.width, rows: area.height };
        let PictureContent { path, window, painted, hanging } = content;
        let is_painted = painted.is_some();
        let side = hanging.as_ref().map(|hanging| hanging.chest_wall);
        let framing = Framing { zoom: self.zoom, cursor: self.cursor, hanging };
        let request = PictureRequest { place: self.place, path: path.to_owned(), room, window, framing, painted, look };
        if self.requested.as_ref() != Some(&request) {
            self.requested = Some(request.clone());
            self.pending = Some(PictureEffect::Show { request, neighbours: neighbours() });
        }
        let is_it = |request: &PictureRequest| {
            request.path == path && request.look == look && request.painted.is_some() == is_painted
        };
        match self.shown.as_ref().filter(|shown| is_it(&shown.request)).map(|shown| &shown.outcome) {
            Some(Ok(picture)) => {
                let place = placed(area, picture.drawing.size(), side);
                self.area = place.unwrap_or_default();
                if let Some(place) = place
                    && (!self.covered || (self.sent && !look.way.is_painted()))
                {
                    draw_at(frame, place, &picture.drawing);
                    self.sent = true;
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

/// The position of the mouse in an area.
fn share_at(mouse: Mouse, area: Rect) -> Share {
    let share = |at: u16, start: u16, cells: u16| (f64::from(at) - f64::from(start) + 0.5) / f64::from(cells.max(1));
    Share { x: share(mouse.column, area.x, area.width), y: share(mouse.row, area.y, area.height) }
}

/// The cells of a picture in an area: in the middle or, beside other views, with the chest wall at the edge; `None` if
/// it was made for a larger area.
fn placed(area: Rect, Cells { columns: width, rows: height }: Cells, chest_wall: Option<Side>) -> Option<Rect> {
    if width > area.width || height > area.height {
        return None;
    }
    let left = match chest_wall {
        None => (area.width - width) / 2,
        Some(Side::Left) => 0,
        Some(Side::Right) => area.width - width,
    };
    Some(Rect::new(area.x + left, area.y + (area.height - height) / 2, width, height))
}

/// Draws a picture in the cells that it takes.
pub(in crate::tui) fn draw_at(frame: &mut Frame<'_>, place: Rect, drawing: &Drawing) {
    frame.render_widget(Clear, place);
    match drawing {
        Drawing::Protocol(protocol) => frame.render_widget(Image::new(protocol), place),
        Drawing::Cells(cells) => cells.draw(place, frame.buffer_mut()),
    }
}
