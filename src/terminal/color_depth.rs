//! The colour depth of a terminal.

/// The number of colours that a terminal shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ColorDepth {
    /// No colours: `NO_COLOR` is set, or the terminal is dumb.
    None,
    /// The sixteen of the user's palette.
    Sixteen,
    /// xterm's 256.
    Indexed,
    /// 24-bit colour.
    True,
}

impl ColorDepth {
    /// Derives the depth from environment variables.
    pub(crate) fn of_environment(variable: impl Fn(&str) -> Option<String>) -> Self {
        let term = variable("TERM").unwrap_or_default();
        if variable("NO_COLOR").is_some_and(|value| !value.is_empty()) || term == "dumb" || term == "vt100" {
            return Self::None;
        }
        if variable("COLORTERM").is_some_and(|value| value == "truecolor" || value == "24bit")
            || term.contains("kitty")
            || term.contains("direct")
        {
            return Self::True;
        }
        if term.contains("256color") { Self::Indexed } else { Self::Sixteen }
    }
}
