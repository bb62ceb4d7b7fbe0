//! Jobs as child processes of the workbench: their start, their output, their stop and their end.

mod output;
mod progress_terminal;

use std::collections::HashMap;
use std::ffi::OsString;
use std::io::{self, BufRead as _, BufReader};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::datasets::paths::{completions, expand};
use crate::tui::protocol::failure::Failure;
use crate::tui::protocol::jobs::{ExitText, JobEffect, JobId, JobMessage, PathFacts};
use crate::tui::protocol::message::UiMessage;
use mammoscope_domain::text::printable::printable;
use output::OutputLines;
use progress_terminal::ProgressTerminal;

/// The time that jobs have for a clean end when the workbench is left.
const FAREWELL: Duration = Duration::from_secs(5);
/// The interval at which the end of a process is looked for.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// The service of jobs. Processes that still run when it is dropped are asked to end, and killed if they do not.
pub(in crate::tui) struct JobService {
    inbox: Sender<UiMessage>,
    /// The program whose commands are run; `None` for this one.
    program: Option<PathBuf>,
    children: HashMap<JobId, Arc<Mutex<Child>>>,
}

impl JobService {
    pub(super) fn new(inbox: Sender<UiMessage>) -> Self {
        Self::of_program(inbox, None)
    }

    fn of_program(inbox: Sender<UiMessage>, program: Option<PathBuf>) -> Self {
        Self { inbox, program, children: HashMap::new() }
    }

    pub(super) fn perform(&mut self, effect: JobEffect) {
        match effect {
            JobEffect::Spawn { id, arguments } => match self.spawn(id, &arguments) {
                Ok(child) => {
                    self.children.insert(id, child);
                }
                Err(error) => {
                    send(&self.inbox, JobMessage::Ended { id, outcome: Err(Failure::new(error)) });
                }
            },
            JobEffect::Terminate(id) => {
                if let Some(child) = self.children.get(&id) {
                    terminate(child);
                }
            }
            JobEffect::LookAt(typed) => {
                let inbox = self.inbox.clone();
                thread::spawn(move || {
                    let facts = PathFacts {
                        exists: expand(&typed).exists(),
                        completions: completions(&typed, Path::is_file),
                        typed,
                    };
                    send(&inbox, JobMessage::LookedAt(facts));
                });
            }
            // Performed by the application.
            JobEffect::Start(_) | JobEffect::Stop(_) | JobEffect::Open(_) | JobEffect::Copy { .. } => {}
        }
    }

    /// Starts a process whose standard error is a terminal, so that it draws its progress.
    fn spawn(&self, id: JobId, arguments: &[OsString]) -> io::Result<Arc<Mutex<Child>>> {
        let terminal = ProgressTerminal::open()?;
        let program = self.program.clone().map_or_else(std::env::current_exe, Ok)?;
        let mut command = Command::new(program);
        command.args(arguments.iter().map(expanded)).env("NO_COLOR", "1").env("TERM", "xterm");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(terminal.other_end()?);
        // Ctrl-C and the end of the workbench's terminal are for the workbench, which then ends its jobs itself.
        let mut child = command.process_group(0).spawn()?;
        // Only the child may hold the other end, or the output would never end.
        drop(command);
        send(&self.inbox, JobMessage::Started { id, pid: child.id() });
        let stdout = child.stdout.take();
        let child = Arc::new(Mutex::new(child));
        let (inbox, waited) = (self.inbox.clone(), Arc::clone(&child));
        let results = stdout.map(|stdout| {
            let inbox = self.inbox.clone();
            thread::spawn(move || {
                for line in BufReader::new(stdout).split(b'\n').map_while(Result::ok) {
                    let text = printable(String::from_utf8_lossy(&line).trim_end());
                    if !send(&inbox, JobMessage::Line { id, text }) {
                        return;
                    }
                }
            })
        });
        thread::spawn(move || {
            let mut lines = OutputLines::new(id, inbox.clone());
            terminal.read_all(|bytes| lines.take(bytes));
            if let Some(results) = results {
                let _ = results.join();
            }
            let outcome = wait(&waited).map(exit_text).map_err(Failure::new);
            send(&inbox, JobMessage::Ended { id, outcome });
        });
        Ok(child)
    }
}

impl Drop for JobService {
    fn drop(&mut self) {
        let is_running = |child: &Arc<Mutex<Child>>| matches!(locked(child).try_wait(), Ok(None));
        let running: Vec<_> = self.children.values().filter(|child| is_running(child)).cloned().collect();
        running.iter().for_each(terminate);
        let deadline = Instant::now() + FAREWELL;
        while running.iter().any(is_running) && Instant::now() < deadline {
            thread::sleep(POLL_INTERVAL);
        }
        for child in running {
            // One that has ended is not killed again.
            let _ = locked(&child).kill();
        }
    }
}

/// An argument in which a leading `~` is the home folder.
fn expanded(argument: &OsString) -> OsString {
    match argument.to_str().filter(|text| text.starts_with('~')) {
        Some(text) => expand(text).into_os_string(),
        None => argument.clone(),
    }
}

/// Sends a message; false if the workbench was left.
fn send(inbox: &Sender<UiMessage>, message: JobMessage) -> bool {
    inbox.send(UiMessage::Job(message)).is_ok()
}

fn locked(child: &Arc<Mutex<Child>>) -> std::sync::MutexGuard<'_, Child> {
    child.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Asks a process to end. While its `Child` is locked and not waited for, its id cannot belong to another process.
fn terminate(child: &Arc<Mutex<Child>>) {
    let mut child = locked(child);
    if let (Ok(None), Some(pid)) = (child.try_wait(), Pid::from_raw(child.id() as i32)) {
        // A process that ends at this moment needs no signal.
        let _ = kill_process(pid, Signal::TERM);
    }
}

/// Waits for the end of a process without holding its lock meanwhile.
fn wait(child: &Arc<Mutex<Child>>) -> io::Result<ExitStatus> {
    loop {
        if let Some(status) = locked(child).try_wait()? {
            return Ok(status);
        }
        thread::sleep(POLL_INTERVAL);
    }
}

fn exit_text(status: ExitStatus) -> ExitText {
    let text = match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit status {code}"),
        (None, Some(signal)) => format!("ended by signal {signal}"),
        (None, None) => status.to_string(),
    };
    ExitText { code: status.code(), text }
}

#[cfg(test)]
mod tests;
