//! Marks of images, one by one and in ranges, and what is copied.

use std::ops::RangeInclusive;

use super::DatasetsScreen;
use super::samples::{Samples, Shown};
use crate::tui::protocol::effect::Effect;

impl DatasetsScreen {
    /// Marks or unmarks the image under the cursor, and goes to the next one.
    pub(super) fn mark(&mut self) {
        self.relist();
        if let (Some(tree), Some(row)) = (&self.tree, self.samples.row(self.images.cursor)) {
            self.samples.toggle_mark(Samples::path(tree, row));
            self.stale |= self.shown == Shown::Marked;
            if self.shown != Shown::Marked {
                self.images.step(1, self.samples.len());
            }
        }
    }

    /// Begins a range at the image under the cursor, or marks the images from where it began to here.
    pub(super) fn mark_range(&mut self) -> Vec<Effect> {
        self.relist();
        let Some(range) = self.range() else {
            self.range_start = self.selected_path();
            return match self.range_start {
                Some(_) => vec![Effect::done("a range of marks begins here; move to its other end and repeat")],
                None => Vec::new(),
            };
        };
        self.range_start = None;
        if let Some(tree) = &self.tree {
            self.samples.mark_range(tree, range);
        }
        self.stale |= self.shown == Shown::Marked;
        Vec::new()
    }

    /// The indices from where a range of marks began to the cursor; `None` without a range.
    pub(super) fn range(&self) -> Option<RangeInclusive<usize>> {
        let start = self.samples.position(self.tree.as_ref()?, self.range_start.as_ref()?)?;
        let cursor = self.images.cursor;
        Some(start.min(cursor)..=start.max(cursor))
    }

    /// Copies the path of the image under the cursor or, in the tree, of the folder; while no data set is open, of the one
    /// that is offered.
    pub(super) fn copy(&mut self) -> Vec<Effect> {
        self.relist();
        let offered = || self.offered.as_ref().and_then(|offered| offered.get(self.offers.cursor)).cloned();
        let folder = || self.tree.as_ref().map_or_else(offered, |tree| Some(tree.folder(self.folder).path.clone()));
        let path = if self.in_images { self.selected_path() } else { folder() };
        path.map(|path| Effect::Copy(path.to_string_lossy().into_owned())).into_iter().collect()
    }
}
