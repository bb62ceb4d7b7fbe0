//! The signal to the terminal about a training run: that it has ended, was paused by a fault, or went stale.

use crate::settings::RunEndSignal;
use crate::terminal::multiplexer::Multiplexer;
use crate::terminal::notification::NotificationProtocol;

/// The bytes to send; empty if the user wants no signal. `known` is the protocol that the terminal is known to
/// understand; the bell takes the place of an unknown one, and tmux itself marks the window of a bell.
pub(super) fn bytes(
    text: &str,
    signal: RunEndSignal,
    known: Option<NotificationProtocol>,
    multiplexer: Multiplexer,
) -> Vec<u8> {
    let protocol = match signal {
        RunEndSignal::Off => return Vec::new(),
        RunEndSignal::Bell => None,
        RunEndSignal::Terminal => known,
        RunEndSignal::Osc9 => Some(NotificationProtocol::Osc9),
        RunEndSignal::Osc99 => Some(NotificationProtocol::Osc99),
        RunEndSignal::Osc777 => Some(NotificationProtocol::Osc777),
    };
    protocol.map_or_else(|| "\x07".to_owned(), |protocol| protocol.sequence(text, multiplexer)).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_setting_decides_and_the_bell_stands_in_for_an_unknown_terminal() {
        let sent = |signal, known| String::from_utf8(bytes("done", signal, known, Multiplexer::None)).unwrap();
        let kitty = Some(NotificationProtocol::Osc99);
        assert_eq!(sent(RunEndSignal::Off, kitty), "");
        assert_eq!(sent(RunEndSignal::Bell, kitty), "\x07");
        assert_eq!(sent(RunEndSignal::Terminal, kitty), "\x1b]99;;mammoscope: done\x1b\\");
        assert_eq!(sent(RunEndSignal::Terminal, None), "\x07");
        assert_eq!(sent(RunEndSignal::Osc9, kitty), "\x1b]9;mammoscope: done\x07");
    }
}
