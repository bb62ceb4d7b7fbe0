//! The process over a job's command: it keeps the command's output and end, and passes on requests to stop.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use chrono::Utc;
use rustix::process::{Pid, Signal, kill_process};
use serde::de::IgnoredAny;

use super::job_folder::{JobExit, JobFolder};
use super::output_lines::{Output, OutputLines};
use super::progress_terminal::ProgressTerminal;
use mammoscope_domain::text::printable::printable;

/// The interval at which requests and the end of the command are looked for.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// The subcommand that supervises a job.
pub const SUBCOMMAND: &str = "supervise-job";

/// Starts a process that supervises a job, in a session of its own, so that it outlives the terminal. It holds the job's
/// lock until it ends.
pub fn start_supervisor(folder: &JobFolder, program: &Path, lock: File) -> io::Result<Child> {
    let mut command = Command::new(program);
    command.arg(SUBCOMMAND).arg(folder.as_path());
    // As an open file of the new process, the lock is held from its first instant to its last.
    command.stdin(lock).stdout(Stdio::null()).stderr(Stdio::null());
    let new_session = || rustix::process::setsid().map(drop).map_err(io::Error::from);
    // SAFETY: between fork and exec the closure makes one system call, and allocates nothing.
    unsafe {
        command.pre_exec(new_session);
    }
    command.spawn()
}

/// Runs the command of a job with `program` to its end, which is then recorded.
pub fn supervise(folder: &JobFolder, program: &Path) -> io::Result<()> {
    let mut requests = 0;
    let ended = run(folder, program, &mut requests);
    let at = Utc::now();
    let (code, text) = match ended {
        Ok(status) => (status.code(), exit_text(status)),
        Err(error) => (None, format!("the command could not be run: {error}")),
    };
    folder.set_end(&JobExit { at, code, text, was_stopped: requests > 0 })
}

/// Runs the command with a terminal as its standard error, so that it draws its progress.
fn run(folder: &JobFolder, program: &Path, requests: &mut u64) -> io::Result<ExitStatus> {
    let record = folder.record::<IgnoredAny>()?;
    let terminal = ProgressTerminal::open()?;
    let output = OpenOptions::new().create(true).append(true).open(folder.output())?;
    let mut command = command_of(program, &record.arguments);
    command.current_dir(&record.directory).stdout(Stdio::piped()).stderr(terminal.other_end()?);
    let mut child = command.spawn()?;
    // Only the child may hold the other end, or the output would never end.
    drop(command);
    folder.set_process(child.id())?;
    let results = child.stdout.take().map(|stdout| {
        let output = output.try_clone();
        thread::spawn(move || {
            for line in BufReader::new(stdout).split(b'\n').map_while(Result::ok) {
                add_line(&output, &printable(String::from_utf8_lossy(&line).trim_end()));
            }
        })
    });
    let progress = {
        let (folder, output) = (folder.clone(), output.try_clone());
        thread::spawn(move || {
            let mut lines = OutputLines::new(|found| match found {
                Output::Line(text) => add_line(&output, &text),
                // A line that cannot be shown now is shown the next time.
                Output::Progress(text) => drop(folder.set_progress(&text)),
            });
            terminal.read_all(|bytes| lines.take(bytes));
        })
    };
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if *requests < folder.stop_requests() {
            *requests += 1;
            // The process has not been waited for, so its id is still its own.
            if let Some(process) = Pid::from_raw(child.id() as i32) {
                let _ = kill_process(process, Signal::TERM);
            }
        }
        thread::sleep(POLL_INTERVAL);
    };
    for thread in results.into_iter().chain([progress]) {
        let _ = thread.join();
    }
    Ok(status)
}

fn command_of(program: &Path, arguments: &[OsString]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).env("NO_COLOR", "1").env("TERM", "xterm").stdin(Stdio::null()).process_group(0);
    command
}

/// Adds a line to the output of a job; one that cannot be kept, on a full disk, is lost, and the command continues.
fn add_line(output: &io::Result<File>, text: &str) {
    if let Ok(mut output) = output.as_ref() {
        let _ = output.write_all(format!("{text}\n").as_bytes());
    }
}

fn exit_text(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit status {code}"),
        (None, Some(signal)) => format!("ended by signal {signal}"),
        (None, None) => status.to_string(),
    }
}
