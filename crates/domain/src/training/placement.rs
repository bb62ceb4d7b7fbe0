//! How many runs train side by side on a device, each with how many CPU threads.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::text::counted::counted;

/// The number of runs that train side by side on a device, and the CPU threads of each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Placement {
    /// Runs at the same time on this device.
    pub jobs: usize,
    /// CPU threads of each run.
    pub threads: usize,
    /// The candidates that were timed before the choice; empty if nothing had to be timed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub timed: Vec<TimedPlacement>,
}

/// A candidate that was timed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimedPlacement {
    /// Runs at the same time.
    pub jobs: usize,
    /// CPU threads of each.
    pub threads: usize,
    /// Training images per second of all runs together.
    pub images_per_s: f64,
}

impl Placement {
    /// `2 side by side, 1 thread each`, or `one at a time, 2 threads`.
    #[must_use]
    pub fn in_brief(&self) -> String {
        let threads = counted(self.threads, "thread");
        match self.jobs {
            1 => format!("one at a time, {threads}"),
            jobs => format!("{jobs} side by side, {threads} each"),
        }
    }

    /// The CPU threads with which a run reads its images, which any number of threads reads alike. If its own number was
    /// chosen because training is fastest with it, reading still gets the run's share of `cores`.
    #[must_use]
    pub fn reading_threads(&self, cores: usize) -> usize {
        let was_chosen = self.timed.iter().any(|timed| timed.threads != self.threads);
        if was_chosen { self.threads.max(cores / self.jobs.max(1)) } else { self.threads }
    }

    /// The timing of the choice.
    fn own_timing(&self) -> Option<&TimedPlacement> {
        self.timed.iter().find(|timed| (timed.jobs, timed.threads) == (self.jobs, self.threads))
    }
}

impl fmt::Display for Placement {
    /// `2 runs side by side, 1 thread each: 375 images/s (1 × 2 threads: 150, 1 × 1 thread: 170)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let threads = counted(self.threads, "thread");
        match self.jobs {
            1 => write!(f, "1 run at a time, {threads}")?,
            jobs => write!(f, "{jobs} runs side by side, {threads} each")?,
        }
        let Some(own) = self.own_timing() else { return Ok(()) };
        write!(f, ": {} images/s", speed_text(own.images_per_s))?;
        let others = self.timed.iter().filter(|timed| *timed != own);
        let others: Vec<String> = others.map(ToString::to_string).collect();
        if others.is_empty() { Ok(()) } else { write!(f, " ({})", others.join(", ")) }
    }
}

impl fmt::Display for TimedPlacement {
    /// `1 × 2 threads: 150`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let threads = counted(self.threads, "thread");
        write!(f, "{} × {threads}: {}", self.jobs, speed_text(self.images_per_s))
    }
}

/// Images per second with the digits that a short timing has.
fn speed_text(images_per_s: f64) -> String {
    let digits = if images_per_s < 1.0 { 2 } else { usize::from(images_per_s < 10.0) };
    format!("{images_per_s:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timed(jobs: usize, threads: usize, images_per_s: f64) -> TimedPlacement {
        TimedPlacement { jobs, threads, images_per_s }
    }

    #[test]
    fn images_are_read_with_all_cores_unless_threads_were_requested() {
        let chosen = Placement { jobs: 2, threads: 1, timed: vec![timed(1, 8, 10.0), timed(2, 1, 20.0)] };
        assert_eq!([chosen.reading_threads(8), chosen.reading_threads(1)], [4, 1]);
        let requested = Placement { timed: vec![timed(1, 1, 10.0), timed(2, 1, 20.0)], ..chosen };
        assert_eq!(requested.reading_threads(8), 1);
    }

    #[test]
    fn a_placement_is_described_in_a_line() {
        let all = vec![timed(1, 2, 150.4), timed(2, 1, 375.0), timed(1, 1, 9.96)];
        let mut placement = Placement { jobs: 2, threads: 1, timed: all };
        assert_eq!(
            placement.to_string(),
            "2 runs side by side, 1 thread each: 375 images/s (1 × 2 threads: 150, 1 × 1 thread: 10.0)"
        );
        assert_eq!(placement.in_brief(), "2 side by side, 1 thread each");
        placement.jobs = 1;
        placement.threads = 2;
        placement.timed.truncate(1);
        placement.timed[0].images_per_s = 0.456;
        assert_eq!(placement.to_string(), "1 run at a time, 2 threads: 0.46 images/s");
        placement.timed.clear();
        assert_eq!(
            (placement.to_string(), placement.in_brief()),
            ("1 run at a time, 2 threads".into(), "one at a time, 2 threads".into())
        );
    }
}
