//! Predictions grouped by examination.

use std::collections::{HashMap, HashSet};
use std::fmt;

use super::density::DensityClass;
use super::fusion::ViewProbabilities;
use super::prediction::PredictionRow;
use super::subject_id::{ExamId, SubjectId};
use super::view::View;
use crate::text::printable::printable;

/// The number of cases that are spelled out; the rest are counted.
const MAX_LISTED: usize = 10;

/// The key by which views are fused, never their order in a file. A subject may have several examinations, each with a
/// label of its own; the rows of a subject without an exam id form one examination.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize)]
pub struct ExaminationId {
    pub subject: SubjectId,
    pub exam: Option<ExamId>,
}

impl ExaminationId {
    /// The examination that a row belongs to.
    #[must_use]
    pub fn of(row: &PredictionRow) -> Self {
        Self { subject: row.subject.clone(), exam: row.exam.clone() }
    }
}

impl fmt::Display for ExaminationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "subject {}", printable(&self.subject.0))?;
        self.exam.as_ref().map_or(Ok(()), |exam| write!(f, " exam {}", printable(&exam.0)))
    }
}

/// The predictions of one labelled examination.
#[derive(Clone, Debug, PartialEq)]
pub struct Examination {
    pub id: ExaminationId,
    /// The true class.
    pub label: DensityClass,
    pub views: ViewProbabilities,
    /// The views whose own rows carry the label.
    pub labelled_views: Vec<View>,
}

/// Rows that contradict or repeat each other.
#[derive(Clone, Debug, Default, PartialEq, Eq, thiserror::Error)]
pub struct InconsistentRows {
    /// The number of tables that the rows come from, 0 if unknown; several tables may overlap.
    pub tables: usize,
    /// The number of views of all labelled examinations.
    pub views: usize,
    /// The number of labelled examinations.
    pub examinations: usize,
    /// Examinations whose rows disagree about the true class, each with its rows.
    pub contradicting_labels: Vec<String>,
    /// Views of an examination that are predicted more than once, each with its rows.
    pub duplicates: Vec<String>,
}

impl fmt::Display for InconsistentRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tables, views, examinations, contradicting_labels, duplicates } = self;
        if !duplicates.is_empty() {
            let overlap = if *tables > 1 && duplicates.len() == *views { " (the tables overlap)" } else { "" };
            write!(f, "{} of {views} views are predicted more than once{overlap}", duplicates.len())?;
        }
        if !contradicting_labels.is_empty() {
            let separator = if duplicates.is_empty() { "" } else { "; " };
            let cases = contradicting_labels.len();
            write!(f, "{separator}{cases} of {examinations} examinations have contradicting labels")?;
        }
        write!(f, ":{}{}", CaseLines(duplicates), CaseLines(contradicting_labels))
    }
}

/// The cases of an error, each on an indented line of its own; those after the first ten are counted.
pub(crate) struct CaseLines<'a>(pub(crate) &'a [String]);

impl fmt::Display for CaseLines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for case in self.0.iter().take(MAX_LISTED) {
            write!(f, "\n  {case}")?;
        }
        match self.0.len().saturating_sub(MAX_LISTED) {
            0 => Ok(()),
            more => write!(f, "\n  and {more} more"),
        }
    }
}

/// The first items of one case and the number of the others: a file can be given any number of times.
fn listed(items: &[String]) -> String {
    match items.len().saturating_sub(MAX_LISTED) {
        0 => items.join(", "),
        more => format!("{} and {more} more", items[..MAX_LISTED].join(", ")),
    }
}

/// Groups the rows that have a view by examination, in the order of first appearance; examinations without any label
/// are left out. A label belongs to the examination, so it also holds for the rows of it that have none.
pub fn group_by_examination<'a>(
    rows: impl IntoIterator<Item = &'a PredictionRow>,
) -> Result<Vec<Examination>, InconsistentRows> {
    let mut by_id: HashMap<ExaminationId, usize> = HashMap::new();
    let mut groups: Vec<Vec<&PredictionRow>> = Vec::new();
    for row in rows.into_iter().filter(|row| row.view.is_some()) {
        let index = *by_id.entry(ExaminationId::of(row)).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[index].push(row);
    }
    let mut inconsistent = InconsistentRows::default();
    let mut examinations = Vec::with_capacity(groups.len());
    for rows in &groups {
        examinations.extend(examination(rows, &mut inconsistent));
    }
    let is_consistent = inconsistent.contradicting_labels.is_empty() && inconsistent.duplicates.is_empty();
    if is_consistent { Ok(examinations) } else { Err(inconsistent) }
}

/// The examination that some rows belong to; `None` if none has a label. Contradictions and duplicates are added to
/// `inconsistent`.
fn examination(rows: &[&PredictionRow], inconsistent: &mut InconsistentRows) -> Option<Examination> {
    let label = rows.iter().find_map(|row| row.label)?;
    let id = ExaminationId::of(rows.first()?);
    inconsistent.examinations += 1;
    if rows.iter().any(|row| row.label.is_some_and(|other| other != label)) {
        let labels: Vec<_> = rows
            .iter()
            .filter_map(|row| Some(format!("{} in {} ({})", row.label?, row.view?, printable(&row.file))))
            .collect();
        inconsistent.contradicting_labels.push(format!("{id}: {}", listed(&labels)));
    }
    let (mut views, mut labelled_views) = (ViewProbabilities::default(), Vec::new());
    for row in rows {
        let view = row.view?;
        if views.of(view).is_some() {
            continue;
        }
        views.set(view, row.probabilities);
        labelled_views.extend(row.label.map(|_| view));
        inconsistent.views += 1;
        let files: Vec<_> =
            rows.iter().filter(|other| other.view == row.view).map(|other| printable(&other.file)).collect();
        if files.len() > 1 {
            inconsistent.duplicates.push(format!("{id} {view}: {}", listed(&files)));
        }
    }
    Some(Examination { id, label, views, labelled_views })
}

/// Predictions without a label of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UnlabelledRows {
    /// Rows whose examination is labelled by another view: they count where views are fused.
    pub fused: usize,
    /// All other rows: they count nowhere.
    pub left_out: usize,
}

impl UnlabelledRows {
    #[must_use]
    pub fn of(rows: &[PredictionRow]) -> Self {
        let with_view = || rows.iter().filter(|row| row.view.is_some());
        let labelled: HashSet<_> = with_view().filter(|row| row.label.is_some()).map(ExaminationId::of).collect();
        let is_fused = |row: &&PredictionRow| row.label.is_none() && labelled.contains(&ExaminationId::of(row));
        let fused = with_view().filter(is_fused).count();
        Self { fused, left_out: rows.iter().filter(|row| row.label.is_none()).count() - fused }
    }

    #[must_use]
    pub fn total(&self) -> usize {
        self.fused + self.left_out
    }
}

#[cfg(test)]
mod tests {
    use super::super::probabilities::Probabilities;
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
    fn rows_are_grouped_by_id_and_not_by_order() {
        let (a, b) = (Some(DensityClass::A), Some(DensityClass::B));
        let rows = [
            row("2", "1", View::CcR, a),
            row("1", "1", View::CcR, b),
            row("1", "1", View::MloR, b),
            row("1", "2", View::CcR, a),
            row("3", "1", View::CcR, None),
            row("2", "1", View::MloR, a),
        ];
        let examinations = group_by_examination(&rows).unwrap();
        let ids: Vec<_> = examinations.iter().map(|examination| examination.id.to_string()).collect();
        assert_eq!(ids, ["subject 2 exam 1", "subject 1 exam 1", "subject 1 exam 2"], "a later exam has its own label");
        assert_eq!(examinations[0].views.missing(&View::ALL).collect::<Vec<_>>(), [View::CcL, View::MloL]);
    }

    #[test]
    fn contradictions_and_duplicates_are_counted_and_listed() {
        let (a, b) = (Some(DensityClass::A), Some(DensityClass::B));
        let rows = [
            row("1", "1", View::CcR, a),
            row("1", "1", View::MloR, b),
            row("2", "1", View::CcR, a),
            row("2", "1", View::CcL, b),
            row("3", "1", View::CcL, b),
            row("3", "1", View::CcL, b),
        ];
        let error = group_by_examination(&rows).unwrap_err();
        assert_eq!(error.contradicting_labels.len(), 2);
        assert_eq!(error.duplicates.len(), 1);
        let text = error.to_string();
        let first = "1 of 5 views are predicted more than once; 2 of 3 examinations have contradicting labels:\n";
        assert!(text.starts_with(first), "{text}");
        for part in ["subject 1 exam 1: A in CC_R", "B in MLO_R", "subject 2 exam 1", "subject 3 exam 1 CC_L"] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }

    #[test]
    fn many_cases_become_ten_lines_and_a_count() {
        let a = Some(DensityClass::A);
        let once: Vec<_> = (0..500).map(|subject| row(&subject.to_string(), "1", View::CcR, a)).collect();
        let mut rows = [once.clone(), once].concat();
        rows.extend(std::iter::repeat_n(rows[0].clone(), 900));
        let error = group_by_examination(&rows).unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("500 of 500 views are predicted more than once:\n"), "{text}");
        let of_tables = InconsistentRows { tables: 2, ..error }.to_string();
        assert!(of_tables.starts_with("500 of 500 views are predicted more than once (the tables overlap):\n"));
        assert_eq!(text.lines().count(), 12);
        assert!(text.ends_with("\n  and 490 more") && text.len() < 1500, "{text}");
        assert!(text.contains(" and 892 more\n"), "one file given 902 times");
    }

    #[test]
    fn a_view_without_a_label_takes_that_of_its_examination() {
        let a = Some(DensityClass::A);
        let rows = [
            row("1", "1", View::CcR, None),
            row("1", "1", View::MloR, a),
            row("2", "1", View::CcR, None),
            PredictionRow { view: None, ..row("1", "1", View::CcL, None) },
        ];
        let examinations = group_by_examination(&rows).unwrap();
        assert_eq!(examinations.len(), 1, "subject 2 has no label");
        assert_eq!((examinations[0].label, &examinations[0].labelled_views[..]), (DensityClass::A, &[View::MloR][..]));
        assert!(examinations[0].views.of(View::CcR).is_some());
        assert_eq!(UnlabelledRows::of(&rows), UnlabelledRows { fused: 1, left_out: 2 });
        let twice = [rows[0].clone(), rows[0].clone(), rows[1].clone()];
        assert_eq!(group_by_examination(&twice).unwrap_err().duplicates.len(), 1);
    }
}
