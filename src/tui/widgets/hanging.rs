//! The hanging of an examination: its four views, chest wall to chest wall, at one scale.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use super::fitted::fitted;
use super::picture::{PictureContent, PictureView};
use crate::terminal::input::Mouse;
use crate::tui::protocol::effect::Effect;
use crate::tui::protocol::examination_views::{FoundViews, ViewsMessage};
use crate::tui::protocol::framing::Hanging;
use crate::tui::protocol::picture_action::PictureAction;
use crate::tui::protocol::pictures::PicturePlace;
use crate::tui::shared_state::SharedState;
use mammoscope_domain::subject::view::{Side, View};
use mammoscope_imaging::intensity_window::WindowChoice;

/// The four views of an examination.
#[derive(Debug)]
pub(in crate::tui) struct HangingView {
    /// The image whose examination is shown.
    of: Option<PathBuf>,
    /// `None` until the views were looked for.
    found: Option<FoundViews>,
    pending: Option<Effect>,
    pictures: [PictureView; 4],
}

impl Default for HangingView {
    fn default() -> Self {
        let picture = |at: usize| PictureView::new(PicturePlace::Hung(at as u8));
        Self { of: None, found: None, pending: None, pictures: std::array::from_fn(picture) }
    }
}

/// Columns of a view below which only the shortest words have room.
const NARROW: u16 = 32;

/// How a view hangs: the right breast on the left, so that the chest walls meet in the middle.
pub(in crate::tui) fn hanging_of(view: View, beside: &Arc<[PathBuf]>) -> Hanging {
    Hanging { chest_wall: view.side(), beside: Arc::clone(beside) }
}

/// The areas of the four views, in the order of [`View::ALL`]: two rows of two, or one row where the views are larger so.
/// Chest walls meet in the middle of each pair.
pub(in crate::tui) fn hanging_areas(area: Rect) -> [Rect; 4] {
    // A cell is about twice as high as wide, and a breast about as high as wide.
    let side = |columns: u16, rows: u16| (area.width / columns).min(2 * (area.height / rows));
    let (columns, rows) = if side(4, 1) > side(2, 2) { (4, 1) } else { (2, 2) };
    // All of one size, or their scales would differ; odd rows or columns are left over.
    let (width, height) = (area.width / columns, area.height / rows);
    std::array::from_fn(|at| Rect {
        x: area.x + at as u16 % columns * width,
        y: area.y + at as u16 / columns * height,
        width,
        height,
    })
}

impl HangingView {
    pub(in crate::tui) fn pictures_mut(&mut self) -> &mut [PictureView] {
        &mut self.pictures
    }

    /// Takes the views of the examination that is shown.
    pub(in crate::tui) fn on_views(&mut self, message: &ViewsMessage) {
        if self.of.as_ref() == Some(&message.of) {
            self.found = Some(message.found.clone());
        }
    }

    /// Takes the requests that the last drawing led to.
    pub(in crate::tui) fn take_requests(&mut self) -> Vec<Effect> {
        let pictures = self.pictures.iter_mut().filter_map(PictureView::take_request);
        self.pending.take().into_iter().chain(pictures).collect()
    }

    /// True while the views are magnified.
    pub(in crate::tui) fn is_zoomed(&self) -> bool {
        self.pictures.iter().any(PictureView::is_zoomed)
    }

    /// Shows all of the views again.
    pub(in crate::tui) fn reset(&mut self) {
        self.pictures.iter_mut().for_each(PictureView::reset);
    }

    /// Performs an action on all views alike; there is no crosshair.
    pub(in crate::tui) fn act(&mut self, action: PictureAction) {
        if let (Some(leader), false) = (self.leader(), action == PictureAction::Crosshair) {
            self.pictures[leader].act(action);
            self.follow(leader);
        }
    }

    /// Pans all views; returns `false` if they are not magnified.
    pub(in crate::tui) fn arrow(&mut self, across: i32, down: i32) -> bool {
        let Some(leader) = self.leader() else { return false };
        let is_taken = self.pictures[leader].arrow(across, down);
        self.follow(leader);
        is_taken
    }

    /// Zooms all views by the wheel; returns `false` if the mouse is not over one.
    pub(in crate::tui) fn mouse(&mut self, mouse: Mouse) -> bool {
        let Some(leader) = (0..self.pictures.len()).find(|&at| self.pictures[at].mouse(mouse)) else { return false };
        self.follow(leader);
        true
    }

    /// The first view that there is.
    fn leader(&self) -> Option<usize> {
        self.found.as_ref()?.iter().position(Option::is_some)
    }

    /// Shows the same part of each breast, mirrored on the other side.
    fn follow(&mut self, leader: usize) {
        let side = View::ALL[leader].side();
        let centre = self.pictures[leader].zoom();
        for (at, picture) in self.pictures.iter_mut().enumerate().filter(|(at, _)| *at != leader) {
            picture.follow(centre, View::ALL[at].side() != side);
        }
    }

    /// Draws the views of an image's examination.
    pub(in crate::tui) fn draw(
        &mut self,
        frame: &mut Frame<'_>,
        area: Rect,
        shared: &SharedState,
        of: &Path,
        window: WindowChoice,
    ) {
        if self.of.as_deref() != Some(of) {
            // Another view of the same examination shows the same.
            let is_among = |found: &FoundViews| found.iter().flatten().any(|path| path == of);
            if !self.found.as_ref().is_some_and(is_among) {
                self.found = None;
                self.pending = Some(Effect::FindViews(of.to_owned()));
            }
            self.of = Some(of.to_owned());
        }
        let theme = &shared.theme;
        let Some(found) = &self.found else {
            frame.render_widget(Paragraph::new(Line::styled(" looking for the other views …", theme.dim())), area);
            return;
        };
        let beside: Arc<[PathBuf]> = found.iter().flatten().cloned().collect();
        for (at, (view, place)) in View::ALL.into_iter().zip(hanging_areas(area)).enumerate() {
            let [head, room] = Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(place);
            let picture = &mut self.pictures[at];
            let is_narrow = head.width < NARROW;
            let (text, style) = match &found[at] {
                None if is_narrow => (format!("no {view}"), theme.warning()),
                None => (format!("no {view} in this examination"), theme.warning()),
                Some(path) => {
                    let content = PictureContent::stored(path, window).hung(hanging_of(view, &beside));
                    picture.draw(frame, room, shared, content, Vec::new);
                    let is_flipped = picture.part(path).is_some_and(|part| part.is_flipped);
                    let mirrored = match (is_flipped, is_narrow) {
                        (false, _) => "",
                        (true, true) => " · mirrored",
                        (true, false) => " · mirrored for display",
                    };
                    (format!("{view}{mirrored}"), if path == of { theme.accent() } else { theme.dim() })
                }
            };
            let line = Line::styled(fitted(&format!(" {text} "), head.width.into()), style);
            let line = if view.side() == Side::Right { line.right_aligned() } else { line };
            frame.render_widget(Paragraph::new(line), head);
        }
    }

    /// The scale that all views share, in words.
    pub(in crate::tui) fn scale_text(&self, ascii: bool) -> String {
        let shown = self.found.as_ref().and_then(|found| {
            found.iter().zip(&self.pictures).find_map(|(path, picture)| Some((path.as_ref()?, picture)))
        });
        shown.map_or_else(String::new, |(path, picture)| picture.scale_text(path, ascii))
    }
}
