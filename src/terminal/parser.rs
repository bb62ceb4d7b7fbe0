//! A parser for the bytes that a terminal sends: keys, mouse reports (SGR), pasted text and replies. It follows
//! ECMA-48, xterm's control sequences, and kitty's graphics and keyboard protocols.
//!
//! Replies may arrive between keys at any time; however late they are, they are never mistaken for keys.

use super::key_report::{Modifiers, key_of_modified, key_of_report};
use crate::terminal::input::{Input, Key, Mouse, MouseKind, TerminalReply};

const ESCAPE: u8 = 0x1b;
const PASTE_END: &[u8] = b"\x1b[201~";
/// A longer sequence is not a control sequence.
const MAX_SEQUENCE: usize = 4096;
/// Longer pastes are dropped.
const MAX_PASTE: usize = 1 << 20;

/// An incremental parser from bytes to [`Input`].
#[derive(Debug, Default)]
pub(crate) struct InputParser {
    pending: Vec<u8>,
}

/// The result of parsing the first bytes of the buffer.
enum Piece {
    /// A complete sequence of this length; `None` if it is unknown.
    Whole(usize, Option<Input>),
    /// An incomplete sequence: more bytes are needed.
    Part,
}

impl InputParser {
    /// Parses more bytes and passes each complete input to `take`.
    pub(crate) fn push(&mut self, bytes: &[u8], take: &mut impl FnMut(Input)) {
        self.pending.extend_from_slice(bytes);
        while !self.pending.is_empty() {
            match piece(&self.pending) {
                Piece::Whole(length, input) => {
                    self.pending.drain(..length);
                    if let Some(input) = input {
                        take(input);
                    }
                }
                Piece::Part => break,
            }
        }
    }

    /// True if an incomplete sequence waits for more bytes.
    pub(crate) fn waits(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Ends an incomplete sequence after a pause: it was the Escape key, or Alt with a key.
    pub(crate) fn give_up(&mut self, take: &mut impl FnMut(Input)) {
        let pending = std::mem::take(&mut self.pending);
        if pending.starts_with(b"\x1b[200~") || pending.starts_with(b"\x1b_") || pending.starts_with(b"\x1bP") {
            return;
        }
        match pending.split_first() {
            Some((&ESCAPE, [])) => take(Input::Key(Key::Escape)),
            Some((&ESCAPE, [byte, ..])) => take(Input::Key(Key::Alt(char::from(*byte)))),
            _ => {}
        }
    }
}

fn key(length: usize, key: Key) -> Piece {
    Piece::Whole(length, Some(Input::Key(key)))
}

fn piece(bytes: &[u8]) -> Piece {
    match bytes[0] {
        ESCAPE => escape(bytes),
        b'\r' | b'\n' => key(1, Key::Enter),
        b'\t' => key(1, Key::Tab),
        0x7f | 0x08 => key(1, Key::Backspace),
        0 => key(1, Key::Ctrl(' ')),
        control @ 1..=26 => key(1, Key::Ctrl(char::from(b'a' - 1 + control))),
        28..=31 => Piece::Whole(1, None),
        _ => character(bytes, Key::Char),
    }
}

/// Parses one UTF-8 character.
fn character(bytes: &[u8], make: impl Fn(char) -> Key) -> Piece {
    let length = match bytes[0] {
        0..0x80 => 1,
        0xc2..0xe0 => 2,
        0xe0..0xf0 => 3,
        0xf0..0xf5 => 4,
        _ => return Piece::Whole(1, None),
    };
    let Some(encoded) = bytes.get(..length) else { return Piece::Part };
    let found = std::str::from_utf8(encoded).ok().and_then(|text| text.chars().next());
    match found {
        Some(found) => key(length, make(found)),
        None => Piece::Whole(1, None),
    }
}

fn escape(bytes: &[u8]) -> Piece {
    let Some(&second) = bytes.get(1) else { return Piece::Part };
    match second {
        b'[' => control_sequence(bytes),
        b'O' => match bytes.get(2) {
            None => Piece::Part,
            Some(&last) => Piece::Whole(3, function_key(last).map(Input::Key)),
        },
        b'P' | b'_' | b']' => string_sequence(bytes),
        ESCAPE => key(1, Key::Escape),
        control if control < 0x20 || control == 0x7f => key(1, Key::Escape),
        _ => match character(&bytes[1..], Key::Alt) {
            Piece::Whole(length, input) => Piece::Whole(length + 1, input),
            Piece::Part => Piece::Part,
        },
    }
}

/// `ESC O x`: F1 to F4 and, in application mode, the arrows.
fn function_key(last: u8) -> Option<Key> {
    Some(match last {
        b'A' => Key::Up,
        b'B' => Key::Down,
        b'C' => Key::Right,
        b'D' => Key::Left,
        b'H' => Key::Home,
        b'F' => Key::End,
        b'M' => Key::Enter,
        b'P'..=b'S' => Key::Function(last - b'P' + 1),
        _ => return None,
    })
}

/// `ESC [ parameters final`.
fn control_sequence(bytes: &[u8]) -> Piece {
    let Some(end) = bytes[2..].iter().position(|byte| (0x40..0x7f).contains(byte)).map(|at| at + 2) else {
        return if bytes.len() > MAX_SEQUENCE { Piece::Whole(1, None) } else { Piece::Part };
    };
    // The Linux console's function keys: `ESC [ [ A`.
    if bytes[end] == b'[' {
        return match bytes.get(end + 1) {
            None => Piece::Part,
            Some(&last @ b'A'..=b'E') => key(end + 2, Key::Function(last - b'A' + 1)),
            Some(_) => Piece::Whole(end + 2, None),
        };
    }
    let body = &bytes[2..end];
    if body == b"200" && bytes[end] == b'~' {
        return pasted(bytes, end + 1);
    }
    Piece::Whole(end + 1, control_input(body, bytes[end]))
}

fn pasted(bytes: &[u8], start: usize) -> Piece {
    let text = &bytes[start..];
    match text.windows(PASTE_END.len()).position(|window| window == PASTE_END) {
        Some(length) => {
            let text = String::from_utf8_lossy(&text[..length]).into_owned();
            Piece::Whole(start + length + PASTE_END.len(), Some(Input::Paste(text)))
        }
        None if text.len() > MAX_PASTE => Piece::Whole(bytes.len(), None),
        None => Piece::Part,
    }
}

fn control_input(body: &[u8], last: u8) -> Option<Input> {
    if let Some(mouse) = body.strip_prefix(b"<") {
        return mouse_report(&numbers(mouse), last).map(Input::Mouse);
    }
    if let Some(private) = body.strip_prefix(b"?") {
        let numbers = numbers(private);
        return match (last, &numbers[..]) {
            (b'c', _) => Some(Input::Reply(TerminalReply::Attributes(numbers))),
            // XTSMGRAPHICS: item 1, status 0, registers.
            (b'S', &[1, 0, registers, ..]) => Some(Input::Reply(TerminalReply::SixelRegisters(registers.into()))),
            _ => None,
        };
    }
    if last == b'u' {
        return key_of_report(body).map(Input::Key);
    }
    let modifiers = Modifiers::of_parameter(body.split(|byte| *byte == b';').nth(1).unwrap_or_default());
    let numbers = numbers(body);
    let shifted = modifiers.is_some_and(Modifiers::only_shift);
    let plain = |key| modifiers.and(Some(Input::Key(key)));
    match (last, numbers.first().copied().unwrap_or(0)) {
        (b't', 6) => match numbers[..] {
            [_, height, width] => Some(Input::Reply(TerminalReply::CellPixels { width, height })),
            _ => None,
        },
        (b'A', _) => plain(if shifted { Key::ShiftUp } else { Key::Up }),
        (b'B', _) => plain(if shifted { Key::ShiftDown } else { Key::Down }),
        (b'C', _) => plain(if shifted { Key::ShiftRight } else { Key::Right }),
        (b'D', _) => plain(if shifted { Key::ShiftLeft } else { Key::Left }),
        (b'Z', _) => plain(Key::BackTab),
        (b'H' | b'F' | b'P'..=b'S', _) => function_key(last).and_then(plain),
        (b'~', 1 | 7) => plain(Key::Home),
        (b'~', 2) => plain(Key::Insert),
        (b'~', 3) => plain(Key::Delete),
        (b'~', 4 | 8) => plain(Key::End),
        (b'~', 5) => plain(Key::PageUp),
        (b'~', 6) => plain(Key::PageDown),
        (b'~', number @ 11..=15) => plain(Key::Function(number as u8 - 10)),
        (b'~', number @ 17..=21) => plain(Key::Function(number as u8 - 11)),
        (b'~', number @ 23..=24) => plain(Key::Function(number as u8 - 12)),
        (b'~', 27) => key_of_modified(body).map(Input::Key),
        _ => None,
    }
}

/// Parses the parameters between semicolons; anything that is not a number counts as 0.
fn numbers(body: &[u8]) -> Vec<u16> {
    if body.is_empty() {
        return Vec::new();
    }
    body.split(|byte| *byte == b';')
        .map(|field| std::str::from_utf8(field).ok().and_then(|field| field.parse().ok()).unwrap_or(0))
        .collect()
}

fn mouse_report(numbers: &[u16], last: u8) -> Option<Mouse> {
    let &[button, column, row] = numbers else { return None };
    // Bits 2 to 4 are Shift, Alt and Ctrl.
    let kind = match (button & !0b1_1100, last) {
        (0, b'M') => MouseKind::Press,
        (0 | 32, b'm') => MouseKind::Release,
        (32, b'M') => MouseKind::Drag,
        (64, b'M') => MouseKind::WheelUp,
        (65, b'M') => MouseKind::WheelDown,
        _ => return None,
    };
    Some(Mouse { kind, column: column.checked_sub(1)?, row: row.checked_sub(1)? })
}

/// `ESC P`, `ESC _` and `ESC ]`: text up to `ESC \` or a bell.
fn string_sequence(bytes: &[u8]) -> Piece {
    let body = &bytes[2..];
    let end = body.iter().enumerate().find_map(|(at, byte)| match byte {
        0x07 => Some((at, 1)),
        &ESCAPE => match body.get(at + 1) {
            Some(b'\\') => Some((at, 2)),
            _ => None,
        },
        _ => None,
    });
    let Some((length, closing)) = end else {
        return if body.len() > MAX_SEQUENCE { Piece::Whole(bytes.len(), None) } else { Piece::Part };
    };
    let reply = string_reply(bytes[1], &body[..length]).map(Input::Reply);
    Piece::Whole(2 + length + closing, reply)
}

fn string_reply(kind: u8, body: &[u8]) -> Option<TerminalReply> {
    let text = String::from_utf8_lossy(body);
    match kind {
        b'_' => text.strip_prefix('G').map(|answer| TerminalReply::KittyGraphics(answer.ends_with(";OK"))),
        b'P' => text.strip_prefix(">|").map(|version| TerminalReply::Version(version.to_owned())),
        _ => {
            let color = text.strip_prefix("11;rgb:")?;
            let mut parts = color.split('/').map(|part| u8::from_str_radix(part.get(..2)?, 16).ok());
            Some(TerminalReply::Background(parts.next()??, parts.next()??, parts.next()??))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::terminal::parser::*;

    fn parsed(bytes: &[u8]) -> Vec<Input> {
        let mut found = Vec::new();
        let mut parser = InputParser::default();
        parser.push(bytes, &mut |input| found.push(input));
        parser.give_up(&mut |input| found.push(input));
        found
    }

    #[test]
    fn keys_of_many_terminals() {
        let cases: [(&[u8], Key); 26] = [
            (b"a", Key::Char('a')),
            ("ö".as_bytes(), Key::Char('ö')),
            (b"\r", Key::Enter),
            (b"\t", Key::Tab),
            (b"\x7f", Key::Backspace),
            (b"\x03", Key::Ctrl('c')),
            (b"\x1b", Key::Escape),
            (b"\x1bx", Key::Alt('x')),
            (b"\x1b[A", Key::Up),
            (b"\x1bOB", Key::Down),
            (b"\x1b[1;2C", Key::ShiftRight),
            (b"\x1b[Z", Key::BackTab),
            (b"\x1b[3~", Key::Delete),
            (b"\x1b[5~", Key::PageUp),
            (b"\x1b[6~", Key::PageDown),
            (b"\x1b[H", Key::Home),
            (b"\x1b[4~", Key::End),
            (b"\x1bOP", Key::Function(1)),
            (b"\x1b[15~", Key::Function(5)),
            (b"\x1b[24~", Key::Function(12)),
            (b"\x1b[[B", Key::Function(2)),
            (b"\x1b[113u", Key::Char('q')),
            (b"\x1b[99;5u", Key::Ctrl('c')),
            (b"\x1b[27;5;99~", Key::Ctrl('c')),
            (b"\x1b[1;1:1A", Key::Up),
            (b"\x1b[1;130C", Key::ShiftRight),
        ];
        for (bytes, expected) in cases {
            assert_eq!(parsed(bytes), [Input::Key(expected)], "{bytes:?}");
        }
    }

    #[test]
    fn released_keys_and_the_state_of_the_keyboard_protocol_are_not_keys() {
        for bytes in [b"\x1b[113;1:3u".as_slice(), b"\x1b[1;1:3A", b"\x1b[5;1:3~", b"\x1b[1;1:3P", b"\x1b[?8u"] {
            assert_eq!(parsed(bytes), [], "{bytes:?}");
        }
    }

    #[test]
    fn replies_between_keys_are_not_keys() {
        let bytes = b"q\x1b_Gi=31;OK\x1b\\\x1bP>|kitty(0.41.1)\x1b\\\x1b[6;20;10t\x1b[?62;4;6c\x1b]11;rgb:fdfd/f6f6/e3e3\x1b\\\x1b[?1;0;256Sx";
        let replies = [
            TerminalReply::KittyGraphics(true),
            TerminalReply::Version("kitty(0.41.1)".to_owned()),
            TerminalReply::CellPixels { width: 10, height: 20 },
            TerminalReply::Attributes(vec![62, 4, 6]),
            TerminalReply::Background(0xfd, 0xf6, 0xe3),
            TerminalReply::SixelRegisters(256),
        ];
        let mut expected = vec![Input::Key(Key::Char('q'))];
        expected.extend(replies.map(Input::Reply));
        expected.push(Input::Key(Key::Char('x')));
        assert_eq!(parsed(bytes), expected);

        let mut found = Vec::new();
        let mut parser = InputParser::default();
        for byte in bytes {
            parser.push(&[*byte], &mut |input| found.push(input));
        }
        assert_eq!(found, expected, "read byte by byte");
        assert!(!parser.waits());
    }

    #[test]
    fn mouse_reports_and_pasted_text() {
        let at = |kind, column, row| Input::Mouse(Mouse { kind, column, row });
        assert_eq!(parsed(b"\x1b[<0;5;3M"), [at(MouseKind::Press, 4, 2)]);
        assert_eq!(parsed(b"\x1b[<32;300;3M"), [at(MouseKind::Drag, 299, 2)]);
        assert_eq!(parsed(b"\x1b[<0;5;3m"), [at(MouseKind::Release, 4, 2)]);
        assert_eq!(parsed(b"\x1b[<65;1;1M"), [at(MouseKind::WheelDown, 0, 0)]);
        assert_eq!(parsed(b"\x1b[200~/data/q\nx\x1b[201~"), [Input::Paste("/data/q\nx".to_owned())]);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_neither_panic_nor_stay_pending(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut parser = InputParser::default();
            parser.push(&bytes, &mut |_| ());
            parser.give_up(&mut |_| ());
            prop_assert!(!parser.waits());
        }
    }
}
