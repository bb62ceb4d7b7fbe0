//! Run directories written by the storage layer, with the test's own process in the trainer's place.

use std::fs;
use std::process::{Child, Command, Output, Stdio};

use chrono::Utc;
use mammoscope_domain::image::grey_range::GreyRange;
use mammoscope_domain::run::run_event::{RunEvent, RunEventKind};
use mammoscope_domain::run::run_records::{EpochMetrics, EpochRecord, TrainerFacts, TrainingSetup};
use mammoscope_domain::run::run_spec::{RUN_SCHEMA, RunSpec};
use mammoscope_domain::run::run_status::{RunPhase, RunStatus, STATUS_SCHEMA};
use mammoscope_domain::subject::view::View;
use mammoscope_domain::training::compute_options::{DeviceChoice, Precision};
use mammoscope_domain::training::preset::Preset;
use mammoscope_domain::training::training_config::{Monitor, TrainingConfig};
use mammoscope_storage::runs::event_log::EventLog;
use mammoscope_storage::runs::lock_holder::{LockHolder, lock_holder};
use mammoscope_storage::runs::process_evidence::{boot_id, host_name};
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::run_spec_file::write_run_spec;
use mammoscope_storage::runs::run_status_file::{read_status, write_status};
use mammoscope_storage::runs::workspace::Workspace;
use serde_json::Value;
use tempfile::TempDir;

use crate::{mammoscope, stderr_of, wait_for};

/// A workspace in a temporary folder.
pub struct RunFixture {
    pub folder: TempDir,
    pub workspace: Workspace,
}

impl RunFixture {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace::open(Some(&folder.path().join("workspace"))).unwrap();
        Self { folder, workspace }
    }

    /// A queued run, planned by the test's own process.
    pub fn queued(&self, view: View, group: &str) -> RunDir {
        let now = Utc::now();
        let run = self.workspace.create_run(now, view, "quick").unwrap();
        let config = TrainingConfig { monitor: Monitor::ValAccuracy, ..Preset::named("quick").unwrap().config };
        let spec = RunSpec {
            grey_range: GreyRange::Auto,
            schema: RUN_SCHEMA,
            on_event: None,
            placement: None,
            study: None,
            created: now,
            group: group.to_owned(),
            view,
            preset: "quick".to_owned(),
            data: self.folder.path().to_owned(),
            device: DeviceChoice::Cpu,
            config,
        };
        write_run_spec(&run.spec(), &spec).unwrap();
        let status = RunStatus {
            schema: STATUS_SCHEMA,
            state: RunPhase::Queued,
            reason: None,
            pid: Some(std::process::id()),
            host: Some(host_name()),
            boot_id: boot_id(),
            group: group.to_owned(),
            view,
            step: 0,
            steps_per_epoch: 10,
            epoch: 0,
            epochs: 3,
            best: None,
            images_per_s: None,
            eta_s: None,
            heartbeat: now,
            updated: now,
        };
        write_status(&run.status(), &status).unwrap();
        record(&run, RunEventKind::Created { preset: "quick".to_owned(), epochs: 3 });
        run
    }

    /// A run that the test's own process is training.
    pub fn running(&self, view: View, group: &str) -> RunDir {
        let run = self.queued(view, group);
        start(&run);
        run
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = mammoscope();
        command.arg("--workspace").arg(self.workspace.path()).args(arguments).stdin(Stdio::null());
        command
    }

    pub fn output(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    pub fn json(&self, arguments: &[&str]) -> Value {
        let output = self.output(arguments);
        assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    pub fn spawn(&self, arguments: &[&str]) -> Child {
        self.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }
}

pub fn record(run: &RunDir, kind: RunEventKind) {
    EventLog::open(&run.events()).unwrap().append(&RunEvent { time: Utc::now(), kind }).unwrap();
}

pub fn set_status(run: &RunDir, change: impl FnOnce(&mut RunStatus)) {
    let mut status = read_status(&run.status()).unwrap();
    status.heartbeat = Utc::now();
    change(&mut status);
    write_status(&run.status(), &status).unwrap();
}

pub fn start(run: &RunDir) {
    let (pid, host) = (std::process::id(), host_name());
    record(run, RunEventKind::Started(TrainerFacts { pid, host, version: "0.1.0".to_owned(), slurm: None }));
    record(
        run,
        RunEventKind::Prepared(TrainingSetup {
            device: "cpu".to_owned(),
            precision: Precision::F32,
            threads: 2,
            train: 40,
            validation: 8,
            test: 8,
            steps_per_epoch: 10,
        }),
    );
    set_status(run, |status| status.state = RunPhase::Running);
}

pub fn end_epoch(run: &RunDir, epoch: u32) {
    record(
        run,
        RunEventKind::EpochEnded(EpochRecord {
            metrics: EpochMetrics {
                epoch,
                step: u64::from(epoch) * 10,
                train_loss: 1.5 / f64::from(epoch),
                train_accuracy: 0.5,
                val_loss: Some(1.25),
                val_accuracy: Some(0.5 + 0.125 * f64::from(epoch)),
                val_kappa: None,
                learning_rate: 0.01,
            },
            seconds: 12.0,
        }),
    );
    set_status(run, |status| (status.epoch, status.step) = (epoch, u64::from(epoch) * 10));
}

pub fn end(run: &RunDir, state: RunPhase, reason: Option<&str>) {
    let reason = reason.map(str::to_owned);
    record(run, RunEventKind::Ended { state, reason: reason.clone(), step: 30 });
    set_status(run, |status| (status.state, status.reason) = (state, reason));
}

/// A process that does nothing until it is killed.
pub fn idle_process() -> Child {
    Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap()
}

/// A process that holds the lock of a run as its trainer would; `None` where `flock` is not installed.
pub fn lock_holding_process(run: &RunDir) -> Option<Child> {
    let program = run.path().join("mammoscope-engine");
    fs::copy("/bin/sleep", &program).unwrap();
    // With --no-fork, the program itself has the lock.
    let mut flock = Command::new("flock");
    let trainer = flock.arg("--no-fork").arg(run.lock()).arg(&program).arg("600").spawn().ok()?;
    // The program takes the place of `flock` a moment after the lock was taken.
    let expected = LockHolder::Process(trainer.id());
    wait_for("the holder of the lock", || lock_holder(run, None).ok().filter(|holder| *holder == expected));
    Some(trainer)
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}
