//! Runs, and the curves of runs, as CSV.

use chrono::SecondsFormat;

use mammoscope_domain::run::metric_series::MetricSeries;
use mammoscope_domain::run::run_condition::RunCondition;
use mammoscope_domain::run::run_labels::RunLabels;
use mammoscope_domain::run::run_spec::RunSpec;
use mammoscope_domain::run::run_status::RunStatus;

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
    table(COLUMNS, runs.into_iter().map(|facts| fields(&facts)))
}

fn table<const N: usize>(columns: [&str; N], lines: impl Iterator<Item = [String; N]>) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(columns).expect("memory takes every record of as many fields");
    for line in lines {
        writer.write_record(line).expect("memory takes every record of as many fields");
    }
    let bytes = writer.into_inner().expect("memory has no errors to flush");
    String::from_utf8(bytes).expect("text makes text")
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
            let [step, epoch, seconds] =
                [steps[at].to_string(), format!("{:.4}", epochs[at]), format!("{:.3}", seconds[at])];
            [run.to_owned(), metric.to_owned(), step, epoch, seconds, value]
        })
    });
    table(["run", "metric", "step", "epoch", "seconds", "value"], lines)
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
