//! tmux and screen, which pass on to the terminal only what is wrapped for them.

/// The program between this one and the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Multiplexer {
    None,
    Tmux,
    Screen,
}

/// The longest piece of a sequence that screen passes on at once.
const SCREEN_PIECE: usize = 512;

impl Multiplexer {
    pub(crate) fn of_environment(variable: impl Fn(&str) -> Option<String>) -> Self {
        let is_set = |name| variable(name).is_some_and(|value| !value.is_empty());
        // Whichever of the two runs within the other sets `TERM` last.
        let term = variable("TERM").unwrap_or_default();
        match (is_set("TMUX"), is_set("STY")) {
            (true, true) if term.starts_with("screen") => Self::Screen,
            (true, _) => Self::Tmux,
            (false, true) => Self::Screen,
            (false, false) => Self::None,
        }
    }

    /// The sequence in the envelope in which it reaches the terminal. tmux passes it on only if its option
    /// `allow-passthrough` is on.
    pub(crate) fn wrapped(self, sequence: &str) -> String {
        match self {
            Self::None => sequence.to_owned(),
            Self::Tmux => format!("\x1bPtmux;{}\x1b\\", sequence.replace('\x1b', "\x1b\x1b")),
            Self::Screen => {
                let (mut wrapped, mut length) = ("\x1bP".to_owned(), 0);
                for character in sequence.chars() {
                    length += character.len_utf8();
                    if length > SCREEN_PIECE {
                        wrapped.push_str("\x1b\\\x1bP");
                        length = character.len_utf8();
                    }
                    wrapped.push(character);
                }
                wrapped + "\x1b\\"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_names_the_multiplexer() {
        let of = |pairs: &[(&str, &str)]| {
            Multiplexer::of_environment(|name| {
                pairs.iter().find(|(variable, _)| *variable == name).map(|(_, value)| (*value).to_owned())
            })
        };
        assert_eq!(of(&[("TERM", "screen-256color")]), Multiplexer::None, "as on another machine");
        assert_eq!(of(&[("TMUX", "/tmp/tmux,1,0"), ("TERM", "tmux-256color")]), Multiplexer::Tmux);
        assert_eq!(of(&[("STY", "1.pts"), ("TERM", "screen")]), Multiplexer::Screen);
        assert_eq!(of(&[("TMUX", "x"), ("STY", "1.pts"), ("TERM", "screen")]), Multiplexer::Screen);
        assert_eq!(of(&[("TMUX", ""), ("TERM", "xterm")]), Multiplexer::None);
    }

    #[test]
    fn sequences_are_wrapped_for_each() {
        assert_eq!(Multiplexer::None.wrapped("\x1b]9;a\x07"), "\x1b]9;a\x07");
        assert_eq!(Multiplexer::Tmux.wrapped("\x1b]9;a\x07"), "\x1bPtmux;\x1b\x1b]9;a\x07\x1b\\");
        assert_eq!(Multiplexer::Screen.wrapped("\x1b]9;a\x07"), "\x1bP\x1b]9;a\x07\x1b\\");
        let long = "ä".repeat(400);
        let wrapped = Multiplexer::Screen.wrapped(&long);
        assert_eq!(wrapped.matches("\x1bP").count(), 2);
        assert_eq!(wrapped.replace("\x1bP", "").replace("\x1b\\", ""), long);
    }
}
