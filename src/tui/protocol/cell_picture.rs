//! Pictures made of characters: coloured half-blocks or an ASCII ramp.

use image::DynamicImage;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};

use crate::terminal::color_depth::ColorDepth;
use crate::terminal::sizes::Cells;

/// Characters by the ink that they take, the lightest first.
const RAMP: &[u8] = b" .:-=+*#%@";

/// A picture made of characters, row by row.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tui) struct CellPicture {
    columns: u16,
    cells: Vec<(char, Style)>,
}

impl CellPicture {
    /// Draws two pixels per cell, one above the other.
    pub(in crate::tui) fn halfblocks(picture: &DynamicImage, depth: ColorDepth) -> Self {
        let rgb = picture.to_rgb8();
        let columns = rgb.width() as u16;
        let mut cells = Vec::with_capacity((rgb.width() * rgb.height() / 2) as usize);
        for row in 0..rgb.height() / 2 {
            for column in 0..rgb.width() {
                let color = |row: u32| color(rgb.get_pixel(column, row).0, depth);
                let (upper, lower) = (color(row * 2), color(row * 2 + 1));
                let character = if upper == lower { ' ' } else { '▀' };
                cells.push((character, Style::new().fg(upper).bg(lower)));
            }
        }
        Self { columns, cells }
    }

    /// Draws one pixel per cell in the terminal's own colours; on a light background, little ink is bright.
    pub(in crate::tui) fn ascii(picture: &DynamicImage, light: bool) -> Self {
        let grey = picture.to_luma8();
        let cell = |&value: &u8| {
            let ink = if light { 255 - value } else { value };
            (char::from(RAMP[usize::from(ink) * RAMP.len() / 256]), Style::new())
        };
        Self { columns: grey.width() as u16, cells: grey.as_raw().iter().map(cell).collect() }
    }

    pub(in crate::tui) fn size(&self) -> Cells {
        Cells { columns: self.columns, rows: (self.cells.len() / usize::from(self.columns.max(1))) as u16 }
    }

    /// Draws the picture from the upper left corner of an area, clipped to it.
    pub(in crate::tui) fn draw(&self, area: Rect, buffer: &mut Buffer) {
        for (row, cells) in (0..area.height).zip(self.cells.chunks(usize::from(self.columns.max(1)))) {
            for (column, (character, style)) in (0..area.width).zip(cells) {
                if let Some(cell) = buffer.cell_mut((area.x + column, area.y + row)) {
                    cell.set_char(*character).set_style(*style);
                }
            }
        }
    }
}

fn color([red, green, blue]: [u8; 3], depth: ColorDepth) -> Color {
    match depth {
        ColorDepth::True => Color::Rgb(red, green, blue),
        ColorDepth::Indexed => Color::Indexed(indexed([red, green, blue])),
        ColorDepth::Sixteen | ColorDepth::None => {
            // Of the sixteen colours, only the greys look alike on all terminals.
            match (u16::from(red) + u16::from(green) + u16::from(blue)) / 3 {
                0..64 => Color::Black,
                64..150 => Color::DarkGray,
                150..220 => Color::Gray,
                _ => Color::White,
            }
        }
    }
}

/// The nearest of xterm's 256 colours, from its 26 greys or its colour cube.
fn indexed([red, green, blue]: [u8; 3]) -> u8 {
    if red == green && green == blue {
        return match red {
            0..4 => 16,
            247.. => 231,
            grey => 232 + (grey.saturating_sub(3) / 10).min(23),
        };
    }
    let step = |value: u8| match value {
        0..48 => 0,
        48..115 => 1,
        value => (value - 35) / 40,
    };
    16 + 36 * step(red) + 6 * step(green) + step(blue)
}

#[cfg(test)]
mod tests {
    use image::{GrayImage, RgbImage};

    use crate::tui::protocol::cell_picture::*;
    use crate::tui::testing::styled;

    /// A ramp from black to white.
    fn ramp(columns: u32, rows: u32) -> DynamicImage {
        GrayImage::from_fn(columns, rows, |x, y| image::Luma([((x + y * columns) * 255 / (columns * rows - 1)) as u8]))
            .into()
    }

    fn drawn(picture: &CellPicture) -> String {
        let Cells { columns, rows } = picture.size();
        let mut buffer = Buffer::empty(Rect::new(0, 0, columns, rows));
        picture.draw(buffer.area, &mut buffer);
        styled(&buffer)
    }

    #[test]
    fn pictures_are_drawn() {
        let half = |depth| drawn(&CellPicture::halfblocks(&ramp(6, 4), depth));
        insta::assert_snapshot!("halfblocks_true", half(ColorDepth::True));
        insta::assert_snapshot!("halfblocks_256", half(ColorDepth::Indexed));
        insta::assert_snapshot!("halfblocks_16", half(ColorDepth::Sixteen));
        insta::assert_snapshot!("ascii_dark", drawn(&CellPicture::ascii(&ramp(10, 2), false)));
        insta::assert_snapshot!("ascii_light", drawn(&CellPicture::ascii(&ramp(10, 2), true)));
    }

    #[test]
    fn every_grey_of_256_is_the_nearest() {
        let shown = |index: u8| match index {
            16 => 0,
            231 => 255,
            grey => i32::from(grey - 232) * 10 + 8,
        };
        for grey in 0..=255_u8 {
            let nearest = (232..=255).chain([16, 231]).map(|index| (shown(index) - i32::from(grey)).abs()).min();
            assert_eq!(Some((shown(indexed([grey; 3])) - i32::from(grey)).abs()), nearest, "{grey}");
        }
        assert_eq!(indexed([255, 0, 0]), 196);
        assert_eq!(indexed([0, 135, 95]), 29);
    }

    #[test]
    fn a_coloured_picture_keeps_its_colours() {
        let picture = RgbImage::from_fn(1, 2, |_, y| image::Rgb(if y == 0 { [250, 10, 20] } else { [10, 20, 250] }));
        let cells = CellPicture::halfblocks(&picture.into(), ColorDepth::True);
        let style = Style::new().fg(Color::Rgb(250, 10, 20)).bg(Color::Rgb(10, 20, 250));
        assert_eq!(cells.cells, [('▀', style)]);
    }
}
