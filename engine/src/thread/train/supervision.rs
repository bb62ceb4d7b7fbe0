//! The main thread of a trainer: signals, requests, heartbeats.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use mammoscope_domain::run::run_event::RequestVerb;
use mammoscope_domain::text::printable::printable;
use mammoscope_storage::runs::run_requests::RunRequests;
use signal_hook::consts::{SIGINT, SIGTERM};

use super::desk::Desk;
use super::queued_run::{keep_queued_alive, stop_queued};

/// How often signals and requests are looked for.
const GLANCE: Duration = Duration::from_millis(100);
/// How often the status says that the trainer lives.
const HEARTBEAT: Duration = Duration::from_secs(2);
/// The same for runs that wait.
const QUEUE_HEARTBEAT: Duration = Duration::from_secs(30);

/// The exit status after a second signal, as a shell gives it for SIGINT.
const SECOND_SIGNAL_STATUS: i32 = 130;

/// SIGTERM and SIGINT as a flag; a second one ends the process at once.
pub(super) struct Signals(Arc<AtomicBool>);

impl Signals {
    /// From now on.
    pub(super) fn listen() -> io::Result<Self> {
        let asked = Arc::new(AtomicBool::new(false));
        for signal in [SIGTERM, SIGINT] {
            let asked = Arc::clone(&asked);
            // One swap, as two signals may be taken in by two threads at the same moment: one of them is the second.
            let on_signal = move || {
                if asked.swap(true, Ordering::AcqRel) {
                    signal_hook::low_level::exit(SECOND_SIGNAL_STATUS);
                }
            };
            // SAFETY: the handler swaps an atomic and calls `_exit`, both allowed in a handler of signals.
            unsafe { signal_hook::low_level::register(signal, on_signal)? };
        }
        Ok(Self(asked))
    }
}

/// Listens until the engine thread has come to its end.
pub(super) fn supervise(desk: &Desk, signals: &Signals) {
    let (mut last_heartbeat, mut last_queue_heartbeat) = (Instant::now(), Instant::now());
    let mut told = false;
    while !desk.is_finished() {
        thread::sleep(GLANCE);
        if signals.0.load(Ordering::Acquire) && !told {
            told = true;
            tracing::info!("asked to end by a signal");
            desk.interrupt();
        }
        match desk.take_requests() {
            Ok(rejected) => {
                for request in rejected {
                    let file = request.file.to_string_lossy().into_owned();
                    tracing::warn!("request {}: {}", printable(&file), request.reason);
                }
            }
            Err(error) => tracing::warn!("requests cannot be read: {error}"),
        }
        withdraw_stopped(desk);
        if last_heartbeat.elapsed() >= HEARTBEAT {
            last_heartbeat = Instant::now();
            if let Err(error) = desk.write_status() {
                tracing::warn!("status.json not written: {error}");
            }
        }
        if last_queue_heartbeat.elapsed() >= QUEUE_HEARTBEAT {
            last_queue_heartbeat = Instant::now();
            desk.for_each_queued(keep_queued_alive);
        }
    }
}

/// Takes those runs off the queue that are asked to stop before their turn.
fn withdraw_stopped(desk: &Desk) {
    for run in desk.queued() {
        let Ok((pending, _)) = RunRequests::new(&run).pending() else { continue };
        let stop = pending
            .into_iter()
            .find(|request| matches!(request.request.verb, RequestVerb::Stop | RequestVerb::StopAfterEpoch));
        if let Some(request) = stop
            && desk.withdraw(&run)
        {
            stop_queued(&run, &request);
        }
    }
}
