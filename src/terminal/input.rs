//! What comes from the terminal: keys, the mouse, pasted text, and answers to questions.

use std::fmt;

/// One piece of input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// A key was pressed.
    Key(Key),
    /// The mouse was clicked, dragged or its wheel turned.
    Mouse(Mouse),
    /// Text was pasted, as one piece.
    Paste(String),
    /// The terminal answers a question.
    Reply(TerminalReply),
    /// The terminal is gone: nothing more will come.
    End,
}

/// A key, with the modifiers that terminals tell apart reliably.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    Char(char),
    /// A letter with Ctrl, in lower case.
    Ctrl(char),
    /// A character with Alt.
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
    /// Whether it moves a cursor, wherever it is pressed.
    pub(crate) fn moves(&self) -> bool {
        matches!(
            self,
            Self::Up | Self::Down | Self::Left | Self::Right | Self::Home | Self::End | Self::PageUp | Self::PageDown
        )
    }

    /// As it is written where there is little room; in ASCII only what a keyboard says.
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
    /// As it is written in help and footer.
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

/// What the mouse did, in cells from the top left, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mouse {
    pub(crate) kind: MouseKind,
    pub(crate) column: u16,
    pub(crate) row: u16,
}

/// What the mouse did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MouseKind {
    /// The left button went down.
    Press,
    /// The mouse moved with the left button down.
    Drag,
    /// The left button came up.
    Release,
    WheelUp,
    WheelDown,
}

/// What a terminal says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TerminalReply {
    /// The graphics protocol of kitty: whether it is spoken.
    KittyGraphics(bool),
    /// `DA1`: the attributes of the terminal, 4 for sixel. The last answer to our questions.
    Attributes(Vec<u16>),
    /// `XTVERSION`: the terminal's name and version.
    Version(String),
    /// The size of a cell in pixels.
    CellPixels { width: u16, height: u16 },
    /// `OSC 11`: the background, red, green and blue.
    Background(u8, u8, u8),
    /// Colours of a sixel picture.
    SixelRegisters(u32),
}
