//! Pictures drawn at the cursor, by the protocol that the terminal supports.

use super::console::Console;
use crate::cli::shown_window::ShownWindow;
use mammoscope_imaging::decode::Samples;

/// The way to draw pictures, as chosen on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Graphics {
    /// The best that the terminal reports
    Auto,
    /// The graphics protocol of kitty, Ghostty and others
    Kitty,
    /// The inline images of iTerm2 and others
    Iterm2,
    /// Sixel graphics of xterm, foot, mlterm and others
    Sixel,
    /// Coloured half-block characters, which work anywhere
    Halfblocks,
}

#[cfg(feature = "pictures")]
impl Graphics {
    /// The requested protocol; `None` leaves the choice to the program.
    fn protocol(self) -> Option<crate::terminal::graphics_protocol::GraphicsProtocol> {
        use crate::terminal::graphics_protocol::GraphicsProtocol;
        match self {
            Self::Auto => None,
            Self::Kitty => Some(GraphicsProtocol::Kitty),
            Self::Iterm2 => Some(GraphicsProtocol::Iterm2),
            Self::Sixel => Some(GraphicsProtocol::Sixel),
            Self::Halfblocks => Some(GraphicsProtocol::Halfblocks),
        }
    }
}

#[cfg(feature = "pictures")]
pub(super) use with_viuer::PicturePrinter;

#[cfg(not(feature = "pictures"))]
pub(super) use without_viuer::PicturePrinter;

#[cfg(not(feature = "pictures"))]
mod without_viuer {
    use std::io::{self, IsTerminal as _};

    use super::{Console, Graphics, Samples, ShownWindow};

    /// Uninhabited: this build draws no pictures.
    pub(in super::super) enum PicturePrinter {}

    impl PicturePrinter {
        pub(in super::super) fn new(_: Graphics, console: &Console) -> Option<Self> {
            if io::stdout().is_terminal() {
                console.note("pictures are not drawn: this mammoscope was built without the feature 'pictures'");
            }
            None
        }

        pub(in super::super) fn note(&self) -> String {
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

    use super::{Console, Graphics, Samples, ShownWindow};
    use crate::terminal::color_depth::ColorDepth;
    use crate::terminal::graphics::{GraphicsFacts, PictureLook, PicturePlacement, PictureWay, TextLook};
    use crate::terminal::grey_sixel::{MAX_LEVELS, grey_sixel};
    use crate::terminal::query;
    use crate::terminal::sizes::{Cells, padded};
    use mammoscope_imaging::raster::Channels;

    /// The size of a terminal that does not report its own.
    const USUAL_SIZE: (u16, u16) = (80, 24);
    /// The size of a cell that viuer assumes for sixel pictures.
    const VIUER_CELL: (u32, u32) = (6, 12);

    /// Draws pictures at the cursor, each as large as the terminal allows.
    pub(in super::super) struct PicturePrinter {
        look: PictureLook,
    }

    impl PicturePrinter {
        /// Finds out how this terminal draws pictures. `None` if stdout is not a terminal, or if it has no colours and
        /// no protocol was requested.
        pub(in super::super) fn new(requested: Graphics, console: &Console) -> Option<Self> {
            if !io::stdout().is_terminal() {
                if requested != Graphics::Auto {
                    console.warn("--graphics: stdout is not a terminal, so no pictures are drawn");
                }
                return None;
            }
            if requested == Graphics::Auto && !console.color() {
                console.note("pictures are not drawn: NO_COLOR is set, or TERM is dumb or missing (--graphics draws them anyway)");
                return None;
            }
            let variable = |name: &str| std::env::var(name).ok();
            let mut facts = GraphicsFacts::new(PicturePlacement::Scrollback, requested.protocol(), variable);
            query::measure(&mut facts);
            if requested != Graphics::Halfblocks {
                query::ask(&mut facts);
            }
            facts.resolve();
            if let Some(fallback) = facts.take_fallback() {
                console.warn(fallback);
            }
            // viuer chooses the colours of half-blocks by the environment.
            let text = TextLook { depth: ColorDepth::True, light: false, ascii: false };
            facts.look(text).map(|look| Self { look })
        }

        /// A limitation of the terminal, to be reported beside every picture.
        pub(in super::super) fn note(&self) -> String {
            match self.look.way {
                PictureWay::Sixel { registers } if registers < MAX_LEVELS => {
                    format!(" · the terminal has {registers} colours or greys")
                }
                _ => String::new(),
            }
        }

        /// Draws a picture as large as the caption and a prompt below it allow. Afterwards the cursor is at the start
        /// of the caption's line.
        pub(in super::super) fn print(
            &mut self,
            samples: Samples,
            window: ShownWindow,
            caption: &str,
        ) -> anyhow::Result<()> {
            let picture = drawable(samples, window);
            let (pixels, cells) = self.look.fit((picture.width(), picture.height()).into(), beside_caption(caption));
            let picture = picture.resize_exact(pixels.width, pixels.height, FilterType::Triangle);
            let (columns, rows) = (u32::from(cells.columns), u32::from(cells.rows));
            match (self.look.way, &picture) {
                (PictureWay::Sixel { registers }, DynamicImage::ImageLuma8(grey)) => {
                    io::stdout().write_all(grey_sixel(grey, registers).as_bytes())?;
                }
                (PictureWay::Sixel { .. }, _) => {
                    let cells = ((pixels.width / VIUER_CELL.0).max(1), (pixels.height / VIUER_CELL.1).max(1));
                    print_with_viuer(&picture, cells, self.look.way)?;
                }
                (PictureWay::Kitty { .. }, _) => {
                    let whole = padded(&picture, cells.pixels(self.look.cell));
                    print_with_viuer(&whole, (columns, rows), self.look.way)?;
                }
                _ => print_with_viuer(&picture, (columns, rows), self.look.way)?,
            }
            if matches!(self.look.way, PictureWay::Sixel { .. }) {
                // The cursor stays in the picture's last row.
                io::stdout().write_all(b"\n")?;
            }
            Ok(())
        }
    }

    /// Prints a picture in this many columns and rows.
    fn print_with_viuer(picture: &DynamicImage, (columns, rows): (u32, u32), way: PictureWay) -> anyhow::Result<()> {
        let config = viuer::Config {
            absolute_offset: false,
            width: Some(columns),
            height: Some(rows),
            use_kitty: matches!(way, PictureWay::Kitty { .. }),
            use_iterm: way == PictureWay::Iterm2,
            use_sixel: matches!(way, PictureWay::Sixel { .. }),
            ..viuer::Config::default()
        };
        // viuer queries the terminal again, without a timeout: only a terminal that has replied before gets here.
        query::without_echo(|| match way {
            PictureWay::Kitty { .. } => viuer::get_kitty_support() != viuer::KittySupport::None,
            PictureWay::Sixel { .. } => viuer::is_sixel_supported(),
            _ => true,
        });
        viuer::print(picture, &config)?;
        Ok(())
    }

    /// The size of the terminal without the rows of a caption and a prompt.
    fn beside_caption(caption: &str) -> Cells {
        let size = Some(viuer::terminal_size()).filter(|size| size.0 > 0 && size.1 > 0);
        let (columns, rows) = size.unwrap_or(USUAL_SIZE);
        let taken = |line: &str| line.chars().count().div_ceil(columns.into());
        let taken = caption.lines().map(taken).sum::<usize>() + 1;
        Cells { columns, rows: rows.saturating_sub(taken.min(rows.into()) as u16) }
    }

    /// The picture in 8 bits. It is grey if no pixel has a colour, even if the file has three channels.
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
        use crate::terminal::sizes::Pixels;
        use mammoscope_imaging::raster::Raster;

        #[test]
        fn too_few_colours_for_a_mammogram_are_reported() {
            let cell = Pixels { width: 10, height: 20 };
            let note = |way| PicturePrinter { look: PictureLook { way, cell } }.note();
            assert!(note(PictureWay::Sixel { registers: 16 }).contains("16 colours"));
            assert_eq!(note(PictureWay::Sixel { registers: MAX_LEVELS }), "");
            assert_eq!(note(PictureWay::Kitty { compress: false }), "", "only sixel draws from registers");
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
