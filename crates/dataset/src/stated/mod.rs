//! The user's statements about images, by a label file or a pattern of paths: for names and folders without ids and
//! labels.

mod case_labels;
mod id_pattern;
mod label_columns;
mod label_entry;
mod label_file;
mod label_table;
mod merged_labels;
mod statement;
mod words;

use std::path::Path;

pub use self::case_labels::FoundLabel;
pub use self::id_pattern::{IdPattern, IdPatternError};
pub use self::label_entry::{LabelEntryError, with_label};
pub use self::label_file::{LabelFile, LabelFileError, TiedCase};
pub use self::merged_labels::StatedLabel;
pub use self::statement::Statement;

/// The sources of statements about images; the label file takes precedence over the pattern.
#[derive(Clone, Debug, Default)]
pub struct StatedIds {
    /// The file `--labels`.
    pub labels: Option<LabelFile>,
    /// A pattern of paths (`--ids`).
    pub pattern: Option<IdPattern>,
}

impl StatedIds {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.labels.is_none() && self.pattern.is_none()
    }

    /// The statement about the image with this path below the data set's root; the error is the option that does not cover
    /// it. A label file with a line per case says nothing here, since it needs the ids first.
    pub(super) fn of(&self, below: &Path) -> Result<Statement, &'static str> {
        let by_table = match self.labels.as_ref().and_then(LabelFile::by_file) {
            Some(table) => table.statement(below).ok_or("--labels")?.clone(),
            None => Statement::default(),
        };
        let by_pattern = match &self.pattern {
            // If the table gives the subject, the pattern need not match.
            Some(pattern) => match pattern.statement(below) {
                Some(statement) => statement,
                None if by_table.subject.is_some() => Statement::default(),
                None => return Err("--ids"),
            },
            None => Statement::default(),
        };
        Ok(by_table.or(by_pattern))
    }
}
