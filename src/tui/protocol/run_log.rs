//! The lines of a run's log.

use chrono::{DateTime, Utc};

/// The severity of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum LogLevel {
    Error,
    Warning,
    Info,
    /// Less important, or output of a library.
    Other,
}

/// A line of a run's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::tui) struct LogLine {
    /// `None` for output of a library.
    pub(in crate::tui) time: Option<DateTime<Utc>>,
    pub(in crate::tui) level: LogLevel,
    /// Not yet safe to print.
    pub(in crate::tui) text: String,
}
