//! Which way of drawing pictures to take: what the terminal says, what the user asks, and what is known to go wrong.

use super::input::TerminalReply;
use crate::domain::graphics_protocol::GraphicsProtocol;

/// Environment and answers, and what follows from them.
#[derive(Clone, Debug)]
pub(super) struct GraphicsFacts {
    /// What the user asked for; `None` leaves it to the program.
    asked: Option<GraphicsProtocol>,
    /// Whether tmux or screen stand between.
    multiplexed: bool,
    /// What follows; `None` until the terminal has answered or had its time.
    chosen: Option<GraphicsProtocol>,
    /// Pixels of a cell, width and height.
    pub(super) cell: (u16, u16),
    kitty: bool,
    sixel: bool,
    version: Option<String>,
    background: Option<(u8, u8, u8)>,
}

impl GraphicsFacts {
    /// Before the terminal has said anything.
    pub(super) fn new(asked: Option<GraphicsProtocol>, variable: impl Fn(&str) -> Option<String>) -> Self {
        let term = variable("TERM").unwrap_or_default();
        let multiplexed = variable("TMUX").is_some() || term.starts_with("tmux") || term.starts_with("screen");
        Self {
            asked,
            multiplexed,
            chosen: None,
            cell: (10, 20),
            kitty: false,
            sixel: false,
            version: None,
            background: None,
        }
    }

    /// How pictures are drawn; `None` as long as that is not known.
    pub(super) fn protocol(&self) -> Option<GraphicsProtocol> {
        self.chosen
    }

    /// Whether the terminal's background is light.
    pub(super) fn light_background(&self) -> bool {
        self.background.is_some_and(|(red, green, blue)| {
            let luminance = 0.2126 * f64::from(red) + 0.7152 * f64::from(green) + 0.0722 * f64::from(blue);
            luminance > 128.0
        })
    }

    /// Takes an answer of the terminal.
    pub(super) fn hear(&mut self, reply: &TerminalReply) {
        match reply {
            TerminalReply::KittyGraphics(spoken) => self.kitty = *spoken,
            TerminalReply::Version(version) => self.version = Some(version.clone()),
            TerminalReply::CellPixels { width, height } if *width > 0 && *height > 0 => self.cell = (*width, *height),
            TerminalReply::Background(red, green, blue) => self.background = Some((*red, *green, *blue)),
            TerminalReply::Attributes(attributes) => {
                self.sixel = attributes.contains(&4);
                self.settle();
            }
            TerminalReply::CellPixels { .. } | TerminalReply::SixelRegisters(_) => {}
        }
    }

    /// Decides with what is known.
    pub(super) fn settle(&mut self) {
        let kitty = self.kitty && !self.is_old_kitty() && !self.multiplexed;
        let sixel = self.sixel && !self.multiplexed;
        self.chosen = Some(match self.asked {
            Some(GraphicsProtocol::Kitty) if kitty => GraphicsProtocol::Kitty,
            Some(GraphicsProtocol::Sixel) if sixel => GraphicsProtocol::Sixel,
            Some(asked @ (GraphicsProtocol::Iterm2 | GraphicsProtocol::Ascii)) => asked,
            Some(_) => GraphicsProtocol::Halfblocks,
            None if kitty => GraphicsProtocol::Kitty,
            None if sixel => GraphicsProtocol::Sixel,
            None => GraphicsProtocol::Halfblocks,
        });
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
