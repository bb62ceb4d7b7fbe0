//! Names of any origin as text of Markdown, YAML and the shell.

use crate::text::printable::printable;

/// Characters that mean something within a line of Markdown, in tables, or to sites that show it.
const MARKDOWN: [char; 16] = ['\\', '`', '*', '_', '[', ']', '<', '>', '|', '~', '&', '!', '$', ':', '@', '#'];

/// A text that Markdown shows as it is, in one line.
#[must_use]
pub(super) fn markdown_text(text: &str) -> String {
    let mut escaped = String::new();
    for character in printable(text).chars() {
        if MARKDOWN.contains(&character) {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

/// A text as a YAML scalar in double quotes, which is a JSON string.
#[must_use]
pub(super) fn yaml_text(text: &str) -> String {
    serde_json::Value::String(printable(text)).to_string()
}

/// A file name within a block of code, as one word of a shell; a placeholder for a name that would need more than quotes.
#[must_use]
pub(super) fn shell_word(name: &str) -> String {
    let is_plain = |character: char| character.is_alphanumeric() || "._-/+".contains(character);
    let is_quotable = |character: char| is_plain(character) || " ,=()[]{}@%#&".contains(character);
    if name.is_empty() || name.starts_with('-') || printable(name) != name || !name.chars().all(is_quotable) {
        "FILE".to_owned()
    } else if name.chars().all(is_plain) {
        name.to_owned()
    } else {
        format!("'{name}'")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_name_is_markup() {
        assert_eq!(markdown_text("a|b <script> `x` [y](z) 2026-11"), "a\\|b \\<script\\> \\`x\\` \\[y\\](z) 2026-11");
        assert_eq!(markdown_text("two\n# lines"), "two\\\\n\\# lines");
        assert_eq!(yaml_text("a: \"b\"\n"), r#""a: \"b\"\\n""#);
        assert_eq!(shell_word("best-1.safetensors"), "best-1.safetensors");
        assert_eq!(shell_word("my model (2).onnx"), "'my model (2).onnx'");
        for name in ["", "-x", "it's", "a;b", "$(a)", "<b>", "`a`", "a\nb", "a\u{202e}b"] {
            assert_eq!(shell_word(name), "FILE", "{name:?}");
        }
    }
}
