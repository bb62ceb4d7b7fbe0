//! What every subcommand says, where it says it, and how it ends.

use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;

use mammoscope_domain::text::printable::printable;

/// How a command ended when it came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything was done: exit status 0.
    Done,
    /// Something failed, or some samples failed (they were listed): exit status 1.
    Failed,
    /// The command was called wrongly: exit status 2.
    WrongUse,
    /// The user pressed Ctrl-C: exit status 130.
    Interrupted,
}

impl Outcome {
    /// The exit status of the process.
    #[must_use]
    pub fn exit_code(self) -> ExitCode {
        ExitCode::from(match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::WrongUse => 2,
            Self::Interrupted => 130,
        })
    }

    /// The outcome that an error stands for: [`Outcome::WrongUse`] for a [`WrongUse`], [`Outcome::Interrupted`] for an
    /// [`Interrupted`], otherwise [`Outcome::Failed`].
    #[must_use]
    pub fn of(error: &anyhow::Error) -> Self {
        if error.is::<WrongUse>() {
            Self::WrongUse
        } else if error.is::<Interrupted>() {
            Self::Interrupted
        } else {
            Self::Failed
        }
    }
}

/// An error of the caller: the command makes no sense as it was typed.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct WrongUse(pub String);

/// The user pressed Ctrl-C.
#[derive(Debug, thiserror::Error)]
#[error("interrupted")]
pub struct Interrupted;

/// Whether an error is only that nobody reads the output any more (`mammoscope … | head`).
#[must_use]
pub fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .any(|cause| cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe))
}

/// Messages go to stderr, results to stdout; colours only where they are seen and wanted.
#[derive(Debug)]
pub struct Console {
    quiet: bool,
    color_on_stdout: bool,
    color_on_stderr: bool,
}

impl Console {
    /// A console for this process; `quiet` silences progress and remarks, never warnings and errors.
    #[must_use]
    pub fn new(quiet: bool) -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
            && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        Self {
            quiet,
            color_on_stdout: wanted && io::stdout().is_terminal(),
            color_on_stderr: wanted && io::stderr().is_terminal(),
        }
    }

    /// Whether results on stdout may be coloured.
    #[must_use]
    pub fn color(&self) -> bool {
        self.color_on_stdout
    }

    /// Whether progress is to be drawn: on a terminal, and not with `--quiet`.
    #[must_use]
    pub fn shows_progress(&self) -> bool {
        !self.quiet && io::stderr().is_terminal()
    }

    /// A remark on stderr, left out with `--quiet`.
    pub fn note(&self, text: impl Display) {
        if !self.quiet {
            let _ = writeln!(io::stderr(), "{text}");
        }
    }

    /// A warning on stderr.
    pub fn warn(&self, text: impl Display) {
        self.label("warning", "33", &text);
    }

    /// An error on stderr, in one line: what, where, and the causes, outermost first.
    pub fn error(&self, error: &anyhow::Error) {
        self.label("error", "31", &format_args!("{error:#}"));
    }

    fn label(&self, label: &str, color: &str, text: &dyn Display) {
        let mut stderr = io::stderr().lock();
        // A closed stderr is nobody's error.
        let _ = if self.color_on_stderr {
            writeln!(stderr, "\x1b[1;{color}m{label}:\x1b[0m {text}")
        } else {
            writeln!(stderr, "{label}: {text}")
        };
    }
}

/// Writes a result to stdout; a reader that went away is an error that ends the program silently
/// ([`is_broken_pipe`]).
pub fn print_result(text: &str) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()?;
    Ok(())
}

/// Prints what clap has to say. Help and version go to stdout as they are; an error repeats what was typed, which may
/// hold anything, so that it is made safe to print, line by line and without clap's colours.
pub(super) fn print_usage_error(error: &clap::Error) -> io::Result<()> {
    if !error.use_stderr() {
        return error.print();
    }
    let mut stderr = io::stderr().lock();
    for line in error.render().to_string().lines() {
        writeln!(stderr, "{}", printable(line))?;
    }
    Ok(())
}
