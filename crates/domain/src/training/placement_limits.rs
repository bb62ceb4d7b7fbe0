//! The placements of runs that come into question on a device.

use std::num::NonZeroUsize;
use std::str::FromStr;

use super::placement::Placement;

/// The requested number of runs side by side on a device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum JobCount {
    /// The fastest.
    #[default]
    Auto,
    Fixed(NonZeroUsize),
}

/// A text that is not a [`JobCount`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("give auto, or the number of runs to train side by side, from 1")]
pub struct InvalidJobCount;

impl JobCount {
    /// The number, if one was requested.
    #[must_use]
    pub fn fixed(self) -> Option<usize> {
        if let Self::Fixed(number) = self { Some(number.get()) } else { None }
    }
}

impl FromStr for JobCount {
    type Err = InvalidJobCount;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "auto" { Ok(Self::Auto) } else { text.parse().map(Self::Fixed).map_err(|_| InvalidJobCount) }
    }
}

/// The kind of a device, which decides what is shared between runs side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceKind {
    /// Runs share its cores.
    Cpu,
    /// Runs share it as a whole; their CPU threads matter little.
    Gpu,
}

/// Everything that is known before anything is timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlacementLimits {
    pub kind: DeviceKind,
    /// The runs for the device.
    pub runs: usize,
    /// The CPU cores for the device's runs.
    pub cores: usize,
    /// The requested runs side by side; `None` to choose.
    pub jobs: Option<usize>,
    /// The requested CPU threads of a run; `None` to choose.
    pub threads: Option<usize>,
}

/// A number of runs side by side, and the CPU threads of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    pub jobs: usize,
    pub threads: usize,
}

impl PlacementLimits {
    /// The placements that come into question, in the order in which they are timed. The first has the fewest runs side by
    /// side, so that the memory of one run is known before there are several; then those that use more cores come first.
    #[must_use]
    pub fn candidates(&self) -> Vec<Candidate> {
        let mut candidates: Vec<Candidate> = self
            .job_counts()
            .flat_map(|jobs| self.thread_counts(jobs).into_iter().map(move |threads| Candidate { jobs, threads }))
            .collect();
        match self.kind {
            DeviceKind::Gpu => candidates.sort_by_key(|candidate| candidate.jobs),
            DeviceKind::Cpu => {
                let cores = |candidate: &Candidate| candidate.jobs * candidate.threads;
                candidates.sort_by(|a, b| cores(b).cmp(&cores(a)).then(b.jobs.cmp(&a.jobs)));
                let fewest = candidates.iter().map(|candidate| candidate.jobs).min();
                if let Some(first) = candidates.iter().position(|candidate| Some(candidate.jobs) == fewest) {
                    candidates[..=first].rotate_right(1);
                }
            }
        }
        candidates
    }

    /// The placement if nothing can be timed: what was requested, else one run at a time with all cores.
    #[must_use]
    pub fn untimed(&self) -> Placement {
        let jobs = self.jobs.unwrap_or(1).clamp(1, self.runs.max(1));
        Placement { jobs, threads: self.threads.unwrap_or_else(|| self.cores_of_each(jobs)), timed: Vec::new() }
    }

    fn job_counts(&self) -> std::ops::RangeInclusive<usize> {
        let runs = self.runs.max(1);
        match self.jobs {
            Some(jobs) => {
                let jobs = jobs.clamp(1, runs);
                jobs..=jobs
            }
            // A requested number of threads may exceed the cores, but then there is one run at a time.
            None => 1..=runs.min(self.cores / self.least_threads()).max(1),
        }
    }

    fn least_threads(&self) -> usize {
        self.threads.filter(|_| self.kind == DeviceKind::Cpu).unwrap_or(1).max(1)
    }

    fn thread_counts(&self, jobs: usize) -> Vec<usize> {
        let most = self.cores_of_each(jobs);
        match (self.threads, self.kind) {
            (Some(threads), _) => vec![threads],
            (None, DeviceKind::Gpu) => vec![most],
            (None, DeviceKind::Cpu) => {
                let powers = (0..usize::BITS).map(|power| 1_usize << power).take_while(|&threads| threads < most);
                powers.chain([most]).collect()
            }
        }
    }

    fn cores_of_each(&self, jobs: usize) -> usize {
        (self.cores / jobs.max(1)).max(1)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cpu(runs: usize, cores: usize) -> PlacementLimits {
        PlacementLimits { kind: DeviceKind::Cpu, runs, cores, jobs: None, threads: None }
    }

    fn gpu(runs: usize) -> PlacementLimits {
        PlacementLimits { kind: DeviceKind::Gpu, runs, cores: 16, jobs: None, threads: None }
    }

    fn pairs(limits: PlacementLimits) -> Vec<(usize, usize)> {
        limits.candidates().iter().map(|candidate| (candidate.jobs, candidate.threads)).collect()
    }

    #[test]
    fn candidates_share_the_cores() {
        assert_eq!(pairs(cpu(4, 2)), [(1, 2), (2, 1), (1, 1)]);
        assert_eq!(pairs(cpu(1, 2)), [(1, 2), (1, 1)]);
        assert_eq!(pairs(cpu(4, 1)), [(1, 1)]);
        let three = pairs(cpu(3, 6));
        assert_eq!(three[0], (1, 6), "the memory of one run is measured first");
        assert_eq!(&three[1..3], [(3, 2), (2, 3)], "then those that use all cores");
        assert_eq!(three.len(), [1, 2, 4, 6].len() + [1, 2, 3].len() + [1, 2].len());
        assert_eq!(pairs(gpu(3)), [(1, 16), (2, 8), (3, 5)]);
        assert_eq!(pairs(PlacementLimits { cores: 1, ..gpu(4) }), [(1, 1)]);
    }

    #[test]
    fn requests_restrict_the_candidates() {
        let with = |jobs, threads| PlacementLimits { jobs, threads, ..cpu(4, 8) };
        assert_eq!(pairs(with(Some(2), Some(3))), [(2, 3)]);
        assert_eq!(pairs(with(Some(2), None)), [(2, 4), (2, 2), (2, 1)]);
        assert_eq!(pairs(with(None, Some(3))), [(1, 3), (2, 3)]);
        assert_eq!(pairs(with(None, Some(100))), [(1, 100)], "requested threads may exceed the cores");
        assert_eq!(pairs(with(Some(9), None)), [(4, 2), (4, 1)], "there are no more jobs than runs");
        assert_eq!(pairs(PlacementLimits { jobs: Some(4), ..cpu(4, 2) }), [(4, 1)]);
        assert_eq!(pairs(PlacementLimits { threads: Some(2), ..gpu(2) }), [(1, 2), (2, 2)]);
    }

    #[test]
    fn job_counts_are_auto_or_a_positive_number() {
        assert_eq!("auto".parse(), Ok(JobCount::Auto));
        assert_eq!("3".parse::<JobCount>().unwrap().fixed(), Some(3));
        assert_eq!(JobCount::Auto.fixed(), None);
        for wrong in ["0", "-1", "", "two", "1.5"] {
            assert_eq!(wrong.parse::<JobCount>(), Err(InvalidJobCount), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn candidates_are_distinct_and_within_the_limits(runs in 1_usize..9, cores in 1_usize..70) {
            let limits = cpu(runs, cores);
            let all = pairs(limits);
            prop_assert!(all.iter().all(|(jobs, threads)| jobs * threads <= cores && *jobs <= runs && *threads >= 1));
            let distinct: std::collections::BTreeSet<_> = all.iter().collect();
            prop_assert_eq!(distinct.len(), all.len());
            prop_assert_eq!(all[0], (1, cores));
        }
    }
}
