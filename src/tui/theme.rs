//! Colours and signs: one accent, class colours that are safe for colour-blind readers (Okabe and Ito), and the
//! terminal's own colours for the rest. Colour is never the only sign.

use ratatui::style::{Color, Modifier, Style};
use ratatui::symbols::border;

use crate::terminal::color_depth::ColorDepth;
use crate::terminal::graphics::TextLook;
use mammoscope_domain::subject::density::DensityClass;

/// The colours and signs of the workbench.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Theme {
    pub(super) depth: ColorDepth,
    /// True for a light background.
    pub(super) light: bool,
    /// True to draw ASCII characters only.
    pub(super) ascii: bool,
}

/// A colour as RGB, as the nearest of 256, and as the nearest of 16.
type Shade = ((u8, u8, u8), u8, Color);

impl Theme {
    /// The look of pictures made of characters.
    pub(in crate::tui) fn text_look(&self) -> TextLook {
        TextLook { depth: self.depth, light: self.light, ascii: self.ascii }
    }

    fn color(&self, (rgb, indexed, named): Shade) -> Option<Color> {
        match self.depth {
            ColorDepth::None => None,
            ColorDepth::Sixteen => Some(named),
            ColorDepth::Indexed => Some(Color::Indexed(indexed)),
            ColorDepth::True => Some(Color::Rgb(rgb.0, rgb.1, rgb.2)),
        }
    }

    fn shade(&self, dark: Shade, light: Shade) -> Style {
        self.color(if self.light { light } else { dark }).map_or_else(Style::new, |color| Style::new().fg(color))
    }

    /// Plain text in the terminal's own colours.
    #[expect(clippy::unused_self, reason = "used like the other styles")]
    pub(super) fn text(&self) -> Style {
        Style::new()
    }

    /// Less important text: labels, units, hints.
    pub(super) fn dim(&self) -> Style {
        match self.depth {
            ColorDepth::None | ColorDepth::Sixteen => Style::new().add_modifier(Modifier::DIM),
            _ => self.shade(((150, 150, 158), 247, Color::Gray), ((98, 98, 106), 241, Color::DarkGray)),
        }
    }

    /// Axes and frames without the focus.
    pub(super) fn border(&self) -> Style {
        match self.depth {
            ColorDepth::None => Style::new(),
            ColorDepth::Sixteen => Style::new().fg(Color::DarkGray),
            _ => self.shade(((88, 88, 98), 240, Color::DarkGray), ((176, 176, 182), 248, Color::Gray)),
        }
    }

    /// Keys, and the element that has the focus.
    pub(super) fn accent(&self) -> Style {
        let style = self.shade(((222, 156, 244), 177, Color::Magenta), ((138, 43, 172), 91, Color::Magenta));
        style.add_modifier(Modifier::BOLD)
    }

    /// The frame of a region.
    pub(super) fn frame(&self, focused: bool) -> Style {
        if focused { self.accent() } else { self.border() }
    }

    /// The selected line.
    pub(super) fn selected(&self, focused: bool) -> Style {
        let background = match self.depth {
            ColorDepth::None | ColorDepth::Sixteen => None,
            _ if self.light => Some(if focused { (220, 208, 230) } else { (228, 228, 232) }),
            _ => Some(if focused { (66, 52, 78) } else { (48, 48, 54) }),
        };
        match (background, self.depth) {
            (Some((red, green, blue)), ColorDepth::True) => Style::new().bg(Color::Rgb(red, green, blue)),
            (Some(_), _) => Style::new().bg(Color::Indexed(match (self.light, focused) {
                (true, true) => 189,
                (true, false) => 254,
                (false, true) => 237,
                (false, false) => 236,
            })),
            (None, _) if focused => Style::new().add_modifier(Modifier::REVERSED),
            (None, _) => Style::new().add_modifier(Modifier::BOLD),
        }
    }

    /// Success.
    pub(super) fn good(&self) -> Style {
        self.shade(((120, 200, 140), 114, Color::Green), ((20, 120, 60), 28, Color::Green))
    }

    /// Something that needs attention.
    pub(super) fn warning(&self) -> Style {
        self.shade(((236, 190, 80), 179, Color::Yellow), ((150, 96, 0), 94, Color::Yellow))
    }

    /// Failure.
    pub(super) fn bad(&self) -> Style {
        self.shade(((240, 110, 110), 203, Color::Red), ((186, 30, 40), 124, Color::Red))
    }

    /// The colour of a density class: sky blue, bluish green, orange, vermillion.
    pub(super) fn class(&self, class: DensityClass) -> Style {
        match class {
            DensityClass::A => self.shade(((86, 180, 233), 74, Color::Cyan), ((0, 114, 178), 25, Color::Blue)),
            DensityClass::B => self.shade(((0, 190, 140), 36, Color::Green), ((0, 128, 96), 29, Color::Green)),
            DensityClass::C => self.shade(((230, 159, 0), 178, Color::Yellow), ((166, 106, 0), 130, Color::Yellow)),
            DensityClass::D => self.shade(((232, 108, 28), 166, Color::Red), ((196, 76, 0), 166, Color::Red)),
        }
    }

    /// The colour of one of several curves in a chart; the colours repeat after eight.
    pub(super) fn series(&self, index: usize) -> Style {
        const SHADES: [(Shade, Shade); 8] = [
            (((86, 180, 233), 74, Color::Cyan), ((0, 114, 178), 25, Color::Blue)),
            (((240, 228, 66), 227, Color::Yellow), ((150, 120, 0), 94, Color::Yellow)),
            (((0, 190, 140), 36, Color::Green), ((0, 128, 96), 29, Color::Green)),
            (((204, 121, 167), 175, Color::Magenta), ((166, 70, 124), 132, Color::Magenta)),
            (((230, 159, 0), 178, Color::LightYellow), ((166, 106, 0), 130, Color::Yellow)),
            (((232, 108, 28), 166, Color::Red), ((196, 76, 0), 166, Color::Red)),
            (((150, 160, 255), 111, Color::LightBlue), ((60, 70, 180), 61, Color::Blue)),
            (((190, 190, 196), 250, Color::Gray), ((90, 90, 96), 240, Color::DarkGray)),
        ];
        let (dark, light) = SHADES[index % SHADES.len()];
        self.shade(dark, light)
    }

    /// The characters for frames.
    pub(super) fn borders(&self) -> border::Set<'static> {
        const ASCII: border::Set<'static> = border::Set {
            top_left: "+",
            top_right: "+",
            bottom_left: "+",
            bottom_right: "+",
            vertical_left: "|",
            vertical_right: "|",
            horizontal_top: "-",
            horizontal_bottom: "-",
        };
        if self.ascii { ASCII } else { border::ROUNDED }
    }

    /// The sign or its ASCII substitute.
    pub(super) fn sign(&self, sign: &'static str, ascii: &'static str) -> &'static str {
        if self.ascii { ascii } else { sign }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_determines_the_colour_depth() {
        let depth = |pairs: &[(&str, &str)]| {
            ColorDepth::of_environment(|name| {
                pairs.iter().find(|(variable, _)| *variable == name).map(|(_, value)| (*value).to_owned())
            })
        };
        assert_eq!(depth(&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")]), ColorDepth::True);
        assert_eq!(depth(&[("TERM", "xterm-256color")]), ColorDepth::Indexed);
        assert_eq!(depth(&[("TERM", "linux")]), ColorDepth::Sixteen);
        assert_eq!(depth(&[("TERM", "xterm-256color"), ("NO_COLOR", "1")]), ColorDepth::None);
        assert_eq!(depth(&[("TERM", "dumb")]), ColorDepth::None);
    }
}
