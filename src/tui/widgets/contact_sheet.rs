//! A contact sheet: thumbnails of a list of images, as many as fit, with a cursor.

use std::collections::{HashMap, VecDeque};
use std::ops::Range;
use std::path::PathBuf;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Paragraph, Wrap};

use super::picture::draw_at;
use crate::terminal::graphics::PictureLook;
use crate::terminal::input::Mouse;
use crate::terminal::sizes::Cells;
use crate::tui::protocol::effect::Effect;
use crate::tui::protocol::failure::Failure;
use crate::tui::protocol::list_motion::ListMotion;
use crate::tui::protocol::pictures::Drawing;
use crate::tui::protocol::thumbnails::{ThumbnailMessage, ThumbnailRequest};
use crate::tui::shared_state::SharedState;

/// The usual width of a tile in cells.
pub(in crate::tui) const TILE: u16 = 12;
/// The height of a mammogram relative to its width.
const ASPECT: f64 = 1.6;
/// The fewest rows of a picture.
const MIN_ROWS: u16 = 3;
/// Pages that are made ahead, and pages that are kept.
const AHEAD: usize = 2;
const KEPT: usize = 6;

/// An image on a contact sheet.
pub(in crate::tui) struct SheetTile {
    pub(in crate::tui) path: PathBuf,
    /// The line below the thumbnail.
    pub(in crate::tui) label: Line<'static>,
}

/// The images of a contact sheet.
pub(in crate::tui) struct SheetContent<F> {
    pub(in crate::tui) length: usize,
    pub(in crate::tui) cursor: usize,
    /// True if the sheet has the focus.
    pub(in crate::tui) focused: bool,
    /// The image at an index.
    pub(in crate::tui) tile: F,
}

/// Thumbnails of a list of images: it requests what it lacks and draws what has come.
#[derive(Debug, Default)]
pub(in crate::tui) struct ContactSheet {
    /// True while something covers the sheet.
    pub(in crate::tui) covered: bool,
    thumbnails: HashMap<PathBuf, Result<Drawing, Failure>>,
    /// The paths of the thumbnails, the latest last.
    order: VecDeque<PathBuf>,
    /// How the thumbnails are encoded.
    made_for: Option<(PictureLook, Cells)>,
    requested: Vec<PathBuf>,
    pending: Option<ThumbnailRequest>,
    grid: Grid,
    /// The first row of tiles on screen.
    offset: usize,
}

/// The arrangement of tiles in an area.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Grid {
    area: Rect,
    columns: u16,
    rows: u16,
    /// The size of a tile with its label.
    width: u16,
    height: u16,
}

impl Grid {
    fn new(area: Rect, look: PictureLook) -> Self {
        let columns = (area.width / TILE).max(1);
        let width = (area.width / columns).max(1);
        let aspect = f64::from(look.cell.width) / f64::from(look.cell.height.max(1));
        let picture = (f64::from(width.saturating_sub(1)) * aspect * ASPECT).round() as u16;
        let height = (picture.max(MIN_ROWS) + 1).min(area.height.max(1));
        let rows = ((area.height + height / 2) / height).max(1);
        // The rows that are left over make the pictures larger.
        Self { area, columns, rows, width, height: area.height / rows }
    }

    fn tiles(self) -> usize {
        usize::from(self.columns) * usize::from(self.rows)
    }

    /// The room of a thumbnail: a column is left between tiles, and a row for the label.
    fn room(self) -> Cells {
        Cells { columns: self.width.saturating_sub(1).max(1), rows: self.height.saturating_sub(1).max(1) }
    }

    /// The area of the tile at a place on screen.
    fn place(self, at: usize) -> Rect {
        let (column, row) = ((at % usize::from(self.columns)) as u16, (at / usize::from(self.columns)) as u16);
        let (x, y) = (self.area.x + column * self.width, self.area.y + row * self.height);
        Rect::new(x, y, self.width, self.height).intersection(self.area)
    }
}

impl ContactSheet {
    /// Takes a thumbnail if it fits the sheet as it was drawn last.
    pub(in crate::tui) fn on_message(&mut self, message: &ThumbnailMessage) {
        if self.made_for == Some((message.look, message.room))
            && self.requested.contains(&message.path)
            && self.thumbnails.insert(message.path.clone(), message.outcome.clone()).is_none()
        {
            self.order.push_back(message.path.clone());
        }
    }

    /// Forgets all thumbnails, since the terminal has lost them.
    pub(in crate::tui) fn forget(&mut self) {
        self.thumbnails.clear();
        self.order.clear();
        self.requested.clear();
    }

    /// Takes the request that the last drawing led to.
    pub(in crate::tui) fn take_request(&mut self) -> Option<Effect> {
        self.pending.take().map(Effect::Thumbnails)
    }

    /// The cursor after a motion up or down, by pages, or to an end.
    pub(in crate::tui) fn moved(&self, motion: ListMotion, cursor: usize, length: usize) -> usize {
        let columns = usize::from(self.grid.columns.max(1)) as isize;
        let page = self.grid.tiles().max(1) as isize;
        let steps = match motion {
            ListMotion::Up => -columns,
            ListMotion::Down => columns,
            ListMotion::PageUp => -page,
            ListMotion::PageDown => page,
            ListMotion::HalfPageUp => -(page / 2 / columns).max(1) * columns,
            ListMotion::HalfPageDown => (page / 2 / columns).max(1) * columns,
            ListMotion::First => isize::MIN / 2,
            ListMotion::Last => isize::MAX / 2,
        };
        self.stepped(steps, cursor, length)
    }

    /// The cursor a number of images further on, or before.
    #[expect(clippy::unused_self, reason = "beside the motions that depend on the sheet")]
    pub(in crate::tui) fn stepped(&self, images: isize, cursor: usize, length: usize) -> usize {
        cursor.saturating_add_signed(images).min(length.saturating_sub(1))
    }

    /// The image under the mouse.
    pub(in crate::tui) fn tile_at(&self, mouse: Mouse, length: usize) -> Option<usize> {
        let grid = self.grid;
        if !grid.area.contains((mouse.column, mouse.row).into()) || grid.columns == 0 {
            return None;
        }
        let (column, row) = ((mouse.column - grid.area.x) / grid.width, (mouse.row - grid.area.y) / grid.height);
        let at = (self.offset + usize::from(row)) * usize::from(grid.columns) + usize::from(column);
        (column < grid.columns && at < length).then_some(at)
    }

    /// The images on screen, with the cursor among them.
    fn visible(&mut self, cursor: usize, length: usize) -> Range<usize> {
        let (columns, rows) = (usize::from(self.grid.columns), usize::from(self.grid.rows));
        let row = cursor / columns;
        let last = length.div_ceil(columns).saturating_sub(rows);
        self.offset = self.offset.min(last).clamp(row.saturating_sub(rows - 1), row);
        let first = self.offset * columns;
        first..(first + columns * rows).min(length)
    }

    /// Draws the thumbnails around the cursor, and requests those that are missing.
    pub(in crate::tui) fn draw(
        &mut self,
        frame: &mut Frame<'_>,
        area: Rect,
        shared: &SharedState,
        content: SheetContent<impl Fn(usize) -> SheetTile>,
    ) {
        let Some(look) = shared.graphics.look(shared.theme.text_look()).filter(|_| !area.is_empty()) else { return };
        self.grid = Grid::new(area, look);
        let made_for = Some((look, self.grid.room()));
        if self.made_for != made_for {
            self.forget();
            self.made_for = made_for;
        }
        let SheetContent { length, cursor, focused, tile } = content;
        let visible = self.visible(cursor.min(length.saturating_sub(1)), length);
        self.request(&visible, length, &tile);
        for at in visible.clone() {
            let place = self.grid.place(at - visible.start);
            self.draw_tile(frame, place, shared, tile(at), at == cursor, focused);
        }
    }

    /// Requests the images on screen, then those of the next pages and of the one before.
    fn request(&mut self, visible: &Range<usize>, length: usize, tile: &impl Fn(usize) -> SheetTile) {
        let page = self.grid.tiles();
        let ahead = visible.end..(visible.end + AHEAD * page).min(length);
        let behind = visible.start.saturating_sub(page)..visible.start;
        let wanted: Vec<PathBuf> = visible.clone().chain(ahead).chain(behind).map(|at| tile(at).path).collect();
        if wanted == self.requested {
            return;
        }
        self.requested = wanted;
        while self.order.len() > KEPT * page {
            let Some(at) = self.order.iter().position(|path| !self.requested.contains(path)) else { break };
            if let Some(path) = self.order.remove(at) {
                self.thumbnails.remove(&path);
            }
        }
        let paths: Vec<PathBuf> =
            self.requested.iter().filter(|path| !self.thumbnails.contains_key(*path)).cloned().collect();
        if let Some((look, room)) = self.made_for {
            self.pending = Some(ThumbnailRequest { look, room, paths });
        }
    }

    fn draw_tile(
        &self,
        frame: &mut Frame<'_>,
        place: Rect,
        shared: &SharedState,
        tile: SheetTile,
        is_selected: bool,
        focused: bool,
    ) {
        let theme = &shared.theme;
        let picture = Rect { width: place.width.saturating_sub(1), height: place.height.saturating_sub(1), ..place };
        let label = Rect { y: place.bottom().saturating_sub(1), height: 1.min(place.height), ..picture };
        match self.thumbnails.get(&tile.path) {
            Some(Ok(drawing)) => {
                let Cells { columns, rows } = drawing.size();
                if !self.covered && columns <= picture.width && rows <= picture.height {
                    let x = picture.x + (picture.width - columns) / 2;
                    draw_at(frame, Rect::new(x, picture.y + (picture.height - rows), columns, rows), drawing);
                }
            }
            Some(Err(problem)) => {
                let text = format!("{} the file {problem}", theme.sign("✖", "x"));
                frame.render_widget(Paragraph::new(text).style(theme.bad()).wrap(Wrap { trim: true }), picture);
            }
            None => {
                let middle = Rect { y: picture.y + picture.height / 2, height: 1.min(picture.height), ..picture };
                frame.render_widget(Paragraph::new(Line::styled("…", theme.dim()).centered()), middle);
            }
        }
        let style = if is_selected { theme.selected(focused) } else { theme.text() };
        frame.render_widget(Paragraph::new(tile.label).style(style), label);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::terminal::color_depth::ColorDepth;
    use crate::terminal::graphics::PictureWay;
    use crate::terminal::input::MouseKind;
    use crate::terminal::sizes::Pixels;

    const LOOK: PictureLook =
        PictureLook { way: PictureWay::Halfblocks(ColorDepth::True), cell: Pixels { width: 10, height: 20 } };

    proptest! {
        #[test]
        fn the_cursor_is_on_screen_and_tiles_are_within_the_area(
            width in 1_u16..220, height in 1_u16..60, length in 0_usize..300, cursors in prop::collection::vec(0_usize..300, 1..8),
        ) {
            let area = Rect::new(3, 2, width, height);
            let mut sheet = ContactSheet { grid: Grid::new(area, LOOK), ..ContactSheet::default() };
            for cursor in cursors {
                let cursor = cursor.min(length.saturating_sub(1));
                let visible = sheet.visible(cursor, length);
                prop_assert!(length == 0 || visible.contains(&cursor));
                prop_assert!(visible.len() <= sheet.grid.tiles());
                for at in visible.clone() {
                    let place = sheet.grid.place(at - visible.start);
                    prop_assert_eq!(place.intersection(area), place);
                    let mouse = Mouse { kind: MouseKind::Press, column: place.x, row: place.y };
                    prop_assert_eq!(sheet.tile_at(mouse, length), Some(at));
                }
            }
        }
    }

    #[test]
    fn the_cursor_moves_by_tiles_rows_and_pages() {
        let sheet = ContactSheet { grid: Grid::new(Rect::new(0, 0, 80, 24), LOOK), ..ContactSheet::default() };
        assert_eq!((sheet.grid.columns, sheet.grid.rows), (6, 2));
        let moved = |motion, cursor| sheet.moved(motion, cursor, 23);
        assert_eq!((moved(ListMotion::Down, 3), moved(ListMotion::Up, 3)), (9, 0));
        assert_eq!((moved(ListMotion::PageDown, 3), moved(ListMotion::Last, 3)), (15, 22));
        assert_eq!(sheet.stepped(-1, 0, 23), 0);
    }
}
