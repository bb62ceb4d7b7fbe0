//! Times placements of runs: engines that train side by side for a moment, as many as the placement has runs.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::engine_process::{EngineError, EngineProcess, Timeouts};
use super::step_benchmark::{BenchmarkError, time_steps};
use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::training::compute_options::DeviceChoice;
use mammoscope_domain::training::placement::Placement;
use mammoscope_domain::training::placement_limits::{Candidate, PlacementLimits};
use mammoscope_domain::training::placement_search::{MemoryShortage, PlacementSearch, RunMemory};
use mammoscope_domain::training::step_timing::StepTiming;
use mammoscope_domain::training::training_config::TrainingConfig;
use mammoscope_engine_protocol::command::{BenchmarkWork, JobId};

/// The time after which no further candidate is timed.
const TIME_LIMIT: Duration = Duration::from_secs(60);
/// Phrases of the engine's messages about a step that does not fit into memory.
const OUT_OF_MEMORY: [&str; 2] = ["not enough memory", "px needs about"];

/// The runs to place.
#[derive(Clone, Debug, PartialEq)]
pub struct PlacementWork {
    /// Determines the steps; its number of threads is replaced by that of each candidate.
    pub config: TrainingConfig,
    pub device: DeviceChoice,
    pub limits: PlacementLimits,
    /// The memory of the device that a run's images take, in bytes.
    pub images: u64,
}

/// The result of timing placements.
#[derive(Clone, Debug, PartialEq)]
pub struct PlacementTiming {
    /// The choice, with everything that was timed.
    pub placement: Placement,
    /// The steps of a run placed like this, while the others ran.
    pub steps: StepTiming,
    /// The number of runs side by side for which memory was too small.
    pub shortage: Option<MemoryShortage>,
}

/// Times the candidates, at least one, and chooses. `on_candidate` is called before each. `cancellation` is polled at
/// least twenty times a second.
pub fn time_placements(
    engine: &Path,
    work: &PlacementWork,
    cancellation: Cancellation<'_>,
    on_candidate: &mut dyn FnMut(Candidate),
) -> Result<PlacementTiming, BenchmarkError> {
    let start = Instant::now();
    let mut engines = EngineGroup { path: engine, engines: Vec::new(), next_job: 0 };
    let mut search = PlacementSearch::new(work.limits);
    let mut timings: Vec<(Candidate, StepTiming)> = Vec::new();
    while let Some(candidate) = search.next_candidate() {
        on_candidate(candidate);
        let timed = match engines.time(candidate, work, cancellation) {
            // Other programs may take memory, and a GPU's may be fragmented.
            Err(BenchmarkError::Failed(reason))
                if !timings.is_empty() && OUT_OF_MEMORY.iter().any(|phrase| reason.contains(phrase)) =>
            {
                search.record_shortage(candidate);
                continue;
            }
            other => other?,
        };
        let batch = work.config.batch_size as f64;
        let images_per_s = timed.iter().map(|timing| batch / timing.batch_seconds).sum();
        let slowest = timed.into_iter().max_by(|a, b| a.batch_seconds.total_cmp(&b.batch_seconds));
        let slowest = slowest.expect("a candidate has at least one run");
        let memory = RunMemory { needed: slowest.memory_needed + work.images, available: slowest.memory_available };
        search.record(candidate, images_per_s, memory);
        timings.push((candidate, slowest));
        if start.elapsed() > TIME_LIMIT {
            search.stop();
        }
    }
    let placement = search.finish();
    let own = |candidate: &Candidate| (candidate.jobs, candidate.threads) == (placement.jobs, placement.threads);
    let steps = timings.into_iter().find(|(candidate, _)| own(candidate)).map(|(_, timing)| timing);
    let steps = steps.ok_or_else(|| BenchmarkError::Failed("no placement could be timed".to_owned()))?;
    Ok(PlacementTiming { placement, steps, shortage: search.shortage() })
}

/// Engines that are kept from one candidate to the next.
struct EngineGroup<'a> {
    path: &'a Path,
    engines: Vec<EngineProcess>,
    next_job: u64,
}

impl EngineGroup<'_> {
    /// Times the steps of each run of a candidate, all at once.
    fn time(
        &mut self,
        candidate: Candidate,
        work: &PlacementWork,
        cancellation: Cancellation<'_>,
    ) -> Result<Vec<StepTiming>, BenchmarkError> {
        self.start(candidate.jobs, cancellation)?;
        self.next_job += 1;
        let job = JobId(self.next_job);
        let config = TrainingConfig { threads: candidate.threads, ..work.config.clone() };
        let work = BenchmarkWork { config, device: work.device };
        // Once one has failed, the others have nothing to be compared with.
        let has_failed = AtomicBool::new(false);
        let is_over = || has_failed.load(Ordering::Acquire) || cancellation.is_cancelled();
        let outcomes: Vec<_> = thread::scope(|scope| {
            let timers: Vec<_> = self.engines[..candidate.jobs]
                .iter_mut()
                .map(|engine| {
                    let (work, has_failed, is_over) = (work.clone(), &has_failed, &is_over);
                    scope.spawn(move || {
                        let outcome = time_steps(engine, job, work, Cancellation::new(is_over));
                        if outcome.is_err() {
                            has_failed.store(true, Ordering::Release);
                        }
                        outcome
                    })
                })
                .collect();
            timers.into_iter().map(|timer| timer.join().expect("timing does not panic")).collect()
        });
        if cancellation.is_cancelled() {
            return Err(BenchmarkError::Interrupted);
        }
        // The others were interrupted by the one that failed.
        let mut interrupted = None;
        let mut timings = Vec::with_capacity(outcomes.len());
        for outcome in outcomes {
            match outcome {
                Ok(timing) => timings.push(timing),
                Err(error @ BenchmarkError::Interrupted) => interrupted = Some(error),
                Err(error) => return Err(error),
            }
        }
        interrupted.map_or(Ok(timings), Err)
    }

    /// Starts the engines that are still missing, all at once.
    fn start(&mut self, jobs: usize, cancellation: Cancellation<'_>) -> Result<(), EngineError> {
        let missing = jobs.saturating_sub(self.engines.len());
        let started: Vec<_> = thread::scope(|scope| {
            let path = self.path;
            let starters: Vec<_> = (0..missing)
                .map(|_| scope.spawn(move || EngineProcess::start(path, Timeouts::default(), cancellation)))
                .collect();
            starters.into_iter().map(|starter| starter.join().expect("starting does not panic")).collect()
        });
        for engine in started {
            self.engines.push(engine?);
        }
        Ok(())
    }
}
