//! Writes down what happens in a run, and hands its training what is asked of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use chrono::{SecondsFormat, Utc};
use mammoscope_dataset::pixel_cache::{ImageRecord, verify_unchanged};
use mammoscope_domain::image::grey_range::GreyRange;
use mammoscope_domain::run::run_event::{RunEvent, RunEventKind};
use mammoscope_domain::run::run_spec::RunSpec;
use mammoscope_domain::run::run_state::RunState;
use mammoscope_domain::run::run_status::RunPhase;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_storage::runs::event_log::EventLog;
use mammoscope_storage::runs::event_tail::{EventTail, TailEntry};
use mammoscope_storage::runs::history_files::ReferenceHistory;
use mammoscope_storage::runs::process_evidence::host_name;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::tensorboard::TensorBoardWriter;

use super::desk::Desk;
use crate::learning::training_observer::{Order, TrainingObserver};

/// The longest wait between two looks at the orders during a pause.
const MOMENT: Duration = Duration::from_millis(200);
/// How many epochs the time of the next ones is guessed from.
const RECENT_EPOCHS: usize = 5;

/// The note of a checkpoint that says how long `events.jsonl` was.
const EVENTS_OFFSET: &str = "events_offset";

/// A training image and what it was when the run began.
#[derive(Debug)]
pub(super) struct WatchedImage {
    /// The file.
    pub(super) path: PathBuf,
    /// What was read from it; `None` for an image that is lost already.
    pub(super) record: Option<ImageRecord>,
}

/// Writes events, status, history and TensorBoard's file of one run.
pub(super) struct Recorder {
    run: RunDir,
    desk: Arc<Desk>,
    log: EventLog,
    /// How long the events were before this trainer added to them.
    length_before: u64,
    state: RunState,
    history: ReferenceHistory,
    tensorboard: Option<TensorBoardWriter>,
    images_per_step: usize,
    notes: BTreeMap<String, String>,
    watched: Vec<WatchedImage>,
    /// What is white in images of 16 bits.
    grey_range: GreyRange,
    lost: BTreeSet<usize>,
}

impl Recorder {
    /// Opens the records of a run, and folds what they say already.
    pub(super) fn open(run: &RunDir, spec: &RunSpec, desk: Arc<Desk>) -> anyhow::Result<Self> {
        let mut state = RunState::new(spec.config.monitor, spec.config.epochs);
        let mut history = ReferenceHistory::default();
        let path = run.events();
        // Opening closes a half-written last line, so that it is not left for later below.
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
            desk,
            length_before: log.offset(),
            log,
            state,
            history,
            tensorboard: None,
            images_per_step: spec.config.batch_size * spec.config.accumulate,
            notes: BTreeMap::new(),
            watched: Vec::new(),
            grey_range: spec.grey_range,
            lost: BTreeSet::new(),
        })
    }

    /// What the events say up to now.
    #[must_use]
    pub(super) fn state(&self) -> &RunState {
        &self.state
    }

    /// What checkpoints are to say of the run, and the training images that are looked at before every epoch.
    pub(super) fn watch(&mut self, notes: BTreeMap<String, String>, watched: Vec<WatchedImage>) {
        self.notes = notes;
        self.watched = watched;
        match TensorBoardWriter::create(&self.run.tensorboard(), &host_name(), Utc::now()) {
            Ok(writer) => self.tensorboard = Some(writer),
            Err(error) => tracing::warn!("no TensorBoard file: {error}"),
        }
    }

    /// Warns where the events have lost what they said when a checkpoint was written; its notes are given.
    pub(super) fn warn_of_lost_events(&mut self, notes: &BTreeMap<String, String>) -> anyhow::Result<()> {
        let then: Option<u64> = notes.get(EVENTS_OFFSET).and_then(|offset| offset.parse().ok());
        match then.and_then(|then| then.checked_sub(self.length_before)).filter(|&missing| missing > 0) {
            None => Ok(()),
            Some(missing) => {
                let message = format!(
                    "events.jsonl is {missing} bytes shorter than when the checkpoint was written: some of the run's \
                     history is lost, and nothing of its training"
                );
                self.record(RunEventKind::Warning { message })
            }
        }
    }

    /// Tells the run's log what a person would want to read there.
    fn narrate(event: &RunEventKind) {
        match event {
            RunEventKind::StepReported { .. } => {}
            RunEventKind::Warning { message } => tracing::warn!("{message}"),
            RunEventKind::Ended { state: RunPhase::Failed, reason, .. } => {
                tracing::error!("failed: {}", reason.as_deref().unwrap_or("no reason given"));
            }
            other => match serde_json::to_string(other) {
                Ok(line) => tracing::info!("{line}"),
                Err(error) => tracing::error!("an event that cannot be written: {error}"),
            },
        }
    }

    fn export(&mut self, event: &RunEvent) {
        let written = self.tensorboard.as_mut().map_or(Ok(()), |writer| writer.record(event));
        if let Err(error) = written {
            // What TensorBoard shows stands in the events, too: a training does not end for it.
            tracing::warn!("TensorBoard file given up: {error}");
            self.tensorboard = None;
        }
        if self.history.apply(event)
            && let Err(error) = self.history.write(&self.run)
        {
            tracing::warn!("history files not written: {error}");
        }
    }

    /// Says in the status that a trainer is at work, with what its run has reached. To be done before the first event:
    /// whoever waits for that one then finds no status of an earlier trainer any more.
    pub(super) fn announce(&self) -> anyhow::Result<()> {
        let RunState { step, epoch, epochs, best, .. } = &self.state;
        self.desk.update_status(|status| {
            (status.step, status.epoch, status.epochs) = (*step, *epoch, *epochs);
            status.best.clone_from(best);
        });
        self.desk.write_status().with_context(|| format!("write {}", printable_path(&self.run.status())))
    }

    fn update_status(&self) {
        let state = &self.state;
        let speed = state.steps.last().map(|point| point.images_per_s);
        let eta = self.seconds_left(speed);
        self.desk.update_status(|status| {
            status.state = state.phase;
            status.reason.clone_from(&state.reason);
            status.step = state.step;
            status.epoch = state.epoch;
            status.epochs = state.epochs;
            status.steps_per_epoch = state.setting.as_ref().map_or(0, |setting| setting.steps_per_epoch);
            status.best.clone_from(&state.best);
            status.images_per_s = speed;
            status.eta_s = if state.phase.is_over() { None } else { eta };
        });
    }

    /// Seconds to the last epoch's end: by the median of the last epochs, before there is one by the speed of images.
    fn seconds_left(&self, images_per_s: Option<f64>) -> Option<f64> {
        let per_epoch = self.state.setting.as_ref()?.steps_per_epoch;
        let steps = (u64::from(self.state.epochs) * per_epoch).saturating_sub(self.state.step) as f64;
        let mut recent: Vec<f64> =
            self.state.records.iter().rev().take(RECENT_EPOCHS).map(|record| record.seconds).collect();
        recent.sort_by(f64::total_cmp);
        match recent.get(recent.len() / 2) {
            Some(median) => Some(steps / per_epoch as f64 * median),
            None => images_per_s.map(|speed| steps * self.images_per_step as f64 / speed),
        }
    }
}

impl TrainingObserver for Recorder {
    fn record(&mut self, kind: RunEventKind) -> anyhow::Result<()> {
        Self::narrate(&kind);
        let event = RunEvent { time: Utc::now(), kind };
        let path = self.run.events();
        self.log.append(&event).with_context(|| format!("write {}", printable_path(&path)))?;
        self.state.apply(&event);
        self.export(&event);
        self.update_status();
        if !matches!(event.kind, RunEventKind::StepReported { .. }) {
            self.desk.write_status().with_context(|| format!("write {}", printable_path(&self.run.status())))?;
        }
        Ok(())
    }

    fn next_order(&mut self) -> Option<Order> {
        self.desk.next_order()
    }

    fn obeyed(&mut self, _order: &Order, step: u64) -> anyhow::Result<()> {
        match self.desk.obeyed() {
            Some(verb) => self.record(RunEventKind::RequestAcknowledged { verb, step }),
            None => Ok(()),
        }
    }

    fn is_to_end(&mut self) -> bool {
        self.desk.is_to_end()
    }

    fn wait(&mut self) {
        self.desk.wait(MOMENT);
    }

    fn lost_images(&mut self) -> Vec<(usize, String)> {
        let mut lost = Vec::new();
        for (image, watched) in self.watched.iter().enumerate() {
            if self.lost.contains(&image) {
                continue;
            }
            let Some(record) = &watched.record else { continue };
            if let Some(reason) = verify_unchanged(record, &watched.path, self.grey_range) {
                lost.push((image, reason));
            }
        }
        self.lost.extend(lost.iter().map(|(image, _)| *image));
        lost
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
            ("epoch".to_owned(), self.state.epoch.to_string()),
            ("step".to_owned(), self.state.step.to_string()),
        ]);
        notes
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use mammoscope_domain::run::run_event::RequestVerb;
    use mammoscope_storage::runs::run_status_file::{read_status, status_of_this_process};

    use super::super::desk::tests::spec;
    use super::*;

    #[test]
    fn a_pause_is_a_pause_also_where_the_run_is_to_stop_after_its_epoch() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::create(folder.path().join("run")).unwrap();
        let spec = spec();
        let desk = Arc::new(Desk::new(Vec::new()));
        desk.begin(&run, status_of_this_process(&spec, RunPhase::Running, Utc::now()));
        let mut recorder = Recorder::open(&run, &spec, desk).unwrap();
        let verb = RequestVerb::StopAfterEpoch;
        for (kind, phase) in [
            (RunEventKind::EpochStarted { epoch: 1, step: 0, learning_rate: 0.01 }, RunPhase::Running),
            (RunEventKind::RequestAcknowledged { verb, step: 1 }, RunPhase::Stopping),
            (RunEventKind::Paused { step: 1 }, RunPhase::Paused),
            (RunEventKind::Continued { step: 1 }, RunPhase::Stopping),
        ] {
            recorder.record(kind.clone()).unwrap();
            assert_eq!(read_status(&run.status()).unwrap().state, phase, "{kind:?}");
        }
    }

    #[test]
    fn events_that_a_checkpoint_knows_of_and_that_are_gone_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::create(folder.path().join("run")).unwrap();
        let spec = spec();
        let open = || Recorder::open(&run, &spec, Arc::new(Desk::new(Vec::new()))).unwrap();
        let mut first = open();
        for step in 0..3 {
            first.record(RunEventKind::Paused { step }).unwrap();
        }
        first.sync().unwrap();
        let notes = first.notes();
        let mut second = open();
        second.warn_of_lost_events(&notes).unwrap();
        assert!(second.state().warnings.is_empty());

        let text = std::fs::read_to_string(run.events()).unwrap();
        let kept = text.lines().next().unwrap().len() + 1;
        std::fs::write(run.events(), &text[..kept]).unwrap();
        let mut third = open();
        third.record(RunEventKind::Paused { step: 3 }).unwrap();
        third.warn_of_lost_events(&notes).unwrap();
        let [warning] = third.state().warnings.as_slice() else { panic!("{:?}", third.state().warnings) };
        assert!(warning.message.contains(&format!("{} bytes shorter", text.len() - kept)), "{}", warning.message);
    }
}
