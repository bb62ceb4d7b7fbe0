//! One image of a data set and what is known of it before it is opened.

use std::path::PathBuf;

use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::subject::subject::{ExamId, SubjectId};
use mammoscope_domain::subject::view::View;

/// One image of a data set and what its name and folders say of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatasetSample {
    /// The image file.
    pub path: PathBuf,
    /// The subject; a file whose name has no ids is a subject of its own, named by its stem (by its path
    /// below the data set's root where several files share the stem).
    pub subject: SubjectId,
    /// The examination, where the name tells it.
    pub exam: Option<ExamId>,
    /// The view, by folder or by name.
    pub view: Option<View>,
    /// The true class, where a class folder tells it.
    pub label: Option<DensityClass>,
    /// The split folder it lies in, if there is one.
    pub split: Option<Split>,
}
