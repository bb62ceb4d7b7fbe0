//! The condition of a run: the phase its trainer reported last, and the evidence for or against it.

use std::fmt::{self, Write as _};

use chrono::{DateTime, TimeDelta, Utc};

use super::run_status::{RunPhase, RunStatus};
use crate::text::printable::printable;

/// The longest time without a heartbeat, although one is written every few seconds: network file systems may show files
/// that are a minute old, and clocks of hosts differ.
const TIMEOUT: TimeDelta = TimeDelta::seconds(120);
/// The largest error of a clock that is reckoned with, such as that of a time zone taken for another.
const LARGEST_OFFSET: TimeDelta = TimeDelta::hours(26);
/// Silence up to this is shown as `just now`.
const JUST_NOW: TimeDelta = TimeDelta::seconds(1);

/// The evidence for a trainer that a look at the run directory gives. The lock on the run proves a trainer; process IDs,
/// host names and times are hints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrainerEvidence {
    /// A process holds the run's lock, or the run is about to get its first trainer.
    Alive,
    /// No process holds the lock, and the trainer's process does not exist.
    Gone,
    /// No process holds the lock, although the process exists: it does something else, or trains the run that this is a
    /// copy of.
    Unheld,
    /// No process holds the lock, and the host was restarted since.
    HostRestarted,
    /// It cannot be seen from here: the trainer is on another host, or the file system has no locks.
    Unknown,
}

/// The times of a heartbeat as a reader sees them. The trainer, the file server and the reader each have a clock of their
/// own; where they disagree, only a heartbeat that changes between two looks proves life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pulse {
    /// The reader's time.
    pub now: DateTime<Utc>,
    /// The modification time of the status, by the clock of the file system.
    pub written: Option<DateTime<Utc>>,
    /// What the reader saw between two looks, by a clock of its own.
    pub movement: Movement,
}

/// What a reader has seen of a heartbeat between two looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Movement {
    /// It has not looked for long enough.
    Unknown,
    /// The heartbeat changed this long ago.
    Seen(TimeDelta),
    /// It does not change any more.
    Stopped,
}

impl Pulse {
    /// The pulse that a single look shows.
    #[must_use]
    pub const fn at(now: DateTime<Utc>, written: Option<DateTime<Utc>>) -> Self {
        Self { now, written, movement: Movement::Unknown }
    }

    /// The time since this heartbeat, and what it says about the trainer.
    fn silence(&self, heartbeat: DateTime<Utc>) -> (TimeDelta, Silence) {
        let by_trainer = self.now - heartbeat;
        let by_file = self.written.map_or(by_trainer, |written| self.now - written);
        let (one, other) = (Age::of(by_trainer), Age::of(by_file));
        let kind = match (one, other) {
            (Age::Fresh, Age::Fresh) => Silence::None,
            _ if self.movement == Movement::Stopped => Silence::Long,
            _ if matches!(self.movement, Movement::Seen(_)) => Silence::None,
            (Age::Old, Age::Old) if by_trainer.min(by_file) > LARGEST_OFFSET => Silence::Long,
            // Most likely the trainer has ended; the reader's clock may be ahead, though.
            (Age::Old | Age::Ahead, Age::Old) => Silence::ProbablyLong,
            _ => Silence::ProbablyNone,
        };
        let silence = match kind {
            Silence::None if (one, other) == (Age::Fresh, Age::Fresh) => by_trainer,
            Silence::None => self.since_movement().unwrap_or(by_trainer),
            Silence::ProbablyNone if one == Age::Fresh => by_trainer,
            Silence::ProbablyNone => by_file,
            Silence::ProbablyLong | Silence::Long => by_trainer.max(by_file),
        };
        (silence.max(TimeDelta::zero()), kind)
    }

    fn since_movement(&self) -> Option<TimeDelta> {
        if let Movement::Seen(since) = self.movement { Some(since) } else { None }
    }

    /// The time by which the trainer's clock is ahead, if it is by more than hosts usually differ: of the reader's clock if
    /// the heartbeat was seen to move, otherwise of the file system's.
    fn clock_offset(&self, heartbeat: DateTime<Utc>) -> Option<TimeDelta> {
        let reference = self.since_movement().map(|since| self.now - since).or(self.written)?;
        Some(heartbeat - reference).filter(|offset| offset.abs() > TIMEOUT)
    }
}

/// The age of a heartbeat by one clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Age {
    /// In the future by more than the clocks of hosts usually differ.
    Ahead,
    Fresh,
    Old,
}

impl Age {
    fn of(age: TimeDelta) -> Self {
        match age {
            age if age < -TIMEOUT => Self::Ahead,
            age if age > TIMEOUT => Self::Old,
            _ => Self::Fresh,
        }
    }
}

/// The silence of a trainer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Silence {
    /// The last heartbeat is recent.
    None,
    /// It is recent by one clock but not by another.
    ProbablyNone,
    /// It is old, but not older than a clock that is hours off would show it.
    ProbablyLong,
    /// It is old, or has stopped.
    Long,
}

/// The reason why the last reported phase is no longer credible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Staleness {
    /// The process does not exist.
    ProcessGone,
    /// No process holds the run's lock.
    NoTrainer,
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
    /// True if the clocks disagree, or may be wrong, so that only a second look can tell whether the heartbeat moves.
    pub is_doubtful: bool,
    /// The time by which the trainer's clock is ahead, if that is much.
    pub clock_offset: Option<TimeDelta>,
    /// The trainer's reason.
    pub reason: Option<String>,
    /// The condition in words, joined with what the cluster's scheduler says about the run's job; shown instead of the
    /// trainer's own words.
    pub job: Option<String>,
}

impl RunCondition {
    /// The condition of a run with this status. A heartbeat a little in the future counts as just now.
    #[must_use]
    pub fn new(pulse: &Pulse, status: &RunStatus, evidence: TrainerEvidence) -> Self {
        let phase = status.state;
        let (silence, kind) = pulse.silence(status.heartbeat);
        let silent = matches!(kind, Silence::Long | Silence::ProbablyLong);
        let stale = match evidence {
            _ if phase.is_over() => None,
            TrainerEvidence::Gone => Some(Staleness::ProcessGone),
            TrainerEvidence::Unheld => Some(Staleness::NoTrainer),
            TrainerEvidence::HostRestarted => Some(Staleness::HostRestarted),
            // A queued run has no heartbeat, however long it waits.
            TrainerEvidence::Alive | TrainerEvidence::Unknown if phase == RunPhase::Queued => None,
            TrainerEvidence::Alive => silent.then_some(Staleness::Hanging),
            TrainerEvidence::Unknown => silent.then_some(Staleness::Silent),
        };
        let depends_on_time = !phase.is_over()
            && phase != RunPhase::Queued
            && matches!(evidence, TrainerEvidence::Alive | TrainerEvidence::Unknown);
        Self {
            phase,
            stale,
            silence,
            is_doubtful: depends_on_time && matches!(kind, Silence::ProbablyNone | Silence::ProbablyLong),
            clock_offset: pulse.clock_offset(status.heartbeat).filter(|_| depends_on_time),
            reason: status.reason.clone(),
            job: None,
        }
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
        let mut text = match (self.stale, &self.reason) {
            (Some(stale), _) => {
                let evidence = match stale {
                    Staleness::ProcessGone => "process gone",
                    Staleness::NoTrainer => "no trainer holds it",
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
        if let Some(offset) = self.clock_offset {
            let direction = if offset > TimeDelta::zero() { "ahead" } else { "behind" };
            let _ = write!(text, ", its clock is {} {direction}", age_text(offset.abs()));
        }
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

    fn status(state: RunPhase, reason: Option<&str>, heartbeat: DateTime<Utc>) -> RunStatus {
        RunStatus {
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
        }
    }

    fn shown(state: RunPhase, reason: Option<&str>, silence_s: i64, evidence: TrainerEvidence) -> String {
        let now = DateTime::from_timestamp(1_795_000_000, 0).unwrap();
        let heartbeat = now - TimeDelta::seconds(silence_s);
        RunCondition::new(&Pulse::at(now, Some(heartbeat)), &status(state, reason, heartbeat), evidence).to_string()
    }

    #[test]
    fn a_condition_carries_its_evidence() {
        use RunPhase::{Completed, Failed, Paused, Queued, Running};
        use TrainerEvidence::{Alive, Gone, HostRestarted, Unheld, Unknown};
        let nan = Some("loss became NaN at step 5121");
        let cases = [
            (Running, None, 3, Alive, "running · 3 s ago"),
            (Running, None, 0, Unknown, "running · just now"),
            (Running, None, -100, Unknown, "running · just now"),
            (Running, None, 4, Unheld, "stale · 4 s, no trainer holds it"),
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
    fn where_clocks_disagree_a_heartbeat_that_moves_is_life() {
        use Movement::{Seen, Stopped, Unknown};

        let now = DateTime::from_timestamp(1_795_000_000, 0).unwrap();
        let at = |seconds: i64| now + TimeDelta::seconds(seconds);
        let seen = Seen(TimeDelta::seconds(2));
        // The heartbeat and the modification time in seconds from now, what was seen, the condition, and whether it needs a
        // second look.
        let cases = [
            (-3, Some(-3), Unknown, "running · 3 s ago", false),
            (3600, Some(-3), Unknown, "running · 3 s ago, its clock is 1 h ahead", true),
            (3600, Some(-3), seen, "running · 2 s ago, its clock is 1 h ahead", false),
            (3600, Some(-130), Unknown, "stale · 2 min, no heartbeat, its clock is 1 h 2 min ahead", true),
            (3600, Some(-130), Stopped, "stale · 2 min, no heartbeat, its clock is 1 h 2 min ahead", false),
            (-7200, Some(-1), Unknown, "running · just now, its clock is 1 h 59 min behind", true),
            (-7200, Some(-1), Stopped, "stale · 2 h, no heartbeat, its clock is 1 h 59 min behind", false),
            (-3, Some(-3600), Unknown, "running · 3 s ago, its clock is 59 min ahead", true),
            (3600, Some(3600), Unknown, "running · just now", true),
            (3600, Some(3600), Stopped, "stale · 0 s, no heartbeat", false),
            (3600, Some(3600), seen, "running · 2 s ago, its clock is 1 h ahead", false),
            (-3600, Some(-3600), Unknown, "stale · 1 h, no heartbeat", true),
            (-3600, Some(-3600), seen, "running · 2 s ago, its clock is 59 min behind", false),
            (-100 * 3600, Some(-100 * 3600), Unknown, "stale · 4 days, no heartbeat", false),
            (3600, None, Unknown, "running · just now", true),
            (-3600, None, Unknown, "stale · 1 h, no heartbeat", true),
        ];
        for (heartbeat, written, movement, expected, is_doubtful) in cases {
            let pulse = Pulse { now, written: written.map(at), movement };
            let status = status(RunPhase::Running, None, at(heartbeat));
            let condition = RunCondition::new(&pulse, &status, TrainerEvidence::Unknown);
            assert_eq!(condition.to_string(), expected, "{heartbeat} {written:?} {movement:?}");
            assert_eq!(condition.is_doubtful, is_doubtful, "{expected}");
        }
        let gone =
            RunCondition::new(&Pulse::at(now, None), &status(RunPhase::Running, None, at(3600)), TrainerEvidence::Gone);
        assert_eq!(
            (gone.to_string().as_str(), gone.is_doubtful),
            ("stale · 0 s, process gone", false),
            "the lock decides"
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
