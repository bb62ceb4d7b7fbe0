//! The shades of a matrix: shares in blue; in a comparison blue for better and orange for worse, with signs.

use ratatui::style::{Color, Style};
use ratatui::text::{Line, Span};

use crate::terminal::color_depth::ColorDepth;
use crate::tui::theme::Theme;

/// Whether a difference is for the better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Merit {
    Better,
    Worse,
    Same,
}

impl Merit {
    /// A sign beside the number, since colour is never the only one; empty for no difference.
    pub(super) fn sign(self, theme: &Theme) -> &'static str {
        match self {
            Self::Better => theme.sign("✔", "ok"),
            Self::Worse => theme.sign("✖", "x"),
            Self::Same => "",
        }
    }
}

/// The legend of a comparison, of flips or of differences.
pub(in crate::tui) fn merit_legend(of_flips: bool, theme: &Theme) -> Line<'static> {
    let [better, worse] = if of_flips { ["fixed", "broken"] } else { ["better", "worse"] };
    let entry = |merit: Merit, weight: f64, word: &str| {
        Span::styled(format!(" {} {word} ", merit.sign(theme)), shade(weight, theme))
    };
    Line::from(vec![entry(Merit::Better, 0.7, better), Span::raw("  "), entry(Merit::Worse, -0.7, worse)])
}

/// The background for a weight from -1 to 1, with a text colour that is readable on it; none on terminals with few
/// colours.
pub(super) fn shade(weight: f64, theme: &Theme) -> Style {
    type Ramp = ((u8, u8, u8), [u8; 5]);
    const LEVELS: f64 = 4.0;
    let level = (weight.abs() * LEVELS).round() as usize;
    let (base, (end, indexed), text): ((u8, u8, u8), Ramp, Color) = match (theme.light, weight < 0.0) {
        (false, false) => ((32, 34, 40), ((24, 96, 156), [235, 236, 23, 24, 25]), Color::Rgb(238, 238, 242)),
        (false, true) => ((32, 34, 40), ((150, 76, 8), [235, 236, 58, 94, 130]), Color::Rgb(238, 238, 242)),
        (true, false) => ((244, 244, 247), ((138, 192, 238), [255, 254, 189, 153, 117]), Color::Rgb(20, 20, 24)),
        (true, true) => ((244, 244, 247), ((250, 190, 120), [255, 254, 230, 223, 216]), Color::Rgb(20, 20, 24)),
    };
    match theme.depth {
        ColorDepth::None | ColorDepth::Sixteen => Style::new(),
        ColorDepth::Indexed => {
            let text = if theme.light { 234 } else { 255 };
            Style::new().bg(Color::Indexed(indexed[level.min(4)])).fg(Color::Indexed(text))
        }
        ColorDepth::True => {
            let mix = |from: u8, to: u8| {
                (f64::from(from) + (f64::from(to) - f64::from(from)) * weight.abs().clamp(0.0, 1.0)).round() as u8
            };
            Style::new().bg(Color::Rgb(mix(base.0, end.0), mix(base.1, end.1), mix(base.2, end.2))).fg(text)
        }
    }
}
