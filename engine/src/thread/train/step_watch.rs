//! Watches the pace of a run: a step that takes far longer than the others, or a reading that makes no progress.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use mammoscope_domain::run::run_condition::duration_text;

/// A step that takes this many times the median is reported.
const FACTOR: u32 = 20;
/// Nothing shorter is reported: a machine that does something else for a moment is no fault.
const SHORTEST: Duration = Duration::from_secs(30);
/// The time without any progress that is reported where there are no steps, as while images are read.
const WITHOUT_STEPS: Duration = Duration::from_secs(60);
/// The number of last steps of which the median is taken.
const REMEMBERED: usize = 101;

/// The pace of the current run.
#[derive(Debug)]
pub(super) struct StepWatch {
    last: Instant,
    /// The last steps, in a ring.
    steps: Vec<Duration>,
    next: usize,
    /// True while a step is under way, and not a validation or a pause.
    in_step: bool,
}

impl StepWatch {
    pub(super) fn new(now: Instant) -> Self {
        Self { last: now, steps: Vec::with_capacity(REMEMBERED), next: 0, in_step: false }
    }

    /// A step has ended, and the next one begins.
    pub(super) fn step(&mut self, now: Instant) {
        if self.in_step {
            let step = now.duration_since(self.last);
            if self.steps.len() < REMEMBERED {
                self.steps.push(step);
            } else {
                self.steps[self.next] = step;
            }
            self.next = (self.next + 1) % REMEMBERED;
        }
        (self.last, self.in_step) = (now, true);
    }

    /// Something other than a step has made progress: an image was read, a batch was evaluated, a pause continues.
    pub(super) fn other_progress(&mut self, now: Instant) {
        (self.last, self.in_step) = (now, false);
    }

    /// What is too slow now, in words; `None` if nothing is.
    #[must_use]
    pub(super) fn stall(&self, now: Instant) -> Option<String> {
        let silence = now.duration_since(self.last);
        let shown = |duration: Duration| duration_text(TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX));
        match self.median().filter(|_| self.in_step) {
            Some(median) if silence > (median * FACTOR).max(SHORTEST) => Some(format!(
                "a step has taken {} so far; half of the last ones took {:.2} s or less",
                shown(silence),
                median.as_secs_f64()
            )),
            Some(_) => None,
            None => (silence > WITHOUT_STEPS).then(|| format!("no progress for {}", shown(silence))),
        }
    }

    fn median(&self) -> Option<Duration> {
        let mut sorted = self.steps.clone();
        sorted.sort_unstable();
        sorted.get(sorted.len() / 2).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_of_twenty_times_the_median_is_reported_while_it_lasts() {
        let start = Instant::now();
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        let mut watch = StepWatch::new(start);
        assert_eq!(watch.stall(at(60)), None);
        assert_eq!(watch.stall(at(61)).as_deref(), Some("no progress for 1 min 1 s"), "while images are read");
        watch.other_progress(at(100));
        for second in 100..=110 {
            watch.step(at(second));
        }
        assert_eq!(watch.stall(at(140)), None, "20 steps, but only 30 s");
        let slow = watch.stall(at(141)).expect("a slow step");
        assert_eq!(slow, "a step has taken 31 s so far; half of the last ones took 1.00 s or less");
        // One slow step does not change the median, and a validation is not a step.
        watch.step(at(150));
        assert_eq!(watch.stall(at(151)), None);
        watch.other_progress(at(152));
        assert_eq!(watch.stall(at(212)), None);
        watch.step(at(300));
        watch.step(at(301));
        assert!(watch.stall(at(332)).is_some());

        // Slow steps are no stall of a slow network.
        let mut watch = StepWatch::new(start);
        for number in 0..REMEMBERED as u64 + 9 {
            watch.step(at(number * 10));
        }
        let end = (REMEMBERED as u64 + 8) * 10;
        assert_eq!((watch.stall(at(end + 200)), watch.stall(at(end + 201)).is_some()), (None, true));
    }
}
