//! The curves of a followed run, ready to be drawn, with its notes and summary.

use super::curve_search::CurveSearch;
use super::metric::Metric;
use super::places::{Places, XAxis};
use crate::report::run_csv::epochs_until;
use crate::tui::protocol::run_log::LogLine;
use crate::tui::protocol::runs::{RunHashes, RunNote, RunUpdate};
use mammoscope_domain::run::machine_record::MachineRecord;
use mammoscope_domain::run::metric_series::{MetricSeries, MovingAverage};
use mammoscope_domain::run::run_clock::RunClock;
use mammoscope_domain::run::run_summary::RunSummary;

/// The curves of a run.
#[derive(Debug, Default)]
pub(in crate::tui) struct RunCurves {
    pub(in crate::tui) summary: Option<Box<RunSummary>>,
    pub(in crate::tui) notes: Vec<RunNote>,
    pub(in crate::tui) log: Vec<LogLine>,
    pub(in crate::tui) problems: Vec<String>,
    pub(in crate::tui) hashes: Option<RunHashes>,
    /// The positions of the step reports.
    pub(in crate::tui) places: Places,
    pub(super) raw: [MetricSeries; 5],
    machine: MachineCurves,
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
        self.hashes = update.hashes.or(self.hashes.take());
        if let Some(log) = update.log {
            self.log = log;
        }
        let steps = self.places.on(XAxis::Steps);
        let valid = steps.partition_point(|step| (*step as u64) < update.valid_below);
        if valid < steps.len() {
            self.places.truncate(valid);
            self.raw.iter_mut().for_each(|series| series.truncate(valid));
            self.reset_averages();
            self.reset_search();
        }
        let summary = update.summary;
        let per_epoch = summary.setup.as_ref().map(|setup| setup.steps_per_epoch.max(1) as f64);
        let epoch_of = |step: u64, epoch: u32| epochs_until(&summary, step, epoch);
        for point in &update.steps {
            self.places.push(point.step, epoch_of(point.step, point.epoch), point.elapsed.as_seconds_f64());
            for (series, metric) in self.raw.iter_mut().zip(Metric::OF_STEPS) {
                series.push(metric.of_step(point).unwrap_or(f32::NAN));
            }
        }
        if update.is_machine_restart {
            self.machine = MachineCurves::default();
        }
        if let (Some(started), false) = (summary.started, self.machine.clock.is_running()) {
            self.machine.clock = RunClock::started(started);
        }
        for record in &update.machine {
            let epoch = per_epoch.map_or(0.0, |per_epoch| record.step as f64 / per_epoch);
            self.machine.push(record, epoch);
        }
        self.epoch_places = Places::default();
        (self.val_loss, self.val_accuracy) = Default::default();
        for record in &*summary.records {
            let metrics = &record.metrics;
            self.epoch_places.push(
                metrics.step,
                epoch_of(metrics.step, metrics.epoch),
                record.elapsed.as_seconds_f64(),
            );
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

    /// The recorded values of a metric.
    pub(in crate::tui) fn raw(&self, metric: Metric) -> &MetricSeries {
        match Metric::OF_STEPS.iter().position(|other| *other == metric) {
            Some(at) => &self.raw[at],
            None => self.machine.series(metric),
        }
    }

    /// The positions of a metric's values.
    pub(in crate::tui) fn places_of(&self, metric: Metric) -> &Places {
        if Metric::OF_STEPS.contains(&metric) { &self.places } else { &self.machine.places }
    }

    /// True if the run has a finite value of a metric.
    pub(in crate::tui) fn has(&self, metric: Metric) -> bool {
        let series = self.raw(metric);
        series.extent(0..series.len()).is_some()
    }

    /// The moving average of a metric, if it is smoothed.
    pub(in crate::tui) fn smooth(&self, metric: Metric) -> Option<&MetricSeries> {
        let smooth = &self.smooth[Metric::OF_STEPS.iter().position(|other| *other == metric)?];
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
        let steps = self.places.on(XAxis::Steps);
        if axis == XAxis::Steps || steps.is_empty() {
            return step as f64;
        }
        let at = steps.partition_point(|other| *other < step as f64).min(steps.len() - 1);
        self.places.on(axis)[at]
    }

    /// The index of the report nearest to a position on an axis.
    pub(in crate::tui) fn nearest(&self, axis: XAxis, place: f64) -> Option<usize> {
        self.places.nearest(axis, place)
    }

    /// The index of the epoch whose end is nearest to a position on an axis.
    pub(in crate::tui) fn nearest_epoch(&self, axis: XAxis, place: f64) -> Option<usize> {
        self.epoch_places.nearest(axis, place)
    }
}

/// The load of the machine during the run.
#[derive(Debug, Default)]
struct MachineCurves {
    /// Its records have times of their own.
    clock: RunClock,
    places: Places,
    series: [MetricSeries; 5],
}

impl MachineCurves {
    fn series(&self, metric: Metric) -> &MetricSeries {
        let at = Metric::OF_MACHINE.iter().position(|other| *other == metric);
        &self.series[at.unwrap_or(0)]
    }

    fn push(&mut self, record: &MachineRecord, epoch: f64) {
        let seconds = self.clock.advance(record.time).as_seconds_f64();
        // What was recorded after the checkpoint that a run was resumed from is void, like its steps.
        let kept = self.places.on(XAxis::Steps).partition_point(|step| *step <= record.step as f64);
        self.places.truncate(kept);
        self.series.iter_mut().for_each(|series| series.truncate(kept));
        self.places.push(record.step, epoch, seconds);
        for (series, metric) in self.series.iter_mut().zip(Metric::OF_MACHINE) {
            series.push(metric.of_machine(record).unwrap_or(f32::NAN));
        }
    }
}
