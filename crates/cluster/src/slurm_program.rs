//! Slurm's programs, run with a time limit each.

use std::ffi::OsStr;
use std::fmt;
use std::io::{self, Read};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use mammoscope_domain::text::printable::printable;
use wait_timeout::ChildExt as _;

/// A program of Slurm's command-line client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlurmProgram {
    Sbatch,
    Squeue,
    Scontrol,
    Sacct,
    Scancel,
    Sinfo,
}

/// A program of Slurm that gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SlurmError {
    #[error("{0} is not in PATH: run this where Slurm's programs are, such as a login node of the cluster")]
    Missing(SlurmProgram),
    #[error("{program} cannot be started: {reason}")]
    Start { program: SlurmProgram, reason: String },
    #[error("{program} did not answer within {seconds} s: is Slurm's controller reachable?")]
    TimedOut { program: SlurmProgram, seconds: u64 },
    /// The program failed, with its own message in one line.
    #[error("{program}: {message}")]
    Failed { program: SlurmProgram, message: String },
    /// The program succeeded with an answer that was not understood.
    #[error("{program} answered '{answer}', which is not {expected}")]
    Answer { program: SlurmProgram, answer: String, expected: &'static str },
}

impl SlurmProgram {
    /// The name of its executable.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sbatch => "sbatch",
            Self::Squeue => "squeue",
            Self::Scontrol => "scontrol",
            Self::Sacct => "sacct",
            Self::Scancel => "scancel",
            Self::Sinfo => "sinfo",
        }
    }

    /// Slurm's own programs retry for a while when the controller is busy; a submission must not be given up early.
    const fn timeout(self) -> Duration {
        match self {
            Self::Sbatch => Duration::from_secs(120),
            Self::Scontrol | Self::Scancel => Duration::from_secs(60),
            Self::Squeue | Self::Sacct | Self::Sinfo => Duration::from_secs(20),
        }
    }

    /// True if the executable is in PATH.
    #[must_use]
    pub fn is_installed(self) -> bool {
        self.path().is_some()
    }

    fn path(self) -> Option<PathBuf> {
        let folders = std::env::var_os("PATH")?;
        std::env::split_paths(&folders).map(|folder| folder.join(self.name())).find(|path| path.is_file())
    }

    /// Runs the program and returns what it prints on stdout.
    pub fn run<A: AsRef<OsStr>>(self, arguments: impl IntoIterator<Item = A>) -> Result<String, SlurmError> {
        self.answer(&mut self.command(arguments)?, self.timeout())
    }

    /// Runs the program like [`SlurmProgram::run`], unaffected by a SIGTERM to all processes of the job that it runs in.
    pub fn run_shielded<A: AsRef<OsStr>>(self, arguments: impl IntoIterator<Item = A>) -> Result<String, SlurmError> {
        let mut command = self.command(arguments)?;
        // SAFETY: between fork and exec the closure calls only functions that are allowed in signal handlers, on a set of
        // its own, and allocates nothing.
        unsafe {
            command.pre_exec(|| {
                let mut set: libc::sigset_t = std::mem::zeroed();
                libc::sigemptyset(&raw mut set);
                libc::sigaddset(&raw mut set, libc::SIGTERM);
                match libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut()) {
                    0 => Ok(()),
                    error => Err(io::Error::from_raw_os_error(error)),
                }
            });
        }
        self.answer(&mut command, self.timeout())
    }

    fn command<A: AsRef<OsStr>>(self, arguments: impl IntoIterator<Item = A>) -> Result<Command, SlurmError> {
        let path = self.path().ok_or(SlurmError::Missing(self))?;
        let mut command = Command::new(path);
        // Without a locale of its own the output is the same everywhere.
        command.args(arguments).env("LC_ALL", "C").stdin(Stdio::null());
        Ok(command)
    }

    fn answer(self, command: &mut Command, timeout: Duration) -> Result<String, SlurmError> {
        let start = |error: io::Error| SlurmError::Start { program: self, reason: error.to_string() };
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(start)?;
        let output = child.stdout.take().map(read_in_background);
        let errors = child.stderr.take().map(read_in_background);
        let Some(status) = child.wait_timeout(timeout).map_err(start)? else {
            // It may have ended in this moment; it is waited for in any case, so that it does not stay as a zombie.
            let _ = child.kill();
            let _ = child.wait();
            return Err(SlurmError::TimedOut { program: self, seconds: timeout.as_secs() });
        };
        let text = |reader: Option<thread::JoinHandle<String>>| {
            reader.and_then(|reader| reader.join().ok()).unwrap_or_default()
        };
        let (output, errors) = (text(output), text(errors));
        if status.success() {
            return Ok(output);
        }
        let message = error_line(self.name(), &errors).or_else(|| error_line(self.name(), &output));
        let message = message.unwrap_or_else(|| status.to_string());
        Err(SlurmError::Failed { program: self, message })
    }
}

impl fmt::Display for SlurmProgram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

fn read_in_background(mut stream: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What was read before an error is still worth showing.
        let _ = stream.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// The last line of an error output, which holds the outcome, without the program's name; safe to print.
fn error_line(program: &str, text: &str) -> Option<String> {
    let line = text.lines().map(str::trim).rfind(|line| !line.is_empty())?;
    let line = line.strip_prefix(program).and_then(|rest| rest.strip_prefix(':')).unwrap_or(line).trim();
    let line = line.strip_prefix("error:").or_else(|| line.strip_prefix("fatal:")).unwrap_or(line).trim();
    Some(printable(line))
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn shell(body: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", body]);
        command
    }

    #[test]
    fn a_failure_is_the_programs_own_last_line() {
        let body = "echo 'sbatch: error: invalid partition specified: nope' >&2; \
                    echo 'sbatch: error: Batch job submission failed: Invalid partition name specified' >&2; exit 1";
        let error = SlurmProgram::Sbatch.answer(&mut shell(body), Duration::from_secs(60)).unwrap_err();
        assert_eq!(error.to_string(), "sbatch: Batch job submission failed: Invalid partition name specified");
        let silent = SlurmProgram::Scancel.answer(&mut shell("exit 3"), Duration::from_secs(60)).unwrap_err();
        assert_eq!(silent.to_string(), "scancel: exit status: 3");
        let answer = SlurmProgram::Squeue.answer(&mut shell("echo 12; echo note >&2"), Duration::from_secs(60));
        assert_eq!(answer, Ok("12\n".to_owned()));
    }

    #[test]
    fn a_program_that_hangs_is_ended() {
        let start = Instant::now();
        // `exec`: a child of the shell would keep the pipes open.
        let error = SlurmProgram::Squeue.answer(&mut shell("exec sleep 60"), Duration::from_millis(50)).unwrap_err();
        assert_eq!(error, SlurmError::TimedOut { program: SlurmProgram::Squeue, seconds: 0 });
        assert!(start.elapsed() < Duration::from_secs(30));
    }
}
