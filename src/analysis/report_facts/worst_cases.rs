//! The errors with the highest confidence.

use std::collections::HashMap;

use super::case_pictures::CasePicture;
use mammoscope_domain::metrics::evaluation_set::{EvaluationSet, SetName};
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::examination::ExaminationId;
use mammoscope_domain::subject::prediction::PredictionRow;
use mammoscope_domain::subject::probabilities::Probabilities;
use mammoscope_domain::subject::view::View;

/// A case that is predicted wrongly.
#[derive(Clone, Debug)]
pub struct ErrorCase {
    pub id: ExaminationId,
    pub truth: DensityClass,
    pub predicted: DensityClass,
    pub probabilities: Probabilities,
    /// The images that it was predicted from.
    pub views: Vec<ErrorView>,
}

/// An image of a case.
#[derive(Clone, Debug)]
pub struct ErrorView {
    pub view: Option<View>,
    /// The place of its prediction among the rows.
    pub row: usize,
    pub predicted: DensityClass,
    pub probabilities: Probabilities,
    /// `None` without pictures.
    pub picture: Option<CasePicture>,
}

/// The errors of a set, the most confident first.
#[must_use]
pub fn worst_cases(set: &EvaluationSet, rows: &[PredictionRow]) -> Vec<ErrorCase> {
    let mut of_case: HashMap<ExaminationId, Vec<usize>> = HashMap::new();
    let views: Vec<View> = match set.name {
        SetName::View(view) => vec![view],
        name => name.fused_views().to_vec(),
    };
    let is_of_set = |row: &PredictionRow| match row.view {
        Some(view) => views.contains(&view),
        None => set.name == SetName::Unspecified && row.label.is_some(),
    };
    for (place, row) in rows.iter().enumerate().filter(|(_, row)| is_of_set(row)) {
        of_case.entry(ExaminationId::of(row)).or_default().push(place);
    }
    // Images without a view are cases of their own, in the order of the rows.
    let mut single = rows.iter().enumerate().filter(|(_, row)| row.view.is_none() && row.label.is_some());
    let mut errors: Vec<ErrorCase> = Vec::new();
    for (case, id) in set.cases.iter().zip(&set.examinations) {
        let places = match set.name {
            SetName::Unspecified => single.next().map(|(place, _)| vec![place]).unwrap_or_default(),
            _ => of_case.get(id).cloned().unwrap_or_default(),
        };
        if case.predicted() == case.label {
            continue;
        }
        let mut views: Vec<ErrorView> = places
            .into_iter()
            .map(|row| ErrorView {
                view: rows[row].view,
                row,
                predicted: rows[row].predicted,
                probabilities: rows[row].probabilities,
                picture: None,
            })
            .collect();
        views.sort_by_key(|view| (view.view, view.row));
        errors.push(ErrorCase {
            id: id.clone(),
            truth: case.label,
            predicted: case.predicted(),
            probabilities: case.probabilities,
            views,
        });
    }
    let confidence = |case: &ErrorCase| case.probabilities.of(case.predicted);
    errors.sort_by(|one, other| confidence(other).total_cmp(&confidence(one)));
    errors
}

#[cfg(test)]
mod tests {
    use super::*;
    use mammoscope_domain::subject::fusion::Fusion;
    use mammoscope_domain::subject::subject_id::SubjectId;

    fn row(subject: &str, view: Option<View>, label: DensityClass, probabilities: [f64; 4]) -> PredictionRow {
        let probabilities = Probabilities(probabilities);
        PredictionRow {
            file: format!("{subject}.png"),
            subject: SubjectId(subject.to_owned()),
            exam: None,
            view,
            label: Some(label),
            predicted: probabilities.most_probable(),
            probabilities,
        }
    }

    #[test]
    fn errors_come_with_their_views_the_most_confident_first() {
        use DensityClass::{A, B, D};
        let rows = [
            row("1", Some(View::MloR), A, [0.1, 0.6, 0.2, 0.1]),
            row("2", Some(View::CcR), B, [0.1, 0.6, 0.2, 0.1]),
            row("3", Some(View::CcR), A, [0.0, 0.0, 0.1, 0.9]),
            row("1", Some(View::CcR), A, [0.2, 0.5, 0.2, 0.1]),
            row("3", Some(View::MloR), A, [0.0, 0.0, 0.3, 0.7]),
            row("2", Some(View::MloR), B, [0.1, 0.6, 0.2, 0.1]),
        ];
        let sets = EvaluationSet::of_rows(&rows, Fusion::Mean).unwrap();
        let fused = sets.iter().find(|set| set.name.name() == "right").unwrap();
        let found = worst_cases(fused, &rows);
        let shown: Vec<_> = found
            .iter()
            .map(|case| {
                (
                    case.id.subject.0.as_str(),
                    case.truth,
                    case.predicted,
                    case.views.iter().map(|view| view.row).collect::<Vec<_>>(),
                )
            })
            .collect();
        assert_eq!(shown, [("3", A, D, vec![2, 4]), ("1", A, B, vec![3, 0])]);
    }

    #[test]
    fn images_without_a_view_are_cases_of_their_own() {
        use DensityClass::{A, B};
        let rows = [row("1", None, A, [0.9, 0.1, 0.0, 0.0]), row("1", None, B, [0.8, 0.1, 0.1, 0.0])];
        let sets = EvaluationSet::of_rows(&rows, Fusion::Mean).unwrap();
        let found = worst_cases(&sets[0], &rows);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].truth, found[0].views[0].row), (B, 1));
    }
}
