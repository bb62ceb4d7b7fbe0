//! Faults of storage that pass, on each file of a run in turn: the run pauses or writes later, and nothing is missing.
#![cfg(target_os = "linux")]

use std::fs;
use std::thread;
use std::time::Duration;

use mammoscope_domain::run::run_event::RunEventKind;
use mammoscope_domain::run::run_status::RunPhase;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_test_support::faults::{EDQUOT, EIO, ESTALE, Faults};
use mammoscope_test_support::training_fixture::{TrainingFixture, events, summary, wait_for_end};
use mammoscope_test_support::wait_for;

use crate::completeness::Outcome;

const EPOCHS: usize = 60;
const SETTINGS: &[&str] = &["epochs=60", "optimizer=adamw", "ema=0.9"];
/// How long a fault lasts.
const WHILE: Duration = Duration::from_millis(1100);

/// When a fault begins.
#[derive(Clone, Copy, PartialEq)]
enum Begins {
    /// Before the run, which waits.
    First,
    /// In the run.
    Within,
    /// Before the run, and until after its last epoch.
    AtEnd,
}

/// A fault and what the run records of it: a pause, a warning, or neither.
struct Fault {
    error: i32,
    part: &'static str,
    begins: Begins,
    recorded: Option<&'static str>,
}

const fn fault(error: i32, part: &'static str, begins: Begins, recorded: Option<&'static str>) -> Fault {
    Fault { error, part, begins, recorded }
}

const FEW: &[Fault] = &[
    fault(EIO, "/events.jsonl", Begins::Within, Some("events.jsonl could not be written for a while")),
    fault(ESTALE, "last.safetensors", Begins::Within, Some("last.safetensors cannot be written")),
    fault(EIO, "/tensorboard/", Begins::Within, Some("TensorBoard file could not be written for a while")),
    fault(EIO, "model_card.md", Begins::AtEnd, Some("the model card cannot be written")),
];

const ALL: &[Fault] = &[
    fault(EIO, "/events.jsonl", Begins::Within, Some("events.jsonl could not be written for a while")),
    fault(EDQUOT, "/events.jsonl", Begins::Within, Some("events.jsonl could not be written for a while")),
    fault(ESTALE, "/events.jsonl", Begins::Within, Some("events.jsonl could not be written for a while")),
    fault(EIO, "status.json", Begins::Within, Some("status.json could not be written for a while")),
    fault(ESTALE, "status.json", Begins::Within, Some("status.json could not be written for a while")),
    fault(EIO, "last.safetensors", Begins::Within, Some("last.safetensors cannot be written")),
    fault(EDQUOT, "last.safetensors", Begins::Within, Some("last.safetensors cannot be written")),
    fault(ESTALE, "last.safetensors", Begins::Within, Some("last.safetensors cannot be written")),
    fault(EIO, "previous", Begins::Within, Some("last.safetensors cannot be written")),
    // From its beginning, since a later epoch need not be a better one.
    fault(EIO, "best-", Begins::First, Some("best-")),
    fault(EDQUOT, "best-", Begins::First, Some("best-")),
    fault(EIO, "/tensorboard/", Begins::Within, Some("TensorBoard file could not be written for a while")),
    fault(EIO, "loss_train.txt", Begins::Within, Some("history files could not be written for a while")),
    fault(EIO, "acc_val.txt", Begins::Within, Some("history files could not be written for a while")),
    fault(EIO, "dataset.json", Begins::First, Some("dataset.json cannot be written")),
    fault(EIO, "/cache/", Begins::First, Some("the pixel cache cannot be written")),
    fault(EIO, "/predictions/", Begins::AtEnd, Some("the final evaluation cannot be written")),
    fault(EDQUOT, "/evaluation/", Begins::AtEnd, Some("the final evaluation cannot be written")),
    fault(EDQUOT, "model_card.md", Begins::AtEnd, Some("the model card cannot be written")),
    fault(EIO, "/tensorboard/", Begins::AtEnd, None),
    fault(EIO, "acc_train.txt", Begins::AtEnd, None),
    fault(EIO, "machine.jsonl", Begins::Within, None),
    fault(EIO, "log.txt", Begins::Within, None),
    fault(ESTALE, "/runs/", Begins::Within, Some("could not be written for a while")),
];

fn is_recorded(run: &RunDir, part: &str) -> bool {
    let warned = summary(run).warnings.iter().any(|warning| warning.message.contains(part));
    let waits = |event: &RunEventKind| matches!(event, RunEventKind::Waiting { reason, .. } if reason.contains(part));
    warned || events(run).iter().any(waits)
}

fn wait_for_pause(run: &RunDir) {
    wait_for("a pause", || events(run).iter().any(|event| matches!(event, RunEventKind::Waiting { .. })).then_some(()));
}

/// Trains one run per fault, and compares each with an undisturbed one.
fn assert_faults_pass(list: &[Fault]) {
    let Some(faults) = Faults::new() else { return };
    let fixture = TrainingFixture::new().with_engine(&faults.engine());
    let undisturbed = fixture.train_successfully(SETTINGS);
    let expected = Outcome::of(&undisturbed);
    for Fault { error, part, begins, recorded } in list {
        let named = format!("{part} with error {error}");
        println!("{named}");
        let cache = fixture.workspace.join("cache");
        if *part == "/cache/" {
            fs::remove_dir_all(&cache).unwrap();
        }
        if *begins != Begins::Within {
            faults.refuse(&[(*error, part)]);
        }
        let run = fixture.start(SETTINGS);
        match begins {
            Begins::First => wait_for_pause(&run),
            Begins::Within => {
                wait_for("some epochs", || (summary(&run).epoch >= 3).then_some(()));
                faults.refuse(&[(*error, part)]);
            }
            Begins::AtEnd => {
                wait_for("the last epoch", || (summary(&run).records.len() == EPOCHS).then_some(()));
            }
        }
        thread::sleep(WHILE);
        faults.relent();
        assert_eq!(wait_for_end(&run), RunPhase::Completed, "{named}");
        expected.assert_same(&run);
        if let Some(text) = recorded {
            assert!(is_recorded(&run, text), "{named}: {:?}", summary(&run).warnings);
        }
    }
    println!("{} of {} faults passed without a trace in the outcome", list.len(), list.len());
}

#[test]
fn faults_that_pass_cost_nothing() {
    assert_faults_pass(FEW);
}

#[test]
#[ignore = "takes minutes: cargo test --test training passing_faults -- --ignored --nocapture"]
fn a_second_of_faults_on_each_file_costs_nothing() {
    assert_faults_pass(ALL);
}
