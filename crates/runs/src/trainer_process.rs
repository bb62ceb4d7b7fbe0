//! The trainer: a process of its own, which no terminal takes down, started and then left alone.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use mammoscope_domain::run::run_event::RunEventKind;
use mammoscope_domain::text::printable::{printable, printable_path};
use mammoscope_engine_client::engine_process::{OPENMP_WAITING, in_words};
use mammoscope_storage::runs::event_tail::{EventTail, TailEntry};
use mammoscope_storage::runs::run_dir::RunDir;

/// Loading libtorch takes seconds, from a slow file system minutes.
const TIMEOUT: Duration = Duration::from_secs(300);
/// How often the first run's events are looked at while its trainer starts.
const GLANCE: Duration = Duration::from_millis(20);
/// How many lines of the log an error repeats, and how much of it is read for them.
const LAST_LINES: usize = 3;
const LAST_BYTES: u64 = 4096;

/// Why a trainer is not at work.
#[derive(Debug, thiserror::Error)]
pub enum TrainerError {
    /// The first run's log cannot be opened.
    #[error("write to {}: {error}", printable_path(path))]
    Log {
        /// The log.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The first run's events cannot be read.
    #[error("read {}: {error}", printable_path(path))]
    Events {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The program could not be started.
    #[error("the engine {path} cannot be started: {error}")]
    Start {
        /// The program.
        path: String,
        /// What the system says.
        error: io::Error,
    },
    /// It ended before it took up its first run.
    #[error("the trainer {how} before it took up {run}{last_words}")]
    Died {
        /// How it ended, in words.
        how: String,
        /// The run's name.
        run: String,
        /// The last lines of its log.
        last_words: String,
    },
    /// It lives, and has taken up nothing.
    #[error("the trainer (process {pid}) has not taken up {run} in {} s; its log is {}", TIMEOUT.as_secs(), printable_path(log))]
    Silent {
        /// The process.
        pid: u32,
        /// The run's name.
        run: String,
        /// Where it logs.
        log: PathBuf,
    },
    /// The caller waits no longer; the trainer goes on.
    #[error("interrupted")]
    Interrupted,
}

/// A trainer that was started.
///
/// `start → wait_until_at_work`. Dropping it leaves the process as it is.
#[derive(Debug)]
pub struct TrainerProcess {
    child: Child,
    first: RunDir,
    /// Behind what the first run's files held before: only that is of this trainer.
    events: EventTail,
    log_before: u64,
}

impl TrainerProcess {
    /// Starts a trainer that works through `runs` in their order, at least one, each to `epochs` where that is given.
    /// Until it opens the log of a run itself, it writes to that of the first.
    pub fn start(engine: &Path, runs: &[RunDir], epochs: Option<u32>) -> Result<Self, TrainerError> {
        let first = runs.first().expect("a trainer is started for runs").clone();
        let log_error = |error| TrainerError::Log { path: first.log(), error };
        let log = OpenOptions::new().create(true).append(true).open(first.log()).map_err(log_error)?;
        let log_before = length(&first.log());
        let mut events = EventTail::new(&first.events());
        events.read(|_| {}).map_err(|error| TrainerError::Events { path: first.events(), error })?;
        let mut command = Command::new(engine);
        command.arg("train");
        if let Some(epochs) = epochs {
            command.arg("--epochs").arg(epochs.to_string());
        }
        // `--`: a path may begin with a dash.
        command.arg("--").args(runs.iter().map(RunDir::path));
        command.stdin(Stdio::null()).stdout(log.try_clone().map_err(log_error)?).stderr(log);
        // A user's own settings win; libgomp reads them when it is loaded, so that they cannot be set later.
        if OPENMP_WAITING.iter().all(|(variable, _)| std::env::var_os(variable).is_none()) {
            command.envs(OPENMP_WAITING);
        }
        detach(&mut command);
        let child = command.spawn().map_err(|error| TrainerError::Start { path: printable_path(engine), error })?;
        Ok(Self { child, first, events, log_before })
    }

    /// The number of the process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until the trainer has taken up its first run, and says how it ended if it has not. `interrupted` is asked
    /// all the while.
    pub fn wait_until_at_work(mut self, interrupted: &dyn Fn() -> bool) -> Result<(), TrainerError> {
        let begun = Instant::now();
        loop {
            let ended = self.child.try_wait().ok().flatten();
            // Looked at behind the end: a run that was over at once was taken up all the same.
            if self.has_taken_up() {
                break;
            }
            if let Some(status) = ended {
                let how = in_words(status, "batch_size");
                return Err(TrainerError::Died { how, run: self.first.name(), last_words: self.last_words() });
            }
            if interrupted() {
                self.leave();
                return Err(TrainerError::Interrupted);
            }
            if begun.elapsed() > TIMEOUT {
                let (pid, run, log) = (self.id(), self.first.name(), self.first.log());
                self.leave();
                return Err(TrainerError::Silent { pid, run, log });
            }
            thread::sleep(GLANCE);
        }
        self.leave();
        Ok(())
    }

    /// Lets go of the process; its end is taken note of, so that it is no zombie while this program follows the run.
    fn leave(mut self) {
        thread::spawn(move || self.child.wait());
    }

    /// Whether the first run's events say that a trainer has started since.
    fn has_taken_up(&mut self) -> bool {
        let mut started = false;
        let read = self.events.read(|entry| {
            started |= matches!(&entry, TailEntry::Event(event) if matches!(event.kind, RunEventKind::Started { .. }));
        });
        // What cannot be read at the moment is read at the next glance.
        read.is_ok() && started
    }

    /// What the log ends with, as the end of an error's line.
    fn last_words(&self) -> String {
        let log = self.first.log();
        let from = self.log_before.max(length(&log).saturating_sub(LAST_BYTES));
        let text = text_behind(&log, from).unwrap_or_default();
        let mut lines: Vec<_> = text.lines().rev().filter(|line| !line.trim().is_empty()).take(LAST_LINES).collect();
        lines.reverse();
        let lines: Vec<_> = lines.into_iter().map(|line| printable(line.trim())).collect();
        if lines.is_empty() { String::new() } else { format!("; it said: {}", lines.join(" / ")) }
    }
}

/// Gives the process that is to be started a session of its own from its first instruction on: until libtorch is loaded
/// it could not do so itself, and Ctrl-C, or a terminal that is closed in that time, would take it along.
fn detach(command: &mut Command) {
    let new_session = || rustix::process::setsid().map(drop).map_err(io::Error::from);
    // SAFETY: between fork and exec the closure makes one system call, and allocates nothing.
    unsafe {
        command.pre_exec(new_session);
    }
}

fn length(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |facts| facts.len())
}

fn text_behind(path: &Path, offset: u64) -> io::Result<String> {
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

    /// A run directory, and a program that stands in for the engine. Another process writes it: a file that is open for
    /// writing at the moment in which another test starts a program could not be executed.
    fn stage(body: &str) -> (tempfile::TempDir, RunDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::create(folder.path().join("run")).unwrap();
        let engine = folder.path().join("engine");
        let write = "printf '#!/bin/sh\n%s\n' \"$1\" > \"$2\" && chmod 755 \"$2\"";
        assert!(Command::new("sh").args(["-c", write, "sh", body]).arg(&engine).status().unwrap().success());
        (folder, run, engine)
    }

    const STARTED: &str = r#"{"time":"2026-11-23T10:15:02Z","event":"started","pid":1,"host":"h","version":"0"}"#;

    #[test]
    fn waits_for_the_event_of_this_trainer_and_not_of_an_earlier_one() {
        let (_folder, run, engine) = stage("echo \"$1 $2 $3 $4\"; exit 3");
        std::fs::write(run.events(), format!("{STARTED}\n")).unwrap();
        std::fs::write(run.log(), "of an earlier trainer\n").unwrap();
        let trainer = TrainerProcess::start(&engine, std::slice::from_ref(&run), Some(7)).unwrap();
        let error = trainer.wait_until_at_work(&|| false).unwrap_err().to_string();
        assert_eq!(
            error,
            "the trainer ended by itself with exit status 3 before it took up run; it said: train --epochs 7 --"
        );

        let (_folder, run, engine) = stage(&format!("shift 2; echo '{STARTED}' >> \"$1/events.jsonl\""));
        let trainer = TrainerProcess::start(&engine, std::slice::from_ref(&run), None).unwrap();
        trainer.wait_until_at_work(&|| false).unwrap();
    }

    #[test]
    fn a_trainer_has_a_session_of_its_own_from_its_beginning() {
        // The fifth field behind the name, which ends with a bracket, is the session.
        let (_folder, run, engine) = stage("sed 's/.*) //' /proc/$$/stat | cut -d ' ' -f 4 > \"$3/session\"");
        let trainer = TrainerProcess::start(&engine, std::slice::from_ref(&run), None).unwrap();
        let pid = trainer.id();
        assert!(matches!(trainer.wait_until_at_work(&|| false), Err(TrainerError::Died { .. })));
        assert_eq!(std::fs::read_to_string(run.path().join("session")).unwrap().trim(), pid.to_string());
    }

    #[test]
    fn an_impatient_caller_leaves_the_trainer_alone() {
        let (_folder, run, engine) = stage("sleep 0.2; echo done >> \"$3/finished\"");
        let trainer = TrainerProcess::start(&engine, std::slice::from_ref(&run), None).unwrap();
        assert!(matches!(trainer.wait_until_at_work(&|| true), Err(TrainerError::Interrupted)));
        while !run.path().join("finished").exists() {
            thread::sleep(GLANCE);
        }
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let (folder, run, _) = stage("true");
        let error = TrainerProcess::start(&folder.path().join("gone"), &[run], None).unwrap_err();
        assert!(matches!(error, TrainerError::Start { .. }), "{error}");
    }
}
