//! File names and other untrusted text, made safe to print.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::Path;

/// Escapes control characters, bidirectional overrides, and zero-width and line-separating characters as `\u{…}`, so
/// that a file name can neither control the terminal nor pretend to be another one.
#[must_use]
pub fn printable(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\t' => escaped.push_str("\\t"),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            hidden if is_hidden(hidden) => {
                let _ = write!(escaped, "\\u{{{:x}}}", u32::from(hidden));
            }
            visible => escaped.push(visible),
        }
    }
    escaped
}

/// Escapes a file name or path like [`printable`], and bytes that are not UTF-8 as `\x…`.
#[must_use]
pub fn printable_os(name: &OsStr) -> String {
    let mut escaped = String::new();
    for chunk in name.as_encoded_bytes().utf8_chunks() {
        escaped.push_str(&printable(chunk.valid()));
        for byte in chunk.invalid() {
            let _ = write!(escaped, "\\x{byte:02x}");
        }
    }
    escaped
}

/// Escapes a path like [`printable_os`].
#[must_use]
pub fn printable_path(path: &Path) -> String {
    printable_os(path.as_os_str())
}

fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{00ad}' | '\u{061c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn controlling_and_deceiving_characters_are_escaped() {
        assert_eq!(printable("a\u{1b}[31mb"), "a\\u{1b}[31mb");
        assert_eq!(printable("x\u{202e}gnp.exe"), "x\\u{202e}gnp.exe");
        assert_eq!(printable("two\nlines\u{9b}0m"), "two\\nlines\\u{9b}0m");
        assert_eq!(printable("Größe 乳房.png"), "Größe 乳房.png");
    }

    #[cfg(unix)]
    #[test]
    fn bytes_that_are_not_text_are_escaped() {
        use std::os::unix::ffi::OsStrExt as _;
        assert_eq!(printable_os(OsStr::from_bytes(b"a\xff\x1bb")), "a\\xff\\u{1b}b");
    }

    proptest! {
        #[test]
        fn no_hidden_character_remains(text in any::<String>()) {
            prop_assert!(!printable(&text).chars().any(is_hidden));
        }
    }
}
