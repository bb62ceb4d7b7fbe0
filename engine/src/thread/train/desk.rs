//! Where the main thread, which listens, and the engine thread, which trains, leave word for each other.

use std::collections::{HashSet, VecDeque};
use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::Utc;
use mammoscope_domain::run::run_event::RequestVerb;
use mammoscope_domain::run::run_status::{RunPhase, RunStatus};
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::run_requests::{PendingRequest, RejectedRequest, RunRequests};
use mammoscope_storage::runs::run_status_file::{overwrite_status, write_status};

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
    /// What is to be done, each with the request behind it; the first may be in work.
    orders: VecDeque<(Order, Option<PendingRequest>)>,
    /// Requests that were taken and not yet removed, by their files.
    taken: HashSet<OsString>,
}

impl Current {
    fn is_to_end(&self) -> bool {
        self.orders.iter().any(|(order, _)| order.ends_at_once())
    }
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

    /// Writes to the status of each run that waits. Nothing else is written to it meanwhile: a run whose turn comes
    /// announces itself behind this, and is passed over when it has come already.
    pub(super) fn for_each_queued(&self, write: impl Fn(&RunDir)) {
        for run in self.queued() {
            let _one_at_a_time = self.status_writer.lock().unwrap_or_else(PoisonError::into_inner);
            if self.lock().queue.contains(&run) {
                write(&run);
            }
        }
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
        inner.current = Some(Current { run, status, requests, orders, taken: HashSet::new() });
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

    /// The next order for the run in work; the same until it is obeyed.
    pub(super) fn next_order(&self) -> Option<Order> {
        let inner = self.lock();
        let (order, _) = inner.current.as_ref()?.orders.front()?;
        Some(order.clone())
    }

    /// The next order was carried out: it is taken away, its request is removed, and its verb given.
    pub(super) fn obeyed(&self) -> Option<RequestVerb> {
        let mut inner = self.lock();
        let current = inner.current.as_mut()?;
        let request = current.orders.pop_front()?.1?;
        // A file that cannot be removed is not taken again by this process.
        let _ = current.requests.remove(&request);
        Some(request.request.verb)
    }

    /// Whether an order to end at once is waiting.
    #[must_use]
    pub(super) fn is_to_end(&self) -> bool {
        self.lock().current.as_ref().is_some_and(Current::is_to_end)
    }

    /// Waits until something is asked, or for a moment.
    pub(super) fn wait(&self, moment: Duration) {
        let inner = self.lock();
        let waits = |inner: &mut Inner| inner.current.as_ref().is_some_and(|current| current.orders.is_empty());
        drop(self.news.wait_timeout_while(inner, moment, waits));
    }

    /// Changes the status of the run in work; it is written with the next heartbeat. While an order to end is on its way,
    /// the run is stopping whatever else it does.
    pub(super) fn update_status(&self, change: impl FnOnce(&mut RunStatus)) {
        let mut inner = self.lock();
        if let Some(current) = &mut inner.current {
            change(&mut current.status);
            if current.is_to_end() && !current.status.state.is_over() {
                current.status.state = RunPhase::Stopping;
            }
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

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use std::cell::RefCell;

    use mammoscope_domain::run::run_spec::{RUN_SCHEMA, RunSpec};
    use mammoscope_domain::subject::view::View;
    use mammoscope_domain::training::compute_options::DeviceChoice;
    use mammoscope_domain::training::preset::Preset;
    use mammoscope_storage::runs::run_requests::RunRequest;
    use mammoscope_storage::runs::run_status_file::{read_status, status_of_this_process};

    use super::*;

    fn runs(count: usize) -> (tempfile::TempDir, Vec<RunDir>) {
        let folder = tempfile::tempdir().unwrap();
        let runs = (0..count).map(|number| RunDir::create(folder.path().join(number.to_string())).unwrap()).collect();
        (folder, runs)
    }

    /// Of a run of preset `seed`.
    pub(in crate::thread::train) fn spec() -> RunSpec {
        RunSpec {
            grey_range: mammoscope_domain::image::grey_range::GreyRange::Auto,
            schema: RUN_SCHEMA,
            created: Utc::now(),
            group: "group".to_owned(),
            view: View::CcR,
            preset: "seed".to_owned(),
            data: "data".into(),
            device: DeviceChoice::Cpu,
            config: Preset::named("seed").unwrap().config,
        }
    }

    fn status() -> RunStatus {
        status_of_this_process(&spec(), RunPhase::Running, Utc::now())
    }

    #[test]
    fn an_order_stays_until_it_was_carried_out() {
        let (_folder, runs) = runs(1);
        let desk = Desk::new(Vec::new());
        desk.begin(&runs[0], status());
        assert_eq!((desk.next_order(), desk.obeyed()), (None, None));
        let asked = RunRequest::new(RequestVerb::Stop).write(&runs[0]).unwrap();
        assert!(desk.take_requests().unwrap().is_empty());
        desk.interrupt();
        for _ in 0..2 {
            // Numbers that are not finite may come between the order and the checkpoint that it wants.
            assert_eq!(desk.next_order(), Some(Order::Stop));
            assert!(desk.is_to_end() && asked.exists());
        }
        assert_eq!(desk.obeyed(), Some(RequestVerb::Stop));
        assert!(desk.is_to_end() && !asked.exists());
        assert_eq!((desk.next_order(), desk.obeyed()), (Some(Order::Interrupt), None));
        assert_eq!((desk.next_order(), desk.is_to_end()), (None, false));
    }

    #[test]
    fn the_status_says_what_a_run_does_and_that_it_is_to_end() {
        let (_folder, runs) = runs(1);
        let desk = Desk::new(Vec::new());
        desk.begin(&runs[0], status());
        let written = |phase| {
            desk.update_status(|status| status.state = phase);
            desk.write_status().unwrap();
            read_status(&runs[0].status()).unwrap().state
        };
        RunRequest::new(RequestVerb::StopAfterEpoch).write(&runs[0]).unwrap();
        desk.take_requests().unwrap();
        for phase in [RunPhase::Stopping, RunPhase::Paused, RunPhase::Running] {
            assert_eq!(written(phase), phase);
        }
        desk.interrupt();
        assert_eq!(written(RunPhase::Running), RunPhase::Stopping);
        assert_eq!(written(RunPhase::Interrupted), RunPhase::Interrupted);
    }

    #[test]
    fn a_run_whose_turn_has_come_is_no_longer_written_to_as_one_that_waits() {
        let (_folder, runs) = runs(3);
        let desk = Desk::new(runs.clone());
        let written = RefCell::new(Vec::new());
        desk.for_each_queued(|run| {
            // Meanwhile the engine thread takes this one and the next.
            while desk.queued().len() > 1 {
                desk.next_run();
            }
            written.borrow_mut().push(run.clone());
        });
        assert_eq!(written.into_inner(), [runs[0].clone(), runs[2].clone()]);
    }
}
