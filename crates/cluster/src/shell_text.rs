//! Text in batch scripts, quoted so that neither the shell nor `sbatch` takes it for anything else.

use std::path::{Path, PathBuf};

use mammoscope_domain::text::printable::{printable, printable_path};

/// A text that cannot stand in a batch script.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnsuitableText {
    #[error("{}: a path that is not UTF-8 cannot be written to a batch script", printable_path(.0))]
    NotUtf8(PathBuf),
    #[error("'{}': {what} cannot stand in a line of a batch script", printable(text))]
    Character { text: String, what: &'static str },
}

/// A word for the shell: as it is if it is harmless, otherwise in single quotes.
#[must_use]
pub fn shell_word(text: &str) -> String {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "_-./:=,+@%".contains(character);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A path as text.
pub fn path_text(path: &Path) -> Result<String, UnsuitableText> {
    path.to_str().map(str::to_owned).ok_or_else(|| UnsuitableText::NotUtf8(path.to_owned()))
}

/// The value of an option in an `#SBATCH` line, in double quotes if it has spaces.
pub fn option_value(text: &str) -> Result<String, UnsuitableText> {
    let refused = [('"', "a double quote"), ('\'', "a single quote"), ('\\', "a backslash"), ('#', "a '#'")];
    let found = refused.into_iter().find(|(character, _)| text.contains(*character)).map(|(_, what)| what);
    let found = found.or_else(|| text.chars().any(char::is_control).then_some("a control character"));
    match found {
        Some(what) => Err(UnsuitableText::Character { text: text.to_owned(), what }),
        None if text.contains(' ') => Ok(format!("\"{text}\"")),
        None => Ok(text.to_owned()),
    }
}

/// The value of an option whose `%` `sbatch` would replace.
pub fn pattern_value(path: &Path) -> Result<String, UnsuitableText> {
    Ok(path_text(path)?.replace('%', "%%"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_survive_the_shell() {
        for text in
            ["plain-1.0", "two words", "it's", "$HOME `id` \"x\" \\", "", "a;b", "~", "*", "line\nbreak", "Größe"]
        {
            let script = format!("printf %s {}", shell_word(text));
            let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), text, "{script}");
        }
        assert_eq!(shell_word("epochs=3,width=0.25"), "epochs=3,width=0.25");
    }

    #[test]
    fn option_values_are_quoted_or_refused() {
        assert_eq!(option_value("gpu:1").unwrap(), "gpu:1");
        assert_eq!(option_value("/data/two words").unwrap(), "\"/data/two words\"");
        for text in ["a\"b", "a\nb", "a\\b", "a'b", "a #b"] {
            assert!(option_value(text).is_err(), "{text:?}");
        }
        assert_eq!(pattern_value(Path::new("/100%/logs")).unwrap(), "/100%%/logs");
    }
}
