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

/// A colour as RGB, as one of 256, and as one of 16. Those for light backgrounds can be read on white; of 16 colours, only
/// blue, red, magenta and the terminal's own can.
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
            _ if self.light => Some(if focused { (234, 226, 242) } else { (228, 228, 232) }),
            _ => Some(if focused { (66, 52, 78) } else { (48, 48, 54) }),
        };
        match (background, self.depth) {
            (Some((red, green, blue)), ColorDepth::True) => Style::new().bg(Color::Rgb(red, green, blue)),
            (Some(_), _) => Style::new().bg(Color::Indexed(match (self.light, focused) {
                (true, true) => 225,
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
        self.shade(((120, 200, 140), 114, Color::Green), ((16, 110, 54), 28, Color::Blue))
    }

    /// Something that needs attention.
    pub(super) fn warning(&self) -> Style {
        self.shade(((236, 190, 80), 179, Color::Yellow), ((140, 88, 0), 94, Color::Red))
    }

    /// Failure.
    pub(super) fn bad(&self) -> Style {
        self.shade(((240, 110, 110), 203, Color::Red), ((180, 28, 38), 124, Color::Red))
    }

    /// The colour of a density class: sky blue, bluish green, orange, vermillion.
    pub(super) fn class(&self, class: DensityClass) -> Style {
        match class {
            DensityClass::A => self.shade(((86, 180, 233), 74, Color::Cyan), ((0, 104, 164), 25, Color::Blue)),
            DensityClass::B => self.shade(((0, 190, 140), 36, Color::Green), ((0, 112, 84), 29, Color::Magenta)),
            DensityClass::C => self.shade(((230, 159, 0), 178, Color::Yellow), ((140, 90, 0), 94, Color::Reset)),
            DensityClass::D => self.shade(((232, 108, 28), 166, Color::Red), ((176, 66, 0), 160, Color::Red)),
        }
    }

    /// The colour of one of several curves in a chart; the colours repeat after eight.
    pub(super) fn series(&self, index: usize) -> Style {
        const SHADES: [(Shade, Shade); 8] = [
            (((86, 180, 233), 74, Color::Cyan), ((0, 104, 164), 25, Color::Blue)),
            (((240, 228, 66), 227, Color::Yellow), ((122, 98, 0), 58, Color::Red)),
            (((0, 190, 140), 36, Color::Green), ((0, 112, 84), 29, Color::Magenta)),
            (((204, 121, 167), 175, Color::Magenta), ((158, 64, 116), 89, Color::Reset)),
            (((230, 159, 0), 178, Color::LightYellow), ((140, 90, 0), 94, Color::Blue)),
            (((232, 108, 28), 166, Color::Red), ((176, 66, 0), 160, Color::Red)),
            (((150, 160, 255), 111, Color::LightBlue), ((60, 70, 180), 61, Color::Magenta)),
            (((190, 190, 196), 250, Color::Gray), ((90, 90, 96), 240, Color::Reset)),
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

    /// The relative luminance of a colour of xterm's palette (WCAG 2).
    fn luminance(color: Color) -> f64 {
        let (red, green, blue) = match color {
            Color::Rgb(red, green, blue) => (red, green, blue),
            Color::Indexed(grey @ 232..) => (8 + 10 * (grey - 232), 8 + 10 * (grey - 232), 8 + 10 * (grey - 232)),
            Color::Indexed(index @ 16..) => {
                let level = |part: u8| [0, 95, 135, 175, 215, 255][usize::from(part % 6)];
                (level((index - 16) / 36), level((index - 16) / 6), level(index - 16))
            }
            Color::Blue => (0, 0, 238),
            Color::Red => (205, 0, 0),
            Color::Magenta => (205, 0, 205),
            // The terminal's own, black on white.
            Color::Reset => (0, 0, 0),
            other => panic!("{other} is too light for a light background"),
        };
        let linear = |part: u8| {
            let part = f64::from(part) / 255.0;
            if part <= 0.03928 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
    }

    fn contrast(one: f64, other: f64) -> f64 {
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    /// The styles that letters have.
    fn letters(theme: &Theme) -> Vec<Style> {
        let mut styles = vec![theme.dim(), theme.accent(), theme.good(), theme.warning(), theme.bad()];
        styles.extend(DensityClass::ALL.iter().map(|class| theme.class(*class)));
        styles.extend((0..8).map(|index| theme.series(index)));
        styles
    }

    #[test]
    fn letters_can_be_read_on_light_and_on_dark_backgrounds() {
        for depth in [ColorDepth::True, ColorDepth::Indexed, ColorDepth::Sixteen] {
            let theme = Theme { depth, light: true, ascii: false };
            for color in letters(&theme).iter().filter_map(|style| style.fg) {
                let found = contrast(luminance(color), 1.0);
                assert!(found >= 4.5, "{depth:?} {color}: {found:.2} on white");
            }
        }
        for light in [true, false] {
            let theme = Theme { depth: ColorDepth::True, light, ascii: false };
            for focused in [true, false] {
                let selected = luminance(theme.selected(focused).bg.unwrap());
                for color in letters(&theme).iter().filter_map(|style| style.fg) {
                    let found = contrast(luminance(color), selected);
                    assert!(found >= if light { 4.5 } else { 3.5 }, "{light} {color}: {found:.2} on the selected line");
                }
            }
        }
    }

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
