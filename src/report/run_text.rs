//! One run as a block of text: its condition and its results so far.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};

use super::epoch_table::{epoch_header, epoch_row, learning_rate, seconds_text};
use mammoscope_domain::run::run_condition::{RunCondition, age_text};
use mammoscope_domain::run::run_records::{SlurmAttempt, TrainerFacts};
use mammoscope_domain::run::run_spec::RunSpec;
use mammoscope_domain::run::run_status::{BestEpoch, RunStatus};
use mammoscope_domain::run::run_summary::RunSummary;
use mammoscope_domain::text::counted::counted;
use mammoscope_domain::text::printable::{printable, printable_path};

/// The number of most recent epochs, warnings and left-out images that are shown.
const LAST: usize = 5;

/// Everything known about a run; unreadable parts are `None`.
#[derive(Clone, Copy, Debug)]
pub struct RunFacts<'a> {
    pub name: &'a str,
    pub condition: Option<&'a RunCondition>,
    pub spec: Option<&'a RunSpec>,
    pub status: Option<&'a RunStatus>,
    pub summary: &'a RunSummary,
    /// One line for each unreadable part.
    pub problems: &'a [String],
}

/// The block, for 80 columns; ages are relative to `now`.
#[must_use]
pub fn run_text(facts: &RunFacts<'_>, now: DateTime<Utc>) -> String {
    let RunFacts { name, condition, spec, status, summary, problems } = *facts;
    let mut text = format!("{}\n", printable(name));
    let mut line = |title: &str, value: &str| {
        let _ = writeln!(text, "  {title:<12}{value}");
    };
    line("state", &condition.map_or_else(|| "unknown".to_owned(), ToString::to_string));
    if let Some(spec) = spec {
        line(
            "training",
            &format!("{}, preset {}, group {}", spec.view, printable(&spec.preset), printable(&spec.group)),
        );
    }
    if let Some(moved) = summary.moves.last() {
        let [from, to] = [&moved.from, &moved.to].map(|folder| printable_path(folder));
        line("data", &format!("{to}, moved from {from}"));
    }
    for change in &summary.changes {
        line("changed", &printable(&change.to_string()));
    }
    if let Some(trainer) = &summary.trainer {
        line("trainer", &trainer_text(trainer));
    }
    if let Some(setup) = &summary.setup {
        let threads = counted(setup.threads, "thread");
        line("computed on", &format!("{}, {}, {threads}", printable(&setup.device), setup.precision));
        line("images", &format!("{} train, {} validation, {} test", setup.train, setup.validation, setup.test));
    }
    let (epoch, epochs) = status.map_or((summary.epoch, summary.epochs), |status| (status.epoch, status.epochs));
    let step = status.map_or(summary.step, |status| status.step);
    let per_epoch = status.map(|status| status.steps_per_epoch).filter(|steps| *steps > 0);
    line(
        "progress",
        &format!(
            "epoch {epoch} of {epochs}, step {step}{}",
            per_epoch.map(|steps| format!(", {steps} per epoch")).unwrap_or_default()
        ),
    );
    if let Some(status) = status.filter(|_| condition.is_some_and(RunCondition::is_active)) {
        let speed = status.images_per_s.map(|speed| format!("{speed:.1} images/s"));
        let left = status.eta_s.map(|seconds| format!("{} left", seconds_text(seconds)));
        let pace: Vec<String> = [speed, left].into_iter().flatten().collect();
        if !pace.is_empty() {
            line("pace", &pace.join(", "));
        }
    }
    if let Some(best) = &summary.best {
        line("best", &best_text(best));
    }
    if let Some(rate) = summary.learning_rate {
        let reductions = match summary.reductions.len() {
            0 => String::new(),
            count => format!(", reduced {}", if count == 1 { "once".to_owned() } else { format!("{count} times") }),
        };
        line("rate", &format!("{}{reductions}", learning_rate(rate)));
    }
    if let Some(last) = summary.checkpoints.last() {
        let age = age_text(now - last.time);
        line("checkpoint", &format!("{} at step {}, {age} ago", printable(&last.file), last.step));
    }
    for evaluation in &summary.evaluations {
        let kappa = evaluation.kappa_linear.map_or_else(String::new, |kappa| format!(", linear kappa {kappa:.3}"));
        line(
            "evaluated",
            &format!(
                "{}: {}, accuracy {:.3}{kappa}",
                evaluation.split,
                counted(evaluation.images, "image"),
                evaluation.accuracy
            ),
        );
    }
    if let Some(error) = &summary.last_error {
        line("last error", &printable(&error.message));
    }
    let warnings = summary.warnings.iter().map(|warning| printable(&warning.message)).collect();
    let skipped =
        summary.skipped.iter().map(|skipped| format!("{}: {}", printable(&skipped.file), printable(&skipped.reason)));
    for (title, lines) in [
        ("warning", warnings),
        ("left out", skipped.collect::<Vec<_>>()),
        ("damaged", problems.iter().map(|problem| printable(problem)).collect()),
    ] {
        let earlier = lines.len().saturating_sub(LAST);
        if earlier > 0 {
            line(title, &format!("{} in all, the last {LAST}:", lines.len()));
        }
        for value in &lines[earlier..] {
            line(title, value);
        }
    }
    if !summary.records.is_empty() {
        text.push('\n');
        text.push_str(&epoch_header());
        for record in &summary.records[summary.records.len().saturating_sub(LAST)..] {
            text.push_str(&epoch_row(summary, record));
        }
    }
    text
}

fn trainer_text(trainer: &TrainerFacts) -> String {
    let TrainerFacts { pid, host, version, slurm } = trainer;
    let job = match slurm {
        Some(SlurmAttempt { job, restarts: 0 }) => format!(", Slurm job {}", printable(job)),
        Some(SlurmAttempt { job, restarts }) => format!(", Slurm job {}, restart {restarts}", printable(job)),
        None => String::new(),
    };
    format!("process {pid} on {}, version {}{job}", printable(host), printable(version))
}

/// `val_accuracy 0.796 at epoch 46`.
#[must_use]
pub fn best_text(best: &BestEpoch) -> String {
    format!("{} {:.3} at epoch {}", printable(&best.metric), best.value, best.epoch)
}
