//! Ways to draw pictures in a terminal.

/// A way to draw pictures in a terminal.
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
