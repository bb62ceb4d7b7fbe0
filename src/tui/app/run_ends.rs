//! Notices about training runs that end while the workbench is open.

use crate::tui::protocol::effect::{Effect, Notice, Tone};
use crate::tui::protocol::run_list::{RunList, RunRow};
use crate::tui::protocol::run_names::title;
use mammoscope_domain::run::run_condition::{RunCondition, Staleness};
use mammoscope_domain::run::run_status::RunPhase;
use mammoscope_domain::text::counted::counted;
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
        [(row, condition)] => format!("{}: {condition}", title(row)),
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

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    fn list(rows: &[(&str, RunPhase, Option<Staleness>)]) -> RunList {
        let row = |(name, phase, stale): &(&str, RunPhase, Option<Staleness>)| RunRow {
            run: RunDir::new(format!("/density/runs/{name}")),
            spec: None,
            status: None,
            condition: Some(RunCondition {
                phase: *phase,
                stale: *stale,
                silence: TimeDelta::zero(),
                is_doubtful: false,
                clock_offset: None,
                reason: (*phase == RunPhase::Failed).then(|| "loss became NaN at step 12".to_owned()),
                job: None,
            }),
            problem: None,
            labels: None,
        };
        RunList { rows: rows.iter().map(row).collect(), listed: true, problem: None }
    }

    /// The notice after all these runs were active.
    fn notice(rows: &[(&str, RunPhase, Option<Staleness>)]) -> Option<(String, Tone)> {
        let before: Vec<_> = rows.iter().map(|(name, ..)| (*name, RunPhase::Running, None)).collect();
        let effects = effects_of_ends(&active_runs(&list(&before)), &list(rows));
        match &effects[..] {
            [] => None,
            [Effect::Notice(Notice { text, tone }), Effect::SignalRunEnd(signal)] => {
                assert_eq!(text, signal);
                Some((text.clone(), *tone))
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_end_is_noted_with_its_outcome() {
        let (running, completed) = (("a", RunPhase::Running, None), ("b", RunPhase::Completed, None));
        assert_eq!(notice(&[running]), None);
        assert_eq!(notice(&[running, completed]), Some(("b: completed · just now".to_owned(), Tone::Done)));
        let failed = ("c", RunPhase::Failed, None);
        let expected = ("c: failed · loss became NaN at step 12".to_owned(), Tone::Failed);
        assert_eq!(notice(&[running, failed]), Some(expected));
        let several = notice(&[completed, failed, ("d", RunPhase::Stopped, None)]);
        assert_eq!(several, Some(("3 runs ended, 2 of them before completion".to_owned(), Tone::Failed)));
        assert_eq!(notice(&[completed, ("d", RunPhase::Stopped, None)]).unwrap().1, Tone::Neutral);
    }

    #[test]
    fn silence_is_not_an_end_but_a_lost_process_is() {
        assert_eq!(notice(&[("a", RunPhase::Running, Some(Staleness::Silent))]), None);
        let lost = notice(&[("a", RunPhase::Running, Some(Staleness::ProcessGone))]);
        assert_eq!(lost.unwrap().1, Tone::Warning);
    }

    #[test]
    fn a_run_that_had_ended_before_or_was_removed_is_not_noted() {
        let ended = list(&[("a", RunPhase::Completed, None)]);
        assert_eq!(effects_of_ends(&active_runs(&ended), &ended), []);
        let active = active_runs(&list(&[("a", RunPhase::Running, None)]));
        assert_eq!(effects_of_ends(&active, &list(&[])), []);
    }
}
