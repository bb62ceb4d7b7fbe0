//! What the workbench is drawn on. A frame is gathered, then sent at once, or not at all where it changes nothing.

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;

use ratatui::backend::CrosstermBackend;
use ratatui::{Frame, Terminal, TerminalOptions, Viewport};

/// The terminal holds back what it shows until [`END`], so that no half-drawn frame is seen.
const BEGIN: &[u8] = b"\x1b[?2026h";
const END: &[u8] = b"\x1b[?2026l";

/// A terminal that frames are drawn on.
#[derive(Debug)]
pub(super) struct BufferedTerminal<W> {
    frames: Terminal<CrosstermBackend<Gathered>>,
    gathered: Gathered,
    terminal: W,
}

/// The bytes of the frame that is being drawn.
#[derive(Clone, Debug, Default)]
struct Gathered(Rc<RefCell<Vec<u8>>>);

impl Write for Gathered {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<W: Write> BufferedTerminal<W> {
    /// A screen as large as the terminal of this process, and with it.
    pub(super) fn new(terminal: W) -> io::Result<Self> {
        Self::with_viewport(terminal, Viewport::Fullscreen)
    }

    /// A screen on a part of a terminal.
    pub(super) fn with_viewport(terminal: W, viewport: Viewport) -> io::Result<Self> {
        let gathered = Gathered::default();
        let backend = CrosstermBackend::new(gathered.clone());
        Ok(Self { frames: Terminal::with_options(backend, TerminalOptions { viewport })?, gathered, terminal })
    }

    /// Where frames are sent.
    pub(super) fn terminal(&self) -> &W {
        &self.terminal
    }

    /// Draws a frame and sends what it changes. One that only sets colours and hides the cursor draws nothing and is
    /// dropped: over a slow link an idle workbench costs nothing but its clock.
    pub(super) fn draw(&mut self, draw: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        self.frames.draw(draw)?;
        let mut frame = self.gathered.0.borrow_mut();
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

/// Whether there is more in a frame than colours and the hiding of the cursor.
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
    fn a_frame_is_sent_whole_and_one_without_changes_not_at_all() {
        let mut screen =
            BufferedTerminal::with_viewport(Vec::new(), Viewport::Fixed(ratatui::layout::Rect::new(0, 0, 20, 2)))
                .unwrap();
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
    fn what_moves_or_prints_changes_the_screen() {
        assert!(!changes_the_screen(b""));
        assert!(!changes_the_screen(b"\x1b[39m\x1b[49m\x1b[0m\x1b[?25l"));
        for frame in [b"\x1b[39mA".as_slice(), b"\x1b[1;1H", b"\x1b[?25h", b"A", b"\x1b_Ga=d\x1b\\", b"\x1b["] {
            assert!(changes_the_screen(frame), "{frame:?}");
        }
    }
}
