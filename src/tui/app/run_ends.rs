//! Notices about training runs that end, are paused by a fault, or go stale while the workbench is open.

use crate::tui::protocol::effect::{Effect, Notice, Tone};
use crate::tui::protocol::run_list::{RunList, RunRow};
use crate::tui::protocol::run_names::title;
use mammoscope_domain::run::run_condition::RunCondition;
use mammoscope_domain::run::run_status::RunPhase;
use mammoscope_domain::text::counted::counted;
use mammoscope_storage::runs::run_dir::RunDir;

/// The runs that are to be watched: those that are not over.
pub(super) fn unfinished_runs(runs: &RunList) -> Vec<(RunDir, Watched)> {
    let watched = |row: &RunRow| Some((row.run.clone(), Watched::of(row.condition.as_ref()?)?));
    runs.rows.iter().filter_map(watched).collect()
}

/// What is known of a run that is not over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Watched {
    Queued,
    /// A trainer works on it.
    Active,
    /// Its trainer is paused, and gave a reason: not a request, but a fault.
    Held,
    /// Its trainer is gone or silent.
    Stale,
}

impl Watched {
    /// `None` for a run that is over.
    fn of(condition: &RunCondition) -> Option<Self> {
        Some(match condition.phase {
            phase if phase.is_over() => return None,
            _ if condition.stale.is_some() => Self::Stale,
            RunPhase::Queued => Self::Queued,
            RunPhase::Paused if condition.reason.is_some() => Self::Held,
            _ => Self::Active,
        })
    }
}

/// The runs whose silence has been noted, each with its step then: a heartbeat that comes and goes is noted once.
#[derive(Debug, Default)]
pub(super) struct NotedSilence(Vec<(RunDir, u64)>);

impl NotedSilence {
    /// True if the silence of a run is news; it is not from now on, until the run trains on.
    fn is_news(&mut self, row: &RunRow) -> bool {
        let step = row.status.as_ref().map_or(0, |status| status.step);
        let is_known = self.0.iter().any(|(run, noted)| *run == row.run && *noted == step);
        self.0.retain(|(run, _)| *run != row.run);
        self.0.push((row.run.clone(), step));
        !is_known
    }
}

/// A notice and a signal, if one of the runs that were not over has ended, was paused by a fault, or went stale. A run that
/// has vanished was removed or renamed by someone.
pub(super) fn effects_of_ends(before: &[(RunDir, Watched)], runs: &RunList, noted: &mut NotedSilence) -> Vec<Effect> {
    let mut news: Vec<(&RunRow, &RunCondition)> = Vec::new();
    for (run, earlier) in before {
        let Some(row) = runs.position(run).and_then(|at| runs.rows.get(at)) else { continue };
        let Some(condition) = row.condition.as_ref() else { continue };
        let is_news = match (Watched::of(condition), earlier) {
            (now, earlier) if now == Some(*earlier) => false,
            (Some(Watched::Stale), _) => noted.is_news(row),
            (None | Some(Watched::Held), _) => true,
            (Some(Watched::Active | Watched::Queued), _) => false,
        };
        if is_news {
            news.push((row, condition));
        }
    }
    let text = match news[..] {
        [] => return Vec::new(),
        [(row, condition)] => format!("{}: {condition}", title(row)),
        _ => summary(&news),
    };
    let worst = [Tone::Failed, Tone::Warning, Tone::Neutral];
    let worst = worst.into_iter().find(|worst| news.iter().any(|(_, condition)| tone(condition) == *worst));
    vec![Effect::Notice(Notice { text: text.clone(), tone: worst.unwrap_or(Tone::Done) }), Effect::Signal(text)]
}

/// Several runs in a few words.
fn summary(news: &[(&RunRow, &RunCondition)]) -> String {
    let count = |is: &dyn Fn(&RunCondition) -> bool| news.iter().filter(|(_, condition)| is(condition)).count();
    let ended = count(&|condition| condition.phase.is_over());
    let early = count(&|condition| condition.phase.is_over() && condition.phase != RunPhase::Completed);
    let stale = count(&|condition| condition.stale.is_some());
    let held = news.len() - ended - stale;
    let mut parts = Vec::new();
    if ended > 0 {
        parts.push(format!("{} ended", counted(ended, "run")));
    }
    if early > 0 {
        parts.push(format!("{early} of them before completion"));
    }
    for (number, what) in [(stale, "stale"), (held, "paused by a fault")] {
        if number > 0 {
            parts.push(if parts.is_empty() {
                format!("{} {what}", counted(number, "run"))
            } else {
                format!("{number} {what}")
            });
        }
    }
    parts.join(", ")
}

fn tone(condition: &RunCondition) -> Tone {
    match condition.phase {
        _ if condition.stale.is_some() => Tone::Warning,
        RunPhase::Paused => Tone::Warning,
        RunPhase::Completed => Tone::Done,
        RunPhase::Failed => Tone::Failed,
        _ => Tone::Neutral,
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use mammoscope_domain::run::run_condition::Staleness;

    use super::*;

    type Row<'t> = (&'t str, RunPhase, Option<Staleness>);

    fn list(rows: &[Row<'_>]) -> RunList {
        let row = |(name, phase, stale): &Row<'_>| RunRow {
            run: RunDir::new(format!("/density/runs/{name}")),
            spec: None,
            status: None,
            condition: Some(RunCondition {
                phase: *phase,
                stale: *stale,
                silence: TimeDelta::zero(),
                is_doubtful: false,
                clock_offset: None,
                reason: matches!(phase, RunPhase::Failed | RunPhase::Paused).then(|| "no space left".to_owned()),
                job: None,
            }),
            problem: None,
            labels: None,
        };
        RunList { rows: rows.iter().map(row).collect(), listed: true, problem: None }
    }

    /// The notice when the runs change from one list to another.
    fn change(before: &[Row<'_>], after: &[Row<'_>], noted: &mut NotedSilence) -> Option<(String, Tone)> {
        let effects = effects_of_ends(&unfinished_runs(&list(before)), &list(after), noted);
        match &effects[..] {
            [] => None,
            [Effect::Notice(Notice { text, tone }), Effect::Signal(signal)] => {
                assert_eq!(text, signal);
                Some((text.clone(), *tone))
            }
            other => panic!("{other:?}"),
        }
    }

    /// The notice after all these runs were active.
    fn notice(rows: &[Row<'_>]) -> Option<(String, Tone)> {
        let before: Vec<_> = rows.iter().map(|(name, ..)| (*name, RunPhase::Running, None)).collect();
        change(&before, rows, &mut NotedSilence::default())
    }

    #[test]
    fn an_end_is_noted_with_its_outcome() {
        let (running, completed) = (("a", RunPhase::Running, None), ("b", RunPhase::Completed, None));
        assert_eq!(notice(&[running]), None);
        assert_eq!(notice(&[running, completed]), Some(("b: completed · just now".to_owned(), Tone::Done)));
        let failed = ("c", RunPhase::Failed, None);
        assert_eq!(notice(&[running, failed]), Some(("c: failed · no space left".to_owned(), Tone::Failed)));
        let several = notice(&[completed, failed, ("d", RunPhase::Stopped, None)]);
        assert_eq!(several, Some(("3 runs ended, 2 of them before completion".to_owned(), Tone::Failed)));
        assert_eq!(notice(&[completed, ("d", RunPhase::Stopped, None)]).unwrap().1, Tone::Neutral);
        let mixed =
            notice(&[completed, ("d", RunPhase::Running, Some(Staleness::Silent)), ("e", RunPhase::Paused, None)]);
        assert_eq!(mixed, Some(("1 run ended, 1 stale, 1 paused by a fault".to_owned(), Tone::Warning)));
    }

    #[test]
    fn silence_is_noted_once_and_the_end_after_it_again() {
        let mut noted = NotedSilence::default();
        let running = [("a", RunPhase::Running, None)];
        let silent = [("a", RunPhase::Running, Some(Staleness::Silent))];
        assert_eq!(change(&running, &silent, &mut noted).unwrap().1, Tone::Warning);
        let gone = [("a", RunPhase::Running, Some(Staleness::ProcessGone))];
        assert_eq!(change(&silent, &gone, &mut noted), None, "it was stale before");
        assert_eq!(change(&gone, &running, &mut noted), None);
        assert_eq!(change(&running, &silent, &mut noted), None, "a heartbeat that comes and goes");
        let ended = [("a", RunPhase::Completed, None)];
        assert_eq!(change(&silent, &ended, &mut noted).unwrap().1, Tone::Done);
    }

    #[test]
    fn a_pause_with_a_reason_is_noted_and_a_requested_one_is_not() {
        let paused = [("a", RunPhase::Paused, None)];
        let mut noted = NotedSilence::default();
        let held = change(&[("a", RunPhase::Running, None)], &paused, &mut noted);
        assert_eq!(held, Some(("a: paused · no space left".to_owned(), Tone::Warning)));
        assert_eq!(change(&paused, &paused, &mut noted), None);
        let mut requested = list(&paused);
        requested.rows[0].condition.as_mut().unwrap().reason = None;
        let before = unfinished_runs(&list(&[("a", RunPhase::Running, None)]));
        assert_eq!(effects_of_ends(&before, &requested, &mut noted), []);
    }

    #[test]
    fn a_run_that_was_over_or_stale_before_or_was_removed_is_not_noted() {
        let ended = [("a", RunPhase::Completed, None), ("b", RunPhase::Running, Some(Staleness::ProcessGone))];
        let mut noted = NotedSilence::default();
        assert_eq!(change(&ended, &ended, &mut noted), None);
        assert_eq!(change(&[], &ended, &mut noted), None, "the first list");
        assert_eq!(change(&[("a", RunPhase::Running, None)], &[], &mut noted), None);
        assert!(change(&[("a", RunPhase::Queued, None)], &ended[..1], &mut noted).is_some(), "a short run");
    }
}
