//! Records the events of a run and passes commands to it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use chrono::{SecondsFormat, TimeDelta, Utc};
use mammoscope_dataset::pixel_cache::{ImageRecord, verify_unchanged};
use mammoscope_domain::image::grey_range::GreyRange;
use mammoscope_domain::run::remaining_time::remaining_seconds;
use mammoscope_domain::run::run_condition::duration_text;
use mammoscope_domain::run::run_event::{RunEvent, RunEventKind};
use mammoscope_domain::run::run_records::AcknowledgedRequest;
use mammoscope_domain::run::run_spec::RunSpec;
use mammoscope_domain::run::run_state::RunState;
use mammoscope_domain::run::run_status::RunPhase;
use mammoscope_domain::run::run_summary::RunSummary;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_storage::runs::event_log::EventLog;
use mammoscope_storage::runs::event_tail::{EventTail, TailEntry};
use mammoscope_storage::runs::history_files::ReferenceHistory;
use mammoscope_storage::runs::process_evidence::host_name;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::tensorboard::TensorBoardWriter;

use super::run_queue::RunQueue;
use crate::learning::training_observer::{Command, TrainingObserver, UnusableImage};

/// The longest wait for a command during a pause, before the loop checks again.
const PAUSE_TIMEOUT: Duration = Duration::from_millis(200);

/// The note of a checkpoint that holds the length of `events.jsonl` in bytes.
const EVENTS_OFFSET: &str = "events_offset";

/// The start of the warning about a time limit.
const SHORT_LIMIT: &str = "the job's time limit is shorter than two epochs";

/// A training image and its record from the start of the run.
#[derive(Debug)]
pub(super) struct WatchedImage {
    pub(super) path: PathBuf,
    /// `None` for an image that is already unusable.
    pub(super) record: Option<ImageRecord>,
}

/// Writes the events, status, history and TensorBoard file of one run.
pub(super) struct Recorder {
    run: RunDir,
    queue: Arc<RunQueue>,
    log: EventLog,
    /// The length of the events in bytes before this trainer appended to them.
    length_before: u64,
    state: RunState,
    history: ReferenceHistory,
    tensorboard: Option<TensorBoardWriter>,
    notes: BTreeMap<String, String>,
    watched: Vec<WatchedImage>,
    /// The white level of 16-bit images.
    grey_range: GreyRange,
    unusable: BTreeSet<usize>,
    /// The time limit of the Slurm job.
    time_limit: Option<Duration>,
}

impl Recorder {
    /// Opens the records of a run and folds the events so far.
    pub(super) fn open(run: &RunDir, spec: &RunSpec, queue: Arc<RunQueue>) -> anyhow::Result<Self> {
        let mut state = RunState::new(spec.config.monitor, spec.config.epochs);
        let mut history = ReferenceHistory::default();
        let path = run.events();
        // Opening terminates a half-written last line, so that the reader below does not wait for the rest of it.
        let log = EventLog::open(&path).with_context(|| format!("open {}", printable_path(&path)))?;
        EventTail::new(&path)
            .read(|entry| {
                if let TailEntry::Event(event) = entry {
                    state.apply(&event);
                    history.apply(&event);
                }
            })
            .with_context(|| format!("read {}", printable_path(&path)))?;
        Ok(Self {
            run: run.clone(),
            queue,
            length_before: log.offset(),
            log,
            state,
            history,
            tensorboard: None,
            notes: BTreeMap::new(),
            watched: Vec::new(),
            grey_range: spec.grey_range,
            unusable: BTreeSet::new(),
            time_limit: None,
        })
    }

    /// The state according to the events so far.
    #[must_use]
    pub(super) fn summary(&self) -> &RunSummary {
        &self.state.summary
    }

    /// Sets the notes for checkpoints and the training images to check before every epoch.
    pub(super) fn watch(&mut self, notes: BTreeMap<String, String>, watched: Vec<WatchedImage>) {
        self.notes = notes;
        self.watched = watched;
        match TensorBoardWriter::create(&self.run.tensorboard(), &host_name(), Utc::now()) {
            Ok(writer) => self.tensorboard = Some(writer),
            Err(error) => tracing::warn!("no TensorBoard file: {error}"),
        }
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

    /// Warns if the events are shorter than when the checkpoint with these notes was written.
    pub(super) fn warn_of_missing_events(&mut self, notes: &BTreeMap<String, String>) -> anyhow::Result<()> {
        let then: Option<u64> = notes.get(EVENTS_OFFSET).and_then(|offset| offset.parse().ok());
        match then.and_then(|then| then.checked_sub(self.length_before)).filter(|&missing| missing > 0) {
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

    fn export(&mut self, event: &RunEvent) {
        let written = self.tensorboard.as_mut().map_or(Ok(()), |writer| writer.record(event));
        if let Err(error) = written {
            // The events hold everything that TensorBoard shows, so this does not end the run.
            tracing::warn!("no longer writing the TensorBoard file: {error}");
            self.tensorboard = None;
        }
        if self.history.apply(event)
            && let Err(error) = self.history.write(&self.run)
        {
            tracing::warn!("the history files were not written: {error}");
        }
    }

    /// Writes a status with the progress so far. Call it before the first event, so that a reader who waits for that
    /// event no longer finds the status of an earlier trainer.
    pub(super) fn publish_status(&self) -> anyhow::Result<()> {
        let RunSummary { step, epoch, epochs, best, .. } = self.summary();
        self.queue.update_status(|status| {
            (status.step, status.epoch, status.epochs) = (*step, *epoch, *epochs);
            status.best.clone_from(best);
        });
        self.queue.write_status().with_context(|| format!("write {}", printable_path(&self.run.status())))
    }

    fn update_status(&self) {
        let summary = self.summary();
        self.queue.update_status(|status| {
            status.state = summary.phase;
            status.reason.clone_from(&summary.reason);
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

impl TrainingObserver for Recorder {
    fn record(&mut self, kind: RunEventKind) -> anyhow::Result<()> {
        Self::log_event(&kind);
        let event = RunEvent { time: Utc::now(), kind };
        let path = self.run.events();
        self.log.append(&event).with_context(|| format!("write {}", printable_path(&path)))?;
        self.state.apply(&event);
        self.export(&event);
        self.update_status();
        if !matches!(event.kind, RunEventKind::StepReported(_)) {
            self.queue.write_status().with_context(|| format!("write {}", printable_path(&self.run.status())))?;
        }
        if let RunEventKind::EpochEnded(epoch) = &event.kind {
            self.warn_of_short_limit(epoch.seconds)?;
        }
        Ok(())
    }

    fn next_command(&mut self) -> Option<Command> {
        self.queue.next_command()
    }

    fn acknowledge(&mut self, _command: &Command, step: u64) -> anyhow::Result<()> {
        match self.queue.acknowledge() {
            Some(verb) => self.record(RunEventKind::RequestAcknowledged(AcknowledgedRequest { verb, step })),
            None => Ok(()),
        }
    }

    fn should_stop(&mut self) -> bool {
        self.queue.should_stop()
    }

    fn wait(&mut self) {
        self.queue.wait(PAUSE_TIMEOUT);
    }

    fn unusable_images(&mut self) -> Vec<UnusableImage> {
        let mut unusable = Vec::new();
        for (image, watched) in self.watched.iter().enumerate() {
            if self.unusable.contains(&image) {
                continue;
            }
            let Some(record) = &watched.record else { continue };
            if let Some(reason) = verify_unchanged(record, &watched.path, self.grey_range) {
                unusable.push(UnusableImage { image, reason });
            }
        }
        self.unusable.extend(unusable.iter().map(|unusable| unusable.image));
        unusable
    }

    fn sync(&mut self) -> anyhow::Result<()> {
        self.log.sync().with_context(|| format!("write {}", printable_path(&self.run.events())))
    }

    fn notes(&self) -> BTreeMap<String, String> {
        let mut notes = self.notes.clone();
        notes.extend([
            ("time".to_owned(), Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true)),
            ("host".to_owned(), host_name()),
            (EVENTS_OFFSET.to_owned(), self.log.offset().to_string()),
            ("epoch".to_owned(), self.summary().epoch.to_string()),
            ("step".to_owned(), self.summary().step.to_string()),
        ]);
        notes
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failing unwrap fails the test")]

    use mammoscope_domain::run::request_verb::RequestVerb;
    use mammoscope_storage::runs::run_status_file::{read_status, status_of_this_process};

    use super::super::run_queue::tests::spec;
    use super::*;

    #[test]
    fn a_time_limit_shorter_than_two_epochs_is_warned_of_once() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::create(folder.path().join("run")).unwrap();
        let spec = spec();
        let queue = Arc::new(RunQueue::new(Vec::new()));
        queue.start_run(&run, None, status_of_this_process(&spec, RunPhase::Running, Utc::now()));
        let mut recorder = Recorder::open(&run, &spec, queue).unwrap();
        let mut warnings = |limit: Option<u64>, epoch_s| {
            recorder.set_time_limit(limit.map(Duration::from_secs));
            recorder.warn_of_short_limit(epoch_s).unwrap();
            recorder.summary().warnings.iter().map(|warning| warning.message.clone()).collect::<Vec<_>>()
        };
        assert_eq!(warnings(None, 9000.0), [""; 0]);
        assert_eq!(warnings(Some(600), 300.0), [""; 0], "two epochs fit");
        let expected = "the job's time limit is shorter than two epochs: 10 min against 7 min for an epoch; a longer --time \
                        wastes less on starting again";
        assert_eq!(warnings(Some(600), 420.0), [expected]);
        assert_eq!(warnings(Some(600), 480.0), [expected], "once is enough");
    }

    #[test]
    fn a_run_that_stops_after_its_epoch_can_still_be_paused() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::create(folder.path().join("run")).unwrap();
        let spec = spec();
        let queue = Arc::new(RunQueue::new(Vec::new()));
        queue.start_run(&run, None, status_of_this_process(&spec, RunPhase::Running, Utc::now()));
        let mut recorder = Recorder::open(&run, &spec, queue).unwrap();
        let verb = RequestVerb::StopAfterEpoch;
        for (kind, phase) in [
            (RunEventKind::EpochStarted { epoch: 1, step: 0, learning_rate: 0.01 }, RunPhase::Running),
            (RunEventKind::RequestAcknowledged(AcknowledgedRequest { verb, step: 1 }), RunPhase::Stopping),
            (RunEventKind::Paused { step: 1 }, RunPhase::Paused),
            (RunEventKind::Continued { step: 1 }, RunPhase::Stopping),
        ] {
            recorder.record(kind.clone()).unwrap();
            assert_eq!(read_status(&run.status()).unwrap().state, phase, "{kind:?}");
        }
    }

    #[test]
    fn missing_events_are_reported_when_a_checkpoint_is_restored() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::create(folder.path().join("run")).unwrap();
        let spec = spec();
        let open = || Recorder::open(&run, &spec, Arc::new(RunQueue::new(Vec::new()))).unwrap();
        let mut first = open();
        for step in 0..3 {
            first.record(RunEventKind::Paused { step }).unwrap();
        }
        first.sync().unwrap();
        let notes = first.notes();
        let mut second = open();
        second.warn_of_missing_events(&notes).unwrap();
        assert!(second.summary().warnings.is_empty());

        let text = std::fs::read_to_string(run.events()).unwrap();
        let kept = text.lines().next().unwrap().len() + 1;
        std::fs::write(run.events(), &text[..kept]).unwrap();
        let mut third = open();
        third.record(RunEventKind::Paused { step: 3 }).unwrap();
        third.warn_of_missing_events(&notes).unwrap();
        let [warning] = third.summary().warnings.as_slice() else { panic!("{:?}", third.summary().warnings) };
        assert!(warning.message.contains(&format!("{} bytes shorter", text.len() - kept)), "{}", warning.message);
    }
}
