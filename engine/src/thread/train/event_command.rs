//! Runs a command of the user's at events of a run: its end, waits, stalls and rollbacks. It gets the event as JSON on its
//! stdin, has a bounded time, and cannot hold up the training.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use mammoscope_domain::run::run_event::{RunEvent, RunEventKind};
use mammoscope_domain::run::run_spec::RunSpec;
use mammoscope_storage::runs::process_evidence::host_name;
use mammoscope_storage::runs::run_dir::RunDir;
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};

/// The time after which the command is killed with everything that it has started.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The time that the end of a trainer waits for the command.
const LAST_WAIT: Duration = Duration::from_secs(5);
const POLL_INTERVAL: Duration = Duration::from_millis(20);
/// The most events that wait for the command; more are not reported.
const MAX_WAITING: usize = 64;

/// The command of a run, on a thread of its own.
#[derive(Debug)]
pub(super) struct EventCommand {
    run: RunDir,
    facts: Value,
    events: Option<SyncSender<Value>>,
    thread: Option<JoinHandle<()>>,
}

impl EventCommand {
    pub(super) fn new(command: String, run: &RunDir, spec: &RunSpec) -> Self {
        let facts = json!({
            "schema": 1,
            "group": spec.group,
            "view": spec.view,
            "host": host_name(),
            "pid": std::process::id(),
        });
        let (events, waiting) = sync_channel(MAX_WAITING);
        let thread = thread::spawn(move || run_at_each(&command, &waiting));
        Self { run: run.clone(), facts, events: Some(events), thread: Some(thread) }
    }

    /// Reports an event, if it is one that the command is for.
    pub(super) fn report(&self, event: &RunEvent, was_waiting: bool) {
        let is_reported = match event.kind {
            RunEventKind::Ended { .. }
            | RunEventKind::Waiting { .. }
            | RunEventKind::RolledBack { .. }
            | RunEventKind::BatchSplit(_) => true,
            RunEventKind::Continued { .. } => was_waiting,
            _ => false,
        };
        if is_reported && let Ok(event) = serde_json::to_value(event) {
            self.send(event);
        }
    }

    /// Reports that a run makes no progress.
    pub(super) fn report_stall(&self, time: &str, step: u64, reason: &str) {
        self.send(json!({ "time": time, "event": "stalled", "step": step, "reason": reason }));
    }

    fn send(&self, event: Value) {
        let mut document = self.facts.clone();
        document["run"] = self.run.name().into();
        document["path"] = self.run.shown_path().to_string_lossy().into();
        let (Some(document_fields), Value::Object(event)) = (document.as_object_mut(), event) else { return };
        document_fields.extend(event);
        if let Some(Err(TrySendError::Full(_))) = self.events.as_ref().map(|events| events.try_send(document)) {
            tracing::warn!("an event was not passed to the command for events, which is too slow");
        }
    }
}

impl Drop for EventCommand {
    /// Waits a while for the report of the last event.
    fn drop(&mut self) {
        drop(self.events.take());
        let start = Instant::now();
        let Some(thread) = self.thread.take() else { return };
        while !thread.is_finished() && start.elapsed() < LAST_WAIT {
            thread::sleep(POLL_INTERVAL);
        }
    }
}

fn run_at_each(command: &str, events: &Receiver<Value>) {
    for event in events {
        match run_once(command, &event) {
            Ok(()) => {}
            Err(reason) => tracing::warn!("the command for events {reason}"),
        }
    }
}

/// Runs the command with an event, in a session of its own. Its output goes to the log of the run.
fn run_once(command: &str, event: &Value) -> Result<(), String> {
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).stdin(Stdio::piped()).process_group(0);
    let mut child = shell.spawn().map_err(|error| format!("cannot be started: {error}"))?;
    let mut input = child.stdin.take();
    let text = format!("{event}\n");
    // A command that does not read its input must not hold this up; a pipe has room for an event.
    let writing = thread::spawn(move || input.as_mut().map(|input| input.write_all(text.as_bytes())));
    let outcome = wait(&mut child);
    if writing.is_finished() {
        let _ = writing.join();
    }
    outcome
}

fn wait(child: &mut Child) -> Result<(), String> {
    let start = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(Some(status)) => return Err(format!("failed: {status}")),
            Ok(None) if start.elapsed() < TIMEOUT => thread::sleep(POLL_INTERVAL),
            Ok(None) => {
                if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
                    let _ = kill_process_group(group, Signal::KILL);
                }
                let _ = child.wait();
                return Err(format!("was killed after {} s", TIMEOUT.as_secs()));
            }
            Err(error) => return Err(format!("cannot be waited for: {error}")),
        }
    }
}
