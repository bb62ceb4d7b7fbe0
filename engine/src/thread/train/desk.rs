//! Where the main thread, which listens, and the engine thread, which trains, leave word for each other.

use std::collections::{HashSet, VecDeque};
use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::Utc;
use mammoscope::domain::run_event::RequestVerb;
use mammoscope::domain::run_status::{RunPhase, RunStatus};
use mammoscope::storage::run_dir::RunDir;
use mammoscope::storage::run_requests::{PendingRequest, RejectedRequest, RunRequests};
use mammoscope::storage::run_status_file::{overwrite_status, write_status};

use crate::learning::training_observer::Order;

/// The runs that wait, the one in work, and what is asked of it.
#[derive(Debug)]
pub(super) struct Desk {
    inner: Mutex<Inner>,
    /// Something changed that a pausing training waits for.
    news: Condvar,
    /// Held while a status is written, so that an older one never replaces a newer.
    status_writer: Mutex<()>,
}

#[derive(Debug)]
struct Inner {
    queue: VecDeque<RunDir>,
    current: Option<Current>,
    interrupted: bool,
    finished: bool,
}

#[derive(Debug)]
struct Current {
    run: RunDir,
    status: RunStatus,
    requests: RunRequests,
    orders: VecDeque<(Order, Option<PendingRequest>)>,
    /// Requests that were taken and not yet removed, by their files.
    taken: HashSet<OsString>,
    /// The request behind the order in work.
    in_work: Option<PendingRequest>,
}

impl Desk {
    /// A desk with runs that wait for their turn.
    #[must_use]
    pub(super) fn new(runs: Vec<RunDir>) -> Self {
        let inner = Inner { queue: runs.into(), current: None, interrupted: false, finished: false };
        Self { inner: Mutex::new(inner), news: Condvar::new(), status_writer: Mutex::new(()) }
    }

    /// The next run, unless a signal came.
    pub(super) fn next_run(&self) -> Option<RunDir> {
        let mut inner = self.lock();
        if inner.interrupted { None } else { inner.queue.pop_front() }
    }

    /// The runs that wait.
    #[must_use]
    pub(super) fn queued(&self) -> Vec<RunDir> {
        self.lock().queue.iter().cloned().collect()
    }

    /// Takes a waiting run off the queue; `false` where its turn has come already.
    pub(super) fn withdraw(&self, run: &RunDir) -> bool {
        let mut inner = self.lock();
        let before = inner.queue.len();
        inner.queue.retain(|queued| queued != run);
        inner.queue.len() < before
    }

    /// A run is in work from now on.
    pub(super) fn begin(&self, run: &RunDir, status: RunStatus) {
        let mut inner = self.lock();
        let mut orders = VecDeque::new();
        if inner.interrupted {
            orders.push_back((Order::Interrupt, None));
        }
        let (requests, run) = (RunRequests::new(run), run.clone());
        inner.current = Some(Current { run, status, requests, orders, taken: HashSet::new(), in_work: None });
    }

    /// No run is in work.
    pub(super) fn end(&self) {
        self.lock().current = None;
    }

    /// The engine thread has come to its end.
    pub(super) fn finish(&self) {
        self.lock().finished = true;
        self.news.notify_all();
    }

    /// Whether it has.
    #[must_use]
    pub(super) fn is_finished(&self) -> bool {
        self.lock().finished
    }

    /// A signal asks to end.
    pub(super) fn interrupt(&self) {
        let mut inner = self.lock();
        inner.interrupted = true;
        if let Some(current) = &mut inner.current {
            current.orders.push_back((Order::Interrupt, None));
            current.status.state = RunPhase::Stopping;
        }
        drop(inner);
        self.news.notify_all();
    }

    /// Looks for requests to the run in work; gives those files that are none.
    pub(super) fn take_requests(&self) -> io::Result<Vec<RejectedRequest>> {
        let mut inner = self.lock();
        let Some(current) = &mut inner.current else { return Ok(Vec::new()) };
        let (pending, rejected) = current.requests.pending()?;
        for request in pending {
            if current.taken.insert(request.file.clone()) {
                let order = order_of(request.request.verb);
                if order.ends_at_once() {
                    current.status.state = RunPhase::Stopping;
                }
                current.orders.push_back((order, Some(request)));
            }
        }
        drop(inner);
        self.news.notify_all();
        Ok(rejected)
    }

    /// The next order for the run in work.
    pub(super) fn next_order(&self) -> Option<Order> {
        let mut inner = self.lock();
        let current = inner.current.as_mut()?;
        let (order, request) = current.orders.pop_front()?;
        current.in_work = request;
        Some(order)
    }

    /// The order given last was carried out: its request is removed, and its verb given.
    pub(super) fn obeyed(&self) -> Option<RequestVerb> {
        let mut inner = self.lock();
        let current = inner.current.as_mut()?;
        let request = current.in_work.take()?;
        // A file that cannot be removed is not taken again by this process.
        let _ = current.requests.remove(&request);
        Some(request.request.verb)
    }

    /// Whether an order to end at once is waiting.
    #[must_use]
    pub(super) fn is_to_end(&self) -> bool {
        self.lock().current.as_ref().is_some_and(|current| current.orders.iter().any(|(order, _)| order.ends_at_once()))
    }

    /// Waits until something is asked, or for a moment.
    pub(super) fn wait(&self, moment: Duration) {
        let inner = self.lock();
        let waits = |inner: &mut Inner| inner.current.as_ref().is_some_and(|current| current.orders.is_empty());
        drop(self.news.wait_timeout_while(inner, moment, waits));
    }

    /// Changes the status of the run in work; it is written with the next heartbeat.
    pub(super) fn update_status(&self, change: impl FnOnce(&mut RunStatus)) {
        let mut inner = self.lock();
        if let Some(current) = &mut inner.current {
            change(&mut current.status);
            current.status.updated = Utc::now();
        }
    }

    /// Writes the status of the run in work, with a fresh heartbeat.
    pub(super) fn write_status(&self) -> io::Result<()> {
        self.write_status_by(write_status)
    }

    /// The same over the old one where there is no room for a new file: that a run has failed for want of room is to be
    /// seen all the same.
    pub(super) fn write_last_status(&self) -> io::Result<()> {
        self.write_status_by(|path, status| write_status(path, status).or_else(|_| overwrite_status(path, status)))
    }

    fn write_status_by(&self, write: impl FnOnce(&Path, &RunStatus) -> io::Result<()>) -> io::Result<()> {
        let _one_at_a_time = self.status_writer.lock().unwrap_or_else(PoisonError::into_inner);
        let (path, status) = {
            let mut inner = self.lock();
            let Some(current) = &mut inner.current else { return Ok(()) };
            current.status.heartbeat = Utc::now();
            (current.run.status(), current.status.clone())
        };
        write(&path, &status)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // All of it is whole at every moment, also after a panic elsewhere.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn order_of(verb: RequestVerb) -> Order {
    match verb {
        RequestVerb::Pause => Order::Pause,
        RequestVerb::Continue => Order::Continue,
        RequestVerb::Checkpoint => Order::Checkpoint,
        RequestVerb::StopAfterEpoch => Order::StopAfterEpoch,
        RequestVerb::Stop => Order::Stop,
    }
}
