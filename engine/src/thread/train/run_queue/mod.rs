//! The state shared by the main thread, which listens, and the engine thread, which trains.

use std::collections::{HashMap, HashSet, VecDeque};
use std::ffi::OsString;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::Utc;
use mammoscope_domain::run::request_verb::RequestVerb;
use mammoscope_domain::run::run_status::{RunPhase, RunStatus};
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::run_lock::RunLock;
use mammoscope_storage::runs::run_requests::{PendingRequest, RejectedRequest, RunRequests};
use mammoscope_storage::runs::run_status_file::{overwrite_status, write_status};

use super::event_command::EventCommand;
use super::signals::InterruptSignal;
use super::step_watch::StepWatch;
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
    /// Runs the user's command at events, if there is one.
    event_command: Option<Arc<EventCommand>>,
    watch: StepWatch,
    /// What makes no progress, in words.
    stall: Option<String>,
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
        inner.current = Some(CurrentRun {
            requests: RunRequests::new(run),
            run: run.clone(),
            lock,
            event_command: None,
            watch: StepWatch::new(Instant::now()),
            stall: None,
            status,
            commands,
            taken: HashSet::new(),
        });
    }

    /// Sets the command that is run at events of the current run.
    pub(super) fn set_event_command(&self, command: Option<Arc<EventCommand>>) {
        if let Some(current) = &mut self.lock().current {
            current.event_command = command;
        }
    }

    /// Notes that a step of the current run has ended. Returns what was reported as a stall until now.
    pub(super) fn mark_step(&self) -> Option<String> {
        let mut inner = self.lock();
        let current = inner.current.as_mut()?;
        current.watch.step(Instant::now());
        current.stall.take()
    }

    /// Notes that the current run has made progress other than a step.
    pub(super) fn mark_progress(&self) {
        if let Some(current) = &mut self.lock().current {
            current.watch.other_progress(Instant::now());
        }
    }

    /// Looks for a stall of the current run; a new one is reported in its status and to the user's command.
    pub(super) fn check_pace(&self) {
        let mut inner = self.lock();
        let Some(current) = &mut inner.current else { return };
        let is_training = matches!(current.status.state, RunPhase::Starting | RunPhase::Running);
        let Some(stall) = current.watch.stall(Instant::now()).filter(|_| is_training) else { return };
        current.status.reason = Some(stall.clone());
        if current.stall.replace(stall.clone()).is_none() {
            tracing::warn!("{stall}");
            if let Some(command) = &current.event_command {
                command.report_stall(&Utc::now().to_rfc3339(), current.status.step, &stall);
            }
        }
    }

    /// Reaches the directory of the current run again after a fault of its file system. Stops a run whose directory was
    /// removed, where no request can reach it any more.
    pub(super) fn look_for_directory(&self) {
        let Some((run, _)) = self.current_step() else { return };
        if let Err(error) = run.reopen_if_stale() {
            tracing::warn!("the run directory cannot be opened again: {error}");
        }
        let is_removed = run.is_removed();
        let mut inner = self.lock();
        let current = inner.current.as_mut().filter(|current| current.run == run && !current.should_stop());
        if is_removed && let Some(current) = current {
            current.commands.push_back((Command::Stop, None));
            drop(inner);
            self.changed.notify_all();
        }
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
pub(super) mod tests;
