//! The colour bar beside a map: the colours and the values that they stand for.

use image::RgbImage;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use crate::terminal::color_depth::ColorDepth;
use crate::tui::protocol::cell_picture::CellPicture;
use crate::tui::protocol::painted::PaintedExplanation;
use crate::tui::shared_state::SharedState;
use mammoscope_imaging::explanation_picture::ExplanationDrawing;

/// Columns of the bar, and of the bar with its numbers.
const BAR: u16 = 2;
const COLUMNS: u16 = 9;
/// The smallest area that has room for a bar.
const MIN_WIDTH: u16 = 20;
const MIN_HEIGHT: u16 = 5;

/// The area that a colour bar leaves for the picture, so that an image beside a map has its scale.
pub(super) fn without_bar(area: Rect) -> Rect {
    let has_room = area.width >= MIN_WIDTH && area.height >= MIN_HEIGHT;
    Rect { width: area.width - if has_room { COLUMNS } else { 0 }, ..area }
}

/// Draws a colour bar at the right of a map or an overlay; returns the area that is left for the picture.
pub(super) fn draw_color_bar(
    frame: &mut Frame<'_>,
    area: Rect,
    painted: &PaintedExplanation,
    shared: &SharedState,
) -> Rect {
    let has_colors = matches!(painted.drawing, ExplanationDrawing::Overlay | ExplanationDrawing::Map);
    let full = painted.full();
    if !has_colors || full <= 0.0 || area.width < MIN_WIDTH || area.height < MIN_HEIGHT {
        return area;
    }
    let left = without_bar(area);
    let bar = Rect { x: left.right() + 1, width: BAR, ..area };
    let theme = &shared.theme;
    let is_plain = theme.ascii || theme.depth == ColorDepth::None;
    let dots = u32::from(bar.height) * if is_plain { 1 } else { 2 };
    let share = |row: u32| 1.0 - row as f32 / (dots - 1).max(1) as f32;
    let colors = RgbImage::from_fn(BAR.into(), dots, |_, row| image::Rgb(painted.painting.colors.color(share(row))));
    let cells = if is_plain {
        CellPicture::ascii(&colors.into(), theme.light)
    } else {
        CellPicture::halfblocks(&colors.into(), theme.depth)
    };
    cells.draw(bar, frame.buffer_mut());
    let numbers = Rect { x: bar.right() + 1, width: area.right() - bar.right() - 1, height: 1, ..area };
    for (row, value) in [(0, full), (bar.height / 2, full / 2.0), (bar.height - 1, 0.0)] {
        let place = Rect { y: area.y + row, ..numbers };
        frame.render_widget(Paragraph::new(Line::styled(number(value), theme.dim())), place);
    }
    left
}

/// A number in at most five cells.
fn number(value: f32) -> String {
    match value {
        0.0 => "0".to_owned(),
        1000.0.. => format!("{value:.0e}"),
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        1.0.. => format!("{value:.2}"),
        0.01.. => format!("{value:.3}").trim_start_matches('0').to_owned(),
        _ => format!("{value:.0e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_take_at_most_five_cells() {
        let shown = [0.0, 0.000_123, 0.0123, 0.5, 1.5, 12.345, 123.4, 123_456.0].map(number);
        assert_eq!(shown, ["0", "1e-4", ".012", ".500", "1.50", "12.3", "123", "1e5"]);
    }
}
