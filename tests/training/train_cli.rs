//! `train` and `resume` by the real binaries: wrong calls leave nothing behind, and runs outlive the process that
//! started them.

#![cfg(unix)]

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use mammoscope_domain::run::run_status::{RunPhase, RunStatus};
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::subject::view::View;
use mammoscope_storage::runs::manifest_file::read_manifest;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::run_spec_file::read_run_spec;
use mammoscope_storage::runs::run_status_file::read_status;
use mammoscope_storage::tables::prediction_table::read_table;
use mammoscope_test_support::{has_ended, mammoscope, names_in, script, stderr_of, wait_for, write_image};
use serde_json::Value;

/// Small enough that an epoch takes a fraction of a second.
const SMALL: &str = "size=64,width=0.125,threads=1,batch_size=8,warmup_epochs=0";

/// A data set, and the path of a workspace that does not exist yet.
struct Fixture {
    folder: tempfile::TempDir,
    data: PathBuf,
    workspace: PathBuf,
}

impl Fixture {
    /// `subjects` of the four classes in turn, each with all four views.
    fn new(subjects: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        for view in View::ALL {
            for subject in 1..=subjects {
                let class = ["A", "B", "C", "D"][subject as usize % 4];
                let path = data.join(format!("{view}/{class}/{subject}_1_{class}_{view}.png"));
                write_image(&path, subject * 4 + view as u32 + 1);
            }
        }
        let workspace = folder.path().join("workspace");
        Self { folder, data, workspace }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = mammoscope();
        command.arg("--workspace").arg(&self.workspace).args(arguments).stdin(Stdio::null());
        command
    }

    fn call(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn train_command(&self, view: &str, more: &[&str]) -> Command {
        let mut command = self.command(&["train", "--preset", "quick", "--set", SMALL]);
        command.arg("--data").arg(&self.data).args(["--view", view]).args(more);
        if !more.contains(&"--device") {
            command.args(["--device", "cpu"]);
        }
        command
    }

    /// Trains detached. Returns the run directories.
    fn train(&self, view: &str, more: &[&str]) -> Vec<RunDir> {
        let output = self.train_command(view, &[&["--detach"], more].concat()).output().unwrap();
        assert!(output.status.success(), "{}", stderr_of(&output));
        String::from_utf8(output.stdout).unwrap().lines().map(RunDir::new).collect()
    }

    fn runs(&self) -> Vec<RunDir> {
        let runs = self.workspace.join("runs");
        names_in(&runs).into_iter().map(|name| RunDir::new(runs.join(name))).collect()
    }
}

fn status(run: &RunDir) -> RunStatus {
    read_status(&run.status()).unwrap()
}

/// False also for a run whose directory is still being made, which has no status.
fn is_running(run: &RunDir) -> bool {
    read_status(&run.status()).is_ok_and(|status| status.state == RunPhase::Running)
}

fn wait_until_over(runs: &[RunDir]) {
    for run in runs {
        wait_for(&format!("the end of {}", run.name()), || status(run).state.is_over().then_some(()));
    }
}

fn log_of(run: &RunDir) -> String {
    fs::read_to_string(run.log()).unwrap_or_default()
}

fn assert_completed(runs: &[RunDir], epochs: u32) {
    wait_until_over(runs);
    for run in runs {
        let status = status(run);
        assert_eq!((status.state, status.epoch), (RunPhase::Completed, epochs), "{status:?} {}", log_of(run));
    }
}

fn assert_fails(output: &Output, code: i32, part: &str) {
    let stderr = stderr_of(output);
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    assert!(stderr.contains(part), "'{part}' in {stderr}");
    assert!(output.stdout.is_empty());
}

#[test]
fn wrong_calls_are_refused_and_leave_nothing() {
    let fixture = Fixture::new(8);
    let splits = fixture.folder.path().join("splits.csv");
    fs::write(&splits, "subject,split\n1,train\n2,holdout\n").unwrap();
    let splits = splits.to_str().unwrap();
    let cases: [(&str, &[&str], i32, &str); 11] = [
        ("CC_R", &["--set", "batch_sise=4"], 2, "the nearest is batch_size"),
        ("CC_R", &["--set", "dropout=2"], 2, "out of range"),
        ("CC_R", &["--set", "size=96"], 2, "size is given twice"),
        ("CC_X", &[], 2, "CC_X"),
        ("CC_R", &["--device", "cpu,auto"], 2, "cannot be combined"),
        ("CC_R", &["--device", "cuda:0,cuda:0"], 2, "named twice"),
        (
            "CC_R",
            &["--jobs", "0"],
            2,
            "'0' for '--jobs <auto|N>': give auto, or the number of runs to train side by side",
        ),
        ("CC_R", &["--jobs", "two"], 2, "from 1"),
        ("CC_R", &["--follow", "--detach"], 2, "cannot be used with"),
        ("CC_R", &["--splits", splits], 1, "holdout"),
        ("CC_R", &["--splits", "nowhere.csv"], 1, "nowhere.csv"),
    ];
    for (view, more, code, part) in cases {
        assert_fails(&fixture.train_command(view, more).output().unwrap(), code, part);
    }
    let output = fixture.call(&["train", "--data", "nowhere", "--view", "all", "--preset", "quick"]);
    assert_fails(&output, 1, "nowhere");
    let output = fixture.call(&["train", "--data", "nowhere", "--view", "all", "--preset", "quik"]);
    assert_fails(&output, 2, "there is no preset 'quik'");
    fs::remove_dir_all(fixture.data.join("MLO_L")).unwrap();
    assert_fails(&fixture.train_command("CC_R,MLO_L", &[]).output().unwrap(), 1, "MLO_L");
    assert!(!fixture.workspace.exists(), "nothing was made");

    let mut command = fixture.train_command("all", &["--detach"]);
    assert_fails(&command.env("MAMMOSCOPE_ENGINE", "/nowhere").output().unwrap(), 1, "/nowhere");
    assert!(!fixture.workspace.exists());
}

#[test]
fn a_trainer_that_does_not_start_leaves_no_runs() {
    let fixture = Fixture::new(8);
    let engine = script(&fixture.folder.path().join("engine"), "echo no libtorch here; exit 3");
    let mut command = fixture.train_command("all", &["--detach"]);
    let output = command.env("MAMMOSCOPE_ENGINE", &engine).output().unwrap();
    let stderr = stderr_of(&output);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("exit status 3") && stderr.contains("no libtorch here"), "{stderr}");
    assert!(stderr.contains("warning: nothing could be timed: "), "{stderr}");
    // The folders were printed as soon as they existed.
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert_eq!(
        stdout.lines().filter(|path| path.starts_with(fixture.workspace.to_str().unwrap())).count(),
        4,
        "{stdout}"
    );
    assert_eq!(fixture.runs(), []);
}

#[test]
fn a_file_in_place_of_the_runs_folder_is_left_alone() {
    let fixture = Fixture::new(8);
    fs::create_dir_all(&fixture.workspace).unwrap();
    fs::write(fixture.workspace.join("runs"), b"in the way").unwrap();
    assert_fails(&fixture.train_command("all", &[]).output().unwrap(), 1, "create the workspace");
    assert_eq!(names_in(&fixture.workspace), ["runs"]);
}

/// The starter is killed when the first view is running; the others do not need it.
#[test]
fn all_views_complete_without_their_starter() {
    let fixture = Fixture::new(40);
    let mut starter: Child = fixture
        .train_command("all", &["--set", "epochs=2", "--follow", "--name", "alone"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_for("the first view", || {
        let runs = fixture.runs();
        (runs.len() == 4 && runs.iter().any(is_running)).then_some(())
    });
    starter.kill().unwrap();
    starter.wait().unwrap();
    let runs = fixture.runs();
    assert_completed(&runs, 2);

    let group = read_run_spec(&runs[0].spec()).unwrap().group;
    for run in &runs {
        let spec = read_run_spec(&run.spec()).unwrap();
        assert_eq!((spec.group.as_str(), spec.config.epochs), (group.as_str(), 2));
        assert!(run.name().ends_with(&format!("{}_alone", spec.view)), "{}", run.name());
    }

    // The metrics at the end of training equal those of `evaluate`, and the predictions those of `predict`.
    let trained: Vec<Value> = runs.iter().map(evaluation).collect();
    let output = fixture.call(&["evaluate", &group, "--json", "--resamples", "50"]);
    assert!(output.status.success(), "{}", stderr_of(&output));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    for (run, trained) in runs.iter().zip(&trained) {
        let view = read_run_spec(&run.spec()).unwrap().view;
        let metrics = &document["sets"][view.name()];
        for key in ["n", "predictions", "kappa_linear"] {
            assert_eq!(metrics[key], trained["sets"][view.name()][key], "{view} {key}");
        }
        assert_eq!(metrics["baseline"]["accuracy"], trained["sets"][view.name()]["baseline"]["accuracy"], "{view}");
    }
    let subjects = document["sets"]["total"]["subjects"].as_u64().unwrap();
    assert_eq!(subjects, 4, "a tenth of forty");

    let out = fixture.folder.path().join("predicted");
    let mut command = fixture.command(&["predict", "--model", "latest", "--split", "test", "--threads", "1"]);
    let output = command.arg("--data").arg(&fixture.data).arg("--out").arg(&out).output().unwrap();
    assert!(output.status.success(), "{}", stderr_of(&output));
    let predicted = read_table(&out.join("predictions.csv")).unwrap();
    let kept: Vec<_> =
        runs.iter().flat_map(|run| read_table(&run.prediction_table(Split::Test, "csv")).unwrap()).collect();
    assert_eq!(predicted.len(), kept.len());
    for row in &predicted {
        let same = kept.iter().find(|other| (&other.subject, other.view) == (&row.subject, row.view)).unwrap();
        for (here, there) in row.probabilities.0.iter().zip(same.probabilities.0) {
            assert!((here - there).abs() < 1e-5, "{row:?} {same:?}");
        }
    }
}

fn evaluation(run: &RunDir) -> Value {
    serde_json::from_slice(&fs::read(run.evaluation(Split::Test)).unwrap()).unwrap()
}

#[test]
fn runs_are_distributed_over_two_trainers() {
    let fixture = Fixture::new(16);
    let runs = fixture.train("CC_R,CC_L,MLO_R", &["--set", "epochs=1", "--device", "cpu,cpu"]);
    assert_completed(&runs, 1);
    let views: Vec<_> = runs.iter().map(|run| read_run_spec(&run.spec()).unwrap().view).collect();
    assert_eq!(views, [View::CcR, View::CcL, View::MloR], "in the order of the views");
    let trainers: Vec<_> = runs.iter().map(|run| status(run).pid.unwrap()).collect();
    assert_eq!(trainers[0], trainers[2]);
    assert_ne!(trainers[0], trainers[1]);
}

#[test]
fn killed_runs_resume_and_completed_runs_train_further() {
    let fixture = Fixture::new(24);
    let runs = fixture.train("CC_R,CC_L", &["--set", "epochs=500", "--jobs", "1"]);
    let names: Vec<String> = runs.iter().map(RunDir::name).collect();
    wait_for("the first epoch", || (status(&runs[0]).epoch > 1).then_some(()));
    assert_fails(&fixture.call(&["resume", &names[0]]), 1, "another trainer (process");
    assert_fails(&fixture.call(&["resume", &names[1]]), 1, "has not reached it yet");
    let pid = status(&runs[0]).pid.unwrap();
    assert_eq!(status(&runs[1]).pid, Some(pid), "the trainer that will reach it");

    // The trainer dies, and with it the queued run.
    send(pid, rustix::process::Signal::KILL);
    wait_for("its death", || has_ended(pid).then_some(()));
    let done = status(&runs[0]).epoch;
    let output = fixture.call(&["resume", "latest", "--epochs", &(done + 2).to_string(), "--detach"]);
    assert!(output.status.success(), "{}", stderr_of(&output));
    assert_eq!(String::from_utf8(output.stdout).unwrap().lines().count(), 2);
    assert_completed(&runs, done + 2);
    assert!(log_of(&runs[0]).contains("\"event\":\"resumed\""), "{}", log_of(&runs[0]));

    assert_fails(&fixture.call(&["resume", "latest"]), 2, "there is nothing to resume; --epochs with more than");
    let more = (done + 3).to_string();
    let output = fixture.call(&["resume", &names[1], "--epochs", &more, "--follow"]);
    assert!(output.status.success(), "{}", stderr_of(&output));
    assert_completed(&runs[1..], done + 3);
    assert_completed(&runs[..1], done + 2);
}

fn send(pid: u32, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    rustix::process::kill_process(pid, signal).unwrap();
}

#[test]
fn training_continues_after_an_early_stop_if_more_epochs_are_asked_for() {
    let fixture = Fixture::new(24);
    let early = "warmup_epochs=8,epochs=12,early_stop=1,monitor=val_kappa,learning_rate=0.00001";
    let settings = SMALL.replace("warmup_epochs=0", early);
    let mut command =
        fixture.command(&["train", "--preset", "quick", "--set", &settings, "--view", "CC_R", "--detach"]);
    let output = command.arg("--data").arg(&fixture.data).args(["--device", "cpu"]).output().unwrap();
    assert!(output.status.success(), "{}", stderr_of(&output));
    let runs = fixture.runs();
    wait_until_over(&runs);
    let stopped = status(&runs[0]);
    assert_eq!(stopped.state, RunPhase::Completed, "{}", log_of(&runs[0]));
    assert!(stopped.epoch < 8 && stopped.reason.as_ref().is_some_and(|reason| reason.contains("early stop")));
    // It has as many epochs as it has, not as many as it was to have.
    let complete = format!("is complete with {} epoch", stopped.epoch);
    assert_fails(&fixture.call(&["resume", "latest"]), 2, &complete);
    // What cannot be trained is refused before anything is touched.
    assert_fails(&fixture.call(&["resume", "latest", "--epochs", "8"]), 1, "leaves nothing of epochs = 8");
    assert_eq!(status(&runs[0]), stopped);
    let output = fixture.call(&["resume", "latest", "--epochs", "13", "--follow"]);
    assert!(output.status.success(), "{}", stderr_of(&output));
    let continued = status(&runs[0]);
    assert!(continued.epoch > stopped.epoch && continued.state == RunPhase::Completed, "{continued:?}");
    assert!(log_of(&runs[0]).contains("\"event\":\"early_stop_restarted\""), "{}", log_of(&runs[0]));
}

#[test]
fn a_failed_resume_leaves_the_run_unchanged() {
    let fixture = Fixture::new(16);
    let runs = fixture.train("CC_R", &["--set", "epochs=1"]);
    assert_completed(&runs, 1);
    let before = status(&runs[0]);
    let engine = script(&fixture.folder.path().join("engine"), "exit 4");
    let mut command = fixture.command(&["resume", "latest", "--epochs", "2"]);
    let output = command.env("MAMMOSCOPE_ENGINE", &engine).output().unwrap();
    assert_fails(&output, 1, "the runs are unchanged");
    assert_eq!(status(&runs[0]), before);
}

#[test]
fn splits_come_from_a_table_or_all_images_are_trained_on() {
    let fixture = Fixture::new(16);
    let table = fixture.folder.path().join("splits.csv");
    let split = |subject: u32| if subject <= 8 { "train" } else { ["val", "test"][subject as usize / 13] };
    let lines: Vec<_> = (1..=16).map(|subject| format!("{subject},{}", split(subject))).collect();
    fs::write(&table, format!("subject,split\n{}\n", lines.join("\n"))).unwrap();
    let runs = fixture.train("MLO_R", &["--set", "epochs=1", "--splits", table.to_str().unwrap()]);
    assert_completed(&runs, 1);
    let manifest = read_manifest(&runs[0].manifest()).unwrap();
    assert_eq!(Split::ALL.map(|split| manifest.of_split(split).count()), [8, 4, 4]);

    let runs = fixture.train("MLO_R", &["--set", "epochs=1", "--all-as-train"]);
    assert_completed(&runs, 1);
    let output = fixture.call(&["evaluate", &runs[0].name(), "--json", "--resamples", "50"]);
    assert!(stderr_of(&output).contains("no test images"), "{}", stderr_of(&output));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&document["split"], &document["sets"]["MLO_R"]["n"]), (&"validation".into(), &16.into()));
}

#[test]
fn started_runs_are_printed_as_json() {
    let fixture = Fixture::new(16);
    let output = fixture.train_command("CC_R", &["--set", "epochs=1", "--detach", "--json"]).output().unwrap();
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let run = RunDir::new(document["runs"][0]["path"].as_str().unwrap());
    assert_eq!(document["runs"][0]["view"], "CC_R");
    assert_eq!(document["group"], read_run_spec(&run.spec()).unwrap().group.as_str());
    assert_completed(&[run], 1);
}
