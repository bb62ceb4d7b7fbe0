//! The sign and the colour of a notice.

use ratatui::style::Style;

use crate::tui::protocol::effect::Tone;
use crate::tui::theme::Theme;

/// The sign before a notice, which may be empty, and its style.
pub(in crate::tui) fn notice_look(tone: Tone, theme: &Theme) -> (&'static str, Style) {
    match tone {
        Tone::Done => (theme.sign("✔", "ok"), theme.good()),
        Tone::Neutral => (theme.sign("·", "-"), theme.text()),
        Tone::Quiet => ("", theme.dim()),
        Tone::Warning => ("!", theme.warning()),
        Tone::Failed => (theme.sign("✖", "x"), theme.bad()),
    }
}
