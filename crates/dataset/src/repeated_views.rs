//! Detection of several images of the same subject, examination and view: second acquisitions, lesion masks, copies.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use super::sample::DatasetSample;
use mammoscope_domain::subject::subject_id::{ExamId, SubjectId};
use mammoscope_domain::subject::view::View;
use mammoscope_domain::text::printable::{printable, printable_path};

/// The most views, and files of a view, listed in a message; the rest are counted.
const LISTED: usize = 3;

/// Views of examinations that have more than one image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RepeatedViews(Vec<RepeatedView>);

/// A view of an examination with more than one image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepeatedView {
    pub subject: SubjectId,
    pub exam: ExamId,
    pub view: View,
    /// The images, at least two.
    pub files: Vec<PathBuf>,
}

impl RepeatedViews {
    /// Finds the repeated views among samples. Samples of unknown examination or view are ignored: two of them need not
    /// show the same view.
    #[must_use]
    pub fn among<'s>(samples: impl IntoIterator<Item = &'s DatasetSample>) -> Self {
        let mut by_view: BTreeMap<(&SubjectId, &ExamId, View), Vec<&PathBuf>> = BTreeMap::new();
        for sample in samples {
            if let (Some(exam), Some(view)) = (&sample.exam, sample.view) {
                by_view.entry((&sample.subject, exam, view)).or_default().push(&sample.path);
            }
        }
        let repeated = by_view.into_iter().filter(|(_, files)| files.len() > 1);
        let repeated = repeated.map(|((subject, exam, view), files)| RepeatedView {
            subject: subject.clone(),
            exam: exam.clone(),
            view,
            files: files.into_iter().cloned().collect(),
        });
        Self(repeated.collect())
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[must_use]
    pub fn views(&self) -> &[RepeatedView] {
        &self.0
    }
}

impl fmt::Display for RepeatedViews {
    /// `2 views have more than one image: subject 3 exam 1 CC_R (a.png, b.png), subject …`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |file: &PathBuf| {
            file.file_name().map_or_else(|| printable_path(file), |name| printable_path(name.as_ref()))
        };
        let listed: Vec<String> = self
            .0
            .iter()
            .take(LISTED)
            .map(|RepeatedView { subject, exam, view, files }| {
                // Files of the same name in different folders are listed with their paths.
                let names: Vec<_> = files.iter().take(LISTED).map(name).collect();
                let distinct = names.iter().skip(1).all(|other| *other != names[0]);
                let names =
                    if distinct { names } else { files.iter().take(LISTED).map(|file| printable_path(file)).collect() };
                let more = if files.len() > LISTED { ", …" } else { "" };
                let (subject, exam) = (printable(&subject.0), printable(&exam.0));
                format!("subject {subject} exam {exam} {view} ({}{more})", names.join(", "))
            })
            .collect();
        let (count, has) = if self.0.len() == 1 { ("view", "has") } else { ("views", "have") };
        write!(f, "{} {count} of an examination {has} more than one image: {}", self.0.len(), listed.join(", "))?;
        match self.0.len().saturating_sub(LISTED) {
            0 => Ok(()),
            more => write!(f, ", and {more} more"),
        }
    }
}
