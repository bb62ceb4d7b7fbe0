//! Rows of predictions gathered by examination.

use std::collections::HashMap;
use std::fmt;

use super::density::DensityClass;
use super::fusion::ViewProbabilities;
use super::prediction::PredictionRow;
use super::printable::printable;
use super::subject::{ExamId, SubjectId};

/// What identifies an examination: views are fused by it, never by their order in a file. A subject with several
/// examinations has several of these, and each may have a label of its own; rows without an exam are one examination.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize)]
pub struct ExaminationId {
    /// The subject.
    pub subject: SubjectId,
    /// The examination of the subject, where known.
    pub exam: Option<ExamId>,
}

impl fmt::Display for ExaminationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "subject {}", printable(&self.subject.0))?;
        self.exam.as_ref().map_or(Ok(()), |exam| write!(f, " exam {}", printable(&exam.0)))
    }
}

/// The labelled predictions of one examination.
#[derive(Clone, Debug, PartialEq)]
pub struct Examination {
    /// Whose and which.
    pub id: ExaminationId,
    /// The true class.
    pub label: DensityClass,
    /// The predictions, by view.
    pub views: ViewProbabilities,
}

/// Rows that cannot all be right; every case is listed.
#[derive(Clone, Debug, Default, PartialEq, Eq, thiserror::Error)]
pub struct InconsistentRows {
    /// Examinations whose rows disagree about the true class, each with its rows.
    pub contradicting_labels: Vec<String>,
    /// Views of an examination that were given more than once, each with its rows.
    pub duplicates: Vec<String>,
}

impl fmt::Display for InconsistentRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = [
            (&self.contradicting_labels, "contradicting labels for one examination"),
            (&self.duplicates, "more than one prediction for one examination and view"),
        ];
        let mut separator = "";
        for (cases, what) in kinds.into_iter().filter(|(cases, _)| !cases.is_empty()) {
            write!(f, "{separator}{what} ({}): {}", cases.len(), cases.join("; "))?;
            separator = "; ";
        }
        Ok(())
    }
}

/// Gathers the rows that have both a view and a label by examination, in the order of first appearance.
pub fn gather<'a>(rows: impl IntoIterator<Item = &'a PredictionRow>) -> Result<Vec<Examination>, InconsistentRows> {
    let mut by_id: HashMap<ExaminationId, usize> = HashMap::new();
    let mut gathered: Vec<Vec<&PredictionRow>> = Vec::new();
    for row in rows.into_iter().filter(|row| row.view.is_some() && row.label.is_some()) {
        let id = ExaminationId { subject: row.subject.clone(), exam: row.exam.clone() };
        let place = *by_id.entry(id).or_insert_with(|| {
            gathered.push(Vec::new());
            gathered.len() - 1
        });
        gathered[place].push(row);
    }
    let mut inconsistent = InconsistentRows::default();
    let mut examinations = Vec::with_capacity(gathered.len());
    for rows in &gathered {
        examinations.extend(examination(rows, &mut inconsistent));
    }
    if inconsistent == InconsistentRows::default() { Ok(examinations) } else { Err(inconsistent) }
}

/// One examination of its rows; what cannot be right is added to `inconsistent`.
fn examination(rows: &[&PredictionRow], inconsistent: &mut InconsistentRows) -> Option<Examination> {
    let first = rows.first()?;
    let id = ExaminationId { subject: first.subject.clone(), exam: first.exam.clone() };
    if rows.iter().any(|row| row.label != first.label) {
        let labels: Vec<_> = rows
            .iter()
            .filter_map(|row| Some(format!("{} in {} ({})", row.label?, row.view?, printable(&row.file))))
            .collect();
        inconsistent.contradicting_labels.push(format!("{id}: {}", labels.join(", ")));
    }
    let mut views = ViewProbabilities::default();
    for row in rows {
        let view = row.view?;
        if views.of(view).is_some() {
            continue;
        }
        views.set(view, row.probabilities);
        let files: Vec<_> =
            rows.iter().filter(|other| other.view == row.view).map(|other| printable(&other.file)).collect();
        if files.len() > 1 {
            inconsistent.duplicates.push(format!("{id} {view}: {}", files.join(", ")));
        }
    }
    Some(Examination { id, label: first.label?, views })
}

#[cfg(test)]
mod tests {
    use super::super::probabilities::Probabilities;
    use super::super::view::View;
    use super::*;

    fn row(subject: &str, exam: &str, view: View, label: Option<DensityClass>) -> PredictionRow {
        PredictionRow {
            file: format!("{subject}_{exam}_{view}.png"),
            subject: SubjectId(subject.to_owned()),
            exam: Some(ExamId(exam.to_owned())),
            view: Some(view),
            label,
            predicted: DensityClass::A,
            probabilities: Probabilities([0.7, 0.1, 0.1, 0.1]),
        }
    }

    #[test]
    fn by_id_and_not_by_order() {
        let (a, b) = (Some(DensityClass::A), Some(DensityClass::B));
        let rows = [
            row("2", "1", View::CcR, a),
            row("1", "1", View::CcR, b),
            row("1", "1", View::MloR, b),
            row("1", "2", View::CcR, a),
            row("3", "1", View::CcR, None),
            row("2", "1", View::MloR, a),
        ];
        let examinations = gather(&rows).unwrap();
        let ids: Vec<_> = examinations.iter().map(|examination| examination.id.to_string()).collect();
        assert_eq!(ids, ["subject 2 exam 1", "subject 1 exam 1", "subject 1 exam 2"], "a later exam has its own label");
        assert_eq!(examinations[0].views.missing(&View::ALL).collect::<Vec<_>>(), [View::CcL, View::MloL]);
    }

    #[test]
    fn every_contradiction_and_every_duplicate_is_listed() {
        let (a, b) = (Some(DensityClass::A), Some(DensityClass::B));
        let rows = [
            row("1", "1", View::CcR, a),
            row("1", "1", View::MloR, b),
            row("2", "1", View::CcR, a),
            row("2", "1", View::CcL, b),
            row("3", "1", View::CcL, b),
            row("3", "1", View::CcL, b),
        ];
        let error = gather(&rows).unwrap_err();
        assert_eq!(error.contradicting_labels.len(), 2);
        assert_eq!(error.duplicates.len(), 1);
        let text = error.to_string();
        for part in ["subject 1 exam 1: A in CC_R", "B in MLO_R", "subject 2 exam 1", "subject 3 exam 1 CC_L", "(2)"] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }
}
