//! The curves of a followed run, ready to be drawn, with its notes and summary.

use chrono::{DateTime, Utc};

use super::curve_search::CurveSearch;
use crate::tui::protocol::run_log::LogLine;
use crate::tui::protocol::runs::{RunNote, RunUpdate};
use mammoscope_domain::run::metric_series::{MetricSeries, MovingAverage};
use mammoscope_domain::run::run_records::StepReport;
use mammoscope_domain::run::run_summary::RunSummary;

/// A metric that is charted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum Metric {
    Loss,
    Accuracy,
    LearningRate,
    ImagesPerS,
    GradientNorm,
}

impl Metric {
    /// The most important first.
    pub(in crate::tui) const ALL: [Self; 5] =
        [Self::Loss, Self::Accuracy, Self::LearningRate, Self::ImagesPerS, Self::GradientNorm];

    pub(in crate::tui) const fn title(self) -> &'static str {
        match self {
            Self::Loss => "loss",
            Self::Accuracy => "accuracy",
            Self::LearningRate => "learning rate",
            Self::ImagesPerS => "images/s",
            Self::GradientNorm => "gradient norm",
        }
    }

    /// A short name.
    pub(in crate::tui) const fn brief(self) -> &'static str {
        match self {
            Self::Loss => "loss",
            Self::Accuracy => "acc",
            Self::LearningRate => "lr",
            Self::ImagesPerS => "images/s",
            Self::GradientNorm => "grad",
        }
    }

    fn of(self, point: &StepReport) -> f32 {
        let value = match self {
            Self::Loss => point.loss,
            Self::Accuracy => point.accuracy,
            Self::LearningRate => point.learning_rate,
            Self::ImagesPerS => point.images_per_s,
            Self::GradientNorm => point.gradient_norm,
        };
        value as f32
    }

    /// True for a measured metric, which is smoothed.
    pub(in crate::tui) fn is_noisy(self) -> bool {
        self != Self::LearningRate
    }
}

/// The quantity on the horizontal axis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::tui) enum XAxis {
    #[default]
    Steps,
    Epochs,
    Time,
}

impl XAxis {
    pub(in crate::tui) const fn title(self) -> &'static str {
        match self {
            Self::Steps => "steps",
            Self::Epochs => "epochs",
            Self::Time => "time",
        }
    }

    pub(in crate::tui) const fn next(self) -> Self {
        match self {
            Self::Steps => Self::Epochs,
            Self::Epochs => Self::Time,
            Self::Time => Self::Steps,
        }
    }
}

/// The positions of points on each horizontal axis.
#[derive(Clone, Debug, Default)]
pub(in crate::tui) struct Places {
    steps: Vec<f64>,
    epochs: Vec<f64>,
    seconds: Vec<f64>,
}

impl Places {
    fn push(&mut self, step: u64, epoch: f64, seconds: f64) {
        // A clock that was set back must not reverse the axis.
        let last = self.seconds.last().copied().unwrap_or(0.0);
        self.steps.push(step as f64);
        self.epochs.push(epoch);
        self.seconds.push(seconds.max(last));
    }

    fn truncate(&mut self, length: usize) {
        self.steps.truncate(length);
        self.epochs.truncate(length);
        self.seconds.truncate(length);
    }

    pub(in crate::tui) fn on(&self, axis: XAxis) -> &[f64] {
        match axis {
            XAxis::Steps => &self.steps,
            XAxis::Epochs => &self.epochs,
            XAxis::Time => &self.seconds,
        }
    }
}

/// The curves of a run.
#[derive(Debug, Default)]
pub(in crate::tui) struct RunCurves {
    pub(in crate::tui) summary: Option<Box<RunSummary>>,
    pub(in crate::tui) notes: Vec<RunNote>,
    pub(in crate::tui) log: Vec<LogLine>,
    pub(in crate::tui) problems: Vec<String>,
    /// The positions of the step reports.
    pub(in crate::tui) places: Places,
    pub(super) raw: [MetricSeries; 5],
    smooth: [MetricSeries; 5],
    averages: Option<[MovingAverage; 5]>,
    smoothing: f64,
    /// The positions of the ends of epochs.
    pub(in crate::tui) epoch_places: Places,
    pub(in crate::tui) val_loss: MetricSeries,
    pub(in crate::tui) val_accuracy: MetricSeries,
    pub(super) search: CurveSearch,
}

impl RunCurves {
    /// Applies an update.
    pub(in crate::tui) fn apply(&mut self, update: RunUpdate) {
        if update.is_restart {
            self.notes.clear();
            self.search = CurveSearch::default();
        }
        self.notes.extend(update.notes);
        self.problems = update.problems;
        if let Some(log) = update.log {
            self.log = log;
        }
        let length = self.places.steps.len();
        if update.kept < length {
            self.places.truncate(update.kept);
            self.raw.iter_mut().for_each(|series| series.truncate(update.kept));
            self.reset_averages();
            self.reset_search();
        }
        let summary = update.summary;
        let started = summary.started.or(update.steps.first().map(|point| point.time));
        let since = |time: DateTime<Utc>| started.map_or(0.0, |started| (time - started).as_seconds_f64().max(0.0));
        let per_epoch = summary.setup.as_ref().map(|setup| setup.steps_per_epoch.max(1) as f64);
        let epoch_of = |step: u64, epoch: u32| per_epoch.map_or(f64::from(epoch), |per_epoch| step as f64 / per_epoch);
        for point in &update.steps {
            self.places.push(point.step, epoch_of(point.step, point.epoch), since(point.time));
            for (series, metric) in self.raw.iter_mut().zip(Metric::ALL) {
                series.push(metric.of(point));
            }
        }
        self.epoch_places = Places::default();
        (self.val_loss, self.val_accuracy) = Default::default();
        for record in &summary.records {
            let metrics = &record.metrics;
            self.epoch_places.push(metrics.step, epoch_of(metrics.step, metrics.epoch), since(record.time));
            self.val_loss.push(metrics.val_loss.map_or(f32::NAN, |loss| loss as f32));
            self.val_accuracy.push(metrics.val_accuracy.map_or(f32::NAN, |accuracy| accuracy as f32));
        }
        self.summary = Some(summary);
        self.continue_averages();
        self.continue_search();
    }

    /// Sets the decay factor of the moving average.
    pub(in crate::tui) fn set_smoothing(&mut self, smoothing: f64) {
        if (self.smoothing - smoothing).abs() > f64::EPSILON {
            self.smoothing = smoothing;
            self.reset_averages();
        }
        self.continue_averages();
    }

    fn reset_averages(&mut self) {
        self.smooth = Default::default();
        self.averages = None;
    }

    /// Extends the averages to the last report.
    fn continue_averages(&mut self) {
        if self.smoothing <= 0.0 {
            return;
        }
        let averages = self.averages.get_or_insert([MovingAverage::new(self.smoothing); 5]);
        for ((raw, smooth), average) in self.raw.iter().zip(&mut self.smooth).zip(averages) {
            for value in &raw.values()[smooth.len()..] {
                smooth.push(average.next(*value));
            }
        }
    }

    /// The reported values of a metric.
    pub(in crate::tui) fn raw(&self, metric: Metric) -> &MetricSeries {
        &self.raw[metric as usize]
    }

    /// The moving average of a metric, if it is smoothed.
    pub(in crate::tui) fn smooth(&self, metric: Metric) -> Option<&MetricSeries> {
        let smooth = &self.smooth[metric as usize];
        (self.smoothing > 0.0 && metric.is_noisy() && smooth.len() == self.raw(metric).len()).then_some(smooth)
    }

    /// The values of a metric on the validation images, if there are any.
    pub(in crate::tui) fn validation(&self, metric: Metric) -> Option<&MetricSeries> {
        let series = match metric {
            Metric::Loss => &self.val_loss,
            Metric::Accuracy => &self.val_accuracy,
            _ => return None,
        };
        series.extent(0..series.len()).map(|_| series)
    }

    /// The end of the curves on an axis.
    pub(in crate::tui) fn end(&self, axis: XAxis) -> f64 {
        let last = |places: &Places| places.on(axis).last().copied().unwrap_or(0.0);
        last(&self.places).max(last(&self.epoch_places))
    }

    /// True if a position on an axis is between the ends of the curves.
    pub(in crate::tui) fn covers(&self, axis: XAxis, place: f64) -> bool {
        (0.0..=self.end(axis)).contains(&place)
    }

    /// The position of a step on an axis.
    pub(in crate::tui) fn place_of(&self, step: u64, axis: XAxis) -> f64 {
        let steps = &self.places.steps;
        if axis == XAxis::Steps || steps.is_empty() {
            return step as f64;
        }
        let at = steps.partition_point(|other| *other < step as f64).min(steps.len() - 1);
        self.places.on(axis)[at]
    }

    /// The index of the report nearest to a position on an axis.
    pub(in crate::tui) fn nearest(&self, axis: XAxis, place: f64) -> Option<usize> {
        nearest(self.places.on(axis), place)
    }

    /// The index of the epoch whose end is nearest to a position on an axis.
    pub(in crate::tui) fn nearest_epoch(&self, axis: XAxis, place: f64) -> Option<usize> {
        nearest(self.epoch_places.on(axis), place)
    }
}

fn nearest(places: &[f64], place: f64) -> Option<usize> {
    let right = places.partition_point(|other| *other < place);
    let left = right.saturating_sub(1);
    let right = right.min(places.len().checked_sub(1)?);
    Some(if place - places[left] <= places[right] - place { left } else { right })
}
