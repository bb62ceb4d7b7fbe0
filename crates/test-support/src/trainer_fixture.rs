//! Training runs by the real binaries on a small phantom data set, watched through their events.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use mammoscope_domain::run::run_event::{RunEvent, RunEventKind};
use mammoscope_domain::run::run_records::{CheckpointKind, SavedCheckpoint, TrainerFacts};
use mammoscope_domain::run::run_state::RunState;
use mammoscope_domain::run::run_status::RunPhase;
use mammoscope_domain::run::run_summary::RunSummary;
use mammoscope_storage::runs::event_tail::{EventTail, TailEntry};
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::run_lock::RunLock;
use mammoscope_storage::runs::run_spec_file::read_run_spec;
use rustix::process::{Pid, Signal, WaitOptions, kill_process, set_child_subreaper, waitpid};
use tempfile::TempDir;

use crate::{mammoscope, stderr_of, wait_for};

/// The settings of all these runs: a network and images so small that a step takes milliseconds.
pub const SMALL: &str = "size=64,width=0.125,batch_size=4,precision=f32,augment=true,dropout=0.3";
/// An interval between checkpoints that is over after every step.
pub const EVERY_STEP: &str = "checkpoint_minutes=0.000001";

/// A phantom data set and a workspace.
pub struct TrainerFixture {
    folder: TempDir,
}

impl TrainerFixture {
    /// Makes a data set of `subjects`, of the four classes in turn.
    pub fn new(subjects: u32) -> Self {
        // Trainers outlive the process that starts them. They are then adopted by the test's process, which can wait
        // for them.
        set_child_subreaper(Some(rustix::process::getpid())).unwrap();
        let fixture = Self { folder: tempfile::tempdir().unwrap() };
        fs::create_dir(fixture.workspace()).unwrap();
        let mut phantom = mammoscope();
        phantom.arg("phantom").arg(fixture.data()).args(["--size", "64", "--subjects", &subjects.to_string()]);
        stdout_of_success(phantom);
        fixture
    }

    /// The data set.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The workspace.
    pub fn workspace(&self) -> PathBuf {
        self.folder.path().join("workspace")
    }

    /// `mammoscope` with this workspace.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = mammoscope();
        command.arg("--workspace").arg(self.workspace()).args(arguments).stdin(Stdio::null());
        command
    }

    /// The stdout of a command that must succeed.
    pub fn output(&self, arguments: &[&str]) -> String {
        stdout_of_success(self.command(arguments))
    }

    /// `mammoscope train` for these views with [`SMALL`], two threads and more settings, one run after another.
    pub fn train_command(&self, views: &str, device: &str, settings: &str) -> Command {
        let mut command = self.placed_command(views, "1", &format!("threads=2,{settings}"));
        command.args(["--device", device]);
        command
    }

    /// `mammoscope train` for these views with [`SMALL`] and more settings, `jobs` runs side by side.
    pub fn placed_command(&self, views: &str, jobs: &str, settings: &str) -> Command {
        let mut command = self.command(&["train", "--view", views, "--preset", "seed", "--jobs", jobs]);
        command.arg("--data").arg(self.data()).args(["--set", &format!("{SMALL},{settings}")]);
        command
    }

    /// Starts detached training, one run per view.
    pub fn train(&self, views: &str, settings: &str) -> Vec<WatchedRun> {
        started(self.train_command(views, "cpu", settings))
    }

    /// Starts detached training on the CPU, `jobs` runs side by side.
    pub fn train_side_by_side(&self, views: &str, jobs: &str, settings: &str) -> Vec<WatchedRun> {
        let mut command = self.placed_command(views, jobs, settings);
        command.args(["--device", "cpu"]);
        started(command)
    }

    /// All runs so far, oldest first.
    pub fn runs(&self) -> Vec<WatchedRun> {
        let Ok(entries) = fs::read_dir(self.workspace().join("runs")) else { return Vec::new() };
        let mut runs: Vec<RunDir> = entries.map(|entry| RunDir::new(entry.unwrap().path())).collect();
        runs.retain(|run| run.spec().exists());
        runs.sort();
        runs.into_iter().map(WatchedRun::new).collect()
    }
}

/// A run and the events that it has recorded.
pub struct WatchedRun {
    pub dir: RunDir,
    tail: EventTail,
    /// Events that were read after the last awaited one.
    unseen: Vec<RunEvent>,
}

impl WatchedRun {
    /// A run of which no event was read yet.
    pub fn new(dir: RunDir) -> Self {
        Self { tail: EventTail::new(&dir.events()), dir, unseen: Vec::new() }
    }

    /// Waits for the first event after the last awaited one for which `wanted` returns a value.
    pub fn wait<T>(&mut self, what: &str, wanted: impl Fn(&RunEventKind) -> Option<T>) -> T {
        let Self { dir, tail, unseen } = self;
        wait_for(&format!("{what} of {}", dir.name()), || {
            tail.read(|entry| match entry {
                TailEntry::Event(event) => unseen.push(event),
                other => panic!("{other:?}"),
            })
            .unwrap();
            let (place, value) =
                unseen.iter().enumerate().find_map(|(place, event)| Some((place, wanted(&event.kind)?)))?;
            unseen.drain(..=place);
            Some(value)
        })
    }

    /// Waits until a trainer has started the run. Returns its process ID.
    pub fn wait_started(&mut self) -> Pid {
        self.wait("the start", |kind| match kind {
            RunEventKind::Started(TrainerFacts { pid, .. }) => Pid::from_raw(i32::try_from(*pid).unwrap()),
            _ => None,
        })
    }

    /// Waits for a last checkpoint of at least `least` steps. Returns its step.
    pub fn wait_checkpoint(&mut self, least: u64) -> u64 {
        self.wait(&format!("a checkpoint from step {least}"), |kind| match kind {
            RunEventKind::CheckpointSaved(SavedCheckpoint { step, kind: CheckpointKind::Last, .. })
                if *step >= least =>
            {
                Some(*step)
            }
            _ => None,
        })
    }

    /// Waits until the trainer has left the run. Returns the final state and step.
    pub fn wait_ended(&mut self) -> (RunPhase, u64) {
        let ended = self.wait("the end", |kind| match kind {
            RunEventKind::Ended { state, step, .. } => Some((*state, *step)),
            _ => None,
        });
        self.wait_unlocked();
        ended
    }

    /// Waits until no trainer holds the run's lock.
    pub fn wait_unlocked(&self) {
        wait_for(&format!("the lock of {}", self.dir.name()), || RunLock::acquire(&self.dir).ok());
    }

    /// The summary that the events add up to.
    pub fn summary(&self) -> RunSummary {
        let spec = read_run_spec(&self.dir.spec()).unwrap();
        let mut state = RunState::new(spec.config.monitor, spec.config.epochs);
        EventTail::new(&self.dir.events())
            .read(|entry| match entry {
                TailEntry::Event(event) => state.apply(&event),
                other => panic!("{other:?}"),
            })
            .unwrap();
        state.summary
    }

    /// All events so far.
    pub fn events(&self) -> Vec<RunEventKind> {
        let mut events = Vec::new();
        EventTail::new(&self.dir.events())
            .read(|entry| match entry {
                TailEntry::Event(event) => events.push(event.kind),
                other => panic!("{other:?}"),
            })
            .unwrap();
        events
    }

    /// The data section of the last checkpoint, which follows its header: the values of all tensors.
    pub fn data_section(&self) -> Vec<u8> {
        data_section(&self.dir.last_checkpoint())
    }

    /// The trainer's log, for the messages of failing tests.
    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.log()).unwrap_or_default()
    }
}

/// The part of a safetensors file after its header.
pub fn data_section(path: &Path) -> Vec<u8> {
    let mut bytes = fs::read(path).unwrap();
    let header = u64::from_le_bytes(bytes[..8].try_into().unwrap());
    bytes.drain(..8 + usize::try_from(header).unwrap());
    bytes
}

pub fn send(process: Pid, signal: Signal) {
    kill_process(process, signal).unwrap();
}

/// Waits for the end of a child or adopted process. `Ok` is its exit status, `Err` the signal that killed it.
pub fn wait_exit(process: Pid) -> Result<i32, i32> {
    let (_, status) = waitpid(Some(process), WaitOptions::empty()).unwrap().unwrap();
    status.exit_status().ok_or_else(|| status.terminating_signal().unwrap())
}

/// Runs a training command detached. Returns its runs.
fn started(mut command: Command) -> Vec<WatchedRun> {
    command.arg("--detach");
    stdout_of_success(command).lines().map(|path| WatchedRun::new(RunDir::new(path))).collect()
}

fn stdout_of_success(mut command: Command) -> String {
    let output: Output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{command:?}: {}", stderr_of(&output));
    String::from_utf8(output.stdout).unwrap()
}
