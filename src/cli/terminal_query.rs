//! What the terminal says of itself.

/// The size of a character cell in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CellPixels {
    pub(super) width: u32,
    pub(super) height: u32,
}

impl Default for CellPixels {
    /// A usual size, for terminals that do not tell theirs; what counts is that a cell is twice as high as wide.
    fn default() -> Self {
        Self { width: 10, height: 20 }
    }
}

#[cfg(unix)]
pub(super) use unix::{answers_queries, cell_pixels, sixel_registers};

#[cfg(not(unix))]
pub(super) fn answers_queries() -> bool {
    false
}

#[cfg(not(unix))]
pub(super) fn cell_pixels() -> Option<CellPixels> {
    None
}

#[cfg(not(unix))]
pub(super) fn sixel_registers() -> Option<u32> {
    None
}

#[cfg(unix)]
mod unix {
    use std::fs::{File, OpenOptions};
    use std::io::{Read as _, Write as _};
    use std::time::{Duration, Instant};

    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};

    use super::CellPixels;

    /// How long an answer may take: a bad link's round trip.
    const PATIENCE: Duration = Duration::from_secs(1);

    /// The size of a cell, where the terminal tells it.
    pub(in super::super) fn cell_pixels() -> Option<CellPixels> {
        let size = tcgetwinsize(std::io::stdout()).ok()?;
        let side = |pixels: u16, cells: u16| pixels.checked_div(cells).map(u32::from).filter(|&side| side > 0);
        Some(CellPixels { width: side(size.ws_xpixel, size.ws_col)?, height: side(size.ws_ypixel, size.ws_row)? })
    }

    /// Whether the terminal answers at all: to "primary device attributes" every terminal of the last decades does, but
    /// not a serial line or a pseudo-terminal that a program reads.
    pub(in super::super) fn answers_queries() -> bool {
        answer_to("").is_some()
    }

    /// How many colours the terminal keeps for sixel pictures, where it tells (xterm's `XTSMGRAPHICS`).
    pub(in super::super) fn sixel_registers() -> Option<u32> {
        registers_in(&answer_to("\x1b[?1;1;0S")?)
    }

    /// What the terminal says to a question, up to its device attributes: these are asked for after it, because a
    /// question that a terminal does not know it leaves unanswered.
    fn answer_to(question: &str) -> Option<Vec<u8>> {
        let ask = || -> std::io::Result<Option<Vec<u8>>> {
            let mut terminal = RawTerminal::open()?;
            terminal.file.write_all(question.as_bytes())?;
            terminal.file.write_all(b"\x1b[c")?;
            terminal.hears_attributes()
        };
        ask().ok().flatten()
    }

    /// The controlling terminal in raw mode, put back as it was when dropped.
    struct RawTerminal {
        file: File,
        before: Termios,
    }

    impl RawTerminal {
        fn open() -> std::io::Result<Self> {
            let file = OpenOptions::new().read(true).write(true).open("/dev/tty")?;
            let before = tcgetattr(&file)?;
            let mut raw = before.clone();
            raw.make_raw();
            tcsetattr(&file, OptionalActions::Now, &raw)?;
            Ok(Self { file, before })
        }

        /// Reads up to the end of `ESC [ ? … c`, or as long as patience lasts.
        fn hears_attributes(&mut self) -> std::io::Result<Option<Vec<u8>>> {
            let deadline = Instant::now() + PATIENCE;
            let mut answered = Vec::new();
            while !is_attributes(&answered) {
                let left = deadline.saturating_duration_since(Instant::now());
                let limit = Timespec { tv_sec: left.as_secs().cast_signed(), tv_nsec: left.subsec_nanos().into() };
                let mut ready = [PollFd::new(&self.file, PollFlags::IN)];
                if poll(&mut ready, Some(&limit))? == 0 {
                    return Ok(None);
                }
                let mut bytes = [0; 64];
                match self.file.read(&mut bytes)? {
                    0 => return Ok(None),
                    count => answered.extend_from_slice(&bytes[..count]),
                }
            }
            Ok(Some(answered))
        }
    }

    impl Drop for RawTerminal {
        fn drop(&mut self) {
            let _ = tcsetattr(&self.file, OptionalActions::Now, &self.before);
        }
    }

    fn is_attributes(answered: &[u8]) -> bool {
        let start = answered.windows(3).position(|window| window == b"\x1b[?");
        start.is_some_and(|start| answered[start..].contains(&b'c'))
    }

    /// The number in `ESC [ ? 1 ; 0 ; number S`; the 0 says that the question was understood.
    fn registers_in(answered: &[u8]) -> Option<u32> {
        const START: &[u8] = b"\x1b[?1;0;";
        let at = answered.windows(START.len()).position(|window| window == START)? + START.len();
        let length = answered[at..].iter().position(|&byte| byte == b'S')?;
        str::from_utf8(&answered[at..at + length]).ok()?.parse().ok()
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn an_answer_is_known_by_its_ends() {
            assert!(is_attributes(b"\x1b[?62;4;22c"));
            assert!(is_attributes(b"typed ahead\x1b[?6c"));
            assert!(!is_attributes(b"\x1b[?62;4"));
            assert!(!is_attributes(b"cc"));
            assert!(!is_attributes(b"\x1b[?1;0;256S"));
            assert!(is_attributes(b"\x1b[?1;0;256S\x1b[?63;4c"));
        }

        #[test]
        fn colour_registers_are_read_from_the_answer() {
            assert_eq!(registers_in(b"\x1b[?1;0;256S\x1b[?63;4c"), Some(256));
            assert_eq!(registers_in(b"typed ahead\x1b[?1;0;16S\x1b[?63;4c"), Some(16));
            assert_eq!(registers_in(b"\x1b[?1;3;0S\x1b[?63;4c"), None, "the terminal reports an error");
            assert_eq!(registers_in(b"\x1b[?1;0;many"), None);
            assert_eq!(registers_in(b"\x1b[?62;4c"), None);
        }
    }
}
