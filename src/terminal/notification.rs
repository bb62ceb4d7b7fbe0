//! Notifications that a terminal shows on the desktop.

use super::multiplexer::Multiplexer;

/// The title of every notification.
const TITLE: &str = "mammoscope";

/// A sequence that makes terminals notify.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotificationProtocol {
    /// `iTerm2`, `WezTerm`, Ghostty, `ConEmu`.
    Osc9,
    /// kitty.
    Osc99,
    /// foot, urxvt.
    Osc777,
}

impl NotificationProtocol {
    /// The protocol of a terminal, by its reply to `XTVERSION` or else by the environment; `None` for one of which none is
    /// known. Within tmux, both usually name tmux.
    pub(crate) fn of_terminal(version: Option<&str>, variable: impl Fn(&str) -> Option<String>) -> Option<Self> {
        const BY_VERSION: [(&str, NotificationProtocol); 6] = [
            ("kitty(", NotificationProtocol::Osc99),
            ("iTerm2", NotificationProtocol::Osc9),
            ("WezTerm", NotificationProtocol::Osc9),
            ("ghostty", NotificationProtocol::Osc9),
            ("foot(", NotificationProtocol::Osc777),
            ("rxvt-unicode", NotificationProtocol::Osc777),
        ];
        if let Some((_, found)) = BY_VERSION.iter().find(|(name, _)| version.is_some_and(|own| own.starts_with(name))) {
            return Some(*found);
        }
        let text = |name| variable(name).unwrap_or_default();
        let is_set = |name| !text(name).is_empty();
        let (term, program, remote) = (text("TERM"), text("TERM_PROGRAM"), text("LC_TERMINAL"));
        if term.contains("kitty") || is_set("KITTY_WINDOW_ID") {
            Some(Self::Osc99)
        } else if ["iTerm.app", "WezTerm", "ghostty"].contains(&program.as_str())
            || remote == "iTerm2"
            || term.contains("ghostty")
            || is_set("ConEmuPID")
        {
            Some(Self::Osc9)
        } else if term.starts_with("foot") || term.starts_with("rxvt-unicode") {
            Some(Self::Osc777)
        } else {
            None
        }
    }

    /// The sequence that shows a text, wrapped for a multiplexer.
    pub(crate) fn sequence(self, text: &str, multiplexer: Multiplexer) -> String {
        // A control character would end the sequence, and a semicolon a field of it.
        let text: String =
            text.chars().filter(|character| !character.is_control()).collect::<String>().replace(';', ",");
        multiplexer.wrapped(&match self {
            Self::Osc9 => format!("\x1b]9;{TITLE}: {text}\x07"),
            Self::Osc99 => format!("\x1b]99;;{TITLE}: {text}\x1b\\"),
            Self::Osc777 => format!("\x1b]777;notify;{TITLE};{text}\x07"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::NotificationProtocol::{Osc9, Osc99, Osc777};
    use super::*;

    #[test]
    fn each_terminal_is_sent_what_it_understands() {
        let of = |version: Option<&str>, pairs: &[(&str, &str)]| {
            NotificationProtocol::of_terminal(version, |name| {
                pairs.iter().find(|(variable, _)| *variable == name).map(|(_, value)| (*value).to_owned())
            })
        };
        assert_eq!(of(Some("kitty(0.41.1)"), &[("TERM", "xterm-256color")]), Some(Osc99));
        assert_eq!(of(Some("foot(1.16.2)"), &[]), Some(Osc777));
        assert_eq!(of(Some("WezTerm 20240203"), &[("KITTY_WINDOW_ID", "1")]), Some(Osc9), "its own word counts");
        assert_eq!(of(None, &[("KITTY_WINDOW_ID", "1")]), Some(Osc99));
        assert_eq!(of(None, &[("LC_TERMINAL", "iTerm2")]), Some(Osc9));
        assert_eq!(of(None, &[("TERM_PROGRAM", "ghostty")]), Some(Osc9));
        assert_eq!(of(None, &[("ConEmuPID", "7")]), Some(Osc9));
        assert_eq!(of(None, &[("TERM", "rxvt-unicode-256color")]), Some(Osc777));
        assert_eq!(of(Some("XTerm(390)"), &[("TERM", "xterm-256color")]), None);
        assert_eq!(of(Some("tmux 3.4"), &[("TERM_PROGRAM", "tmux")]), None);
    }

    #[test]
    fn a_text_cannot_end_its_sequence() {
        let text = "CC_R\x1b;\u{7}done\u{9c}";
        for (protocol, sequence) in [
            (NotificationProtocol::Osc9, "\x1b]9;mammoscope: CC_R,done\x07"),
            (NotificationProtocol::Osc99, "\x1b]99;;mammoscope: CC_R,done\x1b\\"),
            (NotificationProtocol::Osc777, "\x1b]777;notify;mammoscope;CC_R,done\x07"),
        ] {
            assert_eq!(protocol.sequence(text, Multiplexer::None), sequence);
        }
        assert_eq!(
            NotificationProtocol::Osc9.sequence(text, Multiplexer::Tmux),
            "\x1bPtmux;\x1b\x1b]9;mammoscope: CC_R,done\x07\x1b\\"
        );
    }
}
