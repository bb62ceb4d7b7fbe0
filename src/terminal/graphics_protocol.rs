//! The protocols for drawing pictures in a terminal.

/// A protocol for drawing pictures in a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GraphicsProtocol {
    /// The graphics protocol of kitty.
    Kitty,
    /// The inline images of iTerm2.
    Iterm2,
    /// Sixel graphics.
    Sixel,
    /// Coloured half-block characters.
    Halfblocks,
    /// A ramp of ASCII characters.
    Ascii,
}

impl GraphicsProtocol {
    /// The name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kitty => "kitty",
            Self::Iterm2 => "iterm2",
            Self::Sixel => "sixel",
            Self::Halfblocks => "halfblocks",
            Self::Ascii => "ascii",
        }
    }
}
