//! Framed regions.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Color;
use ratatui::text::Line;
use ratatui::widgets::{Block, Clear};

use super::fitted::fitted;
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
    // Without a colour of its own, a title would take the frame's.
    let title = if focused { theme.accent() } else { theme.text().fg(Color::Reset) };
    let mut block = Block::bordered().border_set(theme.borders()).border_style(theme.frame(focused));
    if !left.is_empty() {
        block = block.title_top(Line::styled(fitted(&format!(" {left} "), room), title));
    }
    let left_cells = super::fitted::width(left) + 4;
    if !right.is_empty() && left_cells < room {
        let text = fitted(&format!(" {right} "), room - left_cells);
        block = block.title_top(Line::styled(text, theme.dim()).right_aligned());
    }
    let inner = block.inner(area);
    frame.render_widget(block, area);
    inner
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
