//! The signal to the terminal when a training run ends.

use crate::settings::RunEndSignal;

/// The bytes to send; empty if the user wants no signal. `in_tmux` passes a notification through tmux to the terminal.
pub(super) fn bytes(text: &str, signal: RunEndSignal, in_tmux: bool) -> Vec<u8> {
    // A semicolon would end a field.
    let text: String = text.chars().filter(|character| !character.is_control()).collect::<String>().replace(';', ",");
    let sequence = match signal {
        RunEndSignal::Off => return Vec::new(),
        // tmux itself marks the window of a bell.
        RunEndSignal::Bell => return b"\x07".to_vec(),
        RunEndSignal::Osc9 => format!("\x1b]9;mammoscope: {text}\x07"),
        RunEndSignal::Osc777 => format!("\x1b]777;notify;mammoscope;{text}\x07"),
    };
    let sequence = if in_tmux { format!("\x1bPtmux;{}\x1b\\", sequence.replace('\x1b', "\x1b\x1b")) } else { sequence };
    sequence.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_signal_is_what_terminals_understand() {
        let sent = |signal, in_tmux| String::from_utf8(bytes("CC_R\x1b;\u{7}done", signal, in_tmux)).unwrap();
        assert_eq!(sent(RunEndSignal::Off, false), "");
        assert_eq!(sent(RunEndSignal::Bell, true), "\x07");
        assert_eq!(sent(RunEndSignal::Osc9, false), "\x1b]9;mammoscope: CC_R,done\x07");
        assert_eq!(sent(RunEndSignal::Osc777, false), "\x1b]777;notify;mammoscope;CC_R,done\x07");
        assert_eq!(sent(RunEndSignal::Osc9, true), "\x1bPtmux;\x1b\x1b]9;mammoscope: CC_R,done\x07\x1b\\");
    }
}
