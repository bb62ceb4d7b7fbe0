//! One run as a block of text: how it is, and what it has come to.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};

use super::epoch_table::{epoch_header, epoch_row, learning_rate, seconds_text};
use super::tables::counted;
use mammoscope_domain::run::run_condition::{RunCondition, age_text};
use mammoscope_domain::run::run_spec::RunSpec;
use mammoscope_domain::run::run_state::RunState;
use mammoscope_domain::run::run_status::{BestEpoch, RunStatus};
use mammoscope_domain::text::printable::printable;

/// How many of the last epochs, warnings and left-out images are shown.
const LAST: usize = 5;

/// What is known of a run; what cannot be read is `None`.
#[derive(Clone, Copy, Debug)]
pub struct RunFacts<'a> {
    /// Its name.
    pub name: &'a str,
    /// How it is.
    pub condition: Option<&'a RunCondition>,
    /// What was asked for.
    pub spec: Option<&'a RunSpec>,
    /// What the trainer said last.
    pub status: Option<&'a RunStatus>,
    /// What the events add up to.
    pub state: &'a RunState,
    /// What of it cannot be read, in lines.
    pub problems: &'a [String],
}

/// The block, for 80 columns; `now` is for what is told as an age.
#[must_use]
pub fn run_text(facts: &RunFacts<'_>, now: DateTime<Utc>) -> String {
    let RunFacts { name, condition, spec, status, state, problems } = *facts;
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
    if let Some(trainer) = &state.trainer {
        line(
            "trainer",
            &format!(
                "process {} on {}, version {}",
                trainer.pid,
                printable(&trainer.host),
                printable(&trainer.version)
            ),
        );
    }
    if let Some(setting) = &state.setting {
        let threads = counted(setting.threads, "thread");
        line("computed on", &format!("{}, {}, {threads}", printable(&setting.device), setting.precision));
        line("images", &format!("{} train, {} validation, {} test", setting.train, setting.validation, setting.test));
    }
    let (epoch, epochs) = status.map_or((state.epoch, state.epochs), |status| (status.epoch, status.epochs));
    let step = status.map_or(state.step, |status| status.step);
    let per_epoch = status.map(|status| status.steps_per_epoch).filter(|steps| *steps > 0);
    line(
        "progress",
        &format!(
            "epoch {epoch} of {epochs}, step {step}{}",
            per_epoch.map(|steps| format!(", {steps} an epoch")).unwrap_or_default()
        ),
    );
    if let Some(status) = status.filter(|_| condition.is_some_and(RunCondition::is_at_work)) {
        let speed = status.images_per_s.map(|speed| format!("{speed:.1} images/s"));
        let left = status.eta_s.map(|seconds| format!("{} left", seconds_text(seconds)));
        let pace: Vec<String> = [speed, left].into_iter().flatten().collect();
        if !pace.is_empty() {
            line("pace", &pace.join(", "));
        }
    }
    if let Some(best) = &state.best {
        line("best", &best_text(best));
    }
    if let Some(rate) = state.learning_rate {
        let reductions = match state.reductions.len() {
            0 => String::new(),
            count => format!(", reduced {}", if count == 1 { "once".to_owned() } else { format!("{count} times") }),
        };
        line("rate", &format!("{}{reductions}", learning_rate(rate)));
    }
    if let Some(last) = state.checkpoints.last() {
        let age = age_text(now - last.time);
        line("checkpoint", &format!("{} at step {}, {age} ago", printable(&last.file), last.step));
    }
    for evaluation in &state.evaluations {
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
    if let Some(error) = &state.last_error {
        line("last error", &printable(&error.message));
    }
    let warnings = state.warnings.iter().map(|warning| printable(&warning.message)).collect();
    let skipped =
        state.skipped.iter().map(|skipped| format!("{}: {}", printable(&skipped.file), printable(&skipped.reason)));
    for (title, lines) in [
        ("warning", warnings),
        ("left out", skipped.collect::<Vec<_>>()),
        ("damaged", problems.iter().map(|problem| printable(problem)).collect()),
    ] {
        let earlier = lines.len().saturating_sub(LAST);
        if earlier > 0 {
            line(title, &format!("{} in all, of which the last {LAST}:", lines.len()));
        }
        for value in &lines[earlier..] {
            line(title, value);
        }
    }
    if !state.records.is_empty() {
        text.push('\n');
        text.push_str(&epoch_header());
        for record in &state.records[state.records.len().saturating_sub(LAST)..] {
            text.push_str(&epoch_row(state, record));
        }
    }
    text
}

/// `val_accuracy 0.796 at epoch 46`.
#[must_use]
pub fn best_text(best: &BestEpoch) -> String {
    format!("{} {:.3} at epoch {}", printable(&best.metric), best.value, best.epoch)
}
