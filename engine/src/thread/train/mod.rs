//! `mammoscope-engine train RUN_DIR…`: trains runs one after another in a process detached from its terminal.
//!
//! The main thread handles signals, the requests in the run directories and heartbeats; the engine thread trains. They
//! communicate through a `RunQueue`.

mod configuration_changes;
mod curve_files;
mod event_backlog;
mod event_command;
mod final_evaluation;
mod foreground_report;
mod machine_recording;
mod preparation;
mod queued_run;
mod recorder;
mod requeue;
mod run_log;
mod run_queue;
mod signals;
mod single_run;
mod step_watch;
mod storage_faults;
mod supervision;
mod unrecorded_models;
mod watched_images;

use std::sync::Arc;
use std::thread;

use anyhow::Context as _;
use mammoscope_cluster::job_environment::JobEnvironment;
use mammoscope_domain::training::training_changes::TrainingChanges;
use mammoscope_engine_protocol::engine_facts::CudaFacts;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::run_lock::RunLock;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use foreground_report::ForegroundReport;
use queued_run::{mark_interrupted, mark_queued};
use run_queue::RunQueue;
use signals::Signals;
use single_run::SingleRun;
use supervision::supervise;

/// The open files that a trainer may need: usual limits are 1024.
const OPEN_FILES: u64 = 16_384;

/// What a trainer is started for.
#[derive(Clone, Debug)]
pub struct TrainerTask {
    /// In training order.
    pub runs: Vec<RunDir>,
    /// The changes to each run.
    pub changes: TrainingChanges,
    /// True if the trainer stays in the session that started it, such as that of a Slurm job, and reports to its stderr.
    pub in_foreground: bool,
}

/// Trains all runs in order. Returns true if none failed.
pub fn train(task: TrainerTask, load_cuda: impl FnOnce() -> CudaFacts) -> anyhow::Result<bool> {
    let TrainerTask { runs, changes, in_foreground } = task;
    allow_open_files();
    // They may be renamed or moved from here on.
    let runs: Vec<RunDir> = runs.into_iter().map(RunDir::hold).collect();
    // To the end, so that no path into a run leads to something else once the run is over.
    let _held = runs.clone();
    let report = if in_foreground { Some(ForegroundReport::new(&runs)?) } else { None };
    if !in_foreground {
        detach();
    }
    let job = JobEnvironment::current();
    let signals = Signals::listen(in_foreground, job.is_some()).context("listen for signals")?;
    run_log::start();
    // Libraries may print while they load.
    if let Some(first) = runs.first() {
        run_log::switch_to(first)?;
    }
    let locks: Vec<(RunDir, RunLock)> =
        runs.iter().skip(1).filter_map(|run| Some((run.clone(), mark_queued(run)?))).collect();
    let queue = Arc::new(RunQueue::new(runs));
    for (run, lock) in locks {
        queue.keep_lock(&run, lock);
    }
    let cuda = load_cuda();
    let engine = {
        let queue = Arc::clone(&queue);
        let train_all = move || {
            let default_threads = usize::try_from(tch::get_num_threads()).unwrap_or(1);
            let mut all_succeeded = true;
            while let Some(run) = queue.next_run() {
                all_succeeded &= SingleRun {
                    run: &run,
                    changes: &changes,
                    queue: &queue,
                    cuda: &cuda,
                    default_threads,
                    job: job.as_ref(),
                }
                .train();
            }
            queue.finish();
            all_succeeded
        };
        thread::Builder::new().name("engine".to_owned()).spawn(train_all).context("start the engine thread")?
    };
    supervise(&queue, &signals);
    let all_succeeded = engine.join().unwrap_or(false);
    for run in queue.queued() {
        mark_interrupted(&run, queue.take_lock(&run));
    }
    if let Some(report) = report {
        report.write();
    }
    Ok(all_succeeded)
}

/// Allows enough open files for a long queue, as far as the system does: each run needs two, for its directory and its lock.
fn allow_open_files() {
    let limit = getrlimit(Resource::Nofile);
    let wanted = limit.maximum.map_or(OPEN_FILES, |most| most.min(OPEN_FILES));
    if limit.current.is_some_and(|now| now < wanted) {
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), ..limit });
    }
}

/// Detaches from the terminal and the session that the process was started from.
fn detach() {
    // Fails for the leader of a process group, which either has a session of its own already or was started by hand.
    let _ = rustix::process::setsid();
    // SAFETY: sets the disposition of a signal to a system constant; no handler of ours is involved.
    unsafe {
        libc::signal(libc::SIGHUP, libc::SIG_IGN);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_low_limit_of_open_files_is_raised_as_far_as_allowed() {
        let before = getrlimit(Resource::Nofile);
        setrlimit(Resource::Nofile, Rlimit { current: Some(512), ..before }).expect("a lower limit");
        allow_open_files();
        let allowed = before.maximum.map_or(OPEN_FILES, |most| most.min(OPEN_FILES));
        assert_eq!(getrlimit(Resource::Nofile), Rlimit { current: Some(allowed), ..before });
    }
}
