//! A file that could not be used, and the reason.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::ser::{Serialize, SerializeStruct as _, Serializer};

use super::printable::{printable, printable_path};

/// A file that could not be used, and the reason. Shown as `file: reason`, and serialised as `{"file", "reason"}`; both
/// parts are made safe to print.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileProblem {
    pub file: PathBuf,
    pub reason: String,
}

impl FileProblem {
    #[must_use]
    pub fn new(file: &Path, reason: impl Into<String>) -> Self {
        Self { file: file.to_owned(), reason: reason.into() }
    }
}

impl fmt::Display for FileProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", printable_path(&self.file), printable(&self.reason))
    }
}

impl Serialize for FileProblem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut problem = serializer.serialize_struct("FileProblem", 2)?;
        problem.serialize_field("file", &printable_path(&self.file))?;
        problem.serialize_field("reason", &printable(&self.reason))?;
        problem.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_parts_are_safe_to_print() {
        let problem = FileProblem::new(Path::new("a\nb.png"), "is cut\u{1b}[2J short");
        assert_eq!(problem.to_string(), "a\\nb.png: is cut\\u{1b}[2J short");
        let json = serde_json::to_string(&problem).unwrap();
        assert_eq!(json, r#"{"file":"a\\nb.png","reason":"is cut\\u{1b}[2J short"}"#);
    }
}
