//! A failure whose text is all that is shown of it.

use std::fmt;

/// The text of a failure, ready to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::tui) struct Failure(String);

impl Failure {
    /// The failure as its own `Display` puts it, without its sources.
    pub(in crate::tui) fn new(error: impl fmt::Display) -> Self {
        Self(error.to_string())
    }

    pub(in crate::tui) fn text(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<String> for Failure {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Failure {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// With the chain of causes.
impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self(format!("{error:#}"))
    }
}

impl From<Failure> for String {
    fn from(failure: Failure) -> Self {
        failure.0
    }
}
