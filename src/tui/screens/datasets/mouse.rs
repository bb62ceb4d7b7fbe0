//! The screen Datasets' response to the mouse.

use super::DatasetsScreen;
use super::sheet::Arrangement;
use crate::terminal::input::{Mouse, MouseKind};
use crate::tui::protocol::datasets::DatasetsAction;
use crate::tui::protocol::effect::{Destination, Effect};
use crate::tui::protocol::list_motion::ListMotion;
use crate::tui::shared_state::SharedState;

impl DatasetsScreen {
    pub(super) fn mouse_here(&mut self, mouse: Mouse, shared: &SharedState) -> Vec<Effect> {
        if self.in_images && self.picture.mouse(mouse) {
            return Vec::new();
        }
        let steps = match mouse.kind {
            MouseKind::WheelDown => 3,
            MouseKind::WheelUp => -3,
            MouseKind::Press => 0,
            MouseKind::Drag | MouseKind::Release => return Vec::new(),
        };
        let Some(tree) = &self.tree else {
            let length = self.offered.as_ref().map_or(0, Vec::len);
            self.offers.step(steps, length);
            return match self.offers.row_at(mouse, length).filter(|_| steps == 0) {
                Some(row) if row == self.offers.cursor => self.update(DatasetsAction::OpenOffered, shared),
                Some(row) => {
                    self.offers.cursor = row;
                    Vec::new()
                }
                None => Vec::new(),
            };
        };
        if self.arrangement == Arrangement::Sheet
            && let Some(at) = self.sheet.tile_at(mouse, self.samples.len())
        {
            match steps {
                0 if self.in_images && self.images.cursor == at => return self.view_image(Destination::Viewer),
                0 => (self.images.cursor, self.in_images) = (at, true),
                _ => {
                    let motion = if steps > 0 { ListMotion::Down } else { ListMotion::Up };
                    self.images.cursor = self.sheet.moved(motion, self.images.cursor, self.samples.len());
                }
            }
        } else if self.images.is_under(mouse) {
            self.relist();
            self.images.step(steps, self.samples.len());
            if let Some(row) = self.images.row_at(mouse, self.samples.len()).filter(|_| steps == 0) {
                if self.in_images && self.images.cursor == row {
                    return self.view_image(Destination::Viewer);
                }
                (self.images.cursor, self.in_images) = (row, true);
            }
        } else if self.folders.is_under(mouse) {
            let rows = tree.rows();
            if steps != 0 {
                self.folders.step(steps, rows.len());
                return self.choose(rows[self.folders.cursor]);
            }
            if let Some(row) = self.folders.row_at(mouse, rows.len()) {
                if !self.in_images && self.folder == rows[row] {
                    let open = tree.folder(rows[row]).expanded;
                    return if open { self.outward() } else { self.inward() };
                }
                self.in_images = false;
                return self.choose(rows[row]);
            }
        }
        Vec::new()
    }
}
