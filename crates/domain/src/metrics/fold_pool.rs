//! The runs of a cross-validation: their figures fold by fold, beside those of all held-out images together.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::ser::Serializer;

use super::evaluation_set::{EvaluationSet, SetName};
use super::figures_of_merit::{FiguresOfMerit, PreparedCases};
use crate::subject::examination::InconsistentRows;
use crate::subject::fusion::Fusion;
use crate::subject::prediction::PredictionRow;
use crate::subject::view::View;

const FIGURES: usize = FiguresOfMerit::<f64>::COUNT;

/// The folds whose held-out images are evaluated together.
#[derive(Clone, Debug, Serialize)]
pub struct FoldPool {
    /// The name of the table of folds.
    pub file: String,
    /// SHA-256 of the table, in hexadecimal.
    pub sha256: String,
    /// All folds of the table.
    pub folds: Vec<u32>,
    /// The folds that no run holds out, by view; views without such folds are left out.
    pub missing: BTreeMap<View, Vec<u32>>,
    /// The sets that occur in some fold.
    #[serde(serialize_with = "by_name")]
    pub sets: Vec<FoldSpread>,
}

/// The figures of one set in each fold, and their spread.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FoldSpread {
    #[serde(skip)]
    pub name: SetName,
    /// The folds with cases, in ascending order.
    pub by_fold: Vec<FoldFigures>,
    /// Over the folds in which a figure is defined, each counted once; `None` if there is none.
    pub mean: FiguresOfMerit<Option<f64>>,
    /// The standard deviation between folds (n − 1); `None` with fewer than two.
    pub sd: FiguresOfMerit<Option<f64>>,
    pub min: FiguresOfMerit<Option<f64>>,
    pub max: FiguresOfMerit<Option<f64>>,
}

/// The figures of one set in one fold.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FoldFigures {
    pub fold: u32,
    pub n: usize,
    pub subjects: usize,
    #[serde(flatten)]
    pub figures: FiguresOfMerit<Option<f64>>,
}

impl FoldSpread {
    /// The spread of every set, from the rows of each fold.
    pub fn of_rows(by_fold: &BTreeMap<u32, Vec<PredictionRow>>, fusion: Fusion) -> Result<Vec<Self>, InconsistentRows> {
        let mut folds_of: Vec<(SetName, Vec<FoldFigures>)> = SetName::ALL.map(|name| (name, Vec::new())).into();
        for (&fold, rows) in by_fold {
            for set in EvaluationSet::of_rows(rows, fusion)?.into_iter().filter(|set| !set.cases.is_empty()) {
                let figures = PreparedCases::new(&set.cases).count_once().figures;
                let of_fold = FoldFigures { fold, n: set.cases.len(), subjects: set.subjects(), figures };
                if let Some((_, folds)) = folds_of.iter_mut().find(|(name, _)| *name == set.name) {
                    folds.push(of_fold);
                }
            }
        }
        let occurring = folds_of.into_iter().filter(|(_, folds)| !folds.is_empty());
        Ok(occurring.map(|(name, folds)| Self::of(name, folds)).collect())
    }

    fn of(name: SetName, by_fold: Vec<FoldFigures>) -> Self {
        let figures: Vec<[Option<f64>; FIGURES]> = by_fold.iter().map(|fold| fold.figures.to_array()).collect();
        let each = |statistic: &dyn Fn(&[f64]) -> Option<f64>| {
            FiguresOfMerit::from_array(std::array::from_fn(|place| {
                let values: Vec<f64> = figures.iter().filter_map(|of_fold| of_fold[place]).collect();
                statistic(&values)
            }))
        };
        Self {
            mean: each(&mean),
            sd: each(&standard_deviation),
            min: each(&|values| values.iter().copied().min_by(f64::total_cmp)),
            max: each(&|values| values.iter().copied().max_by(f64::total_cmp)),
            name,
            by_fold,
        }
    }
}

/// The mean; `None` without values.
pub(crate) fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// The standard deviation (n − 1); `None` with fewer than two values.
pub(crate) fn standard_deviation(values: &[f64]) -> Option<f64> {
    let mean = mean(values).filter(|_| values.len() > 1)?;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    Some((squares / (values.len() - 1) as f64).sqrt())
}

fn by_name<S: Serializer>(sets: &[FoldSpread], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(sets.iter().map(|set| (set.name.name(), set)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subject::density::DensityClass::{self, A, B};
    use crate::subject::probabilities::Probabilities;
    use crate::subject::subject_id::SubjectId;

    fn row(subject: u32, label: DensityClass, predicted: DensityClass) -> PredictionRow {
        let probabilities = if predicted == A { [0.7, 0.1, 0.1, 0.1] } else { [0.1, 0.7, 0.1, 0.1] };
        PredictionRow {
            file: format!("{subject}.png"),
            subject: SubjectId(subject.to_string()),
            exam: None,
            view: Some(View::CcR),
            label: Some(label),
            predicted,
            probabilities: Probabilities(probabilities),
        }
    }

    #[test]
    fn figures_are_averaged_over_folds() {
        let by_fold = BTreeMap::from([
            (1, vec![row(1, A, A), row(2, B, B)]),
            (2, vec![row(3, A, A), row(4, B, A)]),
            (3, vec![row(5, A, B), row(6, A, A), row(7, A, A), row(8, A, A)]),
        ]);
        let spread = FoldSpread::of_rows(&by_fold, Fusion::Mean).unwrap();
        let [spread] = &spread[..] else { panic!("one set: {spread:?}") };
        assert_eq!(spread.name, SetName::View(View::CcR));
        let accuracies: Vec<_> = spread.by_fold.iter().map(|fold| (fold.fold, fold.n, fold.figures.accuracy)).collect();
        assert_eq!(accuracies, [(1, 2, Some(1.0)), (2, 2, Some(0.5)), (3, 4, Some(0.75))]);
        assert_eq!((spread.mean.accuracy, spread.sd.accuracy), (Some(0.75), Some(0.25)));
        assert_eq!((spread.min.accuracy, spread.max.accuracy), (Some(0.5), Some(1.0)));
        // 1 in the first fold, 0 in the others; areas are undefined, since C and D are absent.
        assert_eq!(spread.mean.kappa_linear, Some((1.0 + 0.0 + 0.0) / 3.0));
        assert_eq!((spread.mean.auc_macro_ovr, spread.sd.auc_macro_ovr), (None, None));
        let json = serde_json::to_value(FoldPool {
            file: "f.csv".to_owned(),
            sha256: String::new(),
            folds: vec![1, 2, 3],
            missing: BTreeMap::from([(View::CcR, vec![3])]),
            sets: vec![spread.clone()],
        });
        let json = json.unwrap();
        assert_eq!(json["sets"]["CC_R"]["by_fold"][1]["accuracy"], 0.5);
        assert_eq!((&json["sets"]["CC_R"]["sd"]["accuracy"], &json["missing"]["CC_R"][0]), (&0.25.into(), &3.into()));
    }
}
