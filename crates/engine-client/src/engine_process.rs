//! The engine as a child process: starting it, exchanging messages with it, and explaining its death.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use super::engine_pipes::{StderrTail, spawn_reader, spawn_writer};
use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::text::printable::{printable, printable_path};
use mammoscope_engine_protocol::command::EngineCommand;
use mammoscope_engine_protocol::event::EngineEvent;
use mammoscope_engine_protocol::frame::encode_frame;
use mammoscope_engine_protocol::{HEARTBEAT, PROTOCOL_VERSION, VERSION, is_same_build};

/// A failure of the engine itself, rather than of a job.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// It could not be started.
    #[error("the engine {path} cannot be started: {error}")]
    Start { path: String, error: io::Error },
    /// Another program answered.
    #[error("{path} is not a mammoscope engine: {reason}")]
    NotAnEngine {
        path: String,
        /// The difference from an engine's answer.
        reason: String,
    },
    /// An engine of another build answered.
    #[error(
        "the engine {path} is version {version} (protocol {protocol}), this program is version {VERSION} (protocol {PROTOCOL_VERSION}); build both together: cargo build --release"
    )]
    OtherVersion { path: String, version: String, protocol: u32 },
    /// It exited while it was needed.
    #[error("the engine {path} {how}{details}")]
    Ended {
        path: String,
        /// The way it ended, in words ([`describe_exit`]).
        how: String,
        /// The last lines of its stderr, and advice, each after a semicolon.
        details: String,
    },
    /// It sent nothing, not even a heartbeat, and was killed.
    #[error("the engine sent nothing for {0} s, not even a heartbeat, and was killed")]
    Silent(u64),
    /// A command does not fit into a frame.
    #[error("the command is too long for the engine: {0}")]
    TooLong(io::Error),
    /// The caller gave up while the engine was starting.
    #[error("interrupted")]
    Interrupted,
}

/// The longest accepted silences of the engine.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// From the start to the first message: libtorch is large, and network file systems are slow.
    pub start: Duration,
    /// Between later messages; a live engine sends one every [`HEARTBEAT`].
    pub silence: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { start: Duration::from_secs(120), silence: HEARTBEAT * 20 }
    }
}

/// Makes idle OpenMP threads spin a thousand times, then sleep. With long spinning, two programs on the same cores slow
/// each other down thirty-fold; sleeping at once costs a third of the speed at 128 pixels; a thousand spins cost
/// neither (docs/benchmarks.md).
pub const OPENMP_WAITING: [(&str, &str); 2] = [("OMP_WAIT_POLICY", "PASSIVE"), ("GOMP_SPINCOUNT", "1000")];
/// Phrases in the last lines of a program that could not allocate memory.
const OUT_OF_MEMORY: [&str; 3] = ["memory allocation of", "out of memory", "Cannot allocate memory"];
/// The interval at which `cancellation` is polled while waiting.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// A running engine. Dropping it ends the process and its children.
#[derive(Debug)]
pub struct EngineProcess {
    path: PathBuf,
    child: Child,
    commands: Option<Sender<Vec<u8>>>,
    events: Receiver<io::Result<EngineEvent>>,
    stderr: StderrTail,
    timeouts: Timeouts,
    is_ready: bool,
    last_event: Instant,
    progress: u64,
    last_progress: Instant,
}

impl EngineProcess {
    /// Starts the engine and waits until it is ready, or until it is cancelled.
    pub fn start(path: &Path, timeouts: Timeouts, cancellation: Cancellation<'_>) -> Result<Self, EngineError> {
        let mut command = Command::new(path);
        command.arg("serve").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // The user's own settings win. libgomp reads them when it is loaded, so they cannot be set later.
        if OPENMP_WAITING.iter().all(|(variable, _)| std::env::var_os(variable).is_none()) {
            command.envs(OPENMP_WAITING);
        }
        #[cfg(unix)]
        {
            // Ctrl-C is for the program, which then asks the engine to stop; the engine ends when its input does.
            use std::os::unix::process::CommandExt as _;
            command.process_group(0);
        }
        let mut child = command.spawn().map_err(|error| EngineError::Start { path: printable_path(path), error })?;
        let mut engine = Self {
            path: path.to_owned(),
            commands: Some(spawn_writer(child.stdin.take().expect("stdin is piped"))),
            events: spawn_reader(child.stdout.take().expect("stdout is piped")),
            stderr: StderrTail::of(child.stderr.take().expect("stderr is piped")),
            child,
            timeouts,
            is_ready: false,
            last_event: Instant::now(),
            progress: 0,
            last_progress: Instant::now(),
        };
        engine.handshake(cancellation)?;
        Ok(engine)
    }

    fn handshake(&mut self, cancellation: Cancellation<'_>) -> Result<(), EngineError> {
        let path = printable_path(&self.path);
        let deadline = Instant::now() + self.timeouts.start;
        let first = loop {
            match self.events.recv_timeout(POLL_INTERVAL) {
                Err(RecvTimeoutError::Timeout) if cancellation.is_cancelled() => return Err(EngineError::Interrupted),
                Err(RecvTimeoutError::Timeout) if Instant::now() > deadline => {
                    return Err(self.silent(self.timeouts.start));
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(self.ended()),
                Ok(first) => break first,
            }
        };
        match first {
            Ok(EngineEvent::Ready { protocol, version }) => {
                self.is_ready = true;
                self.last_event = Instant::now();
                if is_same_build(protocol, &version) {
                    Ok(())
                } else {
                    Err(EngineError::OtherVersion { path, version: printable(&version), protocol })
                }
            }
            Ok(_) => Err(EngineError::NotAnEngine { path, reason: "its first message is not a greeting".to_owned() }),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(self.ended()),
            Err(error) => Err(EngineError::NotAnEngine { path, reason: error.to_string() }),
        }
    }

    /// Sends a command, without ever blocking: [`Self::stalled_for`] reveals an engine that does not read.
    pub fn send(&mut self, command: &EngineCommand) -> Result<(), EngineError> {
        let frame = encode_frame(command).map_err(EngineError::TooLong)?;
        self.last_progress = Instant::now();
        match self.commands.as_ref().map(|commands| commands.send(frame)) {
            Some(Ok(())) => Ok(()),
            // The engine has closed its end of the pipe: it is exiting or has exited.
            Some(Err(_)) | None => Err(self.ended()),
        }
    }

    /// Returns the next event; `None` if none arrives within `timeout` although the engine is alive.
    pub fn next_event(&mut self, timeout: Duration) -> Result<Option<EngineEvent>, EngineError> {
        match self.events.recv_timeout(timeout) {
            Ok(Ok(event)) => {
                self.last_event = Instant::now();
                self.record_progress(&event);
                Ok(Some(event))
            }
            Ok(Err(error)) if error.kind() != io::ErrorKind::UnexpectedEof => {
                Err(EngineError::NotAnEngine { path: printable_path(&self.path), reason: error.to_string() })
            }
            Ok(Err(_)) | Err(RecvTimeoutError::Disconnected) => Err(self.ended()),
            Err(RecvTimeoutError::Timeout) if self.last_event.elapsed() > self.timeouts.silence => {
                Err(self.silent(self.timeouts.silence))
            }
            Err(RecvTimeoutError::Timeout) => Ok(None),
        }
    }

    /// Returns the time since the engine last made progress. A large batch may take its time; a dead file system or a
    /// stuck device takes forever.
    #[must_use]
    pub fn stalled_for(&self) -> Duration {
        self.last_progress.elapsed()
    }

    fn record_progress(&mut self, event: &EngineEvent) {
        match event {
            EngineEvent::Alive { progress } if *progress == self.progress => {}
            EngineEvent::Alive { progress } => {
                self.progress = *progress;
                self.last_progress = Instant::now();
            }
            _ => self.last_progress = Instant::now(),
        }
    }

    /// Returns the process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Kills an engine that was silent for `timeout`.
    fn silent(&mut self, timeout: Duration) -> EngineError {
        self.kill();
        EngineError::Silent(timeout.as_secs())
    }

    /// Describes how the process ended; a process that only closed its output is killed.
    fn ended(&mut self) -> EngineError {
        self.commands = None;
        let path = printable_path(&self.path);
        let how = match self.wait(Duration::from_secs(2)) {
            Some(status) if status.success() && !self.is_ready => {
                return EngineError::NotAnEngine { path, reason: "it exited at once, without a message".to_owned() };
            }
            Some(status) => describe_exit(status, "--batch-size"),
            None => "closed its output and was killed".to_owned(),
        };
        self.kill();
        let lines = self.stderr.lines();
        let out_of_memory = lines.iter().any(|line| OUT_OF_MEMORY.iter().any(|phrase| line.contains(phrase)));
        let advice = if out_of_memory { "; it ran out of memory: try a smaller --batch-size" } else { "" };
        let stderr = if lines.is_empty() { String::new() } else { format!("; it said: {}", lines.join(" / ")) };
        EngineError::Ended { path, how, details: format!("{advice}{stderr}") }
    }

    fn wait(&mut self, timeout: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + timeout;
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => return Some(status),
                Ok(None) if Instant::now() < deadline => thread::sleep(Duration::from_millis(5)),
                Ok(None) | Err(_) => return None,
            }
        }
    }

    /// Kills the process and its group: the child may be a wrapper script that started the engine.
    fn kill(&mut self) {
        #[cfg(unix)]
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw) {
            // Fails if no process of the group is left.
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for EngineProcess {
    fn drop(&mut self) {
        // The command, or the end of its input, tells the engine to exit; otherwise it is killed.
        if let (Some(commands), Ok(frame)) = (self.commands.take(), encode_frame(&EngineCommand::Shutdown)) {
            let _ = commands.send(frame);
        }
        if self.wait(Duration::from_millis(500)).is_none() {
            self.kill();
        }
    }
}

/// Describes how a process ended; `batch_setting` is the setting that reduces its memory.
#[must_use]
pub fn describe_exit(status: ExitStatus, batch_setting: &str) -> String {
    #[cfg(unix)]
    {
        use std::os::unix::process::ExitStatusExt as _;
        match status.signal() {
            Some(9) => {
                return format!(
                    "was killed (signal 9); often the system ran out of memory: try a smaller {batch_setting}"
                );
            }
            Some(signal) => return format!("was killed by signal {signal}"),
            None => {}
        }
    }
    match status.code() {
        Some(127) => "could not load its libraries (exit status 127); `cargo xtask setup` installs libtorch".to_owned(),
        Some(code) => format!("ended with exit status {code}"),
        None => format!("ended: {status}"),
    }
}
