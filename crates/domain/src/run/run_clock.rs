//! The time that a run has taken, from events whose times are those of a clock that may be set.

use chrono::{DateTime, TimeDelta, Utc};

/// A clock that never goes back: it adds up the times between events, in the order of the file. Where the trainer's clock
/// was set back, no time has passed; a jump ahead looks like a pause, and counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunClock {
    last: Option<DateTime<Utc>>,
    elapsed: TimeDelta,
}

impl RunClock {
    /// A clock that starts at this time.
    #[must_use]
    pub fn started(time: DateTime<Utc>) -> Self {
        Self { last: Some(time), elapsed: TimeDelta::zero() }
    }

    /// True if an event has started it.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.last.is_some()
    }

    /// Advances to the next event, the first of which starts the clock. Returns the time elapsed then.
    pub fn advance(&mut self, time: DateTime<Utc>) -> TimeDelta {
        let passed = self.last.map_or(TimeDelta::zero(), |last| (time - last).max(TimeDelta::zero()));
        self.last = Some(time);
        self.elapsed = self.elapsed.checked_add(&passed).unwrap_or(self.elapsed);
        self.elapsed
    }

    /// The time from the first event to the last one.
    #[must_use]
    pub fn elapsed(&self) -> TimeDelta {
        self.elapsed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_set_back_takes_no_time_and_one_set_ahead_does() {
        let at = |seconds: i64| DateTime::from_timestamp(1_795_000_000 + seconds, 0).unwrap();
        let mut clock = RunClock::default();
        assert!(!clock.is_running());
        let elapsed: Vec<i64> = [0, 10, 20, 20 - 3600, 30 - 3600, 3630, 3640]
            .map(|second| clock.advance(at(second)).num_seconds())
            .to_vec();
        assert_eq!(elapsed, [0, 10, 20, 20, 30, 7230, 7240]);
        assert!(clock.is_running() && clock.elapsed() == TimeDelta::seconds(7240));
        assert_eq!(RunClock::started(at(0)).advance(at(5)), TimeDelta::seconds(5));
    }

    #[test]
    fn absurd_times_do_not_overflow() {
        let mut clock = RunClock::default();
        for time in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC].repeat(4) {
            clock.advance(time);
        }
        assert!(clock.elapsed() > TimeDelta::zero());
    }
}
