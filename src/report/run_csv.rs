//! Runs, and the curves of runs, as CSV.

use chrono::{SecondsFormat, TimeDelta};

use super::csv_text::csv_text;
use mammoscope_domain::run::metric_series::MetricSeries;
use mammoscope_domain::run::run_condition::RunCondition;
use mammoscope_domain::run::run_labels::RunLabels;
use mammoscope_domain::run::run_records::{EpochMetrics, StepReport, Timed};
use mammoscope_domain::run::run_spec::RunSpec;
use mammoscope_domain::run::run_status::RunStatus;
use mammoscope_domain::run::run_summary::RunSummary;

/// The columns of a table of runs.
const COLUMNS: [&str; 19] = [
    "run",
    "name",
    "view",
    "preset",
    "state",
    "epoch",
    "epochs",
    "metric",
    "best",
    "best_epoch",
    "eta_s",
    "images_per_s",
    "created",
    "group",
    "study",
    "point",
    "data",
    "tags",
    "note",
];

/// What a line of the table is made of; unreadable parts are `None`.
#[derive(Clone, Copy, Debug)]
pub struct RunCsvFacts<'a> {
    pub run: &'a str,
    pub spec: Option<&'a RunSpec>,
    pub status: Option<&'a RunStatus>,
    pub condition: Option<&'a RunCondition>,
    pub labels: Option<&'a RunLabels>,
}

/// The table of runs, with a line for each.
#[must_use]
pub fn run_csv<'a>(runs: impl IntoIterator<Item = RunCsvFacts<'a>>) -> String {
    csv_text(COLUMNS, runs.into_iter().map(|facts| fields(&facts)))
}

fn fields(facts: &RunCsvFacts<'_>) -> [String; 19] {
    let RunCsvFacts { run, spec, status, condition, labels } = *facts;
    let text = |value: Option<String>| value.unwrap_or_default();
    let best = status.and_then(|status| status.best.as_ref());
    let study = spec.and_then(|spec| spec.study.as_ref());
    let active = status.filter(|_| condition.is_some_and(RunCondition::is_active));
    [
        run.to_owned(),
        text(labels.and_then(|labels| labels.name.clone())),
        text(spec.map(|spec| spec.view.to_string())),
        text(spec.map(|spec| spec.preset.clone())),
        condition.map_or("damaged", RunCondition::name).to_owned(),
        text(status.map(|status| status.epoch.to_string())),
        text(status.map(|status| status.epochs.to_string())),
        text(best.map(|best| best.metric.clone())),
        text(best.map(|best| best.value.to_string())),
        text(best.map(|best| best.epoch.to_string())),
        text(active.and_then(|status| status.eta_s).map(|seconds| format!("{seconds:.0}"))),
        text(active.and_then(|status| status.images_per_s).map(|rate| format!("{rate:.1}"))),
        text(spec.map(|spec| spec.created.to_rfc3339_opts(SecondsFormat::Secs, true))),
        text(spec.map(|spec| spec.group.clone())),
        text(study.map(|member| member.id.clone())),
        text(study.map(|member| member.point.to_string())),
        text(spec.map(|spec| spec.data.to_string_lossy().into_owned())),
        text(labels.map(RunLabels::tags_text)),
        text(labels.map(|labels| labels.note.clone())),
    ]
}

/// A curve of a run for a table.
#[derive(Clone, Copy, Debug)]
pub struct CsvCurve<'a> {
    pub run: &'a str,
    /// The metric, such as `loss` or `val loss`.
    pub metric: &'a str,
    /// Steps, epochs and seconds of each value.
    pub places: [&'a [f64]; 3],
    pub series: &'a MetricSeries,
}

/// The values of curves, one a line; values that are not finite are empty.
#[must_use]
pub fn curves_csv<'a>(curves: impl IntoIterator<Item = CsvCurve<'a>>) -> String {
    let lines = curves.into_iter().flat_map(|CsvCurve { run, metric, places: [steps, epochs, seconds], series }| {
        series.values().iter().enumerate().map(move |(at, value)| {
            let value = if value.is_finite() { value.to_string() } else { String::new() };
            let [step, epoch, seconds] = place(steps[at], epochs[at], seconds[at]);
            [run.to_owned(), metric.to_owned(), step, epoch, seconds, value]
        })
    });
    csv_text(["run", "metric", "step", "epoch", "seconds", "value"], lines)
}

fn place(step: f64, epoch: f64, seconds: f64) -> [String; 3] {
    [step.to_string(), format!("{epoch:.4}"), format!("{seconds:.3}")]
}

/// The epochs done after a step of an epoch, a fraction included where the steps of an epoch are known.
#[must_use]
pub fn epochs_until(summary: &RunSummary, step: u64, epoch: u32) -> f64 {
    let per_epoch = summary.setup.as_ref().map(|setup| setup.steps_per_epoch.max(1) as f64);
    per_epoch.map_or(f64::from(epoch), |per_epoch| step as f64 / per_epoch)
}

/// The columns of the history of runs: the places of curves, the metrics of reports, and those of epochs.
const HISTORY_COLUMNS: [&str; 16] = [
    "run",
    "event",
    "step",
    "epoch",
    "seconds",
    "loss",
    "accuracy",
    "learning_rate",
    "gradient_norm",
    "images_per_s",
    "train_loss",
    "train_accuracy",
    "val_loss",
    "val_accuracy",
    "val_kappa",
    "epoch_seconds",
];

/// The reports and the epochs of a run.
#[derive(Clone, Copy, Debug)]
pub struct CsvHistory<'a> {
    pub run: &'a str,
    pub summary: &'a RunSummary,
    /// Those that hold, in order.
    pub reports: &'a [Timed<StepReport>],
}

/// The history of runs, with a line for each report and for each epoch, in the order of their steps. What a line has no
/// value of, and values that are not finite, are empty.
#[must_use]
pub fn history_csv<'a>(runs: impl IntoIterator<Item = CsvHistory<'a>>) -> String {
    csv_text(HISTORY_COLUMNS, runs.into_iter().flat_map(|history| history_lines(&history)))
}

fn history_lines(CsvHistory { run, summary, reports }: &CsvHistory<'_>) -> Vec<[String; 16]> {
    let number = |value: f64| if value.is_finite() { value.to_string() } else { String::new() };
    let line = |event: &str, step: u64, epoch: u32, elapsed: TimeDelta, metrics: [Option<f64>; 11]| {
        let place = place(step as f64, epochs_until(summary, step, epoch), elapsed.as_seconds_f64());
        let mut fields = [(*run).to_owned(), event.to_owned()].into_iter().chain(place);
        let mut metrics = metrics.map(|metric| metric.map(number).unwrap_or_default()).into_iter();
        std::array::from_fn(|_| fields.next().or_else(|| metrics.next()).unwrap_or_default())
    };
    let mut lines: Vec<(u64, [String; 16])> = Vec::new();
    for Timed { elapsed, record, .. } in *reports {
        let StepReport { epoch, step, loss, accuracy, learning_rate, gradient_norm, images_per_s } = *record;
        let of_report = [loss, accuracy, learning_rate, gradient_norm, images_per_s].map(Some);
        let metrics = std::array::from_fn(|at| of_report.get(at).copied().flatten());
        lines.push((step, line("step_reported", step, epoch, *elapsed, metrics)));
    }
    for Timed { elapsed, record, .. } in &*summary.records {
        let EpochMetrics { epoch, step, train_loss, train_accuracy, val_loss, val_accuracy, val_kappa, learning_rate } =
            record.metrics;
        let metrics = [
            None,
            None,
            Some(learning_rate),
            None,
            None,
            Some(train_loss),
            Some(train_accuracy),
            val_loss,
            val_accuracy,
            val_kappa,
            Some(record.seconds),
        ];
        lines.push((step, line("epoch_ended", step, epoch, *elapsed, metrics)));
    }
    // The sort is stable: an epoch follows the report of its last step.
    lines.sort_by_key(|(step, _)| *step);
    lines.into_iter().map(|(_, line)| line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_quoted() {
        let labels = RunLabels {
            name: Some("the good one".to_owned()),
            tags: ["a".to_owned(), "b".to_owned()].into(),
            note: "three, \"four\"".to_owned(),
        };
        let facts = RunCsvFacts { run: "one", spec: None, status: None, condition: None, labels: Some(&labels) };
        let text = run_csv([facts]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0].split(',').count(), 19);
        assert_eq!(lines[1], "one,the good one,,,damaged,,,,,,,,,,,,,a b,\"three, \"\"four\"\"\"");
    }

    #[test]
    fn curves_have_a_line_for_each_value() {
        let mut series = MetricSeries::default();
        for value in [0.5, f32::NAN, -0.25] {
            series.push(value);
        }
        let curve = CsvCurve {
            run: "one",
            metric: "loss",
            places: [&[1.0, 2.0, 3.0], &[0.5, 1.0, 1.5], &[0.1, 0.2, 0.3]],
            series: &series,
        };
        assert_eq!(
            curves_csv([curve]),
            "run,metric,step,epoch,seconds,value\none,loss,1,0.5000,0.100,0.5\none,loss,2,1.0000,0.200,\n\
             one,loss,3,1.5000,0.300,-0.25\n"
        );
    }
}
