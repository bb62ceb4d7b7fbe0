//! A terminal whose frames are buffered and sent as a whole, or not at all if they change nothing.

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;

use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use ratatui::{Frame, Terminal, TerminalOptions, Viewport};

use crate::terminal::sizes::Cells;

/// Starts a synchronized update: the terminal shows nothing until [`END`], so that no half-drawn frame is visible.
const BEGIN: &[u8] = b"\x1b[?2026h";
const END: &[u8] = b"\x1b[?2026l";
const CLEAR: &[u8] = b"\x1b[0m\x1b[2J";

/// A terminal that buffers each frame.
#[derive(Debug)]
pub(super) struct BufferedTerminal<W> {
    frames: Terminal<CrosstermBackend<FrameBuffer>>,
    buffer: FrameBuffer,
    terminal: W,
    size: Cells,
}

/// The bytes of the current frame.
#[derive(Clone, Debug, Default)]
struct FrameBuffer(Rc<RefCell<Vec<u8>>>);

impl Write for FrameBuffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<W: Write> BufferedTerminal<W> {
    /// A buffer for a terminal of this size.
    pub(super) fn new(terminal: W, size: Cells) -> io::Result<Self> {
        let buffer = FrameBuffer::default();
        Ok(Self { frames: frames_of(&buffer, size)?, buffer, terminal, size })
    }

    /// Clears the terminal at the next drawing, which is of this size.
    pub(super) fn resize(&mut self, size: Cells) -> io::Result<()> {
        if self.size != size {
            self.frames = frames_of(&self.buffer, size)?;
            self.buffer.0.borrow_mut().extend_from_slice(CLEAR);
            self.size = size;
        }
        Ok(())
    }

    /// The destination of the frames.
    #[cfg(feature = "frame-timing")]
    pub(super) fn terminal(&self) -> &W {
        &self.terminal
    }

    /// Draws a frame and sends its changes. A frame that only sets colours and hides the cursor is dropped, so that an
    /// idle workbench sends next to nothing over a slow link.
    pub(super) fn draw(&mut self, draw: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        self.frames.draw(draw)?;
        let mut frame = self.buffer.0.borrow_mut();
        if changes_the_screen(&frame) {
            frame.splice(..0, BEGIN.iter().copied());
            frame.extend_from_slice(END);
            self.terminal.write_all(&frame)?;
            self.terminal.flush()?;
        }
        frame.clear();
        Ok(())
    }
}

/// Frames of this size. It is not left to ratatui, which would take a size of zero for what it says.
fn frames_of(buffer: &FrameBuffer, size: Cells) -> io::Result<Terminal<CrosstermBackend<FrameBuffer>>> {
    let viewport = Viewport::Fixed(Rect::new(0, 0, size.columns, size.rows));
    Terminal::with_options(CrosstermBackend::new(buffer.clone()), TerminalOptions { viewport })
}

/// True if a frame does more than set colours and hide the cursor.
fn changes_the_screen(mut frame: &[u8]) -> bool {
    while let Some(rest) = frame.strip_prefix(b"\x1b[") {
        let Some(end) = rest.iter().position(u8::is_ascii_alphabetic) else { return true };
        let is_quiet = rest[end] == b'm' || &rest[..=end] == b"?25l";
        if !is_quiet {
            return true;
        }
        frame = &rest[end + 1..];
    }
    !frame.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_sent_as_a_whole_or_not_at_all() {
        let mut screen = BufferedTerminal::new(Vec::new(), Cells { columns: 20, rows: 2 }).unwrap();
        let mut sent = |text: &str| {
            screen.draw(|frame| frame.render_widget(text, frame.area())).unwrap();
            std::mem::take(&mut screen.terminal)
        };
        let first = sent("epoch 1");
        assert!(first.starts_with(BEGIN) && first.ends_with(END));
        assert!(String::from_utf8(first).unwrap().contains("epoch"));
        assert_eq!(sent("epoch 1"), b"", "nothing has changed");
        let next = sent("epoch 2");
        assert!(next.contains(&b'2') && next.len() < 80, "one cell");
    }

    #[test]
    fn another_size_is_drawn_on_a_cleared_terminal() {
        let mut screen = BufferedTerminal::new(Vec::new(), Cells { columns: 20, rows: 2 }).unwrap();
        let mut sent = |columns: u16| {
            screen.resize(Cells { columns, rows: 2 }).unwrap();
            let mut drawn = 0;
            screen.draw(|frame| drawn = frame.area().width).unwrap();
            let sent = std::mem::take(&mut screen.terminal);
            (drawn, sent.windows(CLEAR.len()).any(|part| part == CLEAR))
        };
        assert_eq!(sent(20), (20, false));
        assert_eq!(sent(12), (12, true));
        assert_eq!(sent(12), (12, false));
    }

    #[test]
    fn moving_the_cursor_and_printing_change_the_screen() {
        assert!(!changes_the_screen(b""));
        assert!(!changes_the_screen(b"\x1b[39m\x1b[49m\x1b[0m\x1b[?25l"));
        for frame in [b"\x1b[39mA".as_slice(), b"\x1b[1;1H", b"\x1b[?25h", b"A", b"\x1b_Ga=d\x1b\\", b"\x1b["] {
            assert!(changes_the_screen(frame), "{frame:?}");
        }
    }
}
