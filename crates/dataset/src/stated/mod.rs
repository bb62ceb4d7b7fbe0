//! What is stated about images whose names and folders do not say it: by a table, or by a pattern of their paths.

mod id_pattern;
mod label_table;
mod words;

use std::path::Path;

pub use self::id_pattern::{IdPattern, IdPatternError};
pub use self::label_table::{LabelTable, LabelTableError};
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::subject::{ExamId, SubjectId};
use mammoscope_domain::subject::view::{Projection, Side, View};

/// What is stated about one image; what is `None` is left to its name and folders.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statement {
    /// Whose.
    pub subject: Option<SubjectId>,
    /// Which examination.
    pub exam: Option<ExamId>,
    /// The direction of the beam.
    pub projection: Option<Projection>,
    /// The breast.
    pub side: Option<Side>,
    /// The true class.
    pub class: Option<DensityClass>,
}

impl Statement {
    /// The view, where both its parts are stated.
    #[must_use]
    pub fn view(&self) -> Option<View> {
        let (projection, side) = (self.projection?, self.side?);
        View::ALL.into_iter().find(|view| view.projection() == projection && view.side() == side)
    }

    /// What this states, and for the rest what another does.
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

/// Where statements about images come from; a table goes before a pattern.
#[derive(Clone, Debug, Default)]
pub struct StatedIds {
    /// A table with a line an image (`--labels`).
    pub table: Option<LabelTable>,
    /// A pattern of paths (`--ids`).
    pub pattern: Option<IdPattern>,
}

impl StatedIds {
    /// Whether nothing is stated.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.table.is_none() && self.pattern.is_none()
    }

    /// What is stated about the image with this path below the data set's root, or what does not know it.
    pub(super) fn of(&self, below: &Path) -> Result<Statement, &'static str> {
        let by_table = match &self.table {
            Some(table) => table.statement(below).ok_or("--labels")?.clone(),
            None => Statement::default(),
        };
        let by_pattern = match &self.pattern {
            // A table with subjects needs no pattern; then one that does not match is no loss.
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

/// A path below a root with `/` between its parts, as patterns and tables have it.
fn slashed(below: &Path) -> String {
    below.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}
