//! Learning curves: a metric of training and validation over the epochs of several runs.

use super::axes::{Axis, Legend, Line, cell, csv, line_chart, number};
use super::palette::of_view;
use super::{Chart, ChartFault};
use mammoscope_domain::run::run_records::EpochMetrics;
use mammoscope_domain::subject::view::View;
use mammoscope_domain::text::counted::counted;

/// The epochs of a run.
#[derive(Clone, Debug)]
pub struct LearningCurve {
    /// The run among those of the chart, as in `CC_R fold 2`.
    pub name: String,
    pub view: View,
    pub epochs: Vec<EpochMetrics>,
    /// The epoch of the best checkpoint.
    pub best: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LearningMetric {
    Loss,
    Accuracy,
    Kappa,
}

impl LearningMetric {
    pub const ALL: [Self; 3] = [Self::Loss, Self::Accuracy, Self::Kappa];

    const fn name(self) -> &'static str {
        match self {
            Self::Loss => "loss",
            Self::Accuracy => "accuracy",
            Self::Kappa => "kappa",
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Loss => "loss",
            Self::Accuracy => "accuracy",
            Self::Kappa => "quadratic kappa",
        }
    }

    fn of_training(self, metrics: &EpochMetrics) -> Option<f64> {
        match self {
            Self::Loss => Some(metrics.train_loss),
            Self::Accuracy => Some(metrics.train_accuracy),
            Self::Kappa => None,
        }
    }

    fn of_validation(self, metrics: &EpochMetrics) -> Option<f64> {
        match self {
            Self::Loss => metrics.val_loss,
            Self::Accuracy => metrics.val_accuracy,
            Self::Kappa => metrics.val_kappa,
        }
    }
}

/// The chart of a metric; `None` if no run has a value of it. Thin lines are training, thick ones validation, and a dot
/// marks the epoch of the best checkpoint.
pub fn learning_chart(metric: LearningMetric, curves: &[LearningCurve]) -> Result<Option<Chart>, ChartFault> {
    let values = |curve: &LearningCurve, of: fn(LearningMetric, &EpochMetrics) -> Option<f64>| -> Vec<(f64, f64)> {
        let points = curve.epochs.iter().map(|epoch| (f64::from(epoch.epoch), of(metric, epoch).unwrap_or(f64::NAN)));
        points.collect()
    };
    let mut lines = Vec::new();
    for (place, curve) in curves.iter().enumerate() {
        let color = of_view(curve.view);
        let training = values(curve, LearningMetric::of_training);
        lines.push(Line { label: String::new(), color, width: 2, points: training, marks: Vec::new() });
        let points = values(curve, LearningMetric::of_validation);
        let is_best =
            |point: &&(f64, f64)| curve.best.is_some_and(|best| point.0 as u32 == best) && point.1.is_finite();
        let marks = points.iter().filter(is_best).copied().collect();
        // A colour is a view, so that the runs of many folds share an entry.
        let is_first = curves[..place].iter().all(|earlier| earlier.view != curve.view);
        let label = if is_first { curve.view.to_string() } else { String::new() };
        lines.push(Line { label, color, width: 5, points, marks });
    }
    // A curve without any validation needs its legend at the training's line.
    for pair in lines.chunks_mut(2) {
        if pair[1].points.iter().all(|point| !point.1.is_finite()) {
            pair[0].label = std::mem::take(&mut pair[1].label);
        }
    }
    let finite = || lines.iter().flat_map(|line| &line.points).filter(|point| point.1.is_finite());
    if finite().next().is_none() {
        return Ok(None);
    }
    let last = finite().map(|point| point.0).fold(1.0, f64::max);
    let highest = finite().map(|point| point.1).fold(f64::NEG_INFINITY, f64::max);
    let lowest = finite().map(|point| point.1).fold(f64::INFINITY, f64::min);
    let (range, legend) = match metric {
        LearningMetric::Loss => (0.0..highest.max(1e-3) * 1.05, Legend::UpperRight),
        LearningMetric::Accuracy => (0.0..1.0, Legend::LowerRight),
        LearningMetric::Kappa => (lowest.min(0.0)..1.0, Legend::LowerRight),
    };
    let x =
        Axis { title: "epoch".to_owned(), range: 1.0_f64.min(last - 1.0)..last, format: |value| format!("{value:.0}") };
    let format: fn(f64) -> String =
        if highest >= 100.0 { |value| format!("{value:.0}") } else { |value| format!("{value:.1}") };
    let y = Axis { title: metric.title().to_owned(), range, format };
    let name = format!("learning-{}", metric.name());
    let svg = line_chart(&name, (960, 600), (&x, &y), &lines, legend)?;
    Ok(Some(Chart {
        title: format!("Learning curve: {}", metric.title()),
        description: description(metric, curves),
        svg,
        csv: numbers(metric, curves),
        name,
    }))
}

fn description(metric: LearningMetric, curves: &[LearningCurve]) -> String {
    let title = metric.title();
    let of_run = curves.iter().filter_map(|curve| {
        let last = curve.epochs.last()?;
        let figure = |value: Option<f64>| value.map_or_else(|| "none".to_owned(), |value| format!("{value:.3}"));
        let training = match metric {
            LearningMetric::Kappa => String::new(),
            _ => format!("training {}, ", figure(metric.of_training(last))),
        };
        let best = curve.best.map(|best| format!(", best checkpoint of epoch {best}")).unwrap_or_default();
        let validation = figure(metric.of_validation(last));
        Some(format!(
            "{}: {training}validation {validation} after {}{best}",
            curve.name,
            counted(curve.epochs.len(), "epoch")
        ))
    });
    let of_run: Vec<String> = of_run.take(8).collect();
    let more = if curves.len() > of_run.len() {
        format!("; and {} more", counted(curves.len() - of_run.len(), "run"))
    } else {
        String::new()
    };
    format!("Line chart of the {title} over the epochs. {}{more}.", of_run.join("; "))
}

fn numbers(metric: LearningMetric, curves: &[LearningCurve]) -> String {
    let lines = curves.iter().flat_map(|curve| {
        curve.epochs.iter().map(move |epoch| {
            let values = [metric.of_training(epoch), metric.of_validation(epoch)].map(number);
            let [training, validation] = values;
            [curve.name.clone(), cell(curve.view), cell(epoch.epoch), cell(epoch.step), training, validation]
        })
    });
    csv(["run", "view", "epoch", "step", "training", "validation"], lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(view: View, validation: bool) -> LearningCurve {
        let epoch = |epoch: u32| EpochMetrics {
            epoch,
            step: u64::from(epoch) * 10,
            train_loss: 1.5 / f64::from(epoch),
            train_accuracy: 0.5,
            val_loss: validation.then_some(1.0),
            val_accuracy: validation.then_some(0.25),
            val_kappa: None,
            learning_rate: 0.01,
        };
        LearningCurve { name: view.to_string(), view, epochs: (1..=3).map(epoch).collect(), best: Some(2) }
    }

    #[test]
    fn a_chart_says_what_it_shows() {
        let curves = [curve(View::CcR, true), curve(View::MloL, false)];
        let chart = learning_chart(LearningMetric::Loss, &curves).unwrap().unwrap();
        assert_eq!(
            chart.description,
            "Line chart of the loss over the epochs. CC_R: training 0.500, validation 1.000 after 3 epochs, best \
             checkpoint of epoch 2; MLO_L: training 0.500, validation none after 3 epochs, best checkpoint of epoch 2."
        );
        assert!(chart.svg.contains(">\nCC_R\n<") && chart.svg.contains(">\nMLO_L\n<"), "{}", chart.svg);
        assert_eq!(chart.svg.matches("<circle").count(), 1, "the best epoch of the run with validation");
        assert_eq!(chart.csv.lines().nth(1), Some("CC_R,CC_R,1,10,1.5,1"));
        assert_eq!(chart.csv.lines().nth(4), Some("MLO_L,MLO_L,1,10,1.5,"));
    }

    #[test]
    fn a_metric_without_values_has_no_chart() {
        assert_eq!(learning_chart(LearningMetric::Kappa, &[curve(View::CcR, true)]).unwrap(), None);
        assert_eq!(learning_chart(LearningMetric::Loss, &[]).unwrap(), None);
    }
}
