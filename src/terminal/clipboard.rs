//! The clipboard of the terminal, which works across SSH.

use std::io::{self, Write as _};
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::multiplexer::Multiplexer;

/// The sequence that puts a text on the clipboard (OSC 52). Terminals that lack the clipboard ignore it.
///
/// tmux takes it if its option `set-clipboard` is on, and passes it on if `allow-passthrough` is on; usually neither is,
/// so that [`give_to_tmux`] is needed as well.
pub(crate) fn copy_sequence(text: &str, multiplexer: Multiplexer) -> String {
    let plain = format!("\x1b]52;c;{}\x07", STANDARD.encode(text));
    match multiplexer {
        Multiplexer::None => plain,
        Multiplexer::Tmux => plain.clone() + &multiplexer.wrapped(&plain),
        Multiplexer::Screen => multiplexer.wrapped(&plain),
    }
}

/// Gives a text to the surrounding tmux, as its newest buffer and for the clipboard of the terminal.
pub(crate) fn give_to_tmux(text: &str) -> io::Result<()> {
    let mut child = Command::new("tmux")
        .args(["load-buffer", "-w", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    // A tmux that refuses may not read its input; its status tells.
    let _ = child.stdin.take().map(|mut stdin| stdin.write_all(text.as_bytes()));
    let output = child.wait_with_output()?;
    if output.status.success() {
        return Ok(());
    }
    let reason = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(io::Error::other(if reason.is_empty() { output.status.to_string() } else { reason }))
}

/// The value of an option of the surrounding tmux; empty if it does not have it.
pub(crate) fn tmux_option(words: &[&str]) -> Vec<u8> {
    let output =
        Command::new("tmux").arg("show-options").args(words).stdin(Stdio::null()).stderr(Stdio::null()).output();
    output.map_or_else(|_| Vec::new(), |output| output.stdout.trim_ascii().to_vec())
}

/// True if the surrounding tmux takes the sequence of a program for the clipboard.
pub(crate) fn tmux_takes_copies() -> bool {
    tmux_option(&["-gqsv", "set-clipboard"]) == b"on"
}

/// True if the surrounding tmux has the command that [`give_to_tmux`] uses: 3.2 and later do.
pub(crate) fn tmux_copies() -> bool {
    let output = Command::new("tmux").arg("-V").stdin(Stdio::null()).stderr(Stdio::null()).output();
    output.is_ok_and(|output| has_copies(&String::from_utf8_lossy(&output.stdout)))
}

/// True if a version such as `tmux 3.3a` or `tmux next-3.4` has the option.
fn has_copies(version: &str) -> bool {
    let number = version.trim().rsplit([' ', '-']).next().unwrap_or_default();
    let mut parts =
        number.split('.').map(|part| part.trim_end_matches(char::is_alphabetic).parse::<u32>().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) >= (3, 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_sent_in_base64() {
        let sent = "\x1b]52;c;L2RhdGEvwrUucG5n\x07";
        assert_eq!(copy_sequence("/data/µ.png", Multiplexer::None), sent);
        assert_eq!(copy_sequence("/data/µ.png", Multiplexer::Screen), format!("\x1bP{sent}\x1b\\"));
        let in_tmux = copy_sequence("/data/µ.png", Multiplexer::Tmux);
        assert!(in_tmux.starts_with(sent) && in_tmux.contains("\x1bPtmux;\x1b\x1b]52"), "{in_tmux:?}");
    }

    #[test]
    fn the_version_of_tmux_decides_whether_it_copies() {
        for (version, has) in [
            ("tmux 3.2", true),
            ("tmux 3.3a\n", true),
            ("tmux next-3.4", true),
            ("tmux 3.1c", false),
            ("tmux 1.8", false),
            ("", false),
        ] {
            assert_eq!(has_copies(version), has, "{version}");
        }
    }
}
