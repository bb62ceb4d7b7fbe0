//! The clipboard of the terminal, which works across SSH.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The sequence that puts a text on the clipboard (OSC 52). Terminals that lack the clipboard ignore it; tmux passes it
/// on if its option `set-clipboard` is on.
pub(crate) fn copy_sequence(text: &str) -> String {
    format!("\x1b]52;c;{}\x07", STANDARD.encode(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_sent_in_base64() {
        assert_eq!(copy_sequence("/data/µ.png"), "\x1b]52;c;L2RhdGEvwrUucG5n\x07");
    }
}
