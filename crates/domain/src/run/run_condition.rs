//! The condition of a run: the phase its trainer reported last, and the evidence for or against it.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};

use super::run_status::{RunPhase, RunStatus};
use crate::text::printable::printable;

/// The longest time without a heartbeat, although one is written every few seconds: network file systems may show files
/// that are a minute old, and clocks of hosts differ.
const TIMEOUT: TimeDelta = TimeDelta::seconds(120);
/// Silence up to this is shown as `just now`.
const JUST_NOW: TimeDelta = TimeDelta::seconds(1);

/// The evidence that a look at the trainer's process gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessEvidence {
    /// The process exists.
    Alive,
    /// The process does not exist.
    Gone,
    /// The host was restarted since.
    HostRestarted,
    /// The process is on another host, or not known.
    Unknown,
}

/// The reason why the last reported phase is no longer credible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Staleness {
    /// The process does not exist.
    ProcessGone,
    /// The host was restarted.
    HostRestarted,
    /// The process exists, but the last heartbeat is old.
    Hanging,
    /// The last heartbeat is old, and the process cannot be examined from here.
    Silent,
}

/// The condition of a run. Its text includes the evidence: `running · 3 s ago`, `stale · 12 min, process gone`,
/// `failed · loss became NaN at step 5121`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunCondition {
    /// The phase reported last.
    pub phase: RunPhase,
    /// The reason why `phase` is no longer credible, if it is not.
    pub stale: Option<Staleness>,
    /// The time since the last heartbeat; never negative.
    pub silence: TimeDelta,
    /// The trainer's reason.
    pub reason: Option<String>,
    /// The condition in words, joined with what the cluster's scheduler says about the run's job; shown instead of the
    /// trainer's own words.
    pub job: Option<String>,
}

impl RunCondition {
    /// The condition at `now` of a run with this status. A heartbeat in the future, from a host whose clock is ahead, counts
    /// as just now.
    #[must_use]
    pub fn new(now: DateTime<Utc>, status: &RunStatus, evidence: ProcessEvidence) -> Self {
        let phase = status.state;
        let silence = (now - status.heartbeat).max(TimeDelta::zero());
        let silent = silence > TIMEOUT;
        let stale = match evidence {
            _ if phase.is_over() => None,
            ProcessEvidence::Gone => Some(Staleness::ProcessGone),
            ProcessEvidence::HostRestarted => Some(Staleness::HostRestarted),
            // A queued run has no heartbeat, however long it waits.
            ProcessEvidence::Alive | ProcessEvidence::Unknown if phase == RunPhase::Queued => None,
            ProcessEvidence::Alive => silent.then_some(Staleness::Hanging),
            ProcessEvidence::Unknown => silent.then_some(Staleness::Silent),
        };
        Self { phase, stale, silence, reason: status.reason.clone(), job: None }
    }

    /// The condition in one word: the phase, or `stale`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        if self.stale.is_some() { "stale" } else { self.phase.name() }
    }

    /// True if a trainer is working on the run now.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.stale.is_none() && !self.phase.is_over() && self.phase != RunPhase::Queued
    }

    /// True if a trainer may still read a request: it works on the run, or will, or cannot be examined from here. A silent
    /// trainer on another host counts, since clocks of hosts differ.
    #[must_use]
    pub fn may_have_trainer(&self) -> bool {
        !self.phase.is_over() && matches!(self.stale, None | Some(Staleness::Hanging | Staleness::Silent))
    }
}

impl fmt::Display for RunCondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(job) = &self.job {
            return f.pad(job);
        }
        let text = match (self.stale, &self.reason) {
            (Some(stale), _) => {
                let evidence = match stale {
                    Staleness::ProcessGone => "process gone",
                    Staleness::HostRestarted => "host restarted",
                    Staleness::Hanging => "process hangs",
                    Staleness::Silent => "no heartbeat",
                };
                format!("stale · {}, {evidence}", age_text(self.silence))
            }
            (None, Some(reason)) => format!("{} · {}", self.phase, printable(reason)),
            (None, None) if self.silence <= JUST_NOW => format!("{} · just now", self.phase),
            (None, None) => format!("{} · {} ago", self.phase, age_text(self.silence)),
        };
        f.pad(&text)
    }
}

/// A duration in one or two units, for people: `3 s`, `12 min`, `3 h 12 min`, `2 days`.
#[must_use]
pub fn duration_text(duration: TimeDelta) -> String {
    let seconds = duration.num_seconds().max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, 1..10) if seconds % 60 > 0 => format!("{minutes} min {} s", seconds % 60),
        (0, 0, _) => format!("{minutes} min"),
        (0, _, _) if minutes % 60 > 0 => format!("{hours} h {} min", minutes % 60),
        (0, _, _) => format!("{hours} h"),
        (1, _, _) => "1 day".to_owned(),
        _ => format!("{days} days"),
    }
}

/// An age for people: [`duration_text`] without seconds from one minute on, and without minutes from two hours on, so that
/// a screen full of ages changes rarely.
#[must_use]
pub fn age_text(age: TimeDelta) -> String {
    duration_text(match (age.num_hours(), age.num_minutes()) {
        (2.., _) => TimeDelta::hours(age.num_hours()),
        (_, 1..) => TimeDelta::minutes(age.num_minutes()),
        _ => age,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::run_status::STATUS_SCHEMA;
    use crate::subject::view::View;

    fn shown(state: RunPhase, reason: Option<&str>, silence_s: i64, evidence: ProcessEvidence) -> String {
        let now = DateTime::from_timestamp(1_795_000_000, 0).unwrap();
        let heartbeat = now - TimeDelta::seconds(silence_s);
        let status = RunStatus {
            schema: STATUS_SCHEMA,
            state,
            reason: reason.map(str::to_owned),
            pid: Some(7),
            host: Some("node3".to_owned()),
            boot_id: None,
            group: String::new(),
            view: View::CcR,
            step: 0,
            steps_per_epoch: 1,
            epoch: 0,
            epochs: 1,
            best: None,
            images_per_s: None,
            eta_s: None,
            heartbeat,
            updated: heartbeat,
        };
        RunCondition::new(now, &status, evidence).to_string()
    }

    #[test]
    fn a_condition_carries_its_evidence() {
        use ProcessEvidence::{Alive, Gone, HostRestarted, Unknown};
        use RunPhase::{Completed, Failed, Paused, Queued, Running};
        let nan = Some("loss became NaN at step 5121");
        let cases = [
            (Running, None, 3, Alive, "running · 3 s ago"),
            (Running, None, 0, Unknown, "running · just now"),
            (Running, None, -300, Unknown, "running · just now"),
            (Running, None, 100, Unknown, "running · 1 min ago"),
            (Running, None, 720, Gone, "stale · 12 min, process gone"),
            (Running, None, 1, Gone, "stale · 1 s, process gone"),
            (Paused, None, 7200, HostRestarted, "stale · 2 h, host restarted"),
            (Running, None, 720, Unknown, "stale · 12 min, no heartbeat"),
            (Running, None, 720, Alive, "stale · 12 min, process hangs"),
            (Queued, None, 36_000, Alive, "queued · 10 h ago"),
            (Queued, None, 36_000, Gone, "stale · 10 h, process gone"),
            (Failed, nan, 90, Gone, "failed · loss became NaN at step 5121"),
            (Completed, None, 260_000, Gone, "completed · 3 days ago"),
        ];
        for (state, reason, silence_s, evidence, expected) in cases {
            assert_eq!(shown(state, reason, silence_s, evidence), expected);
        }
        assert_eq!(
            shown(Failed, Some("a\u{1b}[2J"), 0, Gone),
            "failed · a\\u{1b}[2J",
            "control characters are escaped"
        );
    }

    #[test]
    fn durations_and_ages_are_short() {
        let cases =
            [(0, "0 s"), (59, "59 s"), (60, "1 min"), (61, "1 min 1 s"), (601, "10 min"), (11_520, "3 h 12 min")];
        for (seconds, expected) in cases {
            assert_eq!(duration_text(TimeDelta::seconds(seconds)), expected);
        }
        assert_eq!(duration_text(TimeDelta::seconds(86_400)), "1 day");
        assert_eq!(duration_text(TimeDelta::seconds(-5)), "0 s");
        assert_eq!(age_text(TimeDelta::seconds(119)), "1 min");
        assert_eq!(age_text(TimeDelta::seconds(470)), "7 min");
        assert_eq!(age_text(TimeDelta::minutes(100)), "1 h 40 min");
        assert_eq!(age_text(TimeDelta::minutes(170)), "2 h");
    }
}
