//! The class that a label file states for an image.

use mammoscope_dataset::stated::LabelFile;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::subject_id::{ExamId, SubjectId};

use crate::candidate::LabelQuery;

/// The class of an image in a label file, by file or by any of the names that the image's subject and examination have;
/// `None` if the file states none, or different ones.
#[must_use]
pub fn stated_class(labels: &LabelFile, query: &LabelQuery<'_>) -> Option<DensityClass> {
    if labels.is_by_file() {
        return labels.label_of_file(query.file).map(|label| label.class);
    }
    let exams = || query.exams.iter().map(|exam| Some(ExamId::new(exam))).chain([None]);
    let subjects = query.subjects.iter().map(|subject| SubjectId::new(subject));
    subjects
        .flat_map(|subject| exams().map(move |exam| (subject.clone(), exam)))
        .find_map(|(subject, exam)| labels.class_of(&subject, exam.as_ref(), Some(query.view)))
}
