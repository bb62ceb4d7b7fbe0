//! Notices about training runs that end while the workbench is open.

use crate::tui::protocol::effect::{Effect, Notice, Tone};
use crate::tui::protocol::run_list::{RunList, RunRow};
use mammoscope_domain::run::run_condition::{RunCondition, Staleness};
use mammoscope_domain::run::run_status::RunPhase;
use mammoscope_domain::text::counted::counted;
use mammoscope_domain::text::printable::printable;
use mammoscope_storage::runs::run_dir::RunDir;

/// The runs that a trainer is working on.
pub(super) fn active_runs(runs: &RunList) -> Vec<RunDir> {
    runs.active().map(|row| row.run.clone()).collect()
}

/// A notice and a signal, if one of the runs that were active has ended. A run that has vanished was removed by someone.
pub(super) fn effects_of_ends(active_before: &[RunDir], runs: &RunList) -> Vec<Effect> {
    let rows = active_before.iter().filter_map(|run| runs.rows.get(runs.position(run)?));
    let ended: Vec<(&RunRow, &RunCondition)> = rows
        .filter_map(|row| Some((row, row.condition.as_ref()?)))
        .filter(|(_, condition)| is_end(condition))
        .collect();
    let text = match ended[..] {
        [] => return Vec::new(),
        [(row, condition)] => format!("{}: {condition}", printable(&row.run.name())),
        _ => {
            let failed = ended.iter().filter(|(_, condition)| tone(condition) != Tone::Done).count();
            let all = format!("{} ended", counted(ended.len(), "run"));
            if failed == 0 { all } else { format!("{all}, {failed} of them before completion") }
        }
    };
    let worst = [Tone::Failed, Tone::Warning, Tone::Neutral];
    let worst = worst.into_iter().find(|worst| ended.iter().any(|(_, condition)| tone(condition) == *worst));
    vec![Effect::Notice(Notice { text: text.clone(), tone: worst.unwrap_or(Tone::Done) }), Effect::SignalRunEnd(text)]
}

/// True if the run has no trainer any more. Silence alone is not an end: a trainer on another host may report again.
fn is_end(condition: &RunCondition) -> bool {
    condition.phase.is_over() || matches!(condition.stale, Some(Staleness::ProcessGone | Staleness::HostRestarted))
}

fn tone(condition: &RunCondition) -> Tone {
    match condition.phase {
        _ if condition.stale.is_some() => Tone::Warning,
        RunPhase::Completed => Tone::Done,
        RunPhase::Failed => Tone::Failed,
        _ => Tone::Neutral,
    }
}
