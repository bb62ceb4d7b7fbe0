//! The choice of a graphics protocol, from the terminal's replies, the user's request and known defects of terminals.

use super::color_depth::ColorDepth;
use super::graphics_protocol::GraphicsProtocol;
use super::input::TerminalReply;
use super::sizes::{Cells, Pixels};
use super::terminal_kind::{TerminalKind, stated_light_background};

/// Sixel colour registers of a terminal that does not report them.
const USUAL_REGISTERS: u32 = 256;
/// The size of a cell where neither the terminal nor the system reports one; only its aspect matters then.
const USUAL_CELL: Pixels = Pixels { width: 10, height: 20 };
/// The terminals that draw kitty's Unicode placeholders, by their `XTVERSION` names. Others implement the rest of the
/// protocol only.
const PLACEHOLDERS: [&str; 2] = ["kitty(", "ghostty"];
/// The terminals that draw iTerm2's inline images, by their `XTVERSION` names.
const INLINE_IMAGES: [&str; 3] = ["iTerm2", "WezTerm", "Konsole"];

/// Everything that determines how a picture is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PictureLook {
    pub(crate) way: PictureWay,
    /// The size of a character cell.
    pub(crate) cell: Pixels,
}

/// The placement of pictures within the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PicturePlacement {
    /// In regions of a screen that is redrawn. kitty needs Unicode placeholders there, and the other pixel protocols
    /// the size of a cell, so that a picture does not cover its neighbours.
    Screen,
    /// At the cursor, scrolling with the text.
    Scrollback,
}

/// The colours and characters available to text and to pictures made of characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TextLook {
    pub(crate) depth: ColorDepth,
    /// The background is light.
    pub(crate) light: bool,
    /// Only ASCII is drawn.
    pub(crate) ascii: bool,
}

/// A way of drawing pictures, with its parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PictureWay {
    Kitty {
        /// The terminal accepts compressed pixels.
        compress: bool,
    },
    Iterm2,
    Sixel {
        /// The number of colours that a picture may have.
        registers: u32,
    },
    Halfblocks(ColorDepth),
    Ascii {
        /// The background is light, so that denser characters are darker.
        light: bool,
    },
}

impl PictureWay {
    /// True if such a picture is painted onto the cells: drawing over it leaves a hole, and it stays until painted
    /// over.
    pub(crate) fn is_painted(self) -> bool {
        matches!(self, Self::Iterm2 | Self::Sixel { .. })
    }
}

/// The environment and the terminal's replies, and the protocol chosen from them.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct GraphicsFacts {
    placement: PicturePlacement,
    /// The user's request; `None` leaves the choice to the program.
    requested: Option<GraphicsProtocol>,
    /// tmux or screen runs between the program and the terminal.
    multiplexed: bool,
    /// The Linux console, which draws no pixels.
    console: bool,
    /// The background is light according to the environment; the terminal's reply takes precedence.
    stated_light: Option<bool>,
    /// The environment names a terminal that draws iTerm2's images.
    inline_images: bool,
    /// `None` until the terminal has replied or timed out.
    chosen: Option<GraphicsProtocol>,
    /// The failure to meet the request has been reported.
    fallback_reported: bool,
    /// The size of a cell, as reported by the terminal.
    cell: Option<Pixels>,
    /// The size of a cell, computed from the window size that the system reports.
    cell_of_window: Option<Pixels>,
    kitty: bool,
    sixel: bool,
    registers: u32,
    version: Option<String>,
    background: Option<(u8, u8, u8)>,
}

/// True if tmux or screen runs between the program and the terminal.
pub(crate) fn is_multiplexed(variable: impl Fn(&str) -> Option<String>) -> bool {
    let term = variable("TERM").unwrap_or_default();
    variable("TMUX").is_some() || term.starts_with("tmux") || term.starts_with("screen")
}

impl GraphicsFacts {
    /// Starts from the environment, before the terminal has replied.
    pub(crate) fn new(
        placement: PicturePlacement,
        requested: Option<GraphicsProtocol>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Self {
        let multiplexed = is_multiplexed(&variable);
        let is = |name: &str, known: &[&str]| variable(name).is_some_and(|value| known.contains(&value.as_str()));
        let inline_images = is("TERM_PROGRAM", &["iTerm.app", "WezTerm"]) || is("LC_TERMINAL", &["iTerm2"]);
        Self {
            placement,
            requested,
            multiplexed,
            console: TerminalKind::of_environment(&variable) == TerminalKind::Console,
            stated_light: stated_light_background(&variable),
            inline_images,
            chosen: None,
            fallback_reported: false,
            cell: None,
            cell_of_window: None,
            kitty: false,
            sixel: false,
            registers: USUAL_REGISTERS,
            version: None,
            background: None,
        }
    }

    /// True if the terminal's background is light: by its reply or, without one, by the environment.
    pub(crate) fn light_background(&self) -> bool {
        let Some((red, green, blue)) = self.background else { return self.stated_light.unwrap_or(false) };
        let luminance = 0.2126 * f64::from(red) + 0.7152 * f64::from(green) + 0.0722 * f64::from(blue);
        luminance > 128.0
    }

    /// The terminal's own name and version, if it replied.
    pub(crate) fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// Records a reply of the terminal. The last one, its attributes, resolves the choice.
    pub(crate) fn on_reply(&mut self, reply: &TerminalReply) {
        match reply {
            TerminalReply::KittyGraphics(supported) => self.kitty = *supported,
            TerminalReply::Version(version) => self.version = Some(version.clone()),
            TerminalReply::CellPixels { width, height } if *width > 0 && *height > 0 => {
                self.cell = Some(Pixels { width: (*width).into(), height: (*height).into() });
            }
            TerminalReply::Background(red, green, blue) => self.background = Some((*red, *green, *blue)),
            TerminalReply::Attributes(attributes) => {
                // The first attribute is the terminal's class.
                self.sixel = attributes.iter().skip(1).any(|attribute| *attribute == 4);
                self.resolve();
            }
            TerminalReply::SixelRegisters(registers) if *registers > 0 => self.registers = *registers,
            TerminalReply::CellPixels { .. } | TerminalReply::SixelRegisters(_) => {}
        }
    }

    /// Records the window's size in cells and in pixels; the pixels are zero where the system does not know them.
    pub(crate) fn measure(&mut self, window: Cells, pixels: Pixels) {
        let side = |pixels: u32, cells: u16| pixels.checked_div(cells.into()).filter(|side| *side > 0);
        self.cell_of_window = match (side(pixels.width, window.columns), side(pixels.height, window.rows)) {
            (Some(width), Some(height)) => Some(Pixels { width, height }),
            _ => None,
        };
    }

    /// True once a protocol has been chosen.
    pub(crate) fn is_resolved(&self) -> bool {
        self.chosen.is_some()
    }

    /// Chooses a protocol from what is known so far.
    pub(crate) fn resolve(&mut self) {
        let scrolls = self.placement == PicturePlacement::Scrollback;
        let kitty = self.kitty && (scrolls || !self.is_old_kitty()) && !self.multiplexed;
        let inline = self.inline_images || self.is_among(&INLINE_IMAGES);
        let sixel = self.sixel && !self.multiplexed && !self.console;
        self.chosen = Some(match self.requested {
            Some(GraphicsProtocol::Kitty) if kitty => GraphicsProtocol::Kitty,
            Some(GraphicsProtocol::Iterm2) if !self.multiplexed && !self.console => GraphicsProtocol::Iterm2,
            Some(GraphicsProtocol::Ascii) => GraphicsProtocol::Ascii,
            None if kitty && (scrolls || self.is_among(&PLACEHOLDERS)) => GraphicsProtocol::Kitty,
            None if inline && !self.multiplexed && !self.console => GraphicsProtocol::Iterm2,
            None | Some(GraphicsProtocol::Sixel) if sixel => GraphicsProtocol::Sixel,
            Some(_) | None => GraphicsProtocol::Halfblocks,
        });
    }

    /// The message for the user when the requested protocol cannot be used; returned once, then `None`.
    pub(crate) fn take_fallback(&mut self) -> Option<String> {
        let (requested, chosen) = (self.requested?, self.chosen?);
        let is_drawn = requested == chosen
            && match requested {
                GraphicsProtocol::Iterm2 | GraphicsProtocol::Sixel => self.has_room_for_pixels(),
                GraphicsProtocol::Kitty | GraphicsProtocol::Halfblocks | GraphicsProtocol::Ascii => true,
            };
        if is_drawn || std::mem::replace(&mut self.fallback_reported, true) {
            return None;
        }
        let reason =
            if self.multiplexed { "tmux and screen do not pass it on" } else { "the terminal does not draw it" };
        Some(format!("--graphics {}: {reason}; half-blocks are drawn", requested.name()))
    }

    /// The encoding of pictures; `None` until the protocol is chosen.
    pub(crate) fn look(&self, text: TextLook) -> Option<PictureLook> {
        let ascii = PictureWay::Ascii { light: text.light };
        let cell = self.cell.or(self.cell_of_window);
        let way = match self.chosen? {
            // A placeholder names its picture by its colour, so kitty's protocol needs colours.
            GraphicsProtocol::Kitty if text.depth == ColorDepth::None => ascii,
            GraphicsProtocol::Kitty => PictureWay::Kitty { compress: self.is_among(&PLACEHOLDERS) },
            GraphicsProtocol::Iterm2 if self.has_room_for_pixels() => PictureWay::Iterm2,
            GraphicsProtocol::Sixel if self.has_room_for_pixels() => PictureWay::Sixel { registers: self.registers },
            // A pixel picture would cover its neighbours where the size of a cell is unknown.
            GraphicsProtocol::Halfblocks | GraphicsProtocol::Iterm2 | GraphicsProtocol::Sixel
                if text.ascii || text.depth == ColorDepth::None =>
            {
                ascii
            }
            GraphicsProtocol::Halfblocks | GraphicsProtocol::Iterm2 | GraphicsProtocol::Sixel => {
                PictureWay::Halfblocks(text.depth)
            }
            GraphicsProtocol::Ascii => ascii,
        };
        Some(PictureLook { way, cell: cell.unwrap_or(USUAL_CELL) })
    }

    /// True if a pixel picture cannot cover its neighbours.
    fn has_room_for_pixels(&self) -> bool {
        self.placement == PicturePlacement::Scrollback || self.cell.or(self.cell_of_window).is_some()
    }

    fn is_among(&self, names: &[&str]) -> bool {
        self.version.as_deref().is_some_and(|version| names.iter().any(|name| version.starts_with(name)))
    }

    /// kitty before 0.28 shows empty boxes for Unicode placeholders.
    fn is_old_kitty(&self) -> bool {
        let Some(version) = self.version.as_deref().and_then(|version| version.strip_prefix("kitty(")) else {
            return false;
        };
        let mut numbers = version.trim_end_matches(')').split('.').map(|part| part.parse::<u32>().unwrap_or(0));
        (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) < (0, 28)
    }
}

#[cfg(test)]
mod tests {
    use crate::terminal::graphics::*;

    fn chosen(
        requested: Option<GraphicsProtocol>,
        variables: &[(&str, &str)],
        replies: &[TerminalReply],
    ) -> PictureWay {
        let mut facts = GraphicsFacts::new(PicturePlacement::Screen, requested, |name| {
            variables.iter().find(|(variable, _)| *variable == name).map(|(_, value)| (*value).to_owned())
        });
        assert_eq!(facts.chosen, None, "nothing is chosen before the terminal has replied or timed out");
        facts.measure(Cells { columns: 80, rows: 24 }, (640, 408).into());
        for reply in replies {
            facts.on_reply(reply);
        }
        facts.resolve();
        let text = TextLook { depth: ColorDepth::True, light: false, ascii: false };
        facts.look(text).expect("settled").way
    }

    fn version(name: &str) -> TerminalReply {
        TerminalReply::Version(name.to_owned())
    }

    const SPEAKS_KITTY: TerminalReply = TerminalReply::KittyGraphics(true);
    const HALFBLOCKS: PictureWay = PictureWay::Halfblocks(ColorDepth::True);

    #[test]
    fn a_request_that_cannot_be_met_is_reported_once() {
        let settled = |requested, sixel: bool, cells: bool| {
            let mut facts = GraphicsFacts::new(PicturePlacement::Screen, Some(requested), |_| None);
            if cells {
                facts.measure(Cells { columns: 80, rows: 24 }, (640, 384).into());
            }
            facts.on_reply(&TerminalReply::Attributes(if sixel { vec![62, 4] } else { vec![62] }));
            [facts.take_fallback(), facts.take_fallback()]
        };
        let message = "--graphics sixel: the terminal does not draw it; half-blocks are drawn";
        assert_eq!(settled(GraphicsProtocol::Sixel, false, true), [Some(message.to_owned()), None]);
        assert_eq!(
            settled(GraphicsProtocol::Sixel, true, false),
            [Some(message.to_owned()), None],
            "cells of unknown size"
        );
        assert_eq!(settled(GraphicsProtocol::Sixel, true, true), [None, None]);
        assert_eq!(settled(GraphicsProtocol::Halfblocks, false, true), [None, None]);
        let mut tmux = GraphicsFacts::new(PicturePlacement::Screen, Some(GraphicsProtocol::Kitty), |name| {
            (name == "TMUX").then(String::new)
        });
        assert_eq!(tmux.take_fallback(), None, "the terminal has not answered yet");
        tmux.resolve();
        assert!(tmux.take_fallback().unwrap().contains("tmux and screen do not pass it on"));
    }

    #[test]
    fn each_terminal_gets_what_it_draws() {
        let sixel = TerminalReply::Attributes(vec![63, 4]);
        let plain = TerminalReply::Attributes(vec![62]);
        let kitty = PictureWay::Kitty { compress: true };
        assert_eq!(chosen(None, &[], &[SPEAKS_KITTY, version("kitty(0.41.1)"), plain.clone()]), kitty);
        assert_eq!(chosen(None, &[], &[SPEAKS_KITTY, version("ghostty 1.1"), plain.clone()]), kitty);
        assert_eq!(chosen(None, &[], &[SPEAKS_KITTY, version("kitty(0.26.5)"), plain.clone()]), HALFBLOCKS);
        assert_eq!(chosen(None, &[], &[version("XTerm(379)"), sixel.clone()]), PictureWay::Sixel { registers: 256 });
        let few = TerminalReply::SixelRegisters(16);
        assert_eq!(chosen(None, &[], &[few, sixel.clone()]), PictureWay::Sixel { registers: 16 });
        // These implement kitty's protocol without placeholders.
        for name in ["WezTerm 20240203", "Konsole 23.08.1", "iTerm2 3.5.0"] {
            assert_eq!(chosen(None, &[], &[SPEAKS_KITTY, version(name), sixel.clone()]), PictureWay::Iterm2, "{name}");
        }
        assert_eq!(chosen(None, &[("LC_TERMINAL", "iTerm2")], &[]), PictureWay::Iterm2);
        assert_eq!(chosen(None, &[], &[]), HALFBLOCKS, "a terminal that does not reply");
    }

    #[test]
    fn scrolling_pictures_need_neither_placeholders_nor_a_cell_size() {
        let text = TextLook { depth: ColorDepth::True, light: false, ascii: false };
        let way = |replies: &[TerminalReply]| {
            let mut facts = GraphicsFacts::new(PicturePlacement::Scrollback, None, |_| None);
            for reply in replies {
                facts.on_reply(reply);
            }
            facts.look(text).expect("settled").way
        };
        let (sixel, plain) = (TerminalReply::Attributes(vec![63, 4]), TerminalReply::Attributes(vec![62]));
        assert_eq!(way(&[SPEAKS_KITTY, plain.clone()]), PictureWay::Kitty { compress: false });
        assert_eq!(way(&[SPEAKS_KITTY, version("kitty(0.26.5)"), plain]), PictureWay::Kitty { compress: true });
        assert_eq!(way(&[sixel]), PictureWay::Sixel { registers: 256 });
        assert_eq!(way(&[TerminalReply::Attributes(vec![4, 6])]), HALFBLOCKS, "the first attribute is the class");
    }

    #[test]
    fn pixel_pictures_need_a_known_cell_size() {
        let text = TextLook { depth: ColorDepth::True, light: false, ascii: false };
        let mut facts = GraphicsFacts::new(PicturePlacement::Screen, None, |_| None);
        facts.on_reply(&TerminalReply::Attributes(vec![62, 4]));
        assert_eq!(facts.look(text).expect("settled").way, HALFBLOCKS);
        facts.measure(Cells { columns: 80, rows: 24 }, (0, 0).into());
        assert_eq!(facts.look(text).expect("settled").way, HALFBLOCKS, "a system that does not report pixels");
        facts.measure(Cells { columns: 80, rows: 24 }, (645, 410).into());
        let look = facts.look(text).expect("settled");
        assert_eq!((look.way, look.cell), (PictureWay::Sixel { registers: 256 }, (8, 17).into()));
        facts.on_reply(&TerminalReply::CellPixels { width: 9, height: 18 });
        assert_eq!(facts.look(text).expect("settled").cell, (9, 18).into(), "the terminal knows best");
    }

    #[test]
    fn multiplexers_pass_on_nothing_but_cells() {
        let replies = [SPEAKS_KITTY, version("kitty(0.41.1)"), TerminalReply::Attributes(vec![62, 4])];
        for variables in [[("TMUX", "/tmp/tmux")], [("TERM", "screen-256color")], [("TERM", "tmux-256color")]] {
            assert_eq!(chosen(None, &variables, &replies), HALFBLOCKS);
        }
        assert_eq!(chosen(None, &[("TMUX", "x"), ("LC_TERMINAL", "iTerm2")], &replies), HALFBLOCKS);
        assert_eq!(chosen(Some(GraphicsProtocol::Iterm2), &[("TERM", "linux")], &replies), HALFBLOCKS, "the console");
    }

    #[test]
    fn the_terminal_knows_its_background_better_than_the_environment() {
        let mut facts = GraphicsFacts::new(PicturePlacement::Screen, None, |_| Some("0;15".to_owned()));
        assert!(facts.light_background());
        facts.on_reply(&TerminalReply::Background(20, 20, 20));
        assert!(!facts.light_background());
    }

    #[test]
    fn requests_are_checked_against_the_terminal() {
        assert_eq!(chosen(Some(GraphicsProtocol::Kitty), &[], &[]), HALFBLOCKS);
        assert_eq!(chosen(Some(GraphicsProtocol::Sixel), &[], &[]), HALFBLOCKS);
        let supported = chosen(Some(GraphicsProtocol::Kitty), &[], &[SPEAKS_KITTY]);
        assert_eq!(supported, PictureWay::Kitty { compress: false }, "an unknown terminal may not inflate");
        assert_eq!(chosen(Some(GraphicsProtocol::Ascii), &[], &[SPEAKS_KITTY]), PictureWay::Ascii { light: false });
        let sixel = [TerminalReply::Attributes(vec![62, 4])];
        assert_eq!(chosen(Some(GraphicsProtocol::Halfblocks), &[], &sixel), HALFBLOCKS);
    }
}
