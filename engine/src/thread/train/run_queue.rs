//! The state shared by the main thread, which listens, and the engine thread, which trains.

use std::collections::{HashMap, HashSet, VecDeque};
use std::ffi::OsString;
use std::io;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::Utc;
use mammoscope_domain::run::request_verb::RequestVerb;
use mammoscope_domain::run::run_status::{RunPhase, RunStatus};
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::run_lock::RunLock;
use mammoscope_storage::runs::run_requests::{PendingRequest, RejectedRequest, RunRequests};
use mammoscope_storage::runs::run_status_file::{overwrite_status, write_status};

use super::signals::InterruptSignal;
use super::storage_faults::StorageFaults;
use crate::learning::training_observer::Command;

/// The queued runs, the current run and the commands to it.
#[derive(Debug)]
pub(super) struct RunQueue {
    inner: Mutex<Inner>,
    /// Wakes a paused run.
    changed: Condvar,
    /// Held while a status is written, so that an older one never replaces a newer one.
    status_writer: Mutex<()>,
}

#[derive(Debug)]
struct Inner {
    queue: VecDeque<RunDir>,
    /// The locks of queued runs.
    locks: HashMap<RunDir, RunLock>,
    current: Option<CurrentRun>,
    interrupted: Option<InterruptSignal>,
    finished: bool,
    status_fault: StorageFaults,
    status_recovery: Option<String>,
}

#[derive(Debug)]
struct CurrentRun {
    run: RunDir,
    /// Held until the run is no longer the current one.
    lock: Option<RunLock>,
    status: RunStatus,
    requests: RunRequests,
    /// The pending commands, each with the request it comes from. The first one may be in progress.
    commands: VecDeque<(Command, Option<PendingRequest>)>,
    /// The files of requests that were taken.
    taken: HashSet<OsString>,
}

impl CurrentRun {
    fn should_stop(&self) -> bool {
        self.commands.iter().any(|(command, _)| command.stops_immediately())
    }
}

impl RunQueue {
    #[must_use]
    pub(super) fn new(runs: Vec<RunDir>) -> Self {
        let (queue, locks) = (runs.into(), HashMap::new());
        let inner = Inner {
            queue,
            locks,
            current: None,
            interrupted: None,
            finished: false,
            status_fault: StorageFaults::default(),
            status_recovery: None,
        };
        Self { inner: Mutex::new(inner), changed: Condvar::new(), status_writer: Mutex::new(()) }
    }

    /// Keeps the lock of a queued run until the run starts or leaves the queue.
    pub(super) fn keep_lock(&self, run: &RunDir, lock: RunLock) {
        self.lock().locks.insert(run.clone(), lock);
    }

    /// The lock of a run that was queued.
    pub(super) fn take_lock(&self, run: &RunDir) -> Option<RunLock> {
        self.lock().locks.remove(run)
    }

    /// True if another trainer has taken the current run over.
    #[must_use]
    pub(super) fn has_lost_lock(&self) -> bool {
        let inner = self.lock();
        inner.current.as_ref().is_some_and(|current| current.lock.as_ref().is_some_and(RunLock::is_lost))
    }

    /// Takes the next run off the queue, unless a signal was received.
    pub(super) fn next_run(&self) -> Option<RunDir> {
        let mut inner = self.lock();
        if inner.interrupted.is_some() { None } else { inner.queue.pop_front() }
    }

    #[must_use]
    pub(super) fn queued(&self) -> Vec<RunDir> {
        self.lock().queue.iter().cloned().collect()
    }

    /// Calls `write` for each queued run, to write to its status. A run that starts in the meantime publishes its own
    /// status after that; one that has already started is skipped.
    pub(super) fn for_each_queued(&self, write: impl Fn(&RunDir)) {
        for run in self.queued() {
            let _guard = self.status_writer.lock().unwrap_or_else(PoisonError::into_inner);
            if self.lock().queue.contains(&run) {
                write(&run);
            }
        }
    }

    /// Removes a run from the queue; `false` if it has already left it.
    pub(super) fn remove(&self, run: &RunDir) -> bool {
        let mut inner = self.lock();
        let before = inner.queue.len();
        inner.queue.retain(|queued| queued != run);
        inner.queue.len() < before
    }

    /// Makes a run the current one, and keeps its lock until it ends.
    pub(super) fn start_run(&self, run: &RunDir, lock: Option<RunLock>, status: RunStatus) {
        let mut inner = self.lock();
        let mut commands = VecDeque::new();
        if inner.interrupted.is_some() {
            commands.push_back((Command::Interrupt, None));
        }
        let (requests, run) = (RunRequests::new(run), run.clone());
        inner.current = Some(CurrentRun { run, lock, status, requests, commands, taken: HashSet::new() });
    }

    /// Ends the current run and releases its lock.
    pub(super) fn end_run(&self) {
        let ended = self.lock().current.take();
        drop(ended);
    }

    /// The current run and its weight updates.
    #[must_use]
    pub(super) fn current_step(&self) -> Option<(RunDir, u64)> {
        self.lock().current.as_ref().map(|current| (current.run.clone(), current.status.step))
    }

    /// Marks the end of the engine thread.
    pub(super) fn finish(&self) {
        self.lock().finished = true;
        self.changed.notify_all();
    }

    #[must_use]
    pub(super) fn is_finished(&self) -> bool {
        self.lock().finished
    }

    /// Interrupts the current run and keeps the queued ones from starting, after a signal.
    pub(super) fn interrupt(&self, signal: InterruptSignal) {
        let mut inner = self.lock();
        inner.interrupted = Some(signal);
        if let Some(current) = &mut inner.current {
            current.commands.push_back((Command::Interrupt, None));
            current.status.state = RunPhase::Stopping;
        }
        drop(inner);
        self.changed.notify_all();
    }

    /// The signal that interrupted the trainer.
    #[must_use]
    pub(super) fn interruption(&self) -> Option<InterruptSignal> {
        self.lock().interrupted
    }

    /// Takes the pending requests to the current run; returns the files that are not valid requests.
    pub(super) fn take_requests(&self) -> io::Result<Vec<RejectedRequest>> {
        let mut inner = self.lock();
        let Some(current) = &mut inner.current else { return Ok(Vec::new()) };
        let (pending, rejected) = current.requests.pending()?;
        for request in pending {
            if current.taken.insert(request.file.clone()) {
                let command = command_of(request.request.verb);
                if command.stops_immediately() {
                    current.status.state = RunPhase::Stopping;
                }
                current.commands.push_back((command, Some(request)));
            }
        }
        drop(inner);
        self.changed.notify_all();
        Ok(rejected)
    }

    /// The next command to the current run, which stays the same until it is acknowledged.
    pub(super) fn next_command(&self) -> Option<Command> {
        let inner = self.lock();
        let (command, _) = inner.current.as_ref()?.commands.front()?;
        Some(command.clone())
    }

    /// Removes the next command, which was carried out, and its request; returns the verb of the request.
    pub(super) fn acknowledge(&self) -> Option<RequestVerb> {
        let mut inner = self.lock();
        let current = inner.current.as_mut()?;
        let request = current.commands.pop_front()?.1?;
        // If the file cannot be removed, this process still does not take it again.
        let _ = current.requests.remove(&request);
        Some(request.request.verb)
    }

    /// True if a command to stop immediately is pending.
    #[must_use]
    pub(super) fn should_stop(&self) -> bool {
        self.lock().current.as_ref().is_some_and(CurrentRun::should_stop)
    }

    /// Waits for a command, for `timeout` at most.
    pub(super) fn wait(&self, timeout: Duration) {
        let inner = self.lock();
        let is_idle = |inner: &mut Inner| inner.current.as_ref().is_some_and(|current| current.commands.is_empty());
        drop(self.changed.wait_timeout_while(inner, timeout, is_idle));
    }

    /// Changes the status of the current run; it is written with the next heartbeat. While a command to stop is
    /// pending, the state is `stopping` whatever the run does.
    pub(super) fn update_status(&self, change: impl FnOnce(&mut RunStatus)) {
        let mut inner = self.lock();
        if let Some(current) = &mut inner.current {
            change(&mut current.status);
            if current.should_stop() && !current.status.state.is_over() {
                current.status.state = RunPhase::Stopping;
            }
            current.status.updated = Utc::now();
        }
    }

    /// Writes the status of the current run with a fresh heartbeat. A fault passes: the next heartbeat tries again, and what
    /// to say of it is kept for [`RunQueue::take_status_recovery`].
    pub(super) fn write_status(&self) {
        let outcome = self.write_final_status();
        let mut inner = self.lock();
        if let Some(message) = inner.status_fault.note("status.json", &outcome) {
            inner.status_recovery = Some(message);
        }
    }

    /// Writes the status, in place if the disk has no room for a new file, so that a run that waits for room, or failed, is
    /// still seen to do so.
    pub(super) fn write_final_status(&self) -> io::Result<()> {
        let _guard = self.status_writer.lock().unwrap_or_else(PoisonError::into_inner);
        let (path, status) = {
            let mut inner = self.lock();
            let Some(current) = &mut inner.current else { return Ok(()) };
            current.status.heartbeat = Utc::now();
            (current.run.status(), current.status.clone())
        };
        write_status(&path, &status).or_else(|error| overwrite_status(&path, &status).map_err(|_| error))
    }

    /// True while the status cannot be written, or was not written for a while and that is still to be recorded.
    pub(super) fn has_status_fault(&self) -> bool {
        let inner = self.lock();
        inner.status_recovery.is_some() || inner.status_fault.text().is_some()
    }

    /// What to record once the status is written again after a fault.
    pub(super) fn take_status_recovery(&self) -> Option<String> {
        self.lock().status_recovery.take()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // The state is consistent at every moment, even after a panic elsewhere.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn command_of(verb: RequestVerb) -> Command {
    match verb {
        RequestVerb::Pause => Command::Pause,
        RequestVerb::Continue => Command::Continue,
        RequestVerb::Checkpoint => Command::Checkpoint,
        RequestVerb::StopAfterEpoch => Command::StopAfterEpoch,
        RequestVerb::Stop => Command::Stop,
    }
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used, reason = "a failing unwrap fails the test")]

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

    /// The specification of a run with the preset `seed`.
    pub(in crate::thread::train) fn spec() -> RunSpec {
        RunSpec {
            grey_range: mammoscope_domain::image::grey_range::GreyRange::Auto,
            schema: RUN_SCHEMA,
            placement: None,
            study: None,
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
    fn a_command_stays_pending_until_it_is_acknowledged() {
        let (_folder, runs) = runs(1);
        let queue = RunQueue::new(Vec::new());
        queue.start_run(&runs[0], None, status());
        assert_eq!((queue.next_command(), queue.acknowledge()), (None, None));
        let request_file = RunRequest::new(RequestVerb::Stop).write(&runs[0]).unwrap();
        assert!(queue.take_requests().unwrap().is_empty());
        queue.interrupt(InterruptSignal::Terminate);
        for _ in 0..2 {
            // A rollback may come between the command and the checkpoint that it asks for.
            assert_eq!(queue.next_command(), Some(Command::Stop));
            assert!(queue.should_stop() && request_file.exists());
        }
        assert_eq!(queue.acknowledge(), Some(RequestVerb::Stop));
        assert!(queue.should_stop() && !request_file.exists());
        assert_eq!((queue.next_command(), queue.acknowledge()), (Some(Command::Interrupt), None));
        assert_eq!((queue.next_command(), queue.should_stop()), (None, false));
    }

    #[test]
    fn the_status_follows_the_run_until_it_is_stopping() {
        let (_folder, runs) = runs(1);
        let queue = RunQueue::new(Vec::new());
        queue.start_run(&runs[0], None, status());
        let written = |phase| {
            queue.update_status(|status| status.state = phase);
            queue.write_status();
            read_status(&runs[0].status()).unwrap().state
        };
        RunRequest::new(RequestVerb::StopAfterEpoch).write(&runs[0]).unwrap();
        queue.take_requests().unwrap();
        for phase in [RunPhase::Stopping, RunPhase::Paused, RunPhase::Running] {
            assert_eq!(written(phase), phase);
        }
        queue.interrupt(InterruptSignal::Terminate);
        assert_eq!(written(RunPhase::Running), RunPhase::Stopping);
        assert_eq!(written(RunPhase::Interrupted), RunPhase::Interrupted);
    }

    #[test]
    fn a_run_that_has_left_the_queue_is_not_written_to_as_queued() {
        let (_folder, runs) = runs(3);
        let queue = RunQueue::new(runs.clone());
        let written = RefCell::new(Vec::new());
        queue.for_each_queued(|run| {
            // In the meantime the engine thread takes this run and the next.
            while queue.queued().len() > 1 {
                queue.next_run();
            }
            written.borrow_mut().push(run.clone());
        });
        assert_eq!(written.into_inner(), [runs[0].clone(), runs[2].clone()]);
    }
}
