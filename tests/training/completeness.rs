//! What a run must have at its end, however it was disturbed: everything that an undisturbed one of the same settings has.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use mammoscope_domain::run::run_event::RunEventKind;
use mammoscope_domain::run::run_records::EpochMetrics;
use mammoscope_domain::run::run_status::RunPhase;
use mammoscope_domain::run::run_summary::RunSummary;
use mammoscope_storage::runs::checkpoint_file::{Checkpoint, CheckpointTensor};
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::run_lock::RunLock;
use mammoscope_test_support::training_fixture::{
    assert_nothing_half_written, assert_whole_and_finite, events, summary,
};
use mammoscope_test_support::{names_in, wait_for};

/// The beginning of the warning of a run directory that was renamed or moved.
pub(crate) const MOVED: &str = "the run directory is now ";

/// What a completed run leaves, except for times and names of processes.
#[derive(PartialEq)]
pub(crate) struct Outcome {
    tensors: BTreeMap<String, CheckpointTensor>,
    pub(crate) epochs: Vec<EpochMetrics>,
    best_models: Vec<String>,
    /// The histories, predictions and evaluations, by name.
    files: BTreeMap<String, String>,
    /// The training loss in TensorBoard's files, by step.
    tensorboard: BTreeMap<u64, u32>,
}

impl Outcome {
    /// The outcome of a run, once its trainer has left it.
    pub(crate) fn of(run: &RunDir) -> Self {
        wait_for("the end of the trainer", || RunLock::acquire(run).ok());
        let summary = summary(run);
        assert_eq!(summary.phase, RunPhase::Completed, "{:?}", summary.reason);
        assert_nothing_half_written(run);
        assert_whole_and_finite(run);
        assert_epochs_in_order(run, &summary);
        let renamed = summary.warnings.iter().filter_map(|warning| warning.message.strip_prefix(MOVED));
        let places: Vec<String> = renamed.map(str::to_owned).chain([run.path().display().to_string()]).collect();
        let mut files = BTreeMap::new();
        for folder in [run.path().to_owned(), run.predictions(), run.evaluations()] {
            let is_outcome = |name: &String| !["status.json", "log.txt", "labels.json"].contains(&name.as_str());
            for name in names_in(&folder).into_iter().filter(is_outcome) {
                if folder != run.path() || Path::new(&name).extension().is_some_and(|ending| ending == "txt") {
                    let text = fs::read_to_string(folder.join(&name)).unwrap();
                    files.insert(name.clone(), places.iter().fold(text, |text, place| text.replace(place, "RUN")));
                }
            }
        }
        let is_best = |name: &String| name.starts_with("best-");
        Self {
            tensors: Checkpoint::read(&run.last_checkpoint()).unwrap().tensors,
            epochs: summary.history(),
            best_models: names_in(&run.checkpoints()).into_iter().filter(is_best).collect(),
            files,
            tensorboard: training_loss(run),
        }
    }

    /// Asserts that a run has ended with the same, to the last bit.
    pub(crate) fn assert_same(&self, run: &RunDir) {
        let other = Self::of(run);
        let name = run.name();
        assert!(other.tensors == self.tensors, "{name}: other tensors");
        assert!(other.epochs == self.epochs, "{name}: {:?}", other.epochs);
        assert_eq!(other.best_models, self.best_models, "{name}");
        let names = |outcome: &Self| outcome.files.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&other), names(self), "{name}");
        for (file, text) in &self.files {
            assert!(other.files[file] == *text, "{name}: another {file}");
        }
        assert_eq!(other.tensorboard, self.tensorboard, "{name}");
    }
}

/// Asserts that the events report every epoch, and later ones later, apart from those that a resumed run repeats.
fn assert_epochs_in_order(run: &RunDir, summary: &RunSummary) {
    let mut ended = Vec::new();
    for event in events(run) {
        match event {
            RunEventKind::EpochEnded(record) => ended.push(record.metrics.epoch),
            RunEventKind::Resumed { epochs_done, .. } => ended.retain(|&epoch| epoch <= epochs_done),
            _ => {}
        }
    }
    let all: Vec<u32> = (1..=summary.records.len() as u32).collect();
    assert!(!all.is_empty());
    assert_eq!(ended, all, "the epochs of {}", run.name());
}

/// The points of `loss/train` in all files of the run's TensorBoard folder. An incomplete record ends a file.
fn training_loss(run: &RunDir) -> BTreeMap<u64, u32> {
    let mut points = BTreeMap::new();
    for name in names_in(&run.tensorboard()) {
        let bytes = fs::read(run.tensorboard().join(name)).unwrap();
        let mut rest = bytes.as_slice();
        while let Some((length, after)) = rest.split_at_checked(8) {
            let length = usize::try_from(u64::from_le_bytes(length.try_into().unwrap())).unwrap();
            let Some((record, after)) = after.split_at_checked(length + 8) else { break };
            points.extend(training_loss_in(&record[4..length + 4]));
            rest = after;
        }
    }
    points
}

/// The step and value of `loss/train` in an event: field 1, the time, takes 9 bytes; field 2 is the step; the value
/// follows its tag as field 2 of fixed size.
fn training_loss_in(event: &[u8]) -> Option<(u64, u32)> {
    const TAG: &[u8] = b"loss/train\x15";
    let tag = event.windows(TAG.len()).position(|part| part == TAG)? + TAG.len();
    let value = u32::from_le_bytes(event.get(tag..tag + 4)?.try_into().unwrap());
    let mut varint = event.get(9..)?.strip_prefix(&[0x10])?.iter();
    let (mut step, mut shift) = (0, 0);
    loop {
        let byte = u64::from(*varint.next()?);
        step |= (byte & 0x7f) << shift;
        shift += 7;
        if byte < 0x80 {
            return Some((step, value));
        }
    }
}
