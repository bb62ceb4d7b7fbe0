//! The kind of a terminal, as its environment names it.

use super::color_depth::ColorDepth;

/// The kind of a terminal, by the name in `TERM`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TerminalKind {
    /// It has no name.
    Unnamed,
    /// It cannot move its cursor.
    Dumb,
    /// The text console of Linux: 16 colours, a font of at most 512 characters, no pictures.
    Console,
    Usual,
}

impl TerminalKind {
    pub(crate) fn of_environment(variable: impl Fn(&str) -> Option<String>) -> Self {
        match variable("TERM").unwrap_or_default().as_str() {
            "" => Self::Unnamed,
            "dumb" => Self::Dumb,
            name if name == "linux" || name.starts_with("linux-") => Self::Console,
            _ => Self::Usual,
        }
    }

    /// The reason why the workbench cannot be shown, and what to use instead; `None` if it can.
    pub(crate) fn refusal(self) -> Option<&'static str> {
        match self {
            Self::Unnamed => Some(
                "TERM is not set, so the workbench cannot be drawn; set it to the name of the terminal, or use \
                 `mammoscope runs`, `status` and `follow`, which print lines",
            ),
            Self::Dumb => Some(
                "the workbench cannot be drawn with TERM=dumb; use `mammoscope runs`, `status` and `follow`, which \
                 print lines",
            ),
            Self::Console | Self::Usual => None,
        }
    }

    /// True if its font has little more than ASCII, and no braille.
    pub(crate) fn needs_ascii(self) -> bool {
        self == Self::Console
    }

    /// The deepest colours that it shows.
    pub(crate) fn limit(self, depth: ColorDepth) -> ColorDepth {
        match (self, depth) {
            (Self::Console, ColorDepth::Indexed | ColorDepth::True) => ColorDepth::Sixteen,
            _ => depth,
        }
    }
}

/// The background that `COLORFGBG` states, as terminals such as rxvt and Konsole set it: `Some(true)` for a light one,
/// `None` if it states none.
///
/// The variable holds the numbers of two colours, `15;0` or `15;default;0`, the background last. White and the bright
/// colours are light, but bright black (8) is grey.
pub(crate) fn stated_light_background(variable: impl Fn(&str) -> Option<String>) -> Option<bool> {
    let value = variable("COLORFGBG")?;
    let background: u8 = value.rsplit(';').next()?.trim().parse().ok()?;
    match background {
        7 | 9..=15 => Some(true),
        0..=6 | 8 => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(term: Option<&str>) -> TerminalKind {
        TerminalKind::of_environment(|name| (name == "TERM").then_some(term?.to_owned()))
    }

    #[test]
    fn a_terminal_without_a_name_or_a_cursor_is_refused_with_what_to_use_instead() {
        for term in [None, Some(""), Some("dumb")] {
            let refusal = of(term).refusal().unwrap();
            assert!(
                refusal.contains("TERM") && refusal.contains("`mammoscope runs`, `status` and `follow`"),
                "{refusal}"
            );
        }
        for term in ["xterm", "linux", "vt100", "tmux-256color", "no-such"] {
            assert_eq!(of(Some(term)).refusal(), None, "{term}");
        }
    }

    #[test]
    fn the_console_of_linux_has_ascii_and_16_colours() {
        for term in ["linux", "linux-16color"] {
            assert!(of(Some(term)).needs_ascii(), "{term}");
            assert_eq!(of(Some(term)).limit(ColorDepth::True), ColorDepth::Sixteen);
            assert_eq!(of(Some(term)).limit(ColorDepth::None), ColorDepth::None);
        }
        assert!(!of(Some("xterm")).needs_ascii());
        assert_eq!(of(Some("xterm")).limit(ColorDepth::True), ColorDepth::True);
    }

    #[test]
    fn the_background_is_the_last_colour_of_colorfgbg() {
        let stated = |value: &str| stated_light_background(|name| (name == "COLORFGBG").then(|| value.to_owned()));
        for (value, light) in [
            ("0;15", Some(true)),
            ("0;7", Some(true)),
            ("0;default;15", Some(true)),
            ("15;0", Some(false)),
            ("7;8", Some(false)),
            ("15;default;0", Some(false)),
            ("default;default", None),
            ("0;231", None),
            ("", None),
        ] {
            assert_eq!(stated(value), light, "{value}");
        }
        assert_eq!(stated_light_background(|_| None), None);
    }
}
