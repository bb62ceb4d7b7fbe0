//! The user's statements about images, by a table or a pattern of paths: for names and folders without ids and labels.

mod id_pattern;
mod label_table;
mod words;

use std::path::Path;

pub use self::id_pattern::{IdPattern, IdPatternError};
pub use self::label_table::{LabelTable, LabelTableError};
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::subject_id::{ExamId, SubjectId};
use mammoscope_domain::subject::view::{Projection, Side, View};

/// A statement about one image. Fields that are `None` are left to its name and folders.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statement {
    pub subject: Option<SubjectId>,
    pub exam: Option<ExamId>,
    pub projection: Option<Projection>,
    pub side: Option<Side>,
    /// The true class.
    pub class: Option<DensityClass>,
}

impl Statement {
    /// The view, if projection and side are stated.
    #[must_use]
    pub fn view(&self) -> Option<View> {
        let (projection, side) = (self.projection?, self.side?);
        View::ALL.into_iter().find(|view| view.projection() == projection && view.side() == side)
    }

    /// This statement, completed by another.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            subject: self.subject.or(other.subject),
            exam: self.exam.or(other.exam),
            projection: self.projection.or(other.projection),
            side: self.side.or(other.side),
            class: self.class.or(other.class),
        }
    }
}

/// The sources of statements about images; the table takes precedence over the pattern.
#[derive(Clone, Debug, Default)]
pub struct StatedIds {
    /// A table with one line per image (`--labels`).
    pub table: Option<LabelTable>,
    /// A pattern of paths (`--ids`).
    pub pattern: Option<IdPattern>,
}

impl StatedIds {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.table.is_none() && self.pattern.is_none()
    }

    /// The statement about the image with this path below the data set's root; the error is the option that does not cover
    /// it.
    pub(super) fn of(&self, below: &Path) -> Result<Statement, &'static str> {
        let by_table = match &self.table {
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

/// A path below a root with `/` as the separator, for patterns and tables.
fn slashed(below: &Path) -> String {
    below.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}
