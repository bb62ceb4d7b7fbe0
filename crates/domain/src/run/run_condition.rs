//! How a run is, as a reader may believe it: what its trainer said, and the evidence for it.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};

use super::run_status::{RunPhase, RunStatus};
use crate::text::printable::printable;

/// How long a trainer that says every few seconds that it lives may be silent. Network file systems show files that are
/// a minute old, and clocks of hosts differ.
const TIMEOUT: TimeDelta = TimeDelta::seconds(120);
/// What is as good as now.
const JUST_NOW: TimeDelta = TimeDelta::seconds(1);

/// What a look at the process says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessEvidence {
    /// It exists.
    Alive,
    /// It does not.
    Gone,
    /// Its host was started anew since.
    HostRestarted,
    /// It is on another host, or nobody knows which it is.
    Unknown,
}

/// Why what the trainer said last cannot be believed any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Staleness {
    /// Its process does not exist.
    ProcessGone,
    /// Its host was started anew.
    HostRestarted,
    /// It exists, but has not said for long that it lives.
    Hanging,
    /// It has not said for long that it lives, and cannot be looked at from here.
    Silent,
}

/// How a run is. Shown, it carries its evidence: `running · 3 s ago`, `stale · 12 min, process gone`,
/// `failed · loss became NaN at step 5121`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunCondition {
    /// What the trainer said last.
    pub phase: RunPhase,
    /// Why that cannot be believed, where it cannot.
    pub stale: Option<Staleness>,
    /// Since the trainer's last word; never below zero.
    pub silence: TimeDelta,
    /// Why, in the trainer's words.
    pub reason: Option<String>,
}

impl RunCondition {
    /// How a run with this status is at `now`. A heartbeat in the future, of a host whose clock is ahead, is just now.
    #[must_use]
    pub fn new(now: DateTime<Utc>, status: &RunStatus, evidence: ProcessEvidence) -> Self {
        let phase = status.state;
        let silence = (now - status.heartbeat).max(TimeDelta::zero());
        let silent = silence > TIMEOUT;
        let stale = match evidence {
            _ if phase.is_over() => None,
            ProcessEvidence::Gone => Some(Staleness::ProcessGone),
            ProcessEvidence::HostRestarted => Some(Staleness::HostRestarted),
            // A run that waits for its turn has nothing to say, however long that takes.
            ProcessEvidence::Alive | ProcessEvidence::Unknown if phase == RunPhase::Queued => None,
            ProcessEvidence::Alive => silent.then_some(Staleness::Hanging),
            ProcessEvidence::Unknown => silent.then_some(Staleness::Silent),
        };
        Self { phase, stale, silence, reason: status.reason.clone() }
    }

    /// The state for those who read only one word: the phase, or `stale`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        if self.stale.is_some() { "stale" } else { self.phase.name() }
    }

    /// Whether a trainer works on it now.
    #[must_use]
    pub fn is_at_work(&self) -> bool {
        self.stale.is_none() && !self.phase.is_over() && self.phase != RunPhase::Queued
    }

    /// Whether a trainer may yet read a request: it works on the run, or will, or cannot be looked at from here. A
    /// silent one on another host counts, since clocks of hosts differ.
    #[must_use]
    pub fn may_have_trainer(&self) -> bool {
        !self.phase.is_over() && matches!(self.stale, None | Some(Staleness::Hanging | Staleness::Silent))
    }
}

impl fmt::Display for RunCondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match (self.stale, &self.reason) {
            (Some(stale), _) => {
                let evidence = match stale {
                    Staleness::ProcessGone => "process gone",
                    Staleness::HostRestarted => "host restarted",
                    Staleness::Hanging => "process hangs",
                    Staleness::Silent => "no word from its host",
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

/// How long ago something was, for people: [`duration_text`] without seconds from one minute on, and without minutes from
/// two hours on, so that a screen full of ages stands still.
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
            (Running, None, 720, Unknown, "stale · 12 min, no word from its host"),
            (Running, None, 720, Alive, "stale · 12 min, process hangs"),
            (Queued, None, 36_000, Alive, "queued · 10 h ago"),
            (Queued, None, 36_000, Gone, "stale · 10 h, process gone"),
            (Failed, nan, 90, Gone, "failed · loss became NaN at step 5121"),
            (Completed, None, 260_000, Gone, "completed · 3 days ago"),
        ];
        for (state, reason, silence_s, evidence, expected) in cases {
            assert_eq!(shown(state, reason, silence_s, evidence), expected);
        }
        assert_eq!(shown(Failed, Some("a\u{1b}[2J"), 0, Gone), "failed · a\\u{1b}[2J", "a reason drives no terminal");
    }

    #[test]
    fn durations_for_people() {
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
