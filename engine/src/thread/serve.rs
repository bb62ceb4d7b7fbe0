//! `mammoscope-engine serve`: frames in, frames out, and one thread that owns every tensor.

use std::any::Any;
use std::io::{self, BufReader};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use anyhow::Context as _;
use mammoscope_engine_protocol::engine_facts::CudaFacts;
use mammoscope_engine_protocol::protocol::{
    EngineCommand, EngineEvent, JobId, JobOutcome, PROTOCOL_VERSION, VERSION, Work, read_frame,
};

use super::benchmark::benchmark;
use super::explain::explain;
use super::explainer_cache::ExplainerCache;
use super::job::JobContext;
use super::job_control::{JobControl, JobControls};
use super::outlet::{self, EventSender};
use super::predict::predict;
use super::progress::Progress;
use crate::learning::memory_advice::in_one_line;

/// What helps a prediction that runs out of memory.
const SMALLER_BATCH: &str = "try a smaller --batch-size";

struct Job {
    id: JobId,
    work: Work,
    control: JobControl,
}

/// Serves commands from stdin until it ends or a shutdown is asked for; running work is stopped then. `load_cuda` is
/// called when stdout belongs to the frames alone: libraries may print while they load.
pub fn serve(load_cuda: impl FnOnce() -> CudaFacts) -> anyhow::Result<()> {
    let progress = Progress::default();
    let (events, writer) = outlet::start(outlet::claim_stdout().context("take over stdout")?, progress.clone());
    let cuda = load_cuda();
    events.send(EngineEvent::Ready { protocol: PROTOCOL_VERSION, version: VERSION.to_owned() })?;
    let controls = JobControls::default();
    let (jobs, waiting) = channel();
    let engine = {
        let engine = EngineThread { cuda, controls: controls.clone(), events, progress };
        let work_through = move || engine.work_through(&waiting);
        thread::Builder::new().name("engine".to_owned()).spawn(work_through).context("start the engine thread")?
    };
    let mut stdin = BufReader::new(io::stdin().lock());
    let ending = loop {
        match read_frame(&mut stdin) {
            Ok(Some(EngineCommand::Run { job, work })) => {
                let control = controls.add(job);
                if jobs.send(Job { id: job, work, control }).is_err() {
                    break Ok(());
                }
            }
            Ok(Some(EngineCommand::Cancel { job })) => controls.stop(job),
            // The end of stdin means that the program is gone.
            Ok(Some(EngineCommand::Shutdown) | None) => break Ok(()),
            Err(error) => break Err(error).context("a command that cannot be read"),
        }
    };
    controls.stop_all();
    drop(jobs);
    // The engine thread ends after its batch; the writer when the last event is out.
    let _ = engine.join();
    let _ = writer.join();
    ending
}

/// The engine thread, which owns every tensor.
struct EngineThread {
    cuda: CudaFacts,
    controls: JobControls,
    events: EventSender,
    progress: Progress,
}

impl EngineThread {
    /// One job after another, each guarded, so that the failure of one leaves the engine standing.
    fn work_through(&self, jobs: &Receiver<Job>) {
        let default_threads = usize::try_from(tch::get_num_threads()).unwrap_or(1);
        let mut kept = ExplainerCache::default();
        for Job { id, work, control } in jobs {
            let context = JobContext {
                id,
                control: &control,
                events: &self.events,
                progress: &self.progress,
                cuda: &self.cuda,
                default_threads,
            };
            let outcome = run_guarded(work, &context, &mut kept);
            self.controls.remove(id);
            if self.events.send(EngineEvent::JobEnded { job: id, outcome }).is_err() {
                return;
            }
        }
    }
}

fn run_guarded(work: Work, context: &JobContext<'_>, kept: &mut ExplainerCache) -> JobOutcome {
    if context.control.is_stopped() {
        return JobOutcome::Stopped { reason: "as asked, before it began".to_owned() };
    }
    let attempt = catch_unwind(AssertUnwindSafe(|| match work {
        Work::Predict(work) => predict(work, context),
        Work::Benchmark(work) => benchmark(&work, context),
        Work::Explain(work) => explain(work, context, kept),
    }));
    match attempt {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(error)) => JobOutcome::Failed { error: in_one_line(&format!("{error:#}"), SMALLER_BATCH) },
        Err(panic) => JobOutcome::Failed { error: in_one_line(panic_message(panic.as_ref()), SMALLER_BATCH) },
    }
}

/// What a panic said.
pub(super) fn panic_message(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("a fault inside the engine")
}
