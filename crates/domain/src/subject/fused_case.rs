//! Predictions of breasts and examinations, labelled or not.

use std::collections::HashMap;

use super::density::DensityClass;
use super::examination::ExaminationId;
use super::fusion::{Fusion, ViewProbabilities};
use super::prediction::PredictionRow;
use super::probabilities::Probabilities;
use super::view::View;

/// The fused prediction of a breast or an examination.
#[derive(Clone, Debug, PartialEq)]
pub struct FusedCase {
    pub id: ExaminationId,
    /// The true class, if the views agree on one.
    pub label: Option<DensityClass>,
    /// The number of views that were fused.
    pub views: usize,
    pub probabilities: Probabilities,
}

/// Fuses these views of each examination, in the order of first appearance. Of a view that occurs repeatedly in an
/// examination, none is known to be the right one: the case is left out and counted.
#[must_use]
pub fn fuse_cases(rows: &[PredictionRow], views: &[View], fusion: Fusion) -> (Vec<FusedCase>, usize) {
    let mut places: HashMap<ExaminationId, usize> = HashMap::new();
    let mut groups: Vec<Vec<(View, &PredictionRow)>> = Vec::new();
    for row in rows {
        let Some(view) = row.view.filter(|view| views.contains(view)) else { continue };
        let place = *places.entry(ExaminationId::of(row)).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[place].push((view, row));
    }
    let (mut cases, mut ambiguous) = (Vec::new(), 0);
    for group in &groups {
        let mut found = ViewProbabilities::default();
        for (view, row) in group {
            found.set(*view, row.probabilities);
        }
        let distinct = views.len() - found.missing(views).count();
        if distinct < group.len() {
            ambiguous += 1;
            continue;
        }
        let mut labels = group.iter().filter_map(|(_, row)| row.label);
        let first = labels.next();
        let label = first.filter(|first| labels.all(|other| other == *first));
        if let (Some((_, row)), Some(probabilities)) = (group.first(), found.fuse(views, fusion)) {
            cases.push(FusedCase { id: ExaminationId::of(row), label, views: distinct, probabilities });
        }
    }
    (cases, ambiguous)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subject::subject_id::SubjectId;

    fn row(subject: &str, view: View, label: Option<DensityClass>, probabilities: [f64; 4]) -> PredictionRow {
        let probabilities = Probabilities(probabilities);
        PredictionRow {
            file: format!("{subject}_{view}.png"),
            subject: SubjectId(subject.to_owned()),
            exam: None,
            view: Some(view),
            label,
            predicted: probabilities.most_probable(),
            probabilities,
        }
    }

    #[test]
    fn cases_are_fused_with_and_without_labels() {
        let (one, other) = ([0.5, 0.5, 0.0, 0.0], [0.0, 0.5, 0.5, 0.0]);
        let rows = [
            row("1", View::CcR, None, one),
            row("2", View::MloR, Some(DensityClass::A), one),
            row("1", View::MloR, None, other),
            row("2", View::CcR, Some(DensityClass::B), other),
            row("3", View::CcR, Some(DensityClass::D), one),
            row("3", View::CcL, Some(DensityClass::C), one),
            row("4", View::CcR, None, one),
            row("4", View::CcR, None, other),
        ];
        let (cases, ambiguous) = fuse_cases(&rows, &[View::CcR, View::MloR], Fusion::Mean);
        let facts: Vec<_> = cases.iter().map(|case| (case.id.subject.0.as_str(), case.label, case.views)).collect();
        let d = Some(DensityClass::D);
        assert_eq!(facts, [("1", None, 2), ("2", None, 2), ("3", d, 1)], "the labels of 2 contradict each other");
        assert_eq!(cases[0].probabilities, Probabilities([0.25, 0.5, 0.25, 0.0]));
        assert_eq!(ambiguous, 1, "4 has the same view twice");
    }
}
