//! The samples of a data set.

use std::path::PathBuf;

use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::reader_votes::ReaderVotes;
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::subject::subject_id::{ExamId, SubjectId};
use mammoscope_domain::subject::view::View;

/// One image of a data set with the information from its name, its folders and the user's statements. The file has not
/// been opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatasetSample {
    pub path: PathBuf,
    /// The subject. A file without ids in its name is a subject of its own, identified by its stem, or by its path below
    /// the data set's root if several files share the stem.
    pub subject: SubjectId,
    pub exam: Option<ExamId>,
    pub view: Option<View>,
    /// The true class.
    pub label: Option<DensityClass>,
    /// The readers' classes, if a label file has them.
    pub votes: Option<ReaderVotes>,
    /// The split whose folder contains the file.
    pub split: Option<Split>,
}
