//! The main thread of a trainer: signals, requests, heartbeats.

use std::thread;
use std::time::{Duration, Instant};

use mammoscope_domain::run::request_verb::RequestVerb;
use mammoscope_domain::text::printable::printable;
use mammoscope_storage::runs::run_requests::RunRequests;

use super::machine_recording::record_machine;
use super::queued_run::{renew_heartbeat, stop_queued};
use super::run_queue::RunQueue;
use super::signals::Signals;

/// The interval between checks for signals and requests.
const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// The heartbeat interval of the current run.
const HEARTBEAT: Duration = Duration::from_secs(2);
/// The heartbeat interval of queued runs.
const QUEUE_HEARTBEAT: Duration = Duration::from_secs(30);

/// The exit status of a trainer whose run was taken over.
const LOST_STATUS: i32 = 1;

/// Runs until the engine thread has finished.
pub(super) fn supervise(queue: &RunQueue, signals: &Signals) {
    thread::scope(|scope| {
        // On a thread of its own, since a driver may take seconds to answer.
        scope.spawn(|| record_machine(queue));
        handle_requests(queue, signals);
    });
}

fn handle_requests(queue: &RunQueue, signals: &Signals) {
    let (mut last_heartbeat, mut last_queue_heartbeat) = (Instant::now(), Instant::now());
    let mut interrupted = false;
    while !queue.is_finished() {
        thread::sleep(POLL_INTERVAL);
        if let Some(signal) = signals.received()
            && !interrupted
        {
            interrupted = true;
            tracing::info!("interrupted by {}", signal.name());
            queue.interrupt(signal);
        }
        if queue.has_lost_lock() {
            // Nothing may be written any more, not even a checkpoint: the run belongs to the other one.
            tracing::error!("another trainer has taken this run over, so this one ends");
            std::process::exit(LOST_STATUS);
        }
        match queue.take_requests() {
            Ok(rejected) => {
                for request in rejected {
                    let file = request.file.to_string_lossy().into_owned();
                    tracing::warn!("request {}: {}", printable(&file), request.reason);
                }
            }
            Err(error) => tracing::warn!("requests cannot be read: {error}"),
        }
        remove_stopped(queue);
        if last_heartbeat.elapsed() >= HEARTBEAT {
            last_heartbeat = Instant::now();
            queue.check_pace();
            queue.look_for_directory();
            queue.write_status();
        }
        if last_queue_heartbeat.elapsed() >= QUEUE_HEARTBEAT {
            last_queue_heartbeat = Instant::now();
            queue.for_each_queued(renew_heartbeat);
        }
    }
}

/// Removes the queued runs that have a pending request to stop.
fn remove_stopped(queue: &RunQueue) {
    for run in queue.queued() {
        let Ok((pending, _)) = RunRequests::new(&run).pending() else { continue };
        let stop = pending
            .into_iter()
            .find(|request| matches!(request.request.verb, RequestVerb::Stop | RequestVerb::StopAfterEpoch));
        if let Some(request) = stop
            && queue.remove(&run)
        {
            stop_queued(&run, queue.take_lock(&run), &request);
        }
    }
}
