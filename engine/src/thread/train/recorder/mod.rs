//! Records the events of a run and passes commands to it.

mod observer;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use chrono::{TimeDelta, Utc};
use mammoscope_domain::run::remaining_time::remaining_seconds;
use mammoscope_domain::run::run_condition::duration_text;
use mammoscope_domain::run::run_event::{RunEvent, RunEventKind};
use mammoscope_domain::run::run_spec::RunSpec;
use mammoscope_domain::run::run_state::RunState;
use mammoscope_domain::run::run_status::RunPhase;
use mammoscope_domain::run::run_summary::RunSummary;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_domain::training::training_config::FullDiskPolicy;
use mammoscope_storage::runs::event_tail::{EventTail, TailEntry};
use mammoscope_storage::runs::run_dir::RunDir;

use super::curve_files::CurveFiles;
use super::event_backlog::EventBacklog;
use super::event_command::EventCommand;
use super::run_queue::RunQueue;
use super::storage_faults::StorageFaults;
use super::watched_images::WatchedImages;
use crate::learning::training_observer::TrainingObserver;

/// The longest wait for a command during a pause, before the loop checks again.
const PAUSE_TIMEOUT: Duration = Duration::from_millis(200);

/// The note of a checkpoint that holds the length of `events.jsonl` in bytes.
const EVENTS_OFFSET: &str = "events_offset";
/// The note of a checkpoint that holds the events that were not in `events.jsonl` yet.
const PENDING_EVENTS: &str = "pending_events";

/// The interval between attempts to write a log of the run after a fault.
const RETRY_INTERVAL: Duration = Duration::from_millis(500);
/// The interval between attempts to write a checkpoint after a fault.
const WAIT_INTERVAL: Duration = Duration::from_secs(1);
/// The time in which the end of an interrupted run is written, if it can be.
const LAST_ATTEMPTS: Duration = Duration::from_secs(5);

/// The time in which the curves of a run that has ended are written, if they can be.
const CURVES_ATTEMPTS: Duration = Duration::from_secs(60);

/// The start of the warning about a time limit.
const SHORT_LIMIT: &str = "the job's time limit is shorter than two epochs";

/// Writes the events, status, history and TensorBoard file of one run.
pub(super) struct Recorder {
    run: RunDir,
    /// The path of the run directory as far as it was reported.
    reported_path: PathBuf,
    queue: Arc<RunQueue>,
    backlog: EventBacklog,
    faults: StorageFaults,
    /// When writing was last tried again after a fault.
    last_retry: Instant,
    policy: FullDiskPolicy,
    /// True while training waits for something.
    is_waiting: bool,
    /// Runs the user's command at events, if there is one.
    event_command: Option<Arc<EventCommand>>,
    /// The length of the events in bytes before this trainer appended to them.
    length_before: u64,
    state: RunState,
    curves: CurveFiles,
    notes: BTreeMap<String, String>,
    watched: WatchedImages,
    /// The time limit of the Slurm job.
    time_limit: Option<Duration>,
}

impl Recorder {
    /// Opens the records of a run and folds the events so far.
    pub(super) fn open(run: &RunDir, spec: &RunSpec, queue: Arc<RunQueue>) -> anyhow::Result<Self> {
        let mut state = RunState::new(spec.config.monitor, spec.config.epochs);
        let mut curves = CurveFiles::new(run);
        let path = run.events();
        // Opening terminates a half-written last line, so that the reader below does not wait for the rest of it.
        let backlog = EventBacklog::open(&path).with_context(|| format!("open {}", printable_path(&path)))?;
        EventTail::new(&path)
            .read(|entry| {
                if let TailEntry::Event(event) = entry {
                    state.apply(&event);
                    curves.replay(&event);
                }
            })
            .with_context(|| format!("read {}", printable_path(&path)))?;
        Ok(Self {
            run: run.clone(),
            reported_path: run.shown_path(),
            queue,
            length_before: backlog.offset(),
            backlog,
            faults: StorageFaults::default(),
            last_retry: Instant::now(),
            policy: spec.config.on_full,
            is_waiting: false,
            event_command: None,
            state,
            curves,
            notes: BTreeMap::new(),
            watched: WatchedImages::default(),
            time_limit: None,
        })
    }

    /// The state according to the events so far.
    #[must_use]
    pub(super) fn summary(&self) -> &RunSummary {
        &self.state.summary
    }

    /// True if the run directory is no longer where it was when this trainer started.
    #[must_use]
    pub(super) fn has_moved(&self) -> bool {
        self.run.has_moved()
    }

    /// Sets the notes for checkpoints and the training images to check before every epoch.
    pub(super) fn watch(&mut self, notes: BTreeMap<String, String>, watched: WatchedImages) {
        self.notes = notes;
        self.watched = watched;
        self.curves.start();
        self.write_all();
    }

    /// Runs the user's command at events from here on.
    pub(super) fn set_event_command(&mut self, command: Option<EventCommand>) {
        self.event_command = command.map(Arc::new);
        self.queue.set_event_command(self.event_command.clone());
    }

    /// Notes progress in reading images, so that a reading that hangs is noticed.
    pub(super) fn progress_marker(&self) -> impl Fn() + Send + Sync + use<> {
        let queue = Arc::clone(&self.queue);
        move || queue.mark_progress()
    }

    /// Sets what a full disk does, where it was changed after the recorder was opened.
    pub(super) fn set_full_disk_policy(&mut self, policy: FullDiskPolicy) {
        self.policy = policy;
    }

    /// Sets the time limit of the Slurm job, to compare it with the time of an epoch.
    pub(super) fn set_time_limit(&mut self, limit: Option<Duration>) {
        self.time_limit = limit;
    }

    /// Warns once if fewer than two epochs fit in the time limit of the job.
    fn warn_of_short_limit(&mut self, epoch_s: f64) -> anyhow::Result<()> {
        let limit_s = match self.time_limit {
            Some(limit) if limit.as_secs_f64() < 2.0 * epoch_s => limit.as_secs_f64(),
            _ => return Ok(()),
        };
        if self.summary().warnings.iter().any(|warning| warning.message.starts_with(SHORT_LIMIT)) {
            return Ok(());
        }
        let shown = |seconds: f64| duration_text(TimeDelta::seconds(seconds.round() as i64));
        let message = format!(
            "{SHORT_LIMIT}: {} against {} for an epoch; a longer --time wastes less on starting again",
            shown(limit_s),
            shown(epoch_s)
        );
        self.record(RunEventKind::Warning { message })
    }

    /// Restores the events that waited to be written when the checkpoint with these notes was saved, and warns if the
    /// events are shorter than they were then.
    pub(super) fn take_over_events(&mut self, notes: &BTreeMap<String, String>) -> anyhow::Result<()> {
        let Some(then) = notes.get(EVENTS_OFFSET).and_then(|offset| offset.parse::<u64>().ok()) else { return Ok(()) };
        if then == self.length_before
            && let Some(text) = notes.get(PENDING_EVENTS)
        {
            for event in EventBacklog::restore(text) {
                self.take(event);
            }
        }
        match then.checked_sub(self.length_before).filter(|&missing| missing > 0) {
            None => Ok(()),
            Some(missing) => {
                let message = format!(
                    "events.jsonl is {missing} bytes shorter than when the checkpoint was written: part of the run's \
                     history is lost, but none of its training"
                );
                self.record(RunEventKind::Warning { message })
            }
        }
    }

    /// Writes an event to the run's log, except for step reports.
    fn log_event(event: &RunEventKind) {
        match event {
            RunEventKind::StepReported(_) => {}
            RunEventKind::Warning { message } => tracing::warn!("{message}"),
            RunEventKind::Ended { state: RunPhase::Failed, reason, .. } => {
                tracing::error!("failed: {}", reason.as_deref().unwrap_or("no reason given"));
            }
            other => match serde_json::to_string(other) {
                Ok(line) => tracing::info!("{line}"),
                Err(error) => tracing::error!("an event cannot be written: {error}"),
            },
        }
    }

    /// Warns if the run directory was renamed or moved since the last report.
    fn report_move(&mut self) {
        let path = self.run.shown_path();
        if path == self.reported_path {
            return;
        }
        self.warn(format!("the run directory is now {}", printable_path(&path)));
        self.reported_path = path;
        self.write_all();
    }

    fn warn(&mut self, message: String) {
        tracing::warn!("{message}");
        self.take(RunEvent { time: Utc::now(), kind: RunEventKind::Warning { message } });
    }

    fn take(&mut self, event: RunEvent) {
        if let Some(command) = &self.event_command {
            let was_waiting = self.summary().phase == RunPhase::Paused && self.summary().reason.is_some();
            command.report(&event, was_waiting);
        }
        self.state.apply(&event);
        self.curves.push(&event);
        self.backlog.push(event);
    }

    /// Writes everything that waits, except for the status. A file that cannot be written keeps what it lacks in memory;
    /// once it is written again, that is recorded as a warning.
    fn write_all(&mut self) {
        self.last_retry = Instant::now();
        for _ in 0..2 {
            let outcomes = [
                ("history files", self.curves.write_history()),
                ("TensorBoard file", self.curves.write_tensorboard()),
                ("events.jsonl", self.backlog.write()),
            ];
            let mut recovered: Vec<String> =
                outcomes.iter().filter_map(|(file, outcome)| self.faults.note(file, outcome)).collect();
            recovered.extend(self.queue.take_status_recovery());
            if let given_up @ 1.. = self.backlog.take_given_up() {
                recovered.push(format!(
                    "{given_up} reports of steps were not recorded, since events.jsonl could not be written"
                ));
            }
            for message in recovered {
                self.warn(message);
            }
            if !self.backlog.has_pending() {
                break;
            }
        }
    }

    /// Tries again what could not be written, every half second.
    fn retry(&mut self) {
        let waits = self.backlog.has_pending() || self.curves.has_pending() || self.queue.has_status_fault();
        if waits && self.last_retry.elapsed() >= RETRY_INTERVAL {
            self.write_all();
            self.update_status();
            self.queue.write_status();
        }
    }

    /// Writes what still waits at the end of a run, if it takes until there is room. Gives up after a signal, or at once if
    /// the run is to stop on a full disk.
    pub(super) fn finish(&mut self) {
        let start = Instant::now();
        loop {
            self.write_all();
            self.update_status();
            // The curves follow from the events, so that a lasting fault of theirs does not hold the run for good.
            let curves_wait = self.curves.has_pending() && start.elapsed() < CURVES_ATTEMPTS;
            let is_written = self.queue.write_final_status().is_ok() && !self.backlog.has_pending() && !curves_wait;
            let gives_up = self.policy == FullDiskPolicy::Stop
                || self.run.is_removed()
                || (self.queue.interruption().is_some() && start.elapsed() > LAST_ATTEMPTS);
            if is_written || gives_up {
                if let Some(text) = self.faults.text() {
                    tracing::error!("the end of the run is not recorded: {text}");
                }
                if !is_written {
                    // The events will never say it; the status can be written without room for it.
                    let phase = self.summary().phase;
                    self.queue.update_status(|status| status.state = phase);
                    let _ = self.queue.write_final_status();
                }
                return;
            }
            thread::sleep(RETRY_INTERVAL);
        }
    }

    /// Records that the run waits for something, and waits a moment.
    pub(super) fn wait_for(&mut self, reason: &str) -> anyhow::Result<()> {
        if !std::mem::replace(&mut self.is_waiting, true) {
            let step = self.summary().step;
            self.record(RunEventKind::Waiting { step, reason: reason.to_owned() })?;
        }
        let start = Instant::now();
        while start.elapsed() < WAIT_INTERVAL && !self.queue.should_stop() {
            self.queue.mark_progress();
            self.retry();
            thread::sleep(PAUSE_TIMEOUT / 4);
        }
        Ok(())
    }

    /// Runs `write` until it succeeds, and waits where the run's policy is to wait.
    pub(super) fn persist<T>(&mut self, file: &str, mut write: impl FnMut() -> anyhow::Result<T>) -> anyhow::Result<T> {
        loop {
            match write() {
                Ok(value) => {
                    self.end_wait()?;
                    return Ok(value);
                }
                Err(error) => self.wait_or_fail(file, error)?,
            }
        }
    }

    /// Writes a status with the progress so far. Call it before the first event, so that a reader who waits for that
    /// event no longer finds the status of an earlier trainer.
    pub(super) fn publish_status(&self) {
        let RunSummary { step, epoch, epochs, best, .. } = self.summary();
        self.queue.update_status(|status| {
            (status.step, status.epoch, status.epochs) = (*step, *epoch, *epochs);
            status.best.clone_from(best);
        });
        self.queue.write_status();
    }

    fn update_status(&self) {
        let summary = self.summary();
        let fault = self.faults.text();
        self.queue.update_status(|status| {
            // Readers rely on the events once a run is over.
            if !summary.phase.is_over() || !self.backlog.has_pending() {
                status.state = summary.phase;
            }
            status.reason = summary.reason.clone().or(fault);
            status.step = summary.step;
            status.epoch = summary.epoch;
            status.epochs = summary.epochs;
            status.steps_per_epoch = summary.setup.as_ref().map_or(0, |setup| setup.steps_per_epoch);
            status.best.clone_from(&summary.best);
            status.images_per_s = summary.images_per_s;
            status.eta_s = if summary.phase.is_over() { None } else { remaining_seconds(summary) };
        });
    }
}

#[cfg(test)]
mod tests;
