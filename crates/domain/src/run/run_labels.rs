//! What people write on a run: a name, tags and a note. It has no influence on the training.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::text::printable::printable;

/// The schema version of `labels.json`.
pub const LABELS_SCHEMA: u32 = 1;
/// The largest numbers of characters.
const MAX_NAME: usize = 60;
const MAX_TAG: usize = 30;
const MAX_NOTE: usize = 2000;
/// The largest number of tags.
const MAX_TAGS: usize = 20;

/// A run's name, tags and note.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunLabels {
    /// The name shown instead of that of the folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub tags: BTreeSet<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// A label that is not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LabelError {
    /// A name or a note is too long: what, its length, and the limit.
    TooLong(&'static str, usize, usize),
    /// A name or a note has control characters.
    ControlCharacter(&'static str),
    /// A tag is not one word of the characters allowed.
    Tag(String),
    TooManyTags(usize),
}

impl std::error::Error for LabelError {}

impl fmt::Display for LabelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong(what, length, most) => {
                write!(f, "the {what} has {length} characters; at most {most} are kept")
            }
            Self::ControlCharacter(what) => write!(f, "the {what} contains control characters"),
            Self::Tag(tag) => {
                write!(f, "'{}' is not a tag: letters, digits and . _ - / : only, at most {MAX_TAG}", printable(tag))
            }
            Self::TooManyTags(count) => write!(f, "{count} tags; at most {MAX_TAGS} are kept"),
        }
    }
}

impl RunLabels {
    /// True if there is nothing to keep.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Sets the name; blank text removes it.
    pub fn rename(&mut self, name: &str) -> Result<(), LabelError> {
        let name = checked("name", name, MAX_NAME)?;
        self.name = (!name.is_empty()).then_some(name);
        Ok(())
    }

    /// Sets the note; blank text removes it.
    pub fn set_note(&mut self, note: &str) -> Result<(), LabelError> {
        self.note = checked("note", note, MAX_NOTE)?;
        Ok(())
    }

    /// Adds a tag.
    pub fn add_tag(&mut self, tag: &str) -> Result<(), LabelError> {
        let is_allowed = |character: char| character.is_alphanumeric() || "._-/:".contains(character);
        if tag.is_empty() || tag.chars().count() > MAX_TAG || !tag.chars().all(is_allowed) || tag.starts_with('-') {
            return Err(LabelError::Tag(tag.to_owned()));
        }
        self.tags.insert(tag.to_owned());
        match self.tags.len() {
            count if count > MAX_TAGS => Err(LabelError::TooManyTags(count)),
            _ => Ok(()),
        }
    }

    /// Replaces all tags by the words of a text, which commas or blanks separate.
    pub fn set_tags(&mut self, text: &str) -> Result<(), LabelError> {
        let mut tagged = Self::default();
        for tag in text.split([',', ' ']).filter(|tag| !tag.is_empty()) {
            tagged.add_tag(tag)?;
        }
        self.tags = tagged.tags;
        Ok(())
    }

    /// The tags in one line.
    #[must_use]
    pub fn tags_text(&self) -> String {
        self.tags.iter().map(String::as_str).collect::<Vec<_>>().join(" ")
    }
}

fn checked(what: &'static str, text: &str, most: usize) -> Result<String, LabelError> {
    let text = text.trim();
    let length = text.chars().count();
    if length > most {
        return Err(LabelError::TooLong(what, length, most));
    }
    if text.chars().any(char::is_control) {
        return Err(LabelError::ControlCharacter(what));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_trimmed_and_removed_by_blanks() {
        let mut labels = RunLabels::default();
        labels.rename("  the good one ").unwrap();
        labels.set_tags("paper, seed=no").unwrap_err();
        assert_eq!(labels.tags.len(), 0, "all or none");
        labels.set_tags("paper ablation/3,paper").unwrap();
        labels.set_note(" see Table 2 ").unwrap();
        assert_eq!((labels.name.as_deref(), labels.tags_text().as_str()), (Some("the good one"), "ablation/3 paper"));
        assert_eq!(labels.note, "see Table 2");
        labels.rename(" ").unwrap();
        labels.set_note("").unwrap();
        labels.set_tags("").unwrap();
        assert!(labels.is_empty());
    }

    #[test]
    fn unsuitable_labels_are_refused_by_name() {
        let mut labels = RunLabels::default();
        assert_eq!(
            labels.rename(&"x".repeat(61)).unwrap_err().to_string(),
            "the name has 61 characters; at most 60 are kept"
        );
        assert_eq!(labels.set_note("a\u{1b}[31m").unwrap_err().to_string(), "the note contains control characters");
        for tag in ["", "two words", "-draft", &"x".repeat(31), "a=b"] {
            assert!(matches!(labels.add_tag(tag), Err(LabelError::Tag(_))), "{tag}");
        }
        let many = (0..21).map(|number| format!("t{number}")).collect::<Vec<_>>().join(" ");
        assert_eq!(labels.set_tags(&many), Err(LabelError::TooManyTags(21)));
        assert!(labels.is_empty());
    }
}
