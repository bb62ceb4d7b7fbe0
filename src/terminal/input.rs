//! Input from the terminal: keys, the mouse, pasted text, and replies to queries.

use std::fmt;

/// One piece of input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    Key(Key),
    Mouse(Mouse),
    /// Pasted text, as one piece.
    Paste(String),
    Reply(TerminalReply),
    /// The terminal is gone; no more input follows.
    End,
}

/// A key, with those modifiers that terminals report reliably.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    Char(char),
    /// In lower case.
    Ctrl(char),
    Alt(char),
    Enter,
    Escape,
    Tab,
    BackTab,
    Backspace,
    Delete,
    Insert,
    Up,
    Down,
    Left,
    Right,
    ShiftUp,
    ShiftDown,
    ShiftLeft,
    ShiftRight,
    Home,
    End,
    PageUp,
    PageDown,
    Function(u8),
}

impl Key {
    /// A short name for tight spaces; in ASCII the label on the keyboard.
    pub(crate) fn brief(self, ascii: bool) -> String {
        match self {
            Self::Enter if !ascii => "⏎".to_owned(),
            Self::Char(' ') if !ascii => "␣".to_owned(),
            Self::Ctrl(letter) => format!("^{}", letter.to_uppercase()),
            key => key.to_string(),
        }
    }
}

impl fmt::Display for Key {
    /// The name in the help and the footer.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Char(' ') => f.pad("Space"),
            Self::Char(character) => f.pad(character.encode_utf8(&mut [0; 4])),
            Self::Ctrl(letter) => f.pad(&format!("Ctrl-{}", letter.to_uppercase())),
            Self::Alt(character) => f.pad(&format!("Alt-{character}")),
            Self::Enter => f.pad("Enter"),
            Self::Escape => f.pad("Esc"),
            Self::Tab => f.pad("Tab"),
            Self::BackTab => f.pad("Shift-Tab"),
            Self::Backspace => f.pad("Backspace"),
            Self::Delete => f.pad("Del"),
            Self::Insert => f.pad("Ins"),
            Self::Up => f.pad("↑"),
            Self::Down => f.pad("↓"),
            Self::Left => f.pad("←"),
            Self::Right => f.pad("→"),
            Self::ShiftUp => f.pad("Shift-↑"),
            Self::ShiftDown => f.pad("Shift-↓"),
            Self::ShiftLeft => f.pad("Shift-←"),
            Self::ShiftRight => f.pad("Shift-→"),
            Self::Home => f.pad("Home"),
            Self::End => f.pad("End"),
            Self::PageUp => f.pad("PgUp"),
            Self::PageDown => f.pad("PgDn"),
            Self::Function(number) => f.pad(&format!("F{number}")),
        }
    }
}

/// A mouse event, at a zero-based cell from the top left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mouse {
    pub(crate) kind: MouseKind,
    pub(crate) column: u16,
    pub(crate) row: u16,
}

/// The kind of a mouse event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MouseKind {
    /// The left button went down.
    Press,
    /// The mouse moved with the left button down.
    Drag,
    /// The left button was released.
    Release,
    WheelUp,
    WheelDown,
}

/// A terminal's reply to a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TerminalReply {
    /// True if kitty's graphics protocol is supported.
    KittyGraphics(bool),
    /// `DA1`: the attributes of the terminal, 4 for sixel. The reply to the last query.
    Attributes(Vec<u16>),
    /// `XTVERSION`: the terminal's name and version.
    Version(String),
    /// The size of a cell.
    CellPixels { width: u16, height: u16 },
    /// `OSC 11`: the background colour, red, green and blue.
    Background(u8, u8, u8),
    /// The number of colours in a sixel picture.
    SixelRegisters(u32),
}
