//! A history shown under the curves, such as the published one of the reference.

use std::path::PathBuf;

use super::RunsScreen;
use super::curves::RunCurves;
use super::metric::Metric;
use super::places::XAxis;
use mammoscope_domain::run::metric_series::MetricSeries;
use mammoscope_storage::runs::history_files::ReferenceHistory;

/// A history shown under the curves.
#[derive(Debug)]
pub(super) struct Reference {
    /// Absolute, since the workbench may be started elsewhere the next time.
    pub(super) folder: PathBuf,
    /// Loss and accuracy on the training images, then on the validation images.
    series: [MetricSeries; 4],
}

/// A curve of the reference with its positions on the axis.
pub(super) struct ReferenceCurve<'a> {
    pub(super) places: Vec<f64>,
    pub(super) series: &'a MetricSeries,
    pub(super) is_validation: bool,
}

impl Reference {
    pub(super) fn new(folder: PathBuf, history: &ReferenceHistory) -> Self {
        let series = [&history.loss_train, &history.acc_train, &history.loss_val, &history.acc_val].map(|values| {
            let mut series = MetricSeries::default();
            for value in values {
                series.push(*value as f32);
            }
            series
        });
        Self { folder, series }
    }
}

impl RunsScreen {
    /// The reference curves of a chart. There are none over time, since the times of the epochs are unknown, and none
    /// until the number of steps per epoch of the selected run is known.
    pub(super) fn reference_curves(&self, metric: Metric) -> Vec<ReferenceCurve<'_>> {
        let series: [usize; 2] = match metric {
            Metric::Loss => [0, 2],
            Metric::Accuracy => [1, 3],
            _ => return Vec::new(),
        };
        let (Some(reference), Some(per_epoch)) = (&self.reference, self.units_per_epoch()) else { return Vec::new() };
        let curve = |at: usize| {
            let series = &reference.series[at];
            let places = (1..=series.len()).map(|epoch| epoch as f64 * per_epoch).collect();
            ReferenceCurve { places, series, is_validation: at >= 2 }
        };
        series.into_iter().map(curve).filter(|curve| !curve.places.is_empty()).collect()
    }

    /// The end of the reference on the axis.
    pub(super) fn end_of_reference(&self) -> f64 {
        let (Some(reference), Some(per_epoch)) = (&self.reference, self.units_per_epoch()) else { return 0.0 };
        reference.series.iter().map(MetricSeries::len).max().unwrap_or(0) as f64 * per_epoch
    }

    /// The length of an epoch of the selected run on the axis.
    fn units_per_epoch(&self) -> Option<f64> {
        let curves: &RunCurves = self.chosen.as_ref().and_then(|run| self.followed.curves.get(run))?;
        match self.view.axis {
            XAxis::Epochs => Some(1.0),
            XAxis::Steps => Some(curves.summary.as_ref()?.setup.as_ref()?.steps_per_epoch as f64),
            XAxis::Time => None,
        }
    }
}
