//! Starting a trainer: a process in a session of its own, which survives the terminal.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::run::run_event::{RunEvent, RunEventKind};
use mammoscope_domain::run::run_records::TrainerFacts;
use mammoscope_domain::run::run_status::RunPhase;
use mammoscope_domain::text::printable::{printable, printable_path};
use mammoscope_domain::training::training_changes::TrainingChanges;
use mammoscope_engine_client::engine_process::{OPENMP_WAITING, describe_exit};
use mammoscope_storage::runs::event_tail::{EventTail, TailEntry};
use mammoscope_storage::runs::process_evidence::host_name;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::run_status_file::read_status;

/// The longest wait for a trainer: loading libtorch takes seconds, or minutes from a slow file system.
const TIMEOUT: Duration = Duration::from_secs(300);
/// The interval between reads of the first run's events while its trainer starts.
const POLL_INTERVAL: Duration = Duration::from_millis(20);
/// The number of log lines that an error quotes, and the number of bytes that are read for them.
const LAST_LINES: usize = 3;
const LAST_BYTES: u64 = 4096;

/// A trainer has not started its first run.
#[derive(Debug, thiserror::Error)]
pub enum TrainerError {
    /// The log of the first run cannot be opened.
    #[error("write to {}: {error}", printable_path(path))]
    Log { path: PathBuf, error: io::Error },
    /// The events of the first run cannot be read.
    #[error("read {}: {error}", printable_path(path))]
    Events { path: PathBuf, error: io::Error },
    #[error("the engine {path} cannot be started: {error}")]
    Start { path: String, error: io::Error },
    /// The trainer ended before it started its first run.
    #[error("the trainer {how} before it started {run}{log_tail}")]
    Died {
        /// The way it ended, in words.
        how: String,
        run: String,
        /// The last lines of its log, as the end of a sentence.
        log_tail: String,
    },
    /// Another trainer has started the first run, and this one has ended.
    #[error("another trainer (process {pid} on {}) has {}", printable(host), printable(run))]
    Taken { pid: u32, host: String, run: String },
    /// The trainer is alive, but has not started its first run.
    #[error("the trainer (process {pid}) has not started {run} after {} s; its log is {}", TIMEOUT.as_secs(), printable_path(log))]
    Silent { pid: u32, run: String, log: PathBuf },
    /// The caller stopped waiting; the trainer continues.
    #[error("interrupted")]
    Interrupted,
}

/// A trainer process.
///
/// `start → wait_until_started`. Dropping it does not affect the process.
#[derive(Debug)]
pub struct TrainerProcess {
    child: Child,
    first: RunDir,
    /// The other runs, which it trains first if another trainer has the first one.
    others: Vec<RunDir>,
    /// Positioned after the events of earlier trainers, as `log_before` is in the log.
    events: EventTail,
    log_before: u64,
    /// The trainer that has started the first run, if it is another one.
    taken_by: Option<TrainerFacts>,
}

impl TrainerProcess {
    /// Starts a trainer for `runs`, at least one, in order, each with these changes. Until the trainer opens the log of a
    /// run itself, its output goes to the log of the first run.
    pub fn start(engine: &Path, runs: &[RunDir], changes: &TrainingChanges) -> Result<Self, TrainerError> {
        let (first, others) = runs.split_first().expect("a trainer is started for at least one run");
        let (first, others) = (first.clone(), others.to_vec());
        let log_error = |error| TrainerError::Log { path: first.log(), error };
        let log = OpenOptions::new().create(true).append(true).open(first.log()).map_err(log_error)?;
        let log_before = length(&first.log());
        let mut events = EventTail::new(&first.events());
        events.read(|_| {}).map_err(|error| TrainerError::Events { path: first.events(), error })?;
        let mut command = trainer_command(engine, &[], runs, changes);
        command.stdin(Stdio::null()).stdout(log.try_clone().map_err(log_error)?).stderr(log);
        start_session(&mut command);
        let child = command.spawn().map_err(|error| TrainerError::Start { path: printable_path(engine), error })?;
        Ok(Self { child, first, others, events, log_before, taken_by: None })
    }

    /// The process ID.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until the trainer has started a run, or until it is cancelled. That is its first run, unless another trainer
    /// was faster there: that is then returned with the error that says so.
    pub fn wait_until_started(
        mut self,
        cancellation: Cancellation<'_>,
    ) -> Result<Option<(RunDir, TrainerError)>, TrainerError> {
        let start = Instant::now();
        loop {
            let ended = self.child.try_wait().ok().flatten();
            // Checked after the exit status: a run that ended at once was started all the same.
            if self.has_started() {
                break;
            }
            if let Some(status) = ended {
                if let Some(taken) = self.taken() {
                    return Err(taken);
                }
                let how = describe_exit(status, "batch_size");
                return Err(TrainerError::Died { how, run: self.first.name(), log_tail: self.log_tail() });
            }
            if cancellation.is_cancelled() {
                self.detach();
                return Err(TrainerError::Interrupted);
            }
            if start.elapsed() > TIMEOUT {
                let (pid, run, log) = (self.id(), self.first.name(), self.first.log());
                self.detach();
                return Err(TrainerError::Silent { pid, run, log });
            }
            thread::sleep(POLL_INTERVAL);
        }
        let taken = self.taken().map(|taken| (self.first.clone(), taken));
        self.detach();
        Ok(taken)
    }

    fn taken(&self) -> Option<TrainerError> {
        let TrainerFacts { pid, host, .. } = self.taken_by.clone()?;
        Some(TrainerError::Taken { pid, host, run: self.first.name() })
    }

    /// Leaves the process running; a thread waits for its end, so that it does not become a zombie.
    fn detach(mut self) {
        thread::spawn(move || self.child.wait());
    }

    /// True if this trainer has started its first run, or another one because the first was taken.
    fn has_started(&mut self) -> bool {
        let id = self.child.id();
        let (mut is_started, taken_by) = (false, &mut self.taken_by);
        // An unreadable file is tried again at the next poll.
        let _ = self.events.read(|entry| {
            if let TailEntry::Event(RunEvent { kind: RunEventKind::Started(trainer), .. }) = entry {
                // Two trainers may be started for a run at the same time; the lock admits one of them.
                let is_own = trainer.pid == id || parent_of(trainer.pid) == Some(id);
                if is_own { is_started = true } else { *taken_by = Some(trainer) }
            }
        });
        is_started || (self.taken_by.is_some() && self.others.iter().any(|run| is_trained_by(run, id)))
    }

    /// The last lines of the log, as the end of an error message.
    fn log_tail(&self) -> String {
        let log = self.first.log();
        let from = self.log_before.max(length(&log).saturating_sub(LAST_BYTES));
        let text = text_after(&log, from).unwrap_or_default();
        let mut lines: Vec<_> = text.lines().rev().filter(|line| !line.trim().is_empty()).take(LAST_LINES).collect();
        lines.reverse();
        let lines: Vec<_> = lines.into_iter().map(|line| printable(line.trim())).collect();
        if lines.is_empty() { String::new() } else { format!("; the log ends: {}", lines.join(" / ")) }
    }
}

/// The parent of a process: an engine may be started by a script. `None` if the system does not show it.
fn parent_of(id: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name before it ends with a bracket and may contain anything.
    stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()
}

/// True if the status of a run names this process of this host as its trainer.
fn is_trained_by(run: &RunDir, id: u32) -> bool {
    read_status(&run.status()).is_ok_and(|status| {
        status.pid == Some(id) && status.state != RunPhase::Queued && status.host.as_deref() == Some(&host_name())
    })
}

/// The command that trains runs in order, with its environment.
pub(crate) fn trainer_command(engine: &Path, options: &[&str], runs: &[RunDir], changes: &TrainingChanges) -> Command {
    let mut command = Command::new(engine);
    command.arg("train").args(options);
    if let Some(epochs) = changes.epochs {
        command.arg("--epochs").arg(epochs.to_string());
    }
    if !changes.settings.is_empty() {
        command.arg("--set").arg(changes.settings.to_string());
    }
    // A path may begin with a dash.
    command.arg("--").args(runs.iter().map(RunDir::path));
    // The user's own settings win. libgomp reads them when it is loaded, so they must be set here.
    if OPENMP_WAITING.iter().all(|(variable, _)| std::env::var_os(variable).is_none()) {
        command.envs(OPENMP_WAITING);
    }
    command
}

/// Gives the new process its own session from its first instruction. It could not do so itself until libtorch is loaded,
/// and until then Ctrl-C or a closed terminal would end it.
fn start_session(command: &mut Command) {
    let new_session = || rustix::process::setsid().map(drop).map_err(io::Error::from);
    // SAFETY: between fork and exec the closure makes one system call, and allocates nothing.
    unsafe {
        command.pre_exec(new_session);
    }
}

fn length(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |facts| facts.len())
}

fn text_after(path: &Path, offset: u64) -> io::Result<String> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(offset))?;
    let mut bytes = Vec::new();
    file.take(LAST_BYTES).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use std::process::Command;

    use super::*;

    /// A run directory, and a script in place of the engine. A separate process writes the script: a file that is open for
    /// writing while another test forks could not be executed.
    fn fixture(body: &str) -> (tempfile::TempDir, RunDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::create(folder.path().join("run")).unwrap();
        let engine = folder.path().join("engine");
        let write = "printf '#!/bin/sh\n%s\n' \"$1\" > \"$2\" && chmod 755 \"$2\"";
        assert!(Command::new("sh").args(["-c", write, "sh", body]).arg(&engine).status().unwrap().success());
        (folder, run, engine)
    }

    const STARTED: &str = r#"{"time":"2026-11-23T10:15:02Z","event":"started","pid":1,"host":"h","version":"0"}"#;

    #[test]
    fn events_of_an_earlier_trainer_do_not_count() {
        let changes = TrainingChanges { epochs: Some(7), settings: "keep_best=2".parse().unwrap() };
        let (_folder, run, engine) = fixture("echo \"$1 $2 $3 $4 $5\"; exit 3");
        std::fs::write(run.events(), format!("{STARTED}\n")).unwrap();
        std::fs::write(run.log(), "of an earlier trainer\n").unwrap();
        let trainer = TrainerProcess::start(&engine, std::slice::from_ref(&run), &changes).unwrap();
        let error = trainer.wait_until_started(Cancellation::never()).unwrap_err().to_string();
        assert_eq!(
            error,
            "the trainer ended with exit status 3 before it started run; the log ends: train --epochs 7 --set keep_best=2"
        );

        let started = STARTED.replace("\"pid\":1", "\"pid\":'$$'");
        let (_folder, run, engine) = fixture(&format!("shift 2; echo '{started}' >> \"$1/events.jsonl\""));
        let trainer = TrainerProcess::start(&engine, std::slice::from_ref(&run), &TrainingChanges::default()).unwrap();
        trainer.wait_until_started(Cancellation::never()).unwrap();
    }

    #[test]
    fn the_start_of_another_trainer_is_not_its_own() {
        let (_folder, run, engine) = fixture(&format!("echo '{STARTED}' >> \"$3/events.jsonl\"; exit 1"));
        let trainer = TrainerProcess::start(&engine, std::slice::from_ref(&run), &TrainingChanges::default()).unwrap();
        let error = trainer.wait_until_started(Cancellation::never()).unwrap_err().to_string();
        assert_eq!(error, "another trainer (process 1 on h) has run");
    }

    #[test]
    fn an_engine_that_a_script_starts_is_its_own() {
        let started = STARTED.replace("\"pid\":1", "\"pid\":'$!'");
        let (_folder, run, engine) = fixture(&format!("sleep 5 & echo '{started}' >> \"$3/events.jsonl\"; wait"));
        let trainer = TrainerProcess::start(&engine, std::slice::from_ref(&run), &TrainingChanges::default()).unwrap();
        assert!(trainer.wait_until_started(Cancellation::never()).unwrap().is_none());
    }

    #[test]
    fn a_trainer_has_its_own_session_from_the_start() {
        // The session is the fourth field after the name, which ends with a bracket.
        let (_folder, run, engine) = fixture("sed 's/.*) //' /proc/$$/stat | cut -d ' ' -f 4 > \"$3/session\"");
        let trainer = TrainerProcess::start(&engine, std::slice::from_ref(&run), &TrainingChanges::default()).unwrap();
        let pid = trainer.id();
        assert!(matches!(trainer.wait_until_started(Cancellation::never()), Err(TrainerError::Died { .. })));
        assert_eq!(std::fs::read_to_string(run.path().join("session")).unwrap().trim(), pid.to_string());
    }

    #[test]
    fn an_interrupted_caller_leaves_the_trainer_running() {
        let (_folder, run, engine) = fixture("sleep 0.2; echo done >> \"$3/finished\"");
        let trainer = TrainerProcess::start(&engine, std::slice::from_ref(&run), &TrainingChanges::default()).unwrap();
        assert!(matches!(trainer.wait_until_started(Cancellation::new(&|| true)), Err(TrainerError::Interrupted)));
        while !run.path().join("finished").exists() {
            thread::sleep(POLL_INTERVAL);
        }
    }

    #[test]
    fn a_missing_program_is_named() {
        let (folder, run, _) = fixture("true");
        let error =
            TrainerProcess::start(&folder.path().join("gone"), &[run], &TrainingChanges::default()).unwrap_err();
        assert!(matches!(error, TrainerError::Start { .. }), "{error}");
    }
}
