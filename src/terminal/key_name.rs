//! The names of keys in settings: those of the help, in any case, with `-` as the joint.

use crate::terminal::input::Key;

/// A text that names no key, or a key that terminals cannot report.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeyNameError {
    /// The text names no key.
    #[error("unknown key; write one character, ctrl-f, alt-f, enter, space, up, shift-left, page-down, del or f5")]
    Unknown,
    /// Terminals send the same byte for two keys.
    #[error("terminals send {0} for this key; bind that one")]
    Indistinguishable(&'static str),
}

/// The keys that have a name, each with its names in lower case.
const NAMED: [(&[&str], Key); 20] = [
    (&["space"], Key::Char(' ')),
    (&["enter", "return"], Key::Enter),
    (&["esc", "escape"], Key::Escape),
    (&["tab"], Key::Tab),
    (&["shift-tab", "backtab"], Key::BackTab),
    (&["backspace"], Key::Backspace),
    (&["del", "delete"], Key::Delete),
    (&["ins", "insert"], Key::Insert),
    (&["up", "↑"], Key::Up),
    (&["down", "↓"], Key::Down),
    (&["left", "←"], Key::Left),
    (&["right", "→"], Key::Right),
    (&["shift-up", "shift-↑"], Key::ShiftUp),
    (&["shift-down", "shift-↓"], Key::ShiftDown),
    (&["shift-left", "shift-←"], Key::ShiftLeft),
    (&["shift-right", "shift-→"], Key::ShiftRight),
    (&["home"], Key::Home),
    (&["end"], Key::End),
    (&["page-up", "pgup", "pageup"], Key::PageUp),
    (&["page-down", "pgdn", "pagedown"], Key::PageDown),
];

impl Key {
    /// The key with this name: a character as it is typed, `ctrl-f`, `alt-f`, `f5`, or a name such as `page-down`.
    pub(crate) fn named(text: &str) -> Result<Self, KeyNameError> {
        let lower = text.to_lowercase();
        if let Some((_, key)) = NAMED.iter().find(|(names, _)| names.contains(&lower.as_str())) {
            return Ok(*key);
        }
        if let Some(character) = single(text) {
            return match character {
                character if character.is_control() || character.is_whitespace() => Err(KeyNameError::Unknown),
                character => Ok(Self::Char(character)),
            };
        }
        if let Some(letter) = lower.strip_prefix("ctrl-").and_then(single) {
            return match letter {
                'h' => Err(KeyNameError::Indistinguishable("Backspace")),
                'i' => Err(KeyNameError::Indistinguishable("Tab")),
                'j' | 'm' => Err(KeyNameError::Indistinguishable("Enter")),
                'a'..='z' => Ok(Self::Ctrl(letter)),
                _ => Err(KeyNameError::Unknown),
            };
        }
        // Alt is sent as Escape before the character, so its case is kept.
        if lower.starts_with("alt-") {
            let character = text.get("alt-".len()..).and_then(single).filter(char::is_ascii_graphic);
            return character.map(Self::Alt).ok_or(KeyNameError::Unknown);
        }
        let number = lower.strip_prefix('f').and_then(|number| number.parse().ok());
        number.filter(|number| (1..=12).contains(number)).map(Self::Function).ok_or(KeyNameError::Unknown)
    }
}

/// The only character of a text.
fn single(text: &str) -> Option<char> {
    let mut characters = text.chars();
    characters.next().filter(|_| characters.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_the_help_are_understood() {
        let mut keys: Vec<Key> = NAMED.iter().map(|(_, key)| *key).collect();
        keys.extend("/?:!*%|<>{}[]()-+0AaZzé".chars().map(Key::Char));
        keys.extend([
            Key::Ctrl('a'),
            Key::Ctrl('s'),
            Key::Alt('x'),
            Key::Alt('X'),
            Key::Function(1),
            Key::Function(12),
        ]);
        for key in keys {
            assert_eq!(Key::named(&key.to_string()), Ok(key), "{key}");
        }
        for (names, key) in NAMED {
            for name in names {
                assert_eq!(Key::named(name), Ok(key), "{name}");
                assert_eq!(Key::named(&name.to_uppercase()), Ok(key), "{name}");
            }
        }
    }

    #[test]
    fn what_no_terminal_reports_is_refused() {
        for text in ["", " ", "\t", "ctrl-", "ctrl-ab", "ctrl-1", "f0", "f13", "super-a", "alt-", "alt-é", "hyper"] {
            assert_eq!(Key::named(text), Err(KeyNameError::Unknown), "{text:?}");
        }
        for (text, instead) in [("ctrl-i", "Tab"), ("Ctrl-M", "Enter"), ("ctrl-j", "Enter"), ("ctrl-h", "Backspace")] {
            assert_eq!(Key::named(text), Err(KeyNameError::Indistinguishable(instead)), "{text}");
        }
    }
}
