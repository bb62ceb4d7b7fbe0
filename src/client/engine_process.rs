//! The engine as a child process: started, listened to, and missed in words when it is gone.

use std::collections::VecDeque;
use std::io::{self, BufRead as _, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::protocol::{EngineCommand, EngineEvent, HEARTBEAT, PROTOCOL_VERSION, VERSION, read_frame, write_frame};
use crate::domain::printable::{printable, printable_path};

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
    #[error("the engine {how}{last_words}")]
    Ended {
        /// How, in words.
        how: String,
        /// What it last wrote to stderr.
        last_words: String,
    },
    /// It lives, but says nothing.
    #[error("the engine has said nothing for {0} s and was ended; it may be stuck on a device or a file system")]
    Silent(u64),
}

/// How long the engine may be silent.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// From the start to its first word: libtorch is large, and a network file system slow.
    pub start: Duration,
    /// Between two words later on; it says that it lives every [`HEARTBEAT`].
    pub silence: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { start: Duration::from_secs(120), silence: HEARTBEAT * 20 }
    }
}

/// How idle OpenMP threads wait. Spinning for long, two programs on the same cores slow each other down thirty-fold;
/// sleeping at once costs a third of the speed at 128 pixels; a thousand turns cost neither (docs/benchmarks.md).
const OPENMP_WAITING: [(&str, &str); 2] = [("OMP_WAIT_POLICY", "PASSIVE"), ("GOMP_SPINCOUNT", "1000")];
const LAST_WORDS: usize = 3;
/// How a program that the system gives no more memory puts it in its last line.
const OUT_OF_MEMORY: [&str; 3] = ["memory allocation of", "out of memory", "Cannot allocate memory"];

/// A running engine. Dropping it ends the process.
#[derive(Debug)]
pub struct EngineProcess {
    path: PathBuf,
    child: Child,
    commands: Option<Sender<EngineCommand>>,
    events: Receiver<io::Result<EngineEvent>>,
    last_words: Arc<Mutex<VecDeque<String>>>,
    listener_of_last_words: Option<thread::JoinHandle<()>>,
    patience: Patience,
    last_heard: Instant,
}

impl EngineProcess {
    /// Starts the engine and waits until it is up.
    pub fn start(path: &Path, patience: Patience) -> Result<Self, EngineError> {
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
        let commands = talk(child.stdin.take().expect("stdin is piped"));
        let events = listen(child.stdout.take().expect("stdout is piped"));
        let last_words = Arc::new(Mutex::new(VecDeque::new()));
        let listener = remember_last_words(child.stderr.take().expect("stderr is piped"), Arc::clone(&last_words));
        let mut engine = Self {
            path: path.to_owned(),
            child,
            commands: Some(commands),
            events,
            last_words,
            listener_of_last_words: Some(listener),
            patience,
            last_heard: Instant::now(),
        };
        engine.greet()?;
        Ok(engine)
    }

    fn greet(&mut self) -> Result<(), EngineError> {
        let path = printable_path(&self.path);
        match self.events.recv_timeout(self.patience.start) {
            Ok(Ok(EngineEvent::Ready { protocol, version })) => {
                self.last_heard = Instant::now();
                if protocol == PROTOCOL_VERSION && version == VERSION {
                    Ok(())
                } else {
                    Err(EngineError::OtherVersion { path, version: printable(&version), protocol })
                }
            }
            Ok(Ok(_)) => Err(EngineError::NotAnEngine { path, reason: "it did not introduce itself".to_owned() }),
            Ok(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => Err(self.ended()),
            Ok(Err(error)) => Err(EngineError::NotAnEngine { path, reason: error.to_string() }),
            Err(RecvTimeoutError::Timeout) => Err(EngineError::Silent(self.patience.start.as_secs())),
            Err(RecvTimeoutError::Disconnected) => Err(self.ended()),
        }
    }

    /// Tells the engine something. It never waits: an engine that does not listen is found out by its silence.
    pub fn send(&mut self, command: EngineCommand) -> Result<(), EngineError> {
        match self.commands.as_ref().map(|commands| commands.send(command)) {
            Some(Ok(())) => Ok(()),
            // Its end of the pipe is closed: it is ending or has ended.
            Some(Err(_)) | None => Err(self.ended()),
        }
    }

    /// What the engine says next, within `patience`; `None` when that time passes and the engine is well.
    pub fn next_event(&mut self, patience: Duration) -> Result<Option<EngineEvent>, EngineError> {
        match self.events.recv_timeout(patience) {
            Ok(Ok(event)) => {
                self.last_heard = Instant::now();
                Ok(Some(event))
            }
            Ok(Err(error)) if error.kind() != io::ErrorKind::UnexpectedEof => {
                Err(EngineError::NotAnEngine { path: printable_path(&self.path), reason: error.to_string() })
            }
            Ok(Err(_)) | Err(RecvTimeoutError::Disconnected) => Err(self.ended()),
            Err(RecvTimeoutError::Timeout) if self.last_heard.elapsed() > self.patience.silence => {
                Err(EngineError::Silent(self.patience.silence.as_secs()))
            }
            Err(RecvTimeoutError::Timeout) => Ok(None),
        }
    }

    /// The process id, for messages and tests.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Says how the process ended; one that only closed its output is ended for that.
    fn ended(&mut self) -> EngineError {
        self.commands = None;
        let how = if let Some(status) = self.wait(Duration::from_secs(2)) {
            in_words(status)
        } else {
            let _ = self.child.kill();
            let _ = self.child.wait();
            "closed its output and was ended".to_owned()
        };
        // Its stderr is closed now, so that the listener comes to its end.
        if let Some(listener) = self.listener_of_last_words.take() {
            let _ = listener.join();
        }
        let lines = self.last_words.lock().unwrap_or_else(PoisonError::into_inner);
        let advice = if lines.iter().any(|line| OUT_OF_MEMORY.iter().any(|words| line.contains(words))) {
            "; there was not enough memory: try a smaller --batch-size"
        } else {
            ""
        };
        let last_words = if lines.is_empty() {
            String::new()
        } else {
            let said = lines.iter().map(String::as_str).collect::<Vec<_>>().join(" / ");
            format!("{advice}; it said: {said}")
        };
        EngineError::Ended { how, last_words }
    }

    fn wait(&mut self, patience: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + patience;
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => return Some(status),
                Ok(None) if Instant::now() < deadline => thread::sleep(Duration::from_millis(5)),
                Ok(None) | Err(_) => return None,
            }
        }
    }
}

impl Drop for EngineProcess {
    fn drop(&mut self) {
        // The end of its input tells it to stop; one that does not is ended.
        if let Some(commands) = self.commands.take() {
            let _ = commands.send(EngineCommand::Shutdown);
        }
        if self.wait(Duration::from_millis(500)).is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Writes commands on a thread of its own, so that a long one cannot hang the program when nobody reads it.
fn talk(input: impl Write + Send + 'static) -> Sender<EngineCommand> {
    let (sender, commands) = channel();
    thread::spawn(move || {
        let mut writer = BufWriter::new(input);
        for command in commands {
            if write_frame(&mut writer, &command).is_err() {
                return;
            }
        }
    });
    sender
}

fn listen(output: impl Read + Send + 'static) -> Receiver<io::Result<EngineEvent>> {
    // Bounded by the pipe behind it: a slow reader makes the engine wait, not the memory grow.
    let (sender, receiver) = sync_channel(256);
    thread::spawn(move || {
        let mut reader = BufReader::new(output);
        loop {
            let event = read_frame(&mut reader);
            let (message, last) = match event {
                Ok(Some(event)) => (Ok(event), false),
                Ok(None) => (Err(io::ErrorKind::UnexpectedEof.into()), true),
                Err(error) => (Err(error), true),
            };
            if sender.send(message).is_err() || last {
                break;
            }
        }
    });
    receiver
}

fn remember_last_words(
    stderr: impl Read + Send + 'static,
    words: Arc<Mutex<VecDeque<String>>>,
) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        let mut reader = BufReader::new(stderr);
        let mut line = Vec::new();
        while reader.by_ref().take(4096).read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            let text = printable(String::from_utf8_lossy(&line).trim_end());
            line.clear();
            if text.is_empty() {
                continue;
            }
            let mut words = words.lock().unwrap_or_else(PoisonError::into_inner);
            if words.len() == LAST_WORDS {
                words.pop_front();
            }
            words.push_back(text);
        }
    })
}

fn in_words(status: ExitStatus) -> String {
    #[cfg(unix)]
    {
        use std::os::unix::process::ExitStatusExt as _;
        match status.signal() {
            Some(9) => {
                return "was killed (signal 9); often the system has run out of memory: try a smaller --batch-size"
                    .to_owned();
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
