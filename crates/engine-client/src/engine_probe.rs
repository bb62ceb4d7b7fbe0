//! Asks the engine about itself and its libtorch: `mammoscope-engine probe`.

use std::io::{self, BufRead as _, BufReader, Read};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use wait_timeout::ChildExt as _;

use mammoscope_domain::text::printable::printable;
use mammoscope_engine_protocol::engine_facts::EngineFacts;

/// The time limit of a probe: loading libtorch and initialising CUDA takes seconds on a cold disk.
pub const PROBE_TIMEOUT: Duration = Duration::from_secs(20);

/// The most bytes that are read of an answer; no real answer is as long.
const ANSWER_LIMIT: u64 = 1 << 16;

/// The time that the rest of the output may take to arrive after the engine has exited.
const DRAIN: Duration = Duration::from_millis(500);

/// A probe that gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum ProbeFailure {
    /// The engine could not be started.
    #[error("it cannot be started: {0}")]
    Start(#[source] io::Error),
    /// The dynamic loader did not find libtorch.
    #[error("libtorch is not found: {0}")]
    LibraryNotFound(String),
    /// It exited with an error.
    #[error("it ended with status {status}: {last_line}")]
    Failed {
        status: i32,
        /// The last line of its stderr.
        last_line: String,
    },
    /// It crashed.
    #[error("it was killed by signal {signal}: {last_line}")]
    Crashed {
        signal: i32,
        /// The last line of its stderr.
        last_line: String,
    },
    /// It gave no answer in time and was killed.
    #[error("it gave no answer within {} s", .0.as_secs_f32())]
    TimedOut(Duration),
    /// It exited successfully without an answer.
    #[error("it gave no answer")]
    Silent,
    /// Its answer is not that of an engine.
    #[error("its answer is not valid ({reason}): {answer}")]
    NotUnderstood {
        /// The reason why the answer cannot be parsed.
        reason: String,
        /// The beginning of the answer.
        answer: String,
    },
}

/// Asks an engine about itself, waiting at most `timeout`.
pub fn probe_engine(engine: &Path, timeout: Duration) -> Result<EngineFacts, ProbeFailure> {
    let mut command = Command::new(engine);
    command.arg("probe").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(ProbeFailure::Start)?;
    let answer = spawn_first_line_reader(child.stdout.take().expect("stdout is piped"));
    let stderr = spawn_reader(child.stderr.take().expect("stderr is piped"));
    let Some(status) = child.wait_timeout(timeout).map_err(ProbeFailure::Start)? else {
        // Both fail only if it has exited in the meantime.
        let _ = child.kill();
        let _ = child.wait();
        return Err(ProbeFailure::TimedOut(timeout));
    };
    // A process that the engine left running may hold the pipes open forever.
    if !status.success() {
        return Err(failure(status, &stderr.recv_timeout(DRAIN).unwrap_or_default()));
    }
    let answer = answer.recv_timeout(DRAIN).unwrap_or_default();
    let line = answer.trim();
    if line.is_empty() {
        return Err(ProbeFailure::Silent);
    }
    serde_json::from_str(line)
        .map_err(|error| ProbeFailure::NotUnderstood { reason: error.to_string(), answer: beginning(line) })
}

/// Spawns a thread that reads the first line of a pipe, then drains the rest so that the writer does not block.
fn spawn_first_line_reader(pipe: impl Read + Send + 'static) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut pipe = BufReader::new(pipe);
        let mut bytes = Vec::new();
        // Bytes read before an error are still useful. Sending fails if the receiver has timed out.
        let _ = (&mut pipe).take(ANSWER_LIMIT).read_until(b'\n', &mut bytes);
        let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
        let _ = io::copy(&mut pipe, &mut io::sink());
    });
    receiver
}

/// Spawns a thread that reads a pipe to its end, or up to [`ANSWER_LIMIT`].
fn spawn_reader(pipe: impl Read + Send + 'static) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // Bytes read before an error are still useful.
        let _ = pipe.take(ANSWER_LIMIT).read_to_end(&mut bytes);
        let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    receiver
}

fn failure(status: ExitStatus, stderr: &str) -> ProbeFailure {
    let last_line = stderr.lines().rev().map(str::trim).find(|line| !line.is_empty());
    let last_line = last_line.map_or_else(|| "no error message".to_owned(), beginning);
    if let Some(missing) = stderr.lines().find(|line| line.contains("error while loading shared libraries")) {
        let library = missing.split(": ").nth(2).unwrap_or(missing);
        return ProbeFailure::LibraryNotFound(beginning(library));
    }
    match (status.code(), signal_of(status)) {
        (None, Some(signal)) => ProbeFailure::Crashed { signal, last_line },
        (code, _) => ProbeFailure::Failed { status: code.unwrap_or(1), last_line },
    }
}

#[cfg(unix)]
fn signal_of(status: ExitStatus) -> Option<i32> {
    std::os::unix::process::ExitStatusExt::signal(&status)
}

#[cfg(not(unix))]
fn signal_of(_: ExitStatus) -> Option<i32> {
    None
}

/// Returns the first 200 characters, safe to print.
fn beginning(text: &str) -> String {
    let shown: String = text.trim().chars().take(200).collect();
    printable(&shown)
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use mammoscope_engine_protocol::engine_facts::CudaState;

    const GOOD: &str = r#"{"engine_version":"0.1.0","protocol":1,"libtorch":"2.11.0","library_folder":"/lib","threads":2,"cuda":{"state":"no_driver","detail":"","devices":[]},"cpu_bf16":true}"#;

    /// A shell script that acts as an engine. Another process writes it: a file that this process has just written may
    /// be "busy" for a moment while a parallel test starts a process.
    fn engine(folder: &Path, script: &str) -> PathBuf {
        let path = folder.join("engine");
        let write = r#"printf '#!/bin/sh\n%s\n' "$2" > "$1" && chmod +x "$1""#;
        let status = Command::new("sh").args(["-c", write, "sh"]).arg(&path).arg(script).status().unwrap();
        assert!(status.success());
        path
    }

    fn ask(script: &str) -> Result<EngineFacts, ProbeFailure> {
        let folder = tempfile::tempdir().unwrap();
        probe_engine(&engine(folder.path(), script), Duration::from_secs(20))
    }

    #[test]
    fn a_good_answer_is_read() {
        let facts = ask(&format!("echo a warning >&2; echo '{GOOD}'")).unwrap();
        assert_eq!(facts.libtorch, "2.11.0");
        assert_eq!(facts.cuda.state, CudaState::NoDriver);
    }

    #[test]
    fn failures_name_their_cause() {
        let missing = probe_engine(Path::new("/nonexistent/engine"), PROBE_TIMEOUT).unwrap_err();
        assert!(matches!(missing, ProbeFailure::Start(_)), "{missing}");
        let failed = ask("echo first >&2; echo 'out of order' >&2; exit 3").unwrap_err();
        assert_eq!(failed.to_string(), "it ended with status 3: out of order");
        let crashed = ask("kill -SEGV $$").unwrap_err();
        assert_eq!(crashed.to_string(), "it was killed by signal 11: no error message");
        let loader = "engine: error while loading shared libraries: libtorch_cpu.so: cannot open shared object file";
        let unlinked = ask(&format!("echo '{loader}' >&2; exit 127")).unwrap_err();
        assert_eq!(unlinked.to_string(), "libtorch is not found: libtorch_cpu.so");
    }

    #[test]
    fn garbage_is_printed_safely() {
        let garbage = ask(r"printf 'hello \033[31m world\n'").unwrap_err().to_string();
        assert!(garbage.contains("not valid") && garbage.contains(r"hello \u{1b}[31m world"), "{garbage}");
        assert!(matches!(ask("exit 0").unwrap_err(), ProbeFailure::Silent));
        let older = ask(r#"echo '{"engine_version":"0.1.0"}'"#).unwrap_err().to_string();
        assert!(older.contains("missing field"), "{older}");
    }

    #[test]
    fn a_hanging_engine_is_killed() {
        let folder = tempfile::tempdir().unwrap();
        let hanging = engine(folder.path(), "exec sleep 300");
        let error = probe_engine(&hanging, Duration::from_millis(300)).unwrap_err();
        assert!(matches!(error, ProbeFailure::TimedOut(_)), "{error}");
        let flooding = engine(folder.path(), "exec yes");
        let error = probe_engine(&flooding, Duration::from_millis(300)).unwrap_err();
        assert!(matches!(error, ProbeFailure::TimedOut(_) | ProbeFailure::Crashed { .. }), "{error}");
    }

    #[test]
    fn a_process_left_running_does_not_delay_the_answer() {
        ask(&format!("sleep 3 & echo '{GOOD}'")).unwrap();
    }
}
