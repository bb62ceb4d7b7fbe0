//! The search for the fastest placement of runs on a device: the candidates, their order, and the choice.

use std::collections::VecDeque;
use std::fmt;

use super::placement::{Placement, TimedPlacement};
use super::placement_limits::{Candidate, DeviceKind, PlacementLimits};

/// On a CPU, placements whose speeds differ by less than this share are equally fast: two timings of the same one do.
const CPU_NOISE: f64 = 0.02;
/// On a GPU, one more run side by side must add more than this share, since each takes memory.
const GPU_GAIN: f64 = 0.05;
/// The memory of a GPU that every process on it takes for itself, in bytes.
const GPU_PROCESS_BYTES: u64 = 600_000_000;

/// The memory of a device and of a run on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunMemory {
    /// The memory that one run needs, in bytes.
    pub needed: u64,
    /// The memory of the device that is available to runs, in bytes; `None` if unknown.
    pub available: Option<u64>,
}

/// A placement that was not timed because its runs would not fit into memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryShortage {
    /// The smallest number of runs that do not fit.
    pub jobs: usize,
    /// In bytes.
    pub needed: u64,
    /// In bytes; `None` if the runs were tried, and ran out of memory.
    pub available: Option<u64>,
}

impl fmt::Display for MemoryShortage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gigabytes = |bytes: u64| bytes as f64 / 1e9;
        write!(f, "{} runs side by side need about {:.1} GB of memory", self.jobs, gigabytes(self.needed))?;
        match self.available {
            Some(available) => write!(f, ", and {:.1} GB is available", gigabytes(available)),
            None => write!(f, ", and ran out of it"),
        }
    }
}

impl RunMemory {
    /// The shortage of memory if `jobs` runs do not fit side by side.
    #[must_use]
    pub fn shortage(self, jobs: usize, kind: DeviceKind) -> Option<MemoryShortage> {
        // The memory that one process takes for itself is not part of what is available to it.
        let others = if kind == DeviceKind::Gpu { (jobs as u64).saturating_sub(1) * GPU_PROCESS_BYTES } else { 0 };
        let needed = self.needed.saturating_mul(jobs as u64).saturating_add(others);
        let available = self.available.filter(|&available| needed > available)?;
        Some(MemoryShortage { jobs, needed, available: Some(available) })
    }
}

/// A search in progress.
///
/// `next_candidate → record` for each candidate, until there is none left; then `finish`.
#[derive(Clone, Debug)]
pub struct PlacementSearch {
    limits: PlacementLimits,
    waiting: VecDeque<Candidate>,
    timed: Vec<TimedPlacement>,
    memory: Option<RunMemory>,
    shortage: Option<MemoryShortage>,
}

impl PlacementSearch {
    #[must_use]
    pub fn new(limits: PlacementLimits) -> Self {
        let waiting = limits.candidates().into();
        Self { limits, waiting, timed: Vec::new(), memory: None, shortage: None }
    }

    /// True if only one placement comes into question, so that there is nothing to time.
    #[must_use]
    pub fn is_decided(&self) -> bool {
        self.timed.is_empty() && self.waiting.len() <= 1
    }

    /// The candidates that remain, in order.
    pub fn waiting(&self) -> impl Iterator<Item = &Candidate> {
        self.waiting.iter()
    }

    /// The number of runs side by side for which memory was too small.
    #[must_use]
    pub fn shortage(&self) -> Option<MemoryShortage> {
        self.shortage
    }

    /// The next candidate to time. Those that would not fit into memory are passed over, except if they were requested.
    pub fn next_candidate(&mut self) -> Option<Candidate> {
        loop {
            let candidate = self.waiting.pop_front()?;
            let shortage = self.memory.and_then(|memory| memory.shortage(candidate.jobs, self.limits.kind));
            let Some(shortage) = shortage.filter(|_| self.limits.jobs.is_none() && candidate.jobs > 1) else {
                return Some(candidate);
            };
            self.drop_from(shortage);
        }
    }

    /// Records the speed of a candidate: training images per second of all its runs together.
    pub fn record(&mut self, candidate: Candidate, images_per_s: f64, memory: RunMemory) {
        let Candidate { jobs, threads } = candidate;
        self.timed.push(TimedPlacement { jobs, threads, images_per_s });
        // Later candidates are timed while engines hold memory.
        self.memory.get_or_insert(memory);
        if self.limits.kind == DeviceKind::Gpu {
            let before = self.timed[..self.timed.len() - 1].iter().map(|timed| timed.images_per_s).fold(0.0, f64::max);
            if images_per_s <= before * (1.0 + GPU_GAIN) {
                self.waiting.clear();
            }
        }
    }

    /// Records that a candidate ran out of memory, although it should have fitted.
    pub fn record_shortage(&mut self, candidate: Candidate) {
        let jobs = candidate.jobs;
        let needed = self.memory.map_or(0, |memory| memory.needed.saturating_mul(jobs as u64));
        self.drop_from(MemoryShortage { jobs, needed, available: None });
    }

    /// Ends the search early: the candidates that remain are not timed.
    pub fn stop(&mut self) {
        self.waiting.clear();
    }

    /// The choice: the fastest, or of those that are about as fast the one with the fewest runs side by side, then with the
    /// fewest threads. What counts is the time until all runs have ended: three runs two by two take as long as four.
    #[must_use]
    pub fn finish(&self) -> Placement {
        let speed = |timed: &TimedPlacement| timed.images_per_s * self.occupancy(timed.jobs);
        let best = self.timed.iter().map(speed).fold(0.0, f64::max);
        let tolerance = if self.limits.kind == DeviceKind::Gpu { GPU_GAIN } else { CPU_NOISE };
        let as_fast = self.timed.iter().filter(|timed| speed(timed) >= best * (1.0 - tolerance));
        let chosen = as_fast.min_by_key(|timed| (timed.jobs, timed.threads)).map(|timed| (timed.jobs, timed.threads));
        let only = self.waiting.front().map(|candidate| (candidate.jobs, candidate.threads));
        let Some((jobs, threads)) = chosen.or(only) else { return self.limits.untimed() };
        Placement { jobs, threads, timed: self.timed.clone() }
    }

    /// The share of the places side by side that are in use until the last run has ended.
    fn occupancy(&self, jobs: usize) -> f64 {
        let runs = self.limits.runs.max(1);
        runs as f64 / (runs.div_ceil(jobs) * jobs) as f64
    }

    fn drop_from(&mut self, shortage: MemoryShortage) {
        self.waiting.retain(|candidate| candidate.jobs < shortage.jobs);
        if self.shortage.is_none_or(|known| shortage.jobs < known.jobs) {
            self.shortage = Some(shortage);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ENOUGH: RunMemory = RunMemory { needed: 1, available: Some(1 << 40) };

    fn cpu(runs: usize, cores: usize) -> PlacementLimits {
        PlacementLimits { kind: DeviceKind::Cpu, runs, cores, jobs: None, threads: None }
    }

    fn gpu(runs: usize) -> PlacementLimits {
        PlacementLimits { kind: DeviceKind::Gpu, runs, cores: 16, jobs: None, threads: None }
    }

    /// Searches with these speeds, and returns the choice.
    fn chosen(limits: PlacementLimits, speed: impl Fn(Candidate) -> f64) -> Placement {
        let mut search = PlacementSearch::new(limits);
        while let Some(candidate) = search.next_candidate() {
            search.record(candidate, speed(candidate), ENOUGH);
        }
        search.finish()
    }

    #[test]
    fn one_candidate_is_not_timed() {
        let only = PlacementSearch::new(PlacementLimits { threads: Some(2), ..cpu(4, 2) });
        assert!(only.is_decided());
        assert_eq!(only.finish(), Placement { jobs: 1, threads: 2, timed: Vec::new() });
        assert!(!PlacementSearch::new(cpu(1, 2)).is_decided());
        let requested = PlacementLimits { jobs: Some(3), ..cpu(4, 8) };
        assert_eq!(requested.untimed(), Placement { jobs: 3, threads: 2, timed: Vec::new() });
        assert_eq!(cpu(4, 8).untimed(), Placement { jobs: 1, threads: 8, timed: Vec::new() });
    }

    #[test]
    fn the_fastest_is_chosen_and_all_are_recorded() {
        let placement = chosen(cpu(4, 2), |candidate| match (candidate.jobs, candidate.threads) {
            (2, 1) => 375.0,
            (1, 2) => 150.0,
            _ => 170.0,
        });
        assert_eq!((placement.jobs, placement.threads, placement.timed.len()), (2, 1, 3));
    }

    #[test]
    fn within_noise_fewer_runs_and_threads_are_preferred() {
        let with = |speed_of_two: f64, speed_of_one: f64| {
            let placement = chosen(cpu(4, 2), |candidate| match (candidate.jobs, candidate.threads) {
                (2, 1) => speed_of_two,
                (1, 1) => speed_of_one,
                _ => 100.0,
            });
            (placement.jobs, placement.threads)
        };
        assert_eq!(with(101.0, 50.0), (1, 2));
        assert_eq!(with(103.0, 50.0), (2, 1));
        assert_eq!(with(101.0, 99.5), (1, 1));
    }

    #[test]
    fn idle_places_count() {
        // Three runs two by two need two rounds, as four would.
        let speed =
            |candidate: Candidate| if candidate.jobs == 2 { 130.0 } else { 100.0 * candidate.threads as f64 / 2.0 };
        assert_eq!(chosen(cpu(3, 2), speed).jobs, 1);
        assert_eq!(chosen(cpu(4, 2), speed).jobs, 2);
    }

    #[test]
    fn on_a_gpu_runs_are_added_while_they_gain() {
        let speeds = [100.0, 150.0, 156.0, 400.0];
        let placement = chosen(gpu(4), |candidate| speeds[candidate.jobs - 1]);
        assert_eq!((placement.jobs, placement.timed.len()), (2, 3), "the fourth is not timed");
        assert_eq!(chosen(gpu(2), |candidate| speeds[candidate.jobs - 1]).jobs, 2);
    }

    #[test]
    fn what_does_not_fit_into_memory_is_dropped() {
        let mut search = PlacementSearch::new(cpu(4, 4));
        let mut timed = Vec::new();
        while let Some(candidate) = search.next_candidate() {
            timed.push(candidate.jobs);
            search.record(candidate, candidate.jobs as f64, RunMemory { needed: 3, available: Some(8) });
        }
        assert!(timed.iter().all(|&jobs| jobs <= 2) && timed.contains(&2), "{timed:?}");
        assert_eq!(search.shortage(), Some(MemoryShortage { jobs: 3, needed: 9, available: Some(8) }));
        assert_eq!(search.finish().jobs, 2);

        let mut requested = PlacementSearch::new(PlacementLimits { jobs: Some(3), ..cpu(4, 8) });
        let tight = RunMemory { needed: 3, available: Some(8) };
        while let Some(candidate) = requested.next_candidate() {
            requested.record(candidate, candidate.threads as f64, tight);
        }
        assert_eq!((requested.finish().jobs, requested.shortage()), (3, None), "a request is honoured");

        let processes = RunMemory { needed: 1_000_000_000, available: Some(2_100_000_000) };
        assert_eq!(processes.shortage(2, DeviceKind::Cpu), None);
        assert!(processes.shortage(2, DeviceKind::Gpu).is_some(), "each process takes some of a GPU");
        let text = MemoryShortage { jobs: 3, needed: 7_800_000_000, available: Some(5_250_000_000) }.to_string();
        assert_eq!(text, "3 runs side by side need about 7.8 GB of memory, and 5.2 GB is available");
        assert_eq!(RunMemory { available: None, ..processes }.shortage(9, DeviceKind::Cpu), None);
    }

    #[test]
    fn a_real_shortage_ends_the_larger_candidates() {
        let mut search = PlacementSearch::new(gpu(4));
        let first = search.next_candidate().unwrap();
        search.record(first, 10.0, RunMemory { needed: 1, available: None });
        let second = search.next_candidate().unwrap();
        search.record_shortage(second);
        assert_eq!(search.shortage(), Some(MemoryShortage { jobs: 2, needed: 2, available: None }));
        assert_eq!(search.next_candidate(), None);
        assert_eq!(search.finish().jobs, 1);
    }

    proptest! {
        #[test]
        fn the_choice_is_one_of_the_timed(
            runs in 1_usize..6, cores in 1_usize..17, speeds in prop::collection::vec(1.0..1000.0f64, 64),
        ) {
            let placement = chosen(cpu(runs, cores), |candidate| speeds[candidate.jobs * 8 + candidate.threads % 8]);
            prop_assert!(placement.timed.iter().any(|timed| (timed.jobs, timed.threads) == (placement.jobs, placement.threads)));
        }
    }
}
