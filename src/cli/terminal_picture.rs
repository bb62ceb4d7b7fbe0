//! Pictures drawn in the terminal, by the protocol that it speaks.

use super::console::Console;
use super::show::ShownWindow;
use mammoscope_imaging::decode::Samples;

/// How pictures are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Graphics {
    /// The best that the terminal says it can do
    Auto,
    /// The graphics protocol of kitty, Ghostty and others
    Kitty,
    /// The inline images of iTerm2 and others
    Iterm2,
    /// Sixel graphics of xterm, foot, mlterm and others
    Sixel,
    /// Coloured half-block characters: anywhere
    Halfblocks,
}

#[cfg(feature = "pictures")]
pub(super) use with_viuer::PicturePrinter;

#[cfg(not(feature = "pictures"))]
pub(super) use without_viuer::PicturePrinter;

#[cfg(not(feature = "pictures"))]
mod without_viuer {
    use std::io::{self, IsTerminal as _};

    use super::{Console, Graphics, Samples, ShownWindow};

    /// This build draws no pictures, so there is none of these.
    pub(in super::super) enum PicturePrinter {}

    impl PicturePrinter {
        pub(in super::super) fn new(_: Graphics, console: &Console) -> Option<Self> {
            if io::stdout().is_terminal() {
                console.remark("pictures are not drawn: this mammoscope was built without the feature 'pictures'");
            }
            None
        }

        pub(in super::super) fn remark(&self) -> String {
            match *self {}
        }

        pub(in super::super) fn print(&mut self, _: Samples, _: ShownWindow, _: &str) -> anyhow::Result<()> {
            match *self {}
        }
    }
}

#[cfg(feature = "pictures")]
mod with_viuer {
    use std::io::{self, IsTerminal as _, Write as _};

    use image::imageops::FilterType;
    use image::{DynamicImage, GrayImage, RgbImage};

    use super::super::terminal_query::{CellPixels, ask_graphics, cell_pixels, without_echo};
    use super::{Console, Graphics, Samples, ShownWindow};
    use crate::terminal::grey_sixel::{MOST_LEVELS, grey_sixel};
    use mammoscope_imaging::raster::Channels;

    /// The size of a terminal that does not tell its own.
    const USUAL_SIZE: (u16, u16) = (80, 24);
    /// xterm draws no sixel picture that is wider or higher, unless it is told to.
    const MAX_SIXEL_SIDE: u32 = 1000;
    /// Pixels of a sixel picture that viuer takes a cell for.
    const SIXEL_CELL: CellPixels = CellPixels { width: 6, height: 12 };
    /// Colours of a sixel picture in a terminal that does not tell.
    const USUAL_REGISTERS: u32 = 256;

    /// Draws pictures at the cursor, each as large as the terminal allows.
    pub(in super::super) struct PicturePrinter {
        protocol: Graphics,
        sixel_registers: u32,
    }

    impl PicturePrinter {
        /// Finds out how this terminal draws pictures; `None` where stdout is no terminal, or one without colours unless
        /// a way to draw was asked for.
        pub(in super::super) fn new(asked: Graphics, console: &Console) -> Option<Self> {
            if !io::stdout().is_terminal() {
                if asked != Graphics::Auto {
                    console.warn("--graphics: stdout is not a terminal, so no pictures are drawn");
                }
                return None;
            }
            if asked == Graphics::Auto && !console.color() {
                console.remark(
                    "pictures are not drawn: NO_COLOR or TERM=dumb is set (--graphics draws them all the same)",
                );
                return None;
            }
            let (protocol, registers) = spoken(asked);
            if asked != Graphics::Auto && protocol != asked {
                console.warn("the terminal does not speak this protocol; half-blocks are drawn");
            }
            Some(Self { protocol, sixel_registers: registers })
        }

        /// What the terminal cannot draw, to be told beside every picture.
        pub(in super::super) fn remark(&self) -> String {
            if self.protocol == Graphics::Sixel && self.sixel_registers < MOST_LEVELS {
                format!(" · the terminal has {} colours or greys", self.sixel_registers)
            } else {
                String::new()
            }
        }

        /// Draws a picture, so large that the caption and a prompt fit under it; the cursor is at the start of the line
        /// for the caption afterwards.
        pub(in super::super) fn print(
            &mut self,
            samples: Samples,
            window: ShownWindow,
            caption: &str,
        ) -> anyhow::Result<()> {
            let picture = drawable(samples, window);
            let cell = cell_pixels().unwrap_or_default();
            let room = Cells::beside_caption(caption);
            if let (Graphics::Sixel, DynamicImage::ImageLuma8(grey)) = (self.protocol, &picture) {
                let (width, height) = room.sixel_pixels(grey.width(), grey.height(), cell);
                let shrunk = image::imageops::resize(grey, width, height, FilterType::Triangle);
                // The cursor stays in the picture's last row.
                let sixel = grey_sixel(&shrunk, self.sixel_registers) + "\n";
                return Ok(io::stdout().write_all(sixel.as_bytes())?);
            }
            let mut cells = room.fitted(picture.width(), picture.height(), cell);
            let (width, height) = match self.protocol {
                Graphics::Sixel => {
                    cells = cells.as_sixel(cell);
                    (cells.columns * SIXEL_CELL.width, cells.rows * SIXEL_CELL.height)
                }
                Graphics::Kitty | Graphics::Iterm2 => (cells.columns * cell.width, cells.rows * cell.height),
                Graphics::Auto | Graphics::Halfblocks => (cells.columns, cells.rows * 2),
            };
            // viuer sends what it is given: no more pixels than the cells hold.
            let picture = picture.resize_exact(width, height, FilterType::Triangle);
            let config = viuer::Config {
                absolute_offset: false,
                width: Some(cells.columns),
                height: Some(cells.rows),
                use_kitty: self.protocol == Graphics::Kitty,
                use_iterm: self.protocol == Graphics::Iterm2,
                use_sixel: self.protocol == Graphics::Sixel,
                ..viuer::Config::default()
            };
            viuer::print(&picture, &config)?;
            if self.protocol == Graphics::Sixel {
                io::stdout().write_all(b"\n")?;
            }
            Ok(())
        }
    }

    /// The protocol to use: what was asked for if the terminal speaks it, else half-blocks; and how many colours a sixel
    /// picture may have.
    fn spoken(asked: Graphics) -> (Graphics, u32) {
        // tmux and screen take the place of the terminal; they say yes to what they then swallow.
        let multiplexed = std::env::var_os("TMUX").is_some()
            || std::env::var("TERM").is_ok_and(|term| term.starts_with("tmux") || term.starts_with("screen"));
        if asked == Graphics::Halfblocks || (asked == Graphics::Auto && multiplexed) {
            return (Graphics::Halfblocks, USUAL_REGISTERS);
        }
        // viuer asks again before it draws, and waits for an answer without a limit: only a terminal that said yes here
        // is left to it.
        let answer = ask_graphics();
        let speaks = |protocol| match (protocol, answer) {
            (Graphics::Kitty, Some(answer)) => {
                answer.kitty && without_echo(viuer::get_kitty_support) != viuer::KittySupport::None
            }
            (Graphics::Iterm2, _) => viuer::is_iterm_supported(),
            (Graphics::Sixel, Some(answer)) => answer.sixel && without_echo(viuer::is_sixel_supported),
            _ => false,
        };
        let candidates: &[Graphics] =
            if asked == Graphics::Auto { &[Graphics::Kitty, Graphics::Iterm2, Graphics::Sixel] } else { &[asked] };
        let protocol = candidates.iter().copied().find(|&protocol| speaks(protocol)).unwrap_or(Graphics::Halfblocks);
        (protocol, answer.and_then(|answer| answer.sixel_registers).unwrap_or(USUAL_REGISTERS))
    }

    /// A rectangle of the terminal.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    struct Cells {
        columns: u32,
        rows: u32,
    }

    impl Cells {
        /// The terminal without the rows that a caption and a prompt take.
        fn beside_caption(caption: &str) -> Self {
            let (columns, rows) =
                Some(viuer::terminal_size()).filter(|size| size.0 > 0 && size.1 > 0).unwrap_or(USUAL_SIZE);
            let columns = u32::from(columns);
            let taken = |line: &str| (line.chars().count() as u32).div_ceil(columns);
            Self { columns, rows: u32::from(rows).saturating_sub(caption.lines().map(taken).sum::<u32>() + 1) }
        }

        /// The largest rectangle within this one that keeps the picture's aspect; at least one cell.
        fn fitted(self, width: u32, height: u32, cell: CellPixels) -> Self {
            let across = f64::from(self.columns * cell.width) / f64::from(width);
            let down = f64::from(self.rows * cell.height) / f64::from(height);
            let scale = across.min(down);
            let cells = |pixels: u32, cell: u32| (f64::from(pixels) * scale / f64::from(cell)).round().max(1.0) as u32;
            Self { columns: cells(width, cell.width), rows: cells(height, cell.height) }
        }

        /// The size in pixels of the largest picture of this aspect that fits and that xterm draws.
        fn sixel_pixels(self, width: u32, height: u32, cell: CellPixels) -> (u32, u32) {
            let within = |cells: u32, cell: u32| f64::from((cells * cell).clamp(1, MAX_SIXEL_SIDE));
            let across = within(self.columns, cell.width) / f64::from(width);
            let down = within(self.rows, cell.height) / f64::from(height);
            let side = |pixels: u32| (f64::from(pixels) * across.min(down)).round().max(1.0) as u32;
            (side(width), side(height))
        }

        /// The same area in the cells that viuer reckons with for sixel, within what xterm draws.
        fn as_sixel(self, cell: CellPixels) -> Self {
            let (width, height) = (self.columns * cell.width, self.rows * cell.height);
            let scale = (f64::from(MAX_SIXEL_SIDE) / f64::from(width.max(height))).min(1.0);
            let cells = |pixels: u32, cell: u32| ((f64::from(pixels) * scale) as u32 / cell).max(1);
            Self { columns: cells(width, SIXEL_CELL.width), rows: cells(height, SIXEL_CELL.height) }
        }
    }

    /// The picture in 8 bits; grey, where no pixel has a colour, also if the file holds red, green and blue.
    fn drawable(samples: Samples, window: ShownWindow) -> DynamicImage {
        let raster = match samples {
            Samples::Depth8(raster) => raster,
            Samples::Depth16(raster) => raster.map(|sample| window.level(sample)),
        };
        let (width, height) = (raster.width() as u32, raster.height() as u32);
        let sound = "a raster holds as many samples as its size says";
        let channels = raster.channels();
        let mut samples = raster.into_samples();
        if channels == Channels::Rgb {
            if !samples.chunks_exact(3).all(|pixel| pixel[0] == pixel[1] && pixel[1] == pixel[2]) {
                return RgbImage::from_raw(width, height, samples).expect(sound).into();
            }
            samples = samples.into_iter().step_by(3).collect();
        }
        GrayImage::from_raw(width, height, samples).expect(sound).into()
    }

    #[cfg(test)]
    mod tests {
        use super::*;
        use mammoscope_imaging::raster::Raster;

        const ROOM: Cells = Cells { columns: 80, rows: 22 };

        #[test]
        fn the_aspect_is_kept_and_the_room_is_filled() {
            let cell = CellPixels::default();
            // Twice as high as wide, in cells twice as high as wide: as many rows as columns.
            assert_eq!(ROOM.fitted(1000, 2000, cell), Cells { columns: 22, rows: 22 });
            assert_eq!(ROOM.fitted(10, 20, cell), Cells { columns: 22, rows: 22 });
            assert_eq!(ROOM.fitted(4000, 1000, cell), Cells { columns: 80, rows: 10 });
            assert_eq!(ROOM.fitted(10_000, 1, cell), Cells { columns: 80, rows: 1 });
            assert_eq!(Cells { columns: 1, rows: 0 }.fitted(10, 10, cell), Cells { columns: 1, rows: 1 });
        }

        #[test]
        fn sixel_pictures_stay_within_what_xterm_draws() {
            let cells = Cells { columns: 300, rows: 100 }.as_sixel(CellPixels::default());
            assert!(cells.columns * SIXEL_CELL.width <= MAX_SIXEL_SIDE);
            assert!(cells.rows * SIXEL_CELL.height <= MAX_SIXEL_SIDE);
            assert_eq!(Cells { columns: 6, rows: 6 }.as_sixel(CellPixels::default()), Cells { columns: 10, rows: 10 });
        }

        #[test]
        fn grey_sixel_pictures_keep_their_aspect_to_the_pixel() {
            let cell = CellPixels { width: 8, height: 17 };
            assert_eq!(ROOM.sixel_pixels(512, 512, cell), (374, 374));
            assert_eq!(ROOM.sixel_pixels(1000, 100, cell), (640, 64));
            assert_eq!(Cells { columns: 300, rows: 100 }.sixel_pixels(2000, 4000, cell), (500, 1000));
            assert_eq!(Cells { columns: 1, rows: 0 }.sixel_pixels(9000, 2, cell), (8, 1));
        }

        #[test]
        fn too_few_colours_for_a_mammogram_are_told() {
            let remark = |protocol, sixel_registers| PicturePrinter { protocol, sixel_registers }.remark();
            assert!(remark(Graphics::Sixel, 16).contains("16 colours"));
            assert_eq!(remark(Graphics::Sixel, MOST_LEVELS), "");
            assert_eq!(remark(Graphics::Kitty, 16), "", "only sixel draws from registers");
        }

        #[test]
        fn a_picture_without_a_colour_is_grey() {
            let drawn =
                |samples| drawable(Samples::Depth8(Raster::new(2, 1, Channels::Rgb, samples)), ShownWindow::Whole);
            let grey = drawn(vec![7, 7, 7, 250, 250, 250]);
            assert_eq!(grey.as_luma8().expect("grey").as_raw(), &[7, 250]);
            let coloured = drawn(vec![7, 7, 7, 250, 250, 251]);
            assert_eq!(coloured.as_rgb8().expect("coloured").as_raw(), &[7, 7, 7, 250, 250, 251]);
        }
    }
}
