//! Trainings by the real binaries on a small phantom data set: started, watched by their events, ended, resumed.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use mammoscope_domain::run::run_event::{CheckpointKind, RunEvent, RunEventKind};
use mammoscope_domain::run::run_state::RunState;
use mammoscope_domain::run::run_status::RunPhase;
use mammoscope_storage::runs::event_tail::{EventTail, TailEntry};
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::run_lock::RunLock;
use mammoscope_storage::runs::run_spec_file::read_run_spec;
use rustix::process::{Pid, Signal, WaitOptions, kill_process, set_child_subreaper, waitpid};
use tempfile::TempDir;

use super::{mammoscope, stderr_of, wait_for};

/// What every training of these tests has in common: a network and images so small that a step takes milliseconds.
pub(crate) const SMALL: &str = "size=64,width=0.125,batch_size=4,threads=2,precision=f32,augment=true,dropout=0.3";
/// Minutes between checkpoints that are over after every step.
pub(crate) const EVERY_STEP: &str = "checkpoint_minutes=0.000001";

/// A phantom data set and a workspace.
pub(crate) struct TrainerStage {
    folder: TempDir,
}

impl TrainerStage {
    /// With so many subjects; their classes go round.
    pub(crate) fn new(subjects: u32) -> Self {
        // Trainers outlive those who start them; the process of the tests takes note of how they end.
        set_child_subreaper(Some(rustix::process::getpid())).unwrap();
        let stage = Self { folder: tempfile::tempdir().unwrap() };
        fs::create_dir(stage.workspace()).unwrap();
        let mut phantom = mammoscope();
        phantom.arg("phantom").arg(stage.data()).args(["--size", "64", "--subjects", &subjects.to_string()]);
        succeed(phantom);
        stage
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn workspace(&self) -> PathBuf {
        self.folder.path().join("workspace")
    }

    /// The program with words for this workspace.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = mammoscope();
        command.arg("--workspace").arg(self.workspace()).args(words).stdin(Stdio::null());
        command
    }

    /// What it prints; it has to succeed.
    pub(crate) fn output(&self, words: &[&str]) -> String {
        succeed(self.command(words))
    }

    /// `mammoscope train` for some views with [`SMALL`] and the settings behind it.
    pub(crate) fn train_command(&self, views: &str, device: &str, settings: &str) -> Command {
        let mut command = self.command(&["train", "--view", views, "--preset", "seed", "--device", device]);
        command.arg("--data").arg(self.data()).args(["--set", &format!("{SMALL},{settings}")]);
        command
    }

    /// Starts a detached training, one run a view.
    pub(crate) fn train(&self, views: &str, settings: &str) -> Vec<Training> {
        let mut command = self.train_command(views, "cpu", settings);
        command.arg("--detach");
        succeed(command).lines().map(|path| Training::new(RunDir::new(path))).collect()
    }

    /// The runs that there are, in the order in which they were made.
    pub(crate) fn trainings(&self) -> Vec<Training> {
        let Ok(entries) = fs::read_dir(self.workspace().join("runs")) else { return Vec::new() };
        let mut runs: Vec<RunDir> = entries.map(|entry| RunDir::new(entry.unwrap().path())).collect();
        runs.retain(|run| run.spec().exists());
        runs.sort();
        runs.into_iter().map(Training::new).collect()
    }
}

/// A run, watched from its beginning.
pub(crate) struct Training {
    pub(crate) run: RunDir,
    tail: EventTail,
    /// Events that came and were not looked at yet.
    unseen: Vec<RunEvent>,
}

impl Training {
    fn new(run: RunDir) -> Self {
        Self { tail: EventTail::new(&run.events()), run, unseen: Vec::new() }
    }

    /// Waits for an event behind the last one that was waited for, and gives what `wanted` makes of it.
    pub(crate) fn wait<T>(&mut self, what: &str, wanted: impl Fn(&RunEventKind) -> Option<T>) -> T {
        let Self { run, tail, unseen } = self;
        wait_for(&format!("{what} of {}", run.name()), || {
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

    /// Waits until a trainer has taken the run up; gives its process.
    pub(crate) fn wait_started(&mut self) -> Pid {
        self.wait("the beginning", |kind| match kind {
            RunEventKind::Started { pid, .. } => Pid::from_raw(i32::try_from(*pid).unwrap()),
            _ => None,
        })
    }

    /// Waits until the last checkpoint has at least so many steps; gives how many.
    pub(crate) fn wait_checkpoint(&mut self, least: u64) -> u64 {
        self.wait(&format!("a checkpoint from step {least}"), |kind| match kind {
            RunEventKind::CheckpointSaved { step, kind: CheckpointKind::Last, .. } if *step >= least => Some(*step),
            _ => None,
        })
    }

    /// Waits until the trainer leaves the run; gives the state it leaves it in, and the step.
    pub(crate) fn wait_ended(&mut self) -> (RunPhase, u64) {
        let ended = self.wait("the end", |kind| match kind {
            RunEventKind::Ended { state, step, .. } => Some((*state, *step)),
            _ => None,
        });
        self.wait_unlocked();
        ended
    }

    /// Waits until no trainer holds the run.
    pub(crate) fn wait_unlocked(&self) {
        wait_for(&format!("the lock of {}", self.run.name()), || RunLock::acquire(&self.run).ok());
    }

    /// What its events add up to.
    pub(crate) fn state(&self) -> RunState {
        let spec = read_run_spec(&self.run.spec()).unwrap();
        let mut state = RunState::new(spec.config.monitor, spec.config.epochs);
        EventTail::new(&self.run.events())
            .read(|entry| match entry {
                TailEntry::Event(event) => state.apply(&event),
                other => panic!("{other:?}"),
            })
            .unwrap();
        state
    }

    /// The events up to now.
    pub(crate) fn events(&self) -> Vec<RunEventKind> {
        let mut events = Vec::new();
        EventTail::new(&self.run.events())
            .read(|entry| match entry {
                TailEntry::Event(event) => events.push(event.kind),
                other => panic!("{other:?}"),
            })
            .unwrap();
        events
    }

    /// The bytes of the last checkpoint behind its header: the numbers of all tensors.
    pub(crate) fn data_section(&self) -> Vec<u8> {
        let mut bytes = fs::read(self.run.last_checkpoint()).unwrap();
        let header = u64::from_le_bytes(bytes[..8].try_into().unwrap());
        bytes.drain(..8 + usize::try_from(header).unwrap());
        bytes
    }

    /// What its trainer wrote beside the events, for the message of a test that fails.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.run.log()).unwrap_or_default()
    }
}

/// Sends a signal.
pub(crate) fn send(process: Pid, signal: Signal) {
    kill_process(process, signal).unwrap();
}

/// Waits until a process that this one started, or inherited, has ended: its exit status, or the signal that ended it.
pub(crate) fn wait_exit(process: Pid) -> Result<i32, i32> {
    let (_, status) = waitpid(Some(process), WaitOptions::empty()).unwrap().unwrap();
    status.exit_status().ok_or_else(|| status.terminating_signal().unwrap())
}

fn succeed(mut command: Command) -> String {
    let output: Output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{command:?}: {}", stderr_of(&output));
    String::from_utf8(output.stdout).unwrap()
}
