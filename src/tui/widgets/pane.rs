//! Framed regions.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Color;
use ratatui::text::Line;
use ratatui::widgets::{Block, Clear};

use super::fitted::{fitted_parts, width};
use crate::terminal::sizes::Cells;
use crate::tui::shared_state::SharedState;
use crate::tui::theme::Theme;

/// Draws a rounded frame with titles on the left and the right; returns the area within.
pub(in crate::tui) fn draw_pane(
    frame: &mut Frame<'_>,
    area: Rect,
    theme: &Theme,
    focused: bool,
    [left, right]: [&str; 2],
) -> Rect {
    let room = usize::from(area.width.saturating_sub(4));
    let [left, right] = fitted_titles([left, right], room);
    // Without a colour of its own, a title would take the frame's.
    let title = if focused { theme.accent() } else { theme.text().fg(Color::Reset) };
    let mut block = Block::bordered().border_set(theme.borders()).border_style(theme.frame(focused));
    if !left.is_empty() {
        block = block.title_top(Line::styled(format!(" {left} "), title));
    }
    if !right.is_empty() {
        block = block.title_top(Line::styled(format!(" {right} "), theme.dim()).right_aligned());
    }
    let inner = block.inner(area);
    frame.render_widget(block, area);
    inner
}

/// The titles on the left and on the right of a frame with `room` cells for both: the last parts of the right one give
/// way first, then all of it, then the last parts of the left one.
fn fitted_titles([left, right]: [&str; 2], room: usize) -> [String; 2] {
    // Around each title is a space, and at least two cells of the frame are between them.
    let left = fitted_parts(left, room.saturating_sub(2));
    let beside = room.saturating_sub(if left.is_empty() { 2 } else { width(&left) + 6 });
    let first = right.split(" · ").next().unwrap_or_default();
    let right = if width(first) <= beside { fitted_parts(right, beside) } else { String::new() };
    [left, right]
}

/// Draws an empty framed box of this size in the middle of an area; returns the area within.
pub(crate) fn draw_box(
    frame: &mut Frame<'_>,
    area: Rect,
    size: impl Into<Cells>,
    shared: &SharedState,
    titles: [&str; 2],
) -> Rect {
    let Cells { columns, rows } = size.into();
    let (width, height) = (columns.min(area.width), rows.min(area.height));
    let place = Rect::new(area.x + (area.width - width) / 2, area.y + (area.height - height) / 2, width, height);
    frame.render_widget(Clear, place);
    draw_pane(frame, place, &shared.theme, true, titles)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_lose_whole_parts() {
        let titles = |room| fitted_titles(["B as B · 4 images", "2 of 4 · by subject"], room);
        assert_eq!(titles(42), ["B as B · 4 images", "2 of 4 · by subject"]);
        assert_eq!(titles(41), ["B as B · 4 images", "2 of 4"]);
        assert_eq!(titles(28), ["B as B · 4 images", ""]);
        assert_eq!(titles(18), ["B as B", "2 of 4"]);
    }
}
