//! `mammoscope-engine serve`: commands in, events out, and one thread that owns every tensor.

use std::any::Any;
use std::io::{self, BufReader};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use anyhow::Context as _;
use mammoscope_engine_protocol::command::{EngineCommand, JobId, Work};
use mammoscope_engine_protocol::engine_facts::CudaFacts;
use mammoscope_engine_protocol::event::{EngineEvent, JobOutcome};
use mammoscope_engine_protocol::frame::read_frame;
use mammoscope_engine_protocol::{PROTOCOL_VERSION, VERSION};

use super::benchmark::benchmark;
use super::event_writer::{self, EventSender};
use super::explain::explain;
use super::explainer_cache::ExplainerCache;
use super::job::JobContext;
use super::job_control::{JobControl, JobControls};
use super::predict::predict;
use super::progress::Progress;
use crate::learning::memory_advice::in_one_line;

/// The advice for a job that runs out of memory.
const SMALLER_BATCH: &str = "try a smaller --batch-size";

struct Job {
    id: JobId,
    work: Work,
    control: JobControl,
}

/// Serves commands from stdin until it closes or a shutdown command arrives, and then stops running jobs. `load_cuda`
/// is called once stdout is reserved for frames, since libraries may print while they load.
pub fn serve(load_cuda: impl FnOnce() -> CudaFacts) -> anyhow::Result<()> {
    let progress = Progress::default();
    let (events, writer) =
        event_writer::spawn(event_writer::claim_stdout().context("take over stdout")?, progress.clone());
    let cuda = load_cuda();
    events.send(EngineEvent::Ready { protocol: PROTOCOL_VERSION, version: VERSION.to_owned() })?;
    let controls = JobControls::default();
    let (jobs, queue) = channel();
    let engine = {
        let engine = EngineThread { cuda, controls: controls.clone(), events, progress };
        let run_jobs = move || engine.run_jobs(&queue);
        thread::Builder::new().name("engine".to_owned()).spawn(run_jobs).context("start the engine thread")?
    };
    let mut stdin = BufReader::new(io::stdin().lock());
    let result = loop {
        match read_frame(&mut stdin) {
            Ok(Some(EngineCommand::Run { job, work })) => {
                let control = controls.add(job);
                if jobs.send(Job { id: job, work, control }).is_err() {
                    break Ok(());
                }
            }
            Ok(Some(EngineCommand::Cancel { job })) => controls.stop(job),
            // The end of stdin means that the client is gone.
            Ok(Some(EngineCommand::Shutdown) | None) => break Ok(()),
            Err(error) => break Err(error).context("read a command"),
        }
    };
    controls.stop_all();
    drop(jobs);
    // The engine thread ends after its current batch, the writer after the last event.
    let _ = engine.join();
    let _ = writer.join();
    result
}

/// The engine thread, which owns every tensor.
struct EngineThread {
    cuda: CudaFacts,
    controls: JobControls,
    events: EventSender,
    progress: Progress,
}

impl EngineThread {
    /// Runs one job after another and catches panics, so that a failing job does not take the engine down.
    fn run_jobs(&self, jobs: &Receiver<Job>) {
        let default_threads = usize::try_from(tch::get_num_threads()).unwrap_or(1);
        let mut explainers = ExplainerCache::default();
        for Job { id, work, control } in jobs {
            let context = JobContext {
                id,
                control: &control,
                events: &self.events,
                progress: &self.progress,
                cuda: &self.cuda,
                default_threads,
            };
            let outcome = run_guarded(work, &context, &mut explainers);
            self.controls.remove(id);
            if self.events.send(EngineEvent::JobEnded { job: id, outcome }).is_err() {
                return;
            }
        }
    }
}

fn run_guarded(work: Work, context: &JobContext<'_>, explainers: &mut ExplainerCache) -> JobOutcome {
    if context.control.is_stopped() {
        return JobOutcome::Stopped { reason: "on request, before it started".to_owned() };
    }
    let attempt = catch_unwind(AssertUnwindSafe(|| match work {
        Work::Predict(work) => predict(work, context),
        Work::Benchmark(work) => benchmark(&work, context),
        Work::Explain(work) => explain(work, context, explainers),
    }));
    match attempt {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(error)) => JobOutcome::Failed { error: in_one_line(&format!("{error:#}"), SMALLER_BATCH) },
        Err(panic) => JobOutcome::Failed { error: in_one_line(panic_message(panic.as_ref()), SMALLER_BATCH) },
    }
}

/// The message of a panic.
pub(super) fn panic_message(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("a panic inside the engine")
}
