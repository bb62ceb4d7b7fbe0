//! Keys that a terminal reports by number: kitty's keyboard protocol, `CSI u`, and xterm's `modifyOtherKeys`.
//!
//! The workbench asks for neither. A program that was killed may have left one of them switched on, and then even
//! letters come this way; they are taken for what the terminal would have sent otherwise.

use super::input::Key;

const SHIFT: u16 = 1;
const ALT: u16 = 2;
const CTRL: u16 = 4;
const CAPS_LOCK: u16 = 64;
const NUM_LOCK: u16 = 128;
/// The kind of event that is sent when a key is released.
const RELEASED: u32 = 3;

/// The modifiers of a key, as the bits that the parameter holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Modifiers(u16);

impl Modifiers {
    /// Reads a parameter such as `5` or `5:1`; `None` if the key was released.
    pub(super) fn of_parameter(parameter: &[u8]) -> Option<Self> {
        let mut parts = parts(parameter);
        // The value is one more than the bits.
        let bits = parts.next().flatten().unwrap_or(1).saturating_sub(1);
        (parts.next().flatten() != Some(RELEASED)).then_some(Self(bits as u16))
    }

    /// True if Shift is held, and nothing else.
    pub(super) fn only_shift(self) -> bool {
        self.0 & !(CAPS_LOCK | NUM_LOCK) == SHIFT
    }

    fn has(self, modifier: u16) -> bool {
        self.0 & modifier != 0
    }
}

/// The key of `CSI code : shifted : base ; modifiers : event ; text u`; `None` for one that has no meaning here: the
/// release of a key, a modifier alone, a key with the Super modifier.
pub(super) fn key_of_report(body: &[u8]) -> Option<Key> {
    let mut fields = body.split(|byte| *byte == b';');
    let mut codes = parts(fields.next()?);
    let (code, shifted, base) = (codes.next()??, codes.next().flatten(), codes.next().flatten());
    let modifiers = Modifiers::of_parameter(fields.next().unwrap_or_default())?;
    let text = fields.next().and_then(|text| parts(text).next().flatten()).and_then(char::from_u32);
    key_of(code, Alternates { shifted: shifted.and_then(char::from_u32), base, text }, modifiers)
}

/// The key of `CSI 27 ; modifiers ; code ~`.
pub(super) fn key_of_modified(body: &[u8]) -> Option<Key> {
    let mut fields = body.split(|byte| *byte == b';').skip(1);
    let modifiers = Modifiers::of_parameter(fields.next()?)?;
    let code = parts(fields.next()?).next()??;
    // Here the code is that of the character, Shift included.
    let shifted = char::from_u32(code);
    key_of(code, Alternates { shifted, base: None, text: None }, modifiers)
}

/// What else is known of a key.
#[derive(Clone, Copy, Debug)]
struct Alternates {
    /// The character with Shift.
    shifted: Option<char>,
    /// The key in this place on a keyboard of the United States.
    base: Option<u32>,
    /// The text that the key types.
    text: Option<char>,
}

fn key_of(code: u32, alternates: Alternates, modifiers: Modifiers) -> Option<Key> {
    if modifiers.0 & !(SHIFT | ALT | CTRL | CAPS_LOCK | NUM_LOCK) != 0 {
        return None;
    }
    let shift = modifiers.has(SHIFT);
    if let Some(key) = special(code, shift) {
        return Some(key);
    }
    let own = keypad(code).or_else(|| char::from_u32(code)).filter(|own| !own.is_control() && !is_private(*own))?;
    if modifiers.has(CTRL) {
        // Ctrl with a letter of another layout is what terminals send for the key in its place.
        let letter = alternates.base.and_then(char::from_u32).filter(char::is_ascii).unwrap_or(own);
        return control(letter.to_ascii_lowercase());
    }
    let character = match alternates {
        Alternates { text: Some(text), .. } if !text.is_control() => text,
        Alternates { shifted: Some(shifted), .. } if shift => shifted,
        _ if own.is_alphabetic() => {
            let is_upper = shift != modifiers.has(CAPS_LOCK);
            if is_upper { own.to_uppercase().next().unwrap_or(own) } else { own }
        }
        // What Shift makes of another key depends on the layout, which is unknown.
        _ if shift && own != ' ' => return None,
        _ => own,
    };
    Some(if modifiers.has(ALT) { Key::Alt(character) } else { Key::Char(character) })
}

/// Keys with a meaning of their own.
fn special(code: u32, shift: bool) -> Option<Key> {
    Some(match code {
        27 => Key::Escape,
        13 | 57414 => Key::Enter,
        9 if shift => Key::BackTab,
        9 => Key::Tab,
        8 | 127 => Key::Backspace,
        57417 => Key::Left,
        57418 => Key::Right,
        57419 => Key::Up,
        57420 => Key::Down,
        57421 => Key::PageUp,
        57422 => Key::PageDown,
        57423 => Key::Home,
        57424 => Key::End,
        57425 => Key::Insert,
        57426 => Key::Delete,
        _ => return None,
    })
}

/// The character on a key of the number pad.
fn keypad(code: u32) -> Option<char> {
    const SIGNS: [char; 14] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '.', '/', '*', '-'];
    match code {
        57413 => Some('+'),
        57415 => Some('='),
        _ => SIGNS.get(code.checked_sub(57399)? as usize).copied(),
    }
}

/// True for the numbers of keys that are no characters, in the private use area.
fn is_private(character: char) -> bool {
    ('\u{e000}'..='\u{f8ff}').contains(&character)
}

/// Ctrl with a character; some of them are keys of their own, as their control codes are.
fn control(character: char) -> Option<Key> {
    Some(match character {
        'h' => Key::Backspace,
        'i' => Key::Tab,
        'j' | 'm' => Key::Enter,
        '[' => Key::Escape,
        ' ' | '@' => Key::Ctrl(' '),
        'a'..='z' => Key::Ctrl(character),
        _ => return None,
    })
}

/// The numbers between colons; `None` for one that is left out.
fn parts(field: &[u8]) -> impl Iterator<Item = Option<u32>> {
    field.split(|byte| *byte == b':').map(|part| std::str::from_utf8(part).ok()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_by_number_are_what_the_terminal_would_have_sent_otherwise() {
        for (body, key) in [
            ("113", Some(Key::Char('q'))),
            ("113;1:1", Some(Key::Char('q'))),
            ("113;1:2", Some(Key::Char('q'))),
            ("113;129", Some(Key::Char('q'))),
            ("113;2", Some(Key::Char('Q'))),
            ("113;65", Some(Key::Char('Q'))),
            ("113;66", Some(Key::Char('q'))),
            ("113:81;2;81", Some(Key::Char('Q'))),
            ("47:63;2", Some(Key::Char('?'))),
            ("47;2;63", Some(Key::Char('?'))),
            ("223::45;2;63", Some(Key::Char('?'))),
            ("58", Some(Key::Char(':'))),
            ("32", Some(Key::Char(' '))),
            ("1081", Some(Key::Char('й'))),
            ("99;5", Some(Key::Ctrl('c'))),
            ("1089::99;5", Some(Key::Ctrl('c'))),
            ("115;7", Some(Key::Ctrl('s'))),
            ("32;5", Some(Key::Ctrl(' '))),
            ("105;5", Some(Key::Tab)),
            ("120;3", Some(Key::Alt('x'))),
            ("27", Some(Key::Escape)),
            ("13", Some(Key::Enter)),
            ("9", Some(Key::Tab)),
            ("9;2", Some(Key::BackTab)),
            ("127", Some(Key::Backspace)),
            ("57400", Some(Key::Char('1'))),
            ("57413", Some(Key::Char('+'))),
            ("57414", Some(Key::Enter)),
            ("57420", Some(Key::Down)),
            // The release of a key, Super with a key, Shift alone, Shift on a key of an unknown layout, and nonsense.
            ("113;1:3", None),
            ("113;9", None),
            ("57441;2", None),
            ("55;2", None),
            ("", None),
            ("x;y", None),
            ("1114112", None),
        ] {
            assert_eq!(key_of_report(body.as_bytes()), key, "{body}");
        }
    }

    #[test]
    fn xterms_modified_keys_are_understood() {
        for (body, key) in [
            ("27;5;99", Some(Key::Ctrl('c'))),
            ("27;2;63", Some(Key::Char('?'))),
            ("27;2;81", Some(Key::Char('Q'))),
            ("27;3;120", Some(Key::Alt('x'))),
            ("27;5;13", Some(Key::Enter)),
            ("27;2;9", Some(Key::BackTab)),
            ("27;5", None),
        ] {
            assert_eq!(key_of_modified(body.as_bytes()), key, "{body}");
        }
    }
}
