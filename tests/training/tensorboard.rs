//! TensorBoard's own loader reads our event files: values, steps and times, and the steps that a resumed run replaces.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use chrono::{DateTime, Utc};
use mammoscope_domain::run::run_event::{RunEvent, RunEventKind};
use mammoscope_domain::run::run_records::{EpochMetrics, EpochRecord, StepReport};
use mammoscope_storage::runs::tensorboard::TensorBoardWriter;
use mammoscope_test_support::python::python_packages;
use mammoscope_test_support::stderr_of;
use mammoscope_test_support::training_fixture::{TrainingFixture, events, state};

/// Prints every scalar of a folder of event files: tag → [[wall time, step, value], …].
const LOADER: &str = "
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
events = EventAccumulator(sys.argv[1], size_guidance={'scalars': 0})
events.Reload()
print(json.dumps({tag: [[e.wall_time, e.step, e.value] for e in events.Scalars(tag)] for tag in events.Tags()['scalars']}))
";
const PACKAGES: [&str; 5] = ["tensorboard==2.20.0", "numpy", "protobuf", "absl-py", "packaging"];

fn tensorboard() -> Option<&'static Path> {
    static FOLDER: OnceLock<Option<PathBuf>> = OnceLock::new();
    FOLDER.get_or_init(|| python_packages(PACKAGES[0], &PACKAGES)).as_deref()
}

type Scalars = std::collections::BTreeMap<String, Vec<(f64, u64, f64)>>;

fn load(packages: &Path, folder: &Path) -> Scalars {
    let mut python = Command::new("python3");
    let output = python.args(["-c", LOADER]).arg(folder).env("PYTHONPATH", packages).output().unwrap();
    assert!(output.status.success(), "{}", stderr_of(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn at(milliseconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(1_700_000_000_000 + milliseconds).unwrap()
}

fn step(step: u64, loss: f64, images_per_s: f64) -> RunEventKind {
    let (epoch, learning_rate) = (1, 0.01);
    RunEventKind::StepReported(StepReport {
        epoch,
        step,
        loss,
        accuracy: 0.5,
        learning_rate,
        gradient_norm: 1.0,
        images_per_s,
    })
}

fn epoch_ended(epoch: u32, train_loss: f64, val_kappa: Option<f64>) -> RunEventKind {
    RunEventKind::EpochEnded(EpochRecord {
        metrics: EpochMetrics {
            epoch,
            step: u64::from(epoch) * 100,
            train_loss,
            train_accuracy: 0.25,
            val_loss: Some(1.5),
            val_accuracy: Some(0.0),
            val_kappa,
            learning_rate: 0.01,
        },
        seconds: 3.0,
    })
}

fn record(writer: &mut TensorBoardWriter, milliseconds: i64, kind: RunEventKind) {
    writer.record(&RunEvent { time: at(milliseconds), kind }).unwrap();
}

#[test]
fn tensorboards_loader_reads_values_steps_and_times() {
    let Some(packages) = tensorboard() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut writer = TensorBoardWriter::create(folder.path(), "host", at(0)).unwrap();
    record(&mut writer, 1250, step(40, 1.375, 10.0));
    record(&mut writer, 2500, step(80, 1.25, 30.0));
    record(&mut writer, 3750, epoch_ended(1, 1.125, None));
    record(&mut writer, 5000, epoch_ended(2, 0.5, Some(-0.125)));
    let read = load(packages, folder.path());
    let time = |milliseconds: i64| at(milliseconds).timestamp_millis() as f64 / 1000.0;
    let (first, second) = ((time(3750), 100), (time(5000), 200));
    let single = f64::from(0.01_f32);
    let expected: Scalars = [
        ("accuracy/train", vec![(first.0, 100, 0.25), (second.0, 200, 0.25)]),
        ("accuracy/validation", vec![(first.0, 100, 0.0), (second.0, 200, 0.0)]),
        ("batch/loss", vec![(time(1250), 40, 1.375), (time(2500), 80, 1.25)]),
        // The mean of the epoch's reports; the second epoch had none.
        ("images_per_s", vec![(first.0, 100, 20.0)]),
        ("kappa/validation", vec![(second.0, 200, -0.125)]),
        ("learning_rate", vec![(first.0, 100, single), (second.0, 200, single)]),
        ("loss/train", vec![(first.0, 100, 1.125), (second.0, 200, 0.5)]),
        ("loss/validation", vec![(first.0, 100, 1.5), (second.0, 200, 1.5)]),
    ]
    .map(|(tag, values)| (tag.to_owned(), values))
    .into();
    assert_eq!(read, expected);
}

#[test]
fn reports_can_be_read_at_once() {
    let Some(packages) = tensorboard() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut writer = TensorBoardWriter::create(folder.path(), "host", at(0)).unwrap();
    record(&mut writer, 1250, step(40, 1.375, 10.0));
    assert_eq!(load(packages, folder.path())["batch/loss"].len(), 1);
    drop(writer);
}

#[test]
fn the_event_file_of_a_run_holds_its_epochs_and_reports() {
    let Some(packages) = tensorboard() else { return };
    let fixture = TrainingFixture::new();
    let run = fixture.train_successfully(&["epochs=3"]);
    let read = load(packages, &run.tensorboard());
    let state = state(&run);
    let single = |value: f64| f64::from(value as f32);
    let values = |tag: &str| read[tag].iter().map(|&(_, step, value)| (step, value)).collect::<Vec<_>>();
    let of_epochs = |value: fn(&EpochMetrics) -> f64| {
        state
            .summary
            .records
            .iter()
            .map(|record| (record.metrics.step, single(value(&record.metrics))))
            .collect::<Vec<_>>()
    };
    assert_eq!(state.summary.records.len(), 3);
    assert_eq!(values("loss/train"), of_epochs(|metrics| metrics.train_loss));
    assert_eq!(values("accuracy/train"), of_epochs(|metrics| metrics.train_accuracy));
    assert_eq!(values("loss/validation"), of_epochs(|metrics| metrics.val_loss.unwrap()));
    assert_eq!(values("learning_rate"), of_epochs(|metrics| metrics.learning_rate));
    let reported = |event| match event {
        RunEventKind::StepReported(report) => Some((report.step, single(report.loss))),
        _ => None,
    };
    let reports: Vec<_> = events(&run).into_iter().filter_map(reported).collect();
    assert_eq!(values("batch/loss"), reports);
    assert_eq!(values("images_per_s").len(), 3, "each epoch has reported");
}

#[test]
fn repeated_steps_of_a_resumed_run_replace_the_earlier_ones() {
    let Some(packages) = tensorboard() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut killed = TensorBoardWriter::create(folder.path(), "host", at(0)).unwrap();
    record(&mut killed, 1000, epoch_ended(1, 1.0, None));
    record(&mut killed, 2000, epoch_ended(2, 0.75, None));
    record(&mut killed, 3000, epoch_ended(3, 0.5, None));
    // Killed while it wrote: the last record is incomplete.
    let whole = fs::read(killed.path()).unwrap();
    fs::write(killed.path(), &whole[..whole.len() - 5]).unwrap();
    let mut resumed = TensorBoardWriter::create(folder.path(), "host", at(500)).unwrap();
    let checkpoint = RunEventKind::Resumed { step: 100, epochs_done: 1, checkpoint: "last.safetensors".to_owned() };
    record(&mut resumed, 4000, checkpoint);
    record(&mut resumed, 5000, epoch_ended(2, 0.875, None));
    record(&mut resumed, 6000, epoch_ended(3, 0.625, None));
    let back = RunEventKind::RolledBack { from_step: 300, to_step: 200, learning_rate_factor: 0.5 };
    record(&mut resumed, 7000, back);
    record(&mut resumed, 8000, epoch_ended(3, 0.25, None));
    let losses: Vec<(u64, f64)> =
        load(packages, folder.path())["loss/train"].iter().map(|&(_, step, loss)| (step, loss)).collect();
    assert_eq!(losses, [(100, 1.0), (200, 0.875), (300, 0.25)]);
}

#[test]
fn a_run_that_starts_over_replaces_everything() {
    let Some(packages) = tensorboard() else { return };
    let folder = tempfile::tempdir().unwrap();
    for loss in [1.0, 0.5] {
        let mut writer = TensorBoardWriter::create(folder.path(), "host", at(0)).unwrap();
        record(&mut writer, 500, RunEventKind::EpochStarted { epoch: 1, step: 0, learning_rate: 0.01 });
        record(&mut writer, 1000, epoch_ended(1, loss, None));
        // The next epoch replaces nothing.
        record(&mut writer, 1500, RunEventKind::EpochStarted { epoch: 2, step: 0, learning_rate: 0.01 });
        writer.flush().unwrap();
    }
    let losses: Vec<f64> = load(packages, folder.path())["loss/train"].iter().map(|&(_, _, loss)| loss).collect();
    assert_eq!(losses, [0.5]);
}
