//! `mammoscope-engine train RUN_DIR…`: runs trained one after the other, by a process that no terminal takes down.
//!
//! The main thread listens: to signals, to the requests in the run directories, to the clock that asks for a heartbeat.
//! The engine thread trains. They leave word for each other on a `Desk`.

mod desk;
mod final_evaluation;
mod preparation;
mod queued_run;
mod recorder;
mod run_log;
mod single_run;
mod supervision;

use std::sync::Arc;
use std::thread;

use anyhow::Context as _;
use mammoscope_engine_protocol::engine_facts::CudaFacts;
use mammoscope_storage::runs::run_dir::RunDir;

use desk::Desk;
use queued_run::{mark_interrupted, queue_up};
use single_run::SingleRun;
use supervision::{Signals, supervise};

/// Trains all runs in their order, each to `epochs` where that is given. `true` when none failed.
pub fn train(runs: Vec<RunDir>, epochs: Option<u32>, load_cuda: impl FnOnce() -> CudaFacts) -> anyhow::Result<bool> {
    detach();
    let signals = Signals::listen().context("listen for signals")?;
    run_log::start();
    // Libraries may print while they load.
    if let Some(first) = runs.first() {
        run_log::switch_to(first)?;
    }
    runs.iter().skip(1).for_each(queue_up);
    let cuda = load_cuda();
    let desk = Arc::new(Desk::new(runs));
    let engine = {
        let desk = Arc::clone(&desk);
        let work_through = move || {
            let default_threads = usize::try_from(tch::get_num_threads()).unwrap_or(1);
            let mut all_well = true;
            while let Some(run) = desk.next_run() {
                all_well &= SingleRun { run: &run, epochs, desk: &desk, cuda: &cuda, default_threads }.train();
            }
            desk.finish();
            all_well
        };
        thread::Builder::new().name("engine".to_owned()).spawn(work_through).context("start the engine thread")?
    };
    supervise(&desk, &signals);
    let all_well = engine.join().unwrap_or(false);
    for run in desk.queued() {
        mark_interrupted(&run);
    }
    Ok(all_well)
}

/// Leaves the terminal and the session that it was started from.
fn detach() {
    // Fails for the leader of a process group: whoever started it has given it a session already, or did so by hand.
    let _ = rustix::process::setsid();
    // SAFETY: sets the disposition of a signal to a constant of the system; no handler of ours is involved.
    unsafe {
        libc::signal(libc::SIGHUP, libc::SIG_IGN);
    }
}
