//! `runs export`: the curves of a run as CSV.

use std::fs;
use std::time::Duration;

use mammoscope_domain::run::run_event::RunEventKind;
use mammoscope_domain::run::run_records::StepReport;
use mammoscope_domain::run::run_status::RunPhase;
use mammoscope_domain::subject::view::View;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_test_support::read_only_folder::ReadOnlyCopy;
use mammoscope_test_support::run_fixture::{RunFixture, end, end_epoch, record, start};
use mammoscope_test_support::{mammoscope, stderr_of};

type Line = std::collections::BTreeMap<String, String>;

fn report(run: &RunDir, step: u64, loss: f64) {
    record(
        run,
        RunEventKind::StepReported(StepReport {
            epoch: u32::try_from(step.saturating_sub(1) / 10 + 1).unwrap(),
            step,
            loss,
            accuracy: 0.25,
            learning_rate: 0.001,
            gradient_norm: 2.5,
            images_per_s: 60.0,
        }),
    );
}

/// A run of two epochs, of which some steps were trained twice.
fn trained(fixture: &RunFixture) -> RunDir {
    let run = fixture.running(View::CcR, "group");
    report(&run, 5, 1.5);
    report(&run, 10, 1.25);
    end_epoch(&run, 1);
    report(&run, 15, 1.0);
    // A trainer that was killed: its successor starts from the checkpoint of the first epoch.
    record(&run, RunEventKind::Resumed { step: 10, epochs_done: 1, checkpoint: "last.safetensors".to_owned() });
    std::thread::sleep(Duration::from_millis(2));
    report(&run, 15, 0.75);
    report(&run, 20, 0.5);
    end_epoch(&run, 2);
    run
}

fn stdout_of(output: &std::process::Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn lines(text: &str) -> Vec<Line> {
    csv::Reader::from_reader(text.as_bytes()).deserialize().map(|line| line.unwrap()).collect()
}

#[test]
fn a_run_has_a_line_for_each_report_that_holds_and_for_each_epoch() {
    let fixture = RunFixture::new();
    let run = trained(&fixture);
    end(&run, RunPhase::Completed, None);
    let output = fixture.output(&["runs", "export", "latest", "--csv"]);
    assert_eq!((output.status.code(), stderr_of(&output).as_str()), (Some(0), ""));
    let lines = lines(&stdout_of(&output));
    let column = |name: &str| lines.iter().map(|line| line[name].clone()).collect::<Vec<_>>();
    assert!(column("run").iter().all(|name| *name == run.name()));
    let (step, epoch) = ("step_reported", "epoch_ended");
    assert_eq!(column("event"), [step, step, epoch, step, step, epoch]);
    assert_eq!(column("step"), ["5", "10", "10", "15", "20", "20"]);
    assert_eq!(column("epoch"), ["0.5000", "1.0000", "1.0000", "1.5000", "2.0000", "2.0000"]);
    assert_eq!(column("loss"), ["1.5", "1.25", "", "0.75", "0.5", ""]);
    assert_eq!(column("train_loss"), ["", "", "1.5", "", "", "0.75"]);
    assert_eq!(column("images_per_s")[0], "60");
    assert!(column("learning_rate").iter().all(|rate| !rate.is_empty()));
    for name in ["train_accuracy", "val_loss", "val_accuracy", "epoch_seconds"] {
        let of_epochs: Vec<bool> = column(name).iter().map(|field| !field.is_empty()).collect();
        assert_eq!(of_epochs, [false, false, true, false, false, true], "{name}");
    }
    let seconds: Vec<f64> = column("seconds").iter().map(|seconds| seconds.parse().unwrap()).collect();
    assert!(seconds.is_sorted() && seconds[0] >= 0.0, "{seconds:?}");
}

#[test]
fn a_file_is_written_once() {
    let fixture = RunFixture::new();
    end(&trained(&fixture), RunPhase::Completed, None);
    let out = fixture.folder.path().join("curves.csv");
    let arguments = ["runs", "export", "latest", "--out", out.to_str().unwrap()];
    let output = fixture.output(&arguments);
    assert!(stderr_of(&output).starts_with("wrote 6 lines to "), "{}", stderr_of(&output));
    assert!(output.stdout.is_empty());
    assert_eq!(fs::read_to_string(&out).unwrap(), stdout_of(&fixture.output(&arguments[..3])));
    let output = fixture.output(&arguments);
    let stderr = stderr_of(&output);
    assert!(output.status.code() == Some(1) && stderr.contains("exists already"), "{stderr}");
    assert_eq!(stderr.lines().count(), 1);
}

#[test]
fn a_read_only_workspace_is_enough() {
    let fixture = RunFixture::new();
    end(&trained(&fixture), RunPhase::Completed, None);
    let Some(copy) = ReadOnlyCopy::make(fixture.workspace.path(), &fixture.folder.path().join("copy")) else { return };
    let mut command = mammoscope();
    let output = command.arg("--workspace").arg(copy.path()).args(["runs", "export", "latest"]).output().unwrap();
    assert!(output.status.success(), "{}", stderr_of(&output));
    assert_eq!(stdout_of(&output).lines().count(), 7);
}

#[test]
fn the_runs_of_a_group_make_one_table() {
    let fixture = RunFixture::new();
    let (one, other) = (trained(&fixture), fixture.queued(View::MloR, "group"));
    start(&other);
    report(&other, 3, 1.0);
    let output = fixture.output(&["runs", "export", "group", "--csv"]);
    let lines = lines(&stdout_of(&output));
    let of = |run: &RunDir| lines.iter().filter(|line| line["run"] == run.name()).count();
    assert_eq!((of(&one), of(&other), lines.len()), (6, 1, 7));
}

#[test]
fn what_the_table_lacks_is_said() {
    let fixture = RunFixture::new();
    let run = fixture.queued(View::CcR, "group");
    let export = || fixture.output(&["runs", "export", "latest"]);
    let output = export();
    let note = stderr_of(&output);
    assert!(note.contains("has reported no steps yet (queued") && note.lines().count() == 1, "{note}");
    assert_eq!(stdout_of(&output).lines().count(), 1, "the titles");
    start(&run);
    report(&run, 5, 1.0);
    let note = stderr_of(&export());
    assert!(note.contains("has completed no epoch yet (") && note.contains("reports of steps only"), "{note}");
    end_epoch(&run, 1);
    report(&run, 12, 1.0);
    let output = export();
    let note = stderr_of(&output);
    assert!(note.contains("is not over (") && note.contains("the table ends at step 12"), "{note}");
    assert_eq!(stdout_of(&output).lines().count(), 4);
}

#[test]
fn events_that_cannot_be_read_are_reported() {
    let fixture = RunFixture::new();
    let run = trained(&fixture);
    end(&run, RunPhase::Completed, None);
    let export = || fixture.output(&["runs", "export", "latest"]);
    let text = fs::read_to_string(run.events()).unwrap();
    fs::write(run.events(), text.replacen("\"loss\":1.25", "\"loss\":9.25", 1)).unwrap();
    let output = export();
    let warning = stderr_of(&output);
    assert!(warning.contains("1 line of events.jsonl cannot be read"), "{warning}");
    assert_eq!(stdout_of(&output).lines().count(), 6, "without the damaged line");
    let refused = |reason: &str| {
        let output = export();
        let stderr = stderr_of(&output);
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(stderr.contains("has no curves to export: ") && stderr.contains(reason), "{stderr}");
        assert!(stderr.lines().count() == 1 && output.stdout.is_empty(), "{stderr}");
    };
    fs::write(run.events(), b"\0\xff\n{\"half\n").unwrap();
    refused("no line of its events.jsonl can be read");
    fs::remove_file(run.events()).unwrap();
    refused("its events.jsonl is missing");
    fs::create_dir(run.events()).unwrap();
    refused("events.jsonl: is not a file");
}
