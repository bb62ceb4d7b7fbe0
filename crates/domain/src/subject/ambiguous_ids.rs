//! Ids that look like two spellings of one subject or examination.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::id_spelling::LookAlikes;
use super::prediction::PredictionRow;
use super::subject_id::SubjectId;
use crate::text::printable::printable;

/// The number of cases that are spelled out; the rest are counted.
const MAX_LISTED: usize = 3;

/// Ids that may mean the same but are spelled differently. Nothing is guessed: they stay separate, are not fused, and
/// should be checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AmbiguousIds {
    /// Subjects that have rows with an exam and rows without one.
    pub with_and_without_exam: Vec<String>,
    /// Subject ids that look the same, as in `7 and 007`.
    pub subjects: LookAlikes,
    /// Exam ids of a subject that look the same, as in `subject 7: 1 and 1.0`.
    pub exams: Vec<String>,
}

impl AmbiguousIds {
    /// Finds the ambiguous ids among some rows.
    #[must_use]
    pub fn of<'a>(rows: impl IntoIterator<Item = &'a PredictionRow>) -> Self {
        let mut exams: BTreeMap<&SubjectId, BTreeSet<Option<&str>>> = BTreeMap::new();
        for row in rows {
            exams.entry(&row.subject).or_default().insert(row.exam.as_ref().map(|exam| exam.0.as_str()));
        }
        let mut found = Self::default();
        for (subject, exams) in &exams {
            if exams.contains(&None) && exams.len() > 1 {
                found.with_and_without_exam.push(printable(&subject.0));
            }
            let alike = LookAlikes::among(exams.iter().copied().flatten());
            if !alike.is_empty() {
                found.exams.push(format!("subject {}: {alike}", printable(&subject.0)));
            }
        }
        found.subjects = LookAlikes::among(exams.keys().map(|subject| subject.0.as_str()));
        found
    }

    /// One warning per kind of ambiguity.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if !self.with_and_without_exam.is_empty() {
            let subjects = Listed(&self.with_and_without_exam);
            warnings.push(format!("rows with and without an exam are not fused, in subjects {subjects}"));
        }
        if !self.subjects.is_empty() {
            warnings.push(format!("{} and not fused; write each id in one way", self.subjects.described("subject")));
        }
        if !self.exams.is_empty() {
            let alike = Listed(&self.exams);
            warnings.push(format!(
                "exam ids that look the same are treated as different exams and not fused: {alike}; write each id \
                 in one way"
            ));
        }
        warnings
    }
}

struct Listed<'a>(&'a [String]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = &self.0[..self.0.len().min(MAX_LISTED)];
        f.write_str(&first.join(", "))?;
        match self.0.len() - first.len() {
            0 => Ok(()),
            more => write!(f, ", and {more} more"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::density::DensityClass;
    use super::super::probabilities::Probabilities;
    use super::super::subject_id::ExamId;
    use super::*;

    fn rows(ids: &[(&str, &str)]) -> Vec<PredictionRow> {
        let row = |&(subject, exam): &(&str, &str)| PredictionRow {
            file: String::new(),
            subject: SubjectId(subject.to_owned()),
            exam: Some(exam).filter(|exam| !exam.is_empty()).map(|exam| ExamId(exam.to_owned())),
            view: None,
            label: None,
            predicted: DensityClass::A,
            probabilities: Probabilities([0.25; 4]),
        };
        ids.iter().map(row).collect()
    }

    #[test]
    fn two_spellings_of_one_id_are_found() {
        let found =
            AmbiguousIds::of(&rows(&[("7", "1"), ("007", "1"), ("8", "1"), ("8", ""), ("9", "1"), ("9", "1.0")]));
        assert_eq!(found.with_and_without_exam, ["8"]);
        assert_eq!(
            found.warnings()[1..],
            [
                "subject ids that look the same are treated as different subjects (007 and 7) and not fused; write \
                 each id in one way",
                "exam ids that look the same are treated as different exams and not fused: subject 9: 1 and 1.0; write \
                 each id in one way",
            ]
        );
    }

    #[test]
    fn distinct_ids_are_left_alone() {
        let found =
            AmbiguousIds::of(&rows(&[("7", "1"), ("7", "1"), ("70", "2"), ("70", "20"), ("", "x"), ("a0", "x")]));
        assert_eq!(found, AmbiguousIds::default());
        assert!(AmbiguousIds::of(&rows(&[("1", ""), ("2", "")])).warnings().is_empty());
    }

    #[test]
    fn further_subjects_are_counted() {
        let ids: Vec<_> = (1..=50).flat_map(|id| [(id.to_string(), "1"), (id.to_string(), "")]).collect();
        let ids: Vec<_> = ids.iter().map(|(id, exam)| (id.as_str(), *exam)).collect();
        let warnings = AmbiguousIds::of(&rows(&ids)).warnings();
        assert_eq!(warnings, ["rows with and without an exam are not fused, in subjects 1, 10, 11, and 47 more"]);
    }
}
