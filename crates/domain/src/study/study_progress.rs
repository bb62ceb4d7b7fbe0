//! The progress of runs that belong together, in one line.

use std::fmt;

use chrono::TimeDelta;

use crate::run::run_condition::{RunCondition, duration_text};
use crate::run::run_status::{RunPhase, RunStatus};

/// How many runs are in which condition, and the estimated time until the last one ends.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StudyProgress {
    pub total: usize,
    pub completed: usize,
    /// A trainer works on them, or has paused.
    pub active: usize,
    pub queued: usize,
    pub failed: usize,
    /// Ended on request.
    pub stopped: usize,
    /// Ended by a signal.
    pub interrupted: usize,
    /// Recorded as active, although there is no sign of their trainer.
    pub stale: usize,
    /// Runs whose status cannot be read.
    pub unreadable: usize,
    /// The sum of the remaining seconds of the active runs that report them, and the number of those runs.
    remaining: (f64, usize),
    /// The sum of the seconds that those runs take from beginning to end.
    whole: f64,
    /// The longest of the remaining times.
    longest: f64,
}

impl StudyProgress {
    /// The progress of runs, each with its status and its condition; `None` for a status that cannot be read.
    #[must_use]
    pub fn of<'r>(runs: impl IntoIterator<Item = Option<(&'r RunStatus, &'r RunCondition)>>) -> Self {
        let mut progress = Self::default();
        for run in runs {
            progress.total += 1;
            match run {
                Some((status, condition)) => progress.count(status, condition),
                None => progress.unreadable += 1,
            }
        }
        progress
    }

    fn count(&mut self, status: &RunStatus, condition: &RunCondition) {
        let count = match condition.phase {
            _ if condition.stale.is_some() => &mut self.stale,
            RunPhase::Completed => &mut self.completed,
            RunPhase::Failed => &mut self.failed,
            RunPhase::Stopped => &mut self.stopped,
            RunPhase::Interrupted => &mut self.interrupted,
            RunPhase::Queued => &mut self.queued,
            RunPhase::Starting | RunPhase::Running | RunPhase::Paused | RunPhase::Stopping => &mut self.active,
        };
        *count += 1;
        if condition.is_active()
            && let Some(remaining) = status.eta_s.filter(|eta| eta.is_finite() && *eta >= 0.0)
        {
            let steps = status.steps_per_epoch.saturating_mul(u64::from(status.epochs)).max(1);
            let left = 1.0 - (status.step as f64 / steps as f64).min(1.0);
            self.remaining.0 += remaining;
            self.remaining.1 += 1;
            self.longest = self.longest.max(remaining);
            // At the very end a ratio of two small numbers says nothing.
            self.whole += if left > 0.01 { remaining / left } else { remaining };
        }
    }

    /// True if no run is active or waits for its turn.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.active == 0 && self.queued == 0
    }

    /// The estimated seconds until the last run ends, if as many stay active as now and those that wait take as long as
    /// the active ones. `None` if no active run reports its remaining time.
    #[must_use]
    pub fn remaining_seconds(&self) -> Option<f64> {
        let (remaining, reporting) = self.remaining;
        if reporting == 0 {
            return None;
        }
        let mean = self.whole / reporting as f64;
        let together = (remaining + mean * self.queued as f64) / reporting as f64;
        Some(together.max(self.longest))
    }

    /// The parts of the line, each with its importance: those of a higher number are left out first.
    fn parts(&self) -> Vec<(u8, String)> {
        let mut parts = vec![(0, format!("{}/{} done", self.completed, self.total))];
        let counts = [
            (1, self.active, "running"),
            (3, self.queued, "queued"),
            (0, self.failed, "failed"),
            (4, self.stopped, "stopped"),
            (2, self.interrupted, "interrupted"),
            (0, self.stale, "stale"),
            (2, self.unreadable, "damaged"),
        ];
        let counted = counts.into_iter().filter(|(_, count, _)| *count > 0);
        parts.extend(counted.map(|(importance, count, word)| (importance, format!("{count} {word}"))));
        if let Some(seconds) = self.remaining_seconds() {
            let remaining = TimeDelta::try_seconds(seconds as i64).unwrap_or(TimeDelta::MAX);
            parts.push((1, format!("ETA {}", duration_text(remaining))));
        }
        parts
    }

    /// The line without its less important parts, so that it has at most `characters` if that is possible.
    #[must_use]
    pub fn within(&self, characters: usize) -> String {
        let mut parts = self.parts();
        loop {
            let line = joined(&parts);
            let least = parts.iter().enumerate().rev().max_by_key(|(_, (importance, _))| *importance);
            match least {
                Some((place, (importance, _))) if *importance > 0 && line.chars().count() > characters => {
                    parts.remove(place);
                }
                _ => return line,
            }
        }
    }
}

fn joined(parts: &[(u8, String)]) -> String {
    parts.iter().map(|(_, part)| part.as_str()).collect::<Vec<_>>().join(" · ")
}

impl fmt::Display for StudyProgress {
    /// `37/60 done · 4 running · 18 queued · 1 failed · ETA 5 h`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&joined(&self.parts()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::run_condition::{Pulse, TrainerEvidence};
    use crate::run::run_status::STATUS_SCHEMA;
    use crate::subject::view::View;
    use chrono::DateTime;

    fn status(state: RunPhase, step: u64, eta_s: Option<f64>) -> RunStatus {
        let heartbeat = DateTime::from_timestamp(1_795_000_000, 0).unwrap();
        RunStatus {
            schema: STATUS_SCHEMA,
            state,
            reason: None,
            pid: Some(7),
            host: None,
            boot_id: None,
            group: String::new(),
            view: View::CcR,
            step,
            steps_per_epoch: 10,
            epoch: 0,
            epochs: 10,
            best: None,
            images_per_s: None,
            eta_s,
            heartbeat,
            updated: heartbeat,
        }
    }

    fn progress(runs: &[(RunStatus, TrainerEvidence)]) -> StudyProgress {
        let conditions: Vec<RunCondition> = runs
            .iter()
            .map(|(status, evidence)| RunCondition::new(&Pulse::at(status.heartbeat, None), status, *evidence))
            .collect();
        StudyProgress::of(runs.iter().zip(&conditions).map(|((status, _), condition)| Some((status, condition))))
    }

    #[test]
    fn the_line_counts_every_run_once() {
        use TrainerEvidence::{Alive, Gone};
        let runs = [
            (status(RunPhase::Completed, 100, None), Gone),
            (status(RunPhase::Running, 50, Some(3600.0)), Alive),
            (status(RunPhase::Running, 0, None), Gone),
            (status(RunPhase::Queued, 0, None), Alive),
            (status(RunPhase::Failed, 7, None), Gone),
        ];
        let progress = progress(&runs);
        // The active run is half done, and the queued one will take twice its remaining hour.
        assert_eq!(progress.to_string(), "1/5 done · 1 running · 1 queued · 1 failed · 1 stale · ETA 3 h");
        assert!(!progress.is_over());
        assert_eq!(progress.within(44), "1/5 done · 1 failed · 1 stale · ETA 3 h");
        assert_eq!(progress.within(5), "1/5 done · 1 failed · 1 stale", "what is wrong is never left out");
        assert_eq!(StudyProgress::of([None, None]).to_string(), "0/2 done · 2 damaged");
    }

    #[test]
    fn runs_side_by_side_share_the_waiting_ones() {
        let running = || (status(RunPhase::Running, 0, Some(100.0)), TrainerEvidence::Alive);
        let queued = || (status(RunPhase::Queued, 0, None), TrainerEvidence::Alive);
        let seconds = |runs: &[_]| progress(runs).remaining_seconds();
        assert_eq!(seconds(&[running(), running(), queued(), queued()]), Some(200.0));
        assert_eq!(seconds(&[running(), running()]), Some(100.0));
        assert_eq!(seconds(&[queued()]), None, "nothing is known of its speed");
    }
}
