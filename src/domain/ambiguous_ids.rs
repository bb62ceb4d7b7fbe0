//! Ids that look as if one subject or examination were written in two ways.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::prediction::PredictionRow;
use super::printable::printable;
use super::subject::SubjectId;

/// How many cases are spelled out; the rest are counted.
const LISTED: usize = 3;

/// Ids that may mean the same but do not read the same. Nothing is guessed: they stay apart, are not fused, and should
/// be looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AmbiguousIds {
    /// Subjects that have rows with an exam and rows without one.
    pub with_and_without_exam: Vec<String>,
    /// Subject ids that differ only in leading zeros, as in `7 and 007`.
    pub subjects_by_zeros: Vec<String>,
    /// Exam ids of a subject that differ only in leading zeros, as in `subject 7: 1 and 01`.
    pub exams_by_zeros: Vec<String>,
}

impl AmbiguousIds {
    /// Looks through rows.
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
            for alike in differing_in_zeros(exams.iter().copied().flatten()) {
                found.exams_by_zeros.push(format!("subject {}: {alike}", printable(&subject.0)));
            }
        }
        found.subjects_by_zeros = differing_in_zeros(exams.keys().map(|subject| subject.0.as_str()));
        found
    }

    /// What is to be said about them, a line each.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if !self.with_and_without_exam.is_empty() {
            let subjects = Listed(&self.with_and_without_exam);
            warnings.push(format!("rows with and without an exam are not fused, of the subjects {subjects}"));
        }
        for (kind, alike) in [("subjects", &self.subjects_by_zeros), ("exams", &self.exams_by_zeros)] {
            if !alike.is_empty() {
                let alike = Listed(alike);
                warnings.push(format!("{kind} whose ids differ only in leading zeros are not fused: {alike}"));
            }
        }
        warnings
    }
}

/// Each group of ids that are the same without their leading zeros.
fn differing_in_zeros<'a>(ids: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut by_rest: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for id in ids {
        by_rest.entry(id.trim_start_matches('0')).or_default().push(id);
    }
    by_rest
        .into_values()
        .filter(|alike| alike.len() > 1)
        .map(|alike| alike.into_iter().map(printable).collect::<Vec<_>>().join(" and "))
        .collect()
}

struct Listed<'a>(&'a [String]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = &self.0[..self.0.len().min(LISTED)];
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
    use super::super::subject::ExamId;
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
    fn one_id_in_two_spellings_is_found() {
        let found =
            AmbiguousIds::of(&rows(&[("7", "1"), ("007", "1"), ("8", "1"), ("8", ""), ("9", "1"), ("9", "01")]));
        assert_eq!(found.with_and_without_exam, ["8"]);
        assert_eq!(found.subjects_by_zeros, ["007 and 7"]);
        assert_eq!(found.exams_by_zeros, ["subject 9: 01 and 1"]);
        assert_eq!(found.warnings().len(), 3);
    }

    #[test]
    fn distinct_ids_are_left_alone() {
        let found =
            AmbiguousIds::of(&rows(&[("7", "1"), ("7", "1"), ("70", "2"), ("70", "20"), ("", "x"), ("a0", "x")]));
        assert_eq!(found, AmbiguousIds::default());
        assert!(AmbiguousIds::of(&rows(&[("1", ""), ("2", "")])).warnings().is_empty());
    }

    #[test]
    fn many_are_counted() {
        let ids: Vec<_> = (1..=50).flat_map(|id| [(id.to_string(), "1"), (id.to_string(), "")]).collect();
        let ids: Vec<_> = ids.iter().map(|(id, exam)| (id.as_str(), *exam)).collect();
        let warnings = AmbiguousIds::of(&rows(&ids)).warnings();
        assert_eq!(warnings, ["rows with and without an exam are not fused, of the subjects 1, 10, 11, and 47 more"]);
    }
}
