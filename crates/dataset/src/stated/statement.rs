//! A statement of the user about one image.

use std::path::Path;

use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::reader_votes::ReaderVotes;
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
    /// The readers' classes.
    pub votes: Option<ReaderVotes>,
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
            votes: if self.class.is_some() { self.votes } else { other.votes },
            class: self.class.or(other.class),
        }
    }
}

/// A path below a root with `/` as the separator, for patterns and tables.
pub(super) fn slashed(below: &Path) -> String {
    below.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}
