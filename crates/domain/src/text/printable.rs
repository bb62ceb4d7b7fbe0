//! Names of files and other outside text, made safe to print.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::Path;

/// Text that a terminal shows as it is: control characters, bidirectional overrides, zero-width and line-separating
/// characters are written as `\u{…}`, so that a file name can neither drive the terminal nor pretend to be another.
#[must_use]
pub fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\t' => shown.push_str("\\t"),
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            hidden if is_hidden(hidden) => {
                let _ = write!(shown, "\\u{{{:x}}}", u32::from(hidden));
            }
            visible => shown.push(visible),
        }
    }
    shown
}

/// A file name or path, made safe to print like [`printable`]; bytes that are not UTF-8 are written as `\x…`.
#[must_use]
pub fn printable_os(name: &OsStr) -> String {
    let mut shown = String::new();
    for chunk in name.as_encoded_bytes().utf8_chunks() {
        shown.push_str(&printable(chunk.valid()));
        for byte in chunk.invalid() {
            let _ = write!(shown, "\\x{byte:02x}");
        }
    }
    shown
}

/// A path, made safe to print like [`printable_os`].
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
    fn what_drives_or_deceives_is_written_out() {
        assert_eq!(printable("a\u{1b}[31mb"), "a\\u{1b}[31mb");
        assert_eq!(printable("x\u{202e}gnp.exe"), "x\\u{202e}gnp.exe");
        assert_eq!(printable("two\nlines\u{9b}0m"), "two\\nlines\\u{9b}0m");
        assert_eq!(printable("Größe 乳房.png"), "Größe 乳房.png");
    }

    #[cfg(unix)]
    #[test]
    fn bytes_that_are_not_text_are_written_out() {
        use std::os::unix::ffi::OsStrExt as _;
        assert_eq!(printable_os(OsStr::from_bytes(b"a\xff\x1bb")), "a\\xff\\u{1b}b");
    }

    proptest! {
        #[test]
        fn nothing_hidden_remains(text in any::<String>()) {
            prop_assert!(!printable(&text).chars().any(is_hidden));
        }
    }
}
