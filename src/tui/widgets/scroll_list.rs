//! The cursor and scroll position of a list of any length; only the rows on screen are ever drawn.

use std::ops::Range;

use ratatui::layout::Rect;

use crate::terminal::input::Mouse;
use crate::tui::protocol::list_motion::ListMotion;

/// The cursor and scroll position of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::tui) struct ScrollList {
    /// The row under the cursor.
    pub(in crate::tui) cursor: usize,
    /// The first row on screen.
    offset: usize,
    /// The number of rows on screen when the list was last drawn.
    height: usize,
    /// The area in which the list was last drawn.
    area: Rect,
}

impl ScrollList {
    /// A list with the cursor on a row.
    pub(in crate::tui) fn at(cursor: usize) -> Self {
        Self { cursor, ..Self::default() }
    }

    /// Moves the cursor by a number of rows within a list of this length.
    pub(in crate::tui) fn step(&mut self, rows: isize, length: usize) {
        self.cursor = self.cursor.saturating_add_signed(rows).min(length.saturating_sub(1));
    }

    /// Moves the cursor within a list of this length.
    pub(in crate::tui) fn move_by(&mut self, motion: ListMotion, length: usize) {
        let page = self.height.max(2) as isize - 1;
        self.step(motion.rows(page), length);
    }

    /// The rows to draw in an area, including the cursor's.
    pub(in crate::tui) fn visible(&mut self, area: Rect, length: usize) -> Range<usize> {
        self.area = area;
        self.height = usize::from(area.height);
        self.cursor = self.cursor.min(length.saturating_sub(1));
        self.offset = self.offset.min(length.saturating_sub(self.height));
        if self.cursor < self.offset {
            self.offset = self.cursor;
        } else if self.cursor >= self.offset + self.height {
            self.offset = (self.cursor + 1).saturating_sub(self.height);
        }
        self.offset..(self.offset + self.height).min(length)
    }

    /// The row under the mouse.
    pub(in crate::tui) fn row_at(&self, mouse: Mouse, length: usize) -> Option<usize> {
        let row = self.offset + usize::from(mouse.row.checked_sub(self.area.y)?);
        (self.area.contains((mouse.column, mouse.row).into()) && row < length).then_some(row)
    }

    /// True if the mouse is over the list.
    pub(in crate::tui) fn is_under(&self, mouse: Mouse) -> bool {
        self.area.contains((mouse.column, mouse.row).into())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_cursor_is_always_on_screen(
            steps in prop::collection::vec((-20_isize..20, 0_u16..8, 0_usize..40), 1..40),
        ) {
            let mut list = ScrollList::default();
            for (step, height, length) in steps {
                list.step(step, length);
                let shown = list.visible(Rect::new(0, 0, 10, height), length);
                prop_assert!(shown.end <= length && shown.len() <= usize::from(height));
                prop_assert!(length == 0 || height == 0 || shown.contains(&list.cursor));
            }
        }
    }
}
