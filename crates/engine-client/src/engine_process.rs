//! The engine as a child process: started, listened to, and missed in words when it is gone.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use super::engine_pipes::{StderrTail, listen, talk};
use mammoscope_domain::text::printable::{printable, printable_path};
use mammoscope_engine_protocol::protocol::{
    EngineCommand, EngineEvent, HEARTBEAT, PROTOCOL_VERSION, VERSION, encode_frame, is_same_build,
};

/// Why the engine is of no use.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// It could not be started.
    #[error("the engine {path} cannot be started: {error}")]
    Start {
        /// The program.
        path: String,
        /// What the system says.
        error: io::Error,
    },
    /// Something else answered.
    #[error("{path} is not a mammoscope engine: {reason}")]
    NotAnEngine {
        /// The program.
        path: String,
        /// What it said instead.
        reason: String,
    },
    /// An engine of another build answered.
    #[error(
        "the engine {path} is version {version} (protocol {protocol}), this program is version {VERSION} (protocol {PROTOCOL_VERSION}); build both together: cargo build --release"
    )]
    OtherVersion {
        /// The program.
        path: String,
        /// Its version.
        version: String,
        /// Its protocol.
        protocol: u32,
    },
    /// It ended while it was needed.
    #[error("the engine {path} {how}{last_words}")]
    Ended {
        /// The program.
        path: String,
        /// How, in words.
        how: String,
        /// What it last wrote to stderr.
        last_words: String,
    },
    /// It says nothing, not even that it lives, and was ended.
    #[error("the engine said nothing for {0} s, not even that it lives, and was ended")]
    Silent(u64),
    /// A command is longer than a frame may be.
    #[error("the command is too long for the engine: {0}")]
    TooLong(io::Error),
    /// The caller wanted no more while the engine was starting.
    #[error("interrupted")]
    Interrupted,
}

/// How long the engine may be silent.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// From the start to its first word: libtorch is large, and a network file system slow.
    pub start: Duration,
    /// Between two words later on; it says that it lives every [`HEARTBEAT`].
    pub silence: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { start: Duration::from_secs(120), silence: HEARTBEAT * 20 }
    }
}

/// How idle OpenMP threads wait. Spinning for long, two programs on the same cores slow each other down thirty-fold;
/// sleeping at once costs a third of the speed at 128 pixels; a thousand turns cost neither (docs/benchmarks.md).
pub const OPENMP_WAITING: [(&str, &str); 2] = [("OMP_WAIT_POLICY", "PASSIVE"), ("GOMP_SPINCOUNT", "1000")];
/// How a program that the system gives no more memory puts it in its last line.
const OUT_OF_MEMORY: [&str; 3] = ["memory allocation of", "out of memory", "Cannot allocate memory"];
/// How often a waiting program looks whether it is to go on.
const GLANCE: Duration = Duration::from_millis(50);

/// A running engine. Dropping it ends the process, and whatever that has started.
#[derive(Debug)]
pub struct EngineProcess {
    path: PathBuf,
    child: Child,
    commands: Option<Sender<Vec<u8>>>,
    events: Receiver<io::Result<EngineEvent>>,
    last_words: StderrTail,
    timeout: Timeouts,
    greeted: bool,
    last_heard: Instant,
    progress: u64,
    last_progress: Instant,
}

impl EngineProcess {
    /// Starts the engine and waits until it is up, or `interrupted` says that nobody waits any more.
    pub fn start(path: &Path, timeout: Timeouts, interrupted: &dyn Fn() -> bool) -> Result<Self, EngineError> {
        let mut command = Command::new(path);
        command.arg("serve").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // A user's own settings win; libgomp reads them when it is loaded, so that they cannot be set later.
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
            commands: Some(talk(child.stdin.take().expect("stdin is piped"))),
            events: listen(child.stdout.take().expect("stdout is piped")),
            last_words: StderrTail::of(child.stderr.take().expect("stderr is piped")),
            child,
            timeout,
            greeted: false,
            last_heard: Instant::now(),
            progress: 0,
            last_progress: Instant::now(),
        };
        engine.greet(interrupted)?;
        Ok(engine)
    }

    fn greet(&mut self, interrupted: &dyn Fn() -> bool) -> Result<(), EngineError> {
        let path = printable_path(&self.path);
        let deadline = Instant::now() + self.timeout.start;
        let first = loop {
            match self.events.recv_timeout(GLANCE) {
                Err(RecvTimeoutError::Timeout) if interrupted() => return Err(EngineError::Interrupted),
                Err(RecvTimeoutError::Timeout) if Instant::now() > deadline => {
                    return Err(self.silent(self.timeout.start));
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(self.ended()),
                Ok(first) => break first,
            }
        };
        match first {
            Ok(EngineEvent::Ready { protocol, version }) => {
                self.greeted = true;
                self.last_heard = Instant::now();
                if is_same_build(protocol, &version) {
                    Ok(())
                } else {
                    Err(EngineError::OtherVersion { path, version: printable(&version), protocol })
                }
            }
            Ok(_) => Err(EngineError::NotAnEngine { path, reason: "it did not introduce itself".to_owned() }),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(self.ended()),
            Err(error) => Err(EngineError::NotAnEngine { path, reason: error.to_string() }),
        }
    }

    /// Tells the engine something. It never waits: an engine that does not read is found out by [`Self::stalled_for`].
    pub fn send(&mut self, command: &EngineCommand) -> Result<(), EngineError> {
        let frame = encode_frame(command).map_err(EngineError::TooLong)?;
        self.last_progress = Instant::now();
        match self.commands.as_ref().map(|commands| commands.send(frame)) {
            Some(Ok(())) => Ok(()),
            // Its end of the pipe is closed: it is ending or has ended.
            Some(Err(_)) | None => Err(self.ended()),
        }
    }

    /// What the engine says next, within `patience`; `None` when that time passes and the engine lives.
    pub fn next_event(&mut self, timeout: Duration) -> Result<Option<EngineEvent>, EngineError> {
        match self.events.recv_timeout(timeout) {
            Ok(Ok(event)) => {
                self.last_heard = Instant::now();
                self.note_progress(&event);
                Ok(Some(event))
            }
            Ok(Err(error)) if error.kind() != io::ErrorKind::UnexpectedEof => {
                Err(EngineError::NotAnEngine { path: printable_path(&self.path), reason: error.to_string() })
            }
            Ok(Err(_)) | Err(RecvTimeoutError::Disconnected) => Err(self.ended()),
            Err(RecvTimeoutError::Timeout) if self.last_heard.elapsed() > self.timeout.silence => {
                Err(self.silent(self.timeout.silence))
            }
            Err(RecvTimeoutError::Timeout) => Ok(None),
        }
    }

    /// How long the engine has lived without getting any further: a large batch may take its time, a dead file system or
    /// a stuck device takes for ever.
    #[must_use]
    pub fn stalled_for(&self) -> Duration {
        self.last_progress.elapsed()
    }

    fn note_progress(&mut self, event: &EngineEvent) {
        match event {
            EngineEvent::Alive { progress } if *progress == self.progress => {}
            EngineEvent::Alive { progress } => {
                self.progress = *progress;
                self.last_progress = Instant::now();
            }
            _ => self.last_progress = Instant::now(),
        }
    }

    /// The process id, for messages and tests.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    fn silent(&mut self, timeout: Duration) -> EngineError {
        self.kill();
        EngineError::Silent(timeout.as_secs())
    }

    /// Says how the process ended; one that only closed its output is ended for that.
    fn ended(&mut self) -> EngineError {
        self.commands = None;
        let path = printable_path(&self.path);
        let how = match self.wait(Duration::from_secs(2)) {
            Some(status) if status.success() && !self.greeted => {
                return EngineError::NotAnEngine { path, reason: "it ended at once, and said nothing".to_owned() };
            }
            Some(status) => in_words(status, "--batch-size"),
            None => "closed its output and was ended".to_owned(),
        };
        self.kill();
        let lines = self.last_words.heard();
        let starved = lines.iter().any(|line| OUT_OF_MEMORY.iter().any(|words| line.contains(words)));
        let advice = if starved { "; there was not enough memory: try a smaller --batch-size" } else { "" };
        let said = if lines.is_empty() { String::new() } else { format!("; it said: {}", lines.join(" / ")) };
        EngineError::Ended { path, how, last_words: format!("{advice}{said}") }
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

    /// Ends the process and all of its group: behind a wrapper script stands the engine itself.
    fn kill(&mut self) {
        #[cfg(unix)]
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw) {
            // Fails where nothing of the group is left.
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for EngineProcess {
    fn drop(&mut self) {
        // The end of its input tells it to stop; one that does not is ended.
        if let (Some(commands), Ok(frame)) = (self.commands.take(), encode_frame(&EngineCommand::Shutdown)) {
            let _ = commands.send(frame);
        }
        if self.wait(Duration::from_millis(500)).is_none() {
            self.kill();
        }
    }
}

/// How a process ended; `smaller_batch` is what makes it need less memory.
pub fn in_words(status: ExitStatus, smaller_batch: &str) -> String {
    #[cfg(unix)]
    {
        use std::os::unix::process::ExitStatusExt as _;
        match status.signal() {
            Some(9) => {
                return format!(
                    "was killed (signal 9); often the system has run out of memory: try a smaller {smaller_batch}"
                );
            }
            Some(signal) => return format!("was ended by signal {signal}"),
            None => {}
        }
    }
    match status.code() {
        Some(127) => "could not load its libraries (exit status 127); `cargo xtask setup` installs libtorch".to_owned(),
        Some(code) => format!("ended by itself with exit status {code}"),
        None => format!("ended: {status}"),
    }
}
