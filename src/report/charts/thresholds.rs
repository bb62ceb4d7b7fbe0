//! ROC and precision–recall curves: dense against non-dense, and each class against the rest.

use super::axes::{Axis, Legend, Line, cell, csv, line_chart, number};
use super::palette::{FAINT, FOUR, INK};
use super::{Chart, ChartFault};
use mammoscope_domain::metrics::evaluation_set::EvaluationSet;
use mammoscope_domain::metrics::roc::RankedScores;
use mammoscope_domain::metrics::threshold_curves::ThresholdCurves;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::prediction::LabelledPrediction;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThresholdChart {
    Roc,
    PrecisionRecall,
}

/// A score and its curves.
struct Score {
    label: String,
    curves: ThresholdCurves,
    area: f64,
}

fn score(
    label: &str,
    cases: &[LabelledPrediction],
    value: impl Fn(&LabelledPrediction) -> f64,
    is_positive: impl Fn(&LabelledPrediction) -> bool,
) -> Option<Score> {
    let values: Vec<f64> = cases.iter().map(value).collect();
    let ranked = RankedScores::new(&values);
    let is_positive = |case: usize| is_positive(&cases[case]);
    let curves = ThresholdCurves::of(&ranked, is_positive)?;
    let area = ranked.area(is_positive, &vec![1; cases.len()])?;
    Some(Score { label: label.to_owned(), curves, area })
}

/// The ROC and the precision–recall chart of a set; none if all of its cases are of one class.
pub fn threshold_charts(set: &EvaluationSet) -> Result<Vec<Chart>, ChartFault> {
    let cases = &set.cases;
    let probability = |class: DensityClass| move |case: &LabelledPrediction| case.probabilities.of(class);
    let dense =
        |case: &LabelledPrediction| case.probabilities.of(DensityClass::C) + case.probabilities.of(DensityClass::D);
    let mut scores: Vec<(Score, _, u32)> = DensityClass::ALL
        .into_iter()
        .filter_map(|class| {
            let found = score(class.letter(), cases, probability(class), |case| case.label == class)?;
            Some((found, FOUR[class.index()], 3))
        })
        .collect();
    scores.extend(score("dense", cases, dense, |case| case.label.is_dense()).map(|score| (score, INK, 6)));
    if scores.is_empty() {
        return Ok(Vec::new());
    }
    [ThresholdChart::Roc, ThresholdChart::PrecisionRecall].into_iter().map(|kind| chart(kind, set, &scores)).collect()
}

fn chart(
    kind: ThresholdChart,
    set: &EvaluationSet,
    scores: &[(Score, plotters::style::RGBColor, u32)],
) -> Result<Chart, ChartFault> {
    let figure = |score: &Score| match kind {
        ThresholdChart::Roc => score.area,
        ThresholdChart::PrecisionRecall => score.curves.average_precision(),
    };
    let points = |score: &Score| -> Vec<(f64, f64)> {
        match kind {
            ThresholdChart::Roc => without_midpoints(&score.curves.roc().collect::<Vec<_>>()),
            ThresholdChart::PrecisionRecall => score.curves.precision_recall().collect(),
        }
    };
    let mut lines: Vec<Line> = scores
        .iter()
        .map(|(score, color, width)| Line {
            label: format!("{} {:.3}", score.label, figure(score)),
            color: *color,
            width: *width,
            points: points(score),
            marks: Vec::new(),
        })
        .collect();
    let (short, title, axes, legend) = match kind {
        ThresholdChart::Roc => {
            let chance = vec![(0.0, 0.0), (1.0, 1.0)];
            lines.insert(0, Line { label: String::new(), color: FAINT, width: 1, points: chance, marks: Vec::new() });
            ("roc", "ROC curves", ("false-positive rate", "true-positive rate"), Legend::LowerRight)
        }
        ThresholdChart::PrecisionRecall => {
            ("precision-recall", "Precision–recall curves", ("recall", "precision"), Legend::LowerLeft)
        }
    };
    let name = format!("{short}-{}", set.name);
    let svg = line_chart(&name, (760, 700), (&Axis::share(axes.0), &Axis::share(axes.1)), &lines, legend)?;
    let what = if kind == ThresholdChart::Roc { "area under the curve" } else { "average precision" };
    let listed: Vec<String> =
        scores.iter().map(|(score, ..)| format!("{} {:.3}", spoken(&score.label), figure(score))).collect();
    let lines = scores.iter().flat_map(|(score, ..)| {
        let points: Vec<(f64, f64)> = match kind {
            ThresholdChart::Roc => score.curves.roc().collect(),
            ThresholdChart::PrecisionRecall => score.curves.precision_recall().collect(),
        };
        points.into_iter().map(|(x, y)| [cell(set.name), score.label.clone(), number(x), number(y)])
    });
    Ok(Chart {
        title: format!("{title}, {}", set.name),
        description: format!(
            "{title} of {}, each class against the rest, and dense (C or D) against non-dense. The {what}: {}.",
            set.name,
            listed.join(", ")
        ),
        svg,
        csv: csv(["set", "score", &axes.0.replace([' ', '-'], "_"), &axes.1.replace([' ', '-'], "_")], lines),
        name,
    })
}

fn spoken(label: &str) -> String {
    if label.len() == 1 { format!("class {label}") } else { label.to_owned() }
}

/// The curve without points on a horizontal or vertical line between their neighbours.
fn without_midpoints(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let is_corner = |at: usize| {
        let (Some(before), Some(after)) = (at.checked_sub(1).map(|at| points[at]), points.get(at + 1)) else {
            return true;
        };
        let here = points[at];
        let same = |one: f64, two: f64, three: f64| one.to_bits() == two.to_bits() && two.to_bits() == three.to_bits();
        !(same(before.0, here.0, after.0) || same(before.1, here.1, after.1))
    };
    (0..points.len()).filter(|&at| is_corner(at)).map(|at| points[at]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use mammoscope_domain::metrics::evaluation_set::SetName;
    use mammoscope_domain::subject::probabilities::Probabilities;
    use mammoscope_domain::subject::subject_id::SubjectId;

    fn set(cases: &[(DensityClass, [f64; 4])]) -> EvaluationSet {
        let case = |(label, probabilities): &(DensityClass, [f64; 4])| LabelledPrediction {
            subject: SubjectId("1".to_owned()),
            label: *label,
            probabilities: Probabilities(*probabilities),
        };
        let cases = cases.iter().map(case).collect();
        EvaluationSet { name: SetName::Total, cases, examinations: Vec::new(), missing_views: None }
    }

    #[test]
    fn charts_have_a_curve_for_each_class_with_cases() {
        let cases = [
            (DensityClass::A, [0.6, 0.3, 0.1, 0.0]),
            (DensityClass::C, [0.1, 0.2, 0.3, 0.4]),
            (DensityClass::D, [0.0, 0.5, 0.4, 0.1]),
        ];
        let [roc, precision] = &threshold_charts(&set(&cases)).unwrap()[..] else { panic!("two charts") };
        assert_eq!((roc.name.as_str(), precision.name.as_str()), ("roc-total", "precision-recall-total"));
        let areas = "The area under the curve: class A 1.000, class C 0.500, class D 0.500, dense 1.000.";
        assert!(roc.description.ends_with(areas), "{}", roc.description);
        assert!(roc.csv.starts_with("set,score,false_positive_rate,true_positive_rate\ntotal,A,0,0\n"), "{}", roc.csv);
        assert!(threshold_charts(&set(&cases[..1])).unwrap().is_empty());
    }

    #[test]
    fn corners_are_kept() {
        let points = [(0.0, 0.0), (0.0, 0.5), (0.0, 1.0), (0.5, 1.0), (1.0, 1.0)];
        assert_eq!(without_midpoints(&points), [(0.0, 0.0), (0.0, 1.0), (1.0, 1.0)]);
    }
}
