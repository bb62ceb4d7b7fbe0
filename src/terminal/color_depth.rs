//! How many colours a terminal has.

/// How many colours the terminal shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ColorDepth {
    /// None: `NO_COLOR`, or a dumb terminal.
    None,
    /// The sixteen that the user chose.
    Sixteen,
    /// xterm's 256.
    Indexed,
    /// 24 bits.
    True,
}

impl ColorDepth {
    /// What the environment tells.
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
