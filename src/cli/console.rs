//! Output and exit statuses, the same for all subcommands.

use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;

use crate::terminal::query;
use mammoscope_domain::text::printable::printable;

/// The outcome of a command, which determines the exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything succeeded: exit status 0.
    Done,
    /// Something failed, or some samples failed and were listed: exit status 1.
    Failed,
    /// The command line was wrong: exit status 2.
    WrongUse,
    /// The user pressed Ctrl-C: exit status 130.
    Interrupted,
}

impl Outcome {
    #[must_use]
    pub fn exit_code(self) -> ExitCode {
        ExitCode::from(match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::WrongUse => 2,
            Self::Interrupted => 130,
        })
    }

    /// The outcome of an error: [`Outcome::WrongUse`] for a [`WrongUse`], [`Outcome::Interrupted`] for an
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

/// A mistake on the command line.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct WrongUse(pub String);

/// The user pressed Ctrl-C.
#[derive(Debug, thiserror::Error)]
#[error("interrupted")]
pub struct Interrupted;

/// True if an error only means that the reader of the output has gone away (`mammoscope … | head`).
#[must_use]
pub fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .any(|cause| cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe))
}

/// The output streams: messages go to stderr, results to stdout, and colours only to terminals that allow them.
#[derive(Debug)]
pub struct Console {
    quiet: bool,
    color_on_stdout: bool,
    color_on_stderr: bool,
}

impl Console {
    /// A console for this process; `quiet` silences progress and notes, never warnings and errors.
    #[must_use]
    pub fn new(quiet: bool) -> Self {
        // A terminal that cannot show the workbench may not know colours either.
        let wanted =
            std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()) && query::kind().refusal().is_none();
        Self {
            quiet,
            color_on_stdout: wanted && io::stdout().is_terminal(),
            color_on_stderr: wanted && io::stderr().is_terminal(),
        }
    }

    /// True if results on stdout may be coloured.
    #[must_use]
    pub fn color(&self) -> bool {
        self.color_on_stdout
    }

    /// True if progress is to be drawn: on a terminal, without `--quiet`.
    #[must_use]
    pub fn shows_progress(&self) -> bool {
        !self.quiet && io::stderr().is_terminal()
    }

    /// Prints a note on stderr, unless `--quiet` was given.
    pub fn note(&self, text: impl Display) {
        if !self.quiet {
            let _ = writeln!(io::stderr(), "{text}");
        }
    }

    /// Prints a warning on stderr.
    pub fn warn(&self, text: impl Display) {
        self.label("warning", "33", &text);
    }

    /// Prints an error on stderr, in one line with its causes, outermost first.
    pub fn error(&self, error: &anyhow::Error) {
        self.label("error", "31", &format_args!("{error:#}"));
    }

    fn label(&self, label: &str, color: &str, text: &dyn Display) {
        let mut stderr = io::stderr().lock();
        // A closed stderr is not an error of the command.
        let _ = if self.color_on_stderr {
            writeln!(stderr, "\x1b[1;{color}m{label}:\x1b[0m {text}")
        } else {
            writeln!(stderr, "{label}: {text}")
        };
    }
}

/// Writes a result to stdout. A reader that has gone away is an error that ends the program silently
/// ([`is_broken_pipe`]).
pub fn print_result(text: &str) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()?;
    Ok(())
}

/// Prints a message from clap. Help and version go to stdout unchanged. An error repeats what was typed, which may
/// contain anything, so it is made safe to print, line by line and without clap's colours.
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
