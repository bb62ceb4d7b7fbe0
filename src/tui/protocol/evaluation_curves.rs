//! The curves of an evaluation, ready to be drawn.

use mammoscope_domain::metrics::calibration::ReliabilityBin;
use mammoscope_domain::metrics::roc::RankedScores;
use mammoscope_domain::metrics::threshold_curves::ThresholdCurves;
use mammoscope_domain::run::metric_series::MetricSeries;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::prediction::LabelledPrediction;

/// The points of a curve.
#[derive(Debug, Default)]
pub(in crate::tui) struct CurvePoints {
    /// The positions on the horizontal axis, ascending.
    pub(in crate::tui) places: Vec<f64>,
    pub(in crate::tui) series: MetricSeries,
}

impl FromIterator<(f64, f64)> for CurvePoints {
    fn from_iter<I: IntoIterator<Item = (f64, f64)>>(points: I) -> Self {
        let mut curve = Self::default();
        for (x, y) in points {
            curve.places.push(x);
            curve.series.push(y as f32);
        }
        curve
    }
}

/// ROC and precision–recall curve of one score.
#[derive(Debug)]
pub(in crate::tui) struct ScoreCurves {
    pub(in crate::tui) roc: CurvePoints,
    pub(in crate::tui) precision_recall: CurvePoints,
    /// The area under the ROC curve.
    pub(in crate::tui) area: Option<f64>,
    pub(in crate::tui) average_precision: f64,
    /// The share of positive cases.
    pub(in crate::tui) prevalence: f64,
}

/// The curves of a set; `None` without cases of both kinds.
#[derive(Debug, Default)]
pub(in crate::tui) struct SetCurves {
    /// Dense against non-dense, by P(C) + P(D).
    pub(in crate::tui) dense: Option<ScoreCurves>,
    /// Each class against the rest, by its probability.
    pub(in crate::tui) classes: [Option<ScoreCurves>; DensityClass::COUNT],
    /// Accuracy against confidence.
    pub(in crate::tui) reliability: CurvePoints,
}

impl SetCurves {
    /// The curves of some cases.
    pub(in crate::tui) fn of(cases: &[LabelledPrediction], bins: &[ReliabilityBin]) -> Self {
        let of_class = |class: DensityClass| {
            let score = |case: &LabelledPrediction| case.probabilities.of(class);
            score_curves(cases, score, |case| case.label == class)
        };
        Self {
            dense: score_curves(cases, dense_probability, |case| case.label.is_dense()),
            classes: DensityClass::ALL.map(of_class),
            reliability: bins.iter().map(|bin| (bin.confidence, bin.accuracy)).collect(),
        }
    }
}

fn score_curves(
    cases: &[LabelledPrediction],
    score: impl Fn(&LabelledPrediction) -> f64,
    is_positive: impl Fn(&LabelledPrediction) -> bool,
) -> Option<ScoreCurves> {
    let scores: Vec<f64> = cases.iter().map(score).collect();
    let ranked = RankedScores::new(&scores);
    let is_positive = |case: usize| is_positive(&cases[case]);
    let curves = ThresholdCurves::of(&ranked, is_positive)?;
    Some(ScoreCurves {
        roc: curves.roc().collect(),
        precision_recall: curves.precision_recall().collect(),
        area: ranked.area(is_positive, &vec![1; cases.len()]),
        average_precision: curves.average_precision(),
        prevalence: curves.prevalence(),
    })
}

fn dense_probability(case: &LabelledPrediction) -> f64 {
    case.probabilities.of(DensityClass::C) + case.probabilities.of(DensityClass::D)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mammoscope_domain::subject::probabilities::Probabilities;
    use mammoscope_domain::subject::subject_id::SubjectId;

    #[test]
    fn the_curves_rank_by_the_probability_of_their_classes() {
        let case = |label: DensityClass, probabilities: [f64; 4]| LabelledPrediction {
            subject: SubjectId("1".to_owned()),
            label,
            probabilities: Probabilities(probabilities),
        };
        let cases = [
            case(DensityClass::A, [0.6, 0.3, 0.1, 0.0]),
            case(DensityClass::C, [0.1, 0.2, 0.3, 0.4]),
            case(DensityClass::D, [0.0, 0.5, 0.4, 0.1]),
        ];
        let curves = SetCurves::of(&cases, &[]);
        assert_eq!(curves.dense.as_ref().and_then(|dense| dense.area), Some(1.0));
        assert_eq!(curves.classes[DensityClass::C.index()].as_ref().and_then(|class| class.area), Some(0.5));
        assert!(curves.classes[DensityClass::B.index()].is_none(), "there is no case of B");
        let roc = &curves.dense.unwrap().roc;
        assert_eq!((roc.places.len(), roc.places.last(), roc.series.values().last()), (4, Some(&1.0), Some(&1.0)));
    }
}
