//! The labels of a file with a line per case: a subject, one of her examinations, or a view or breast of it.

use std::collections::HashMap;
use std::fmt;

use super::merged_labels::{MergedLabel, StatedLabel};
use mammoscope_domain::subject::subject_id::{ExamId, SubjectId};
use mammoscope_domain::subject::view::{Projection, Side, View};
use mammoscope_domain::text::printable::printable;

/// The case that a line is about; parts that are `None` are not restricted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct CaseKey {
    pub(super) subject: SubjectId,
    pub(super) exam: Option<ExamId>,
    pub(super) projection: Option<Projection>,
    pub(super) side: Option<Side>,
}

impl fmt::Display for CaseKey {
    /// `subject 7 exam 2 CC right`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "subject {}", printable(&self.subject.0))?;
        if let Some(exam) = &self.exam {
            write!(f, " exam {}", printable(&exam.0))?;
        }
        match self.projection {
            Some(Projection::Cc) => f.write_str(" CC")?,
            Some(Projection::Mlo) => f.write_str(" MLO")?,
            None => {}
        }
        self.side.map_or(Ok(()), |side| write!(f, " {}", side.name()))
    }
}

/// The answer of a label file about an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FoundLabel {
    Label(StatedLabel),
    /// The file has the case, but no class for it.
    NoClass,
    /// Lines with different labels may apply, since the image's examination or view is not known.
    Ambiguous,
    /// The file does not have the case.
    Missing,
}

/// Labels by case.
#[derive(Clone, Debug)]
pub(super) struct CaseLabels(HashMap<SubjectId, Vec<CaseLine>>);

#[derive(Clone, Debug)]
struct CaseLine {
    key: CaseKey,
    label: Option<StatedLabel>,
}

/// The relation of one part of a line's case to an image.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Match {
    /// The line does not restrict this part.
    Free,
    Equal,
    /// The image's part is not known.
    Perhaps,
    Different,
}

fn matched<T: PartialEq>(of_line: Option<&T>, of_image: Option<&T>) -> Match {
    match (of_line, of_image) {
        (None, _) => Match::Free,
        (Some(_), None) => Match::Perhaps,
        (Some(line), Some(image)) if line == image => Match::Equal,
        _ => Match::Different,
    }
}

impl CaseLabels {
    pub(super) fn of(merged: &[MergedLabel<CaseKey>]) -> Self {
        let mut by_subject: HashMap<SubjectId, Vec<CaseLine>> = HashMap::new();
        for entry in merged {
            let line = CaseLine { key: entry.key.clone(), label: entry.label() };
            by_subject.entry(entry.key.subject.clone()).or_default().push(line);
        }
        Self(by_subject)
    }

    /// The label of an image. Of several lines that apply, the one that restricts the most parts decides.
    pub(super) fn find(&self, subject: &SubjectId, exam: Option<&ExamId>, view: Option<View>) -> FoundLabel {
        let (projection, side) = (view.map(View::projection), view.map(View::side));
        let mut best: Option<usize> = None;
        let mut candidates: Vec<(usize, bool, Option<StatedLabel>)> = Vec::new();
        for CaseLine { key, label } in self.0.get(subject).into_iter().flatten() {
            let parts = [
                matched(key.exam.as_ref(), exam),
                matched(key.projection.as_ref(), projection.as_ref()),
                matched(key.side.as_ref(), side.as_ref()),
            ];
            if parts.contains(&Match::Different) {
                continue;
            }
            let restricted = parts.iter().filter(|&&part| part != Match::Free).count();
            let is_certain = !parts.contains(&Match::Perhaps);
            if is_certain {
                best = best.max(Some(restricted));
            }
            candidates.push((restricted, is_certain, *label));
        }
        // Lines that certainly apply give way to those that restrict more; lines that may apply never do.
        let mut labels =
            candidates.into_iter().filter(|&(restricted, is_certain, _)| !is_certain || best == Some(restricted));
        let Some((_, _, first)) = labels.next() else { return FoundLabel::Missing };
        if labels.any(|(_, _, label)| label != first) {
            return FoundLabel::Ambiguous;
        }
        first.map_or(FoundLabel::NoClass, FoundLabel::Label)
    }

    pub(super) fn subjects(&self) -> impl ExactSizeIterator<Item = &SubjectId> {
        self.0.keys()
    }
}
