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

/// Which graphics a terminal says that it draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct GraphicsAnswer {
    /// The graphics protocol of kitty.
    pub(super) kitty: bool,
    pub(super) sixel: bool,
    /// How many colours it keeps for sixel pictures (xterm's `XTSMGRAPHICS`), where it tells.
    pub(super) sixel_registers: Option<u32>,
}

#[cfg(unix)]
pub(super) use unix::{ask_graphics, cell_pixels, without_echo};

#[cfg(not(unix))]
pub(super) fn ask_graphics() -> Option<GraphicsAnswer> {
    None
}

#[cfg(not(unix))]
pub(super) fn cell_pixels() -> Option<CellPixels> {
    None
}

#[cfg(not(unix))]
pub(super) fn without_echo<T>(asks: impl FnOnce() -> T) -> T {
    asks()
}

#[cfg(unix)]
mod unix {
    use std::fs::{File, OpenOptions};
    use std::io::{Read as _, Write as _};
    use std::time::{Duration, Instant};

    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};

    use super::{CellPixels, GraphicsAnswer};

    /// How long an answer may take: a bad link's round trip.
    const PATIENCE: Duration = Duration::from_secs(1);

    /// The size of a cell, where the terminal tells it.
    pub(in super::super) fn cell_pixels() -> Option<CellPixels> {
        let size = tcgetwinsize(std::io::stdout()).ok()?;
        let side = |pixels: u16, cells: u16| pixels.checked_div(cells).map(u32::from).filter(|&side| side > 0);
        Some(CellPixels { width: side(size.ws_xpixel, size.ws_col)?, height: side(size.ws_ypixel, size.ws_row)? })
    }

    /// Asks the terminal which graphics it draws. `None` where it says nothing: "primary device attributes" every terminal
    /// of the last decades tells, but not a serial line or a pseudo-terminal that a program reads.
    pub(in super::super) fn ask_graphics() -> Option<GraphicsAnswer> {
        // The attributes are asked for last: a question that a terminal does not know it leaves unanswered.
        const QUESTIONS: &[u8] = b"\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\\x1b[?1;1;0S\x1b[c";
        let ask = || -> std::io::Result<Option<GraphicsAnswer>> {
            let mut terminal = RawTerminal::open()?;
            terminal.file.write_all(QUESTIONS)?;
            terminal.hear()
        };
        ask().ok().flatten()
    }

    /// Runs what asks the terminal by itself; its answers are not echoed.
    pub(in super::super) fn without_echo<T>(asks: impl FnOnce() -> T) -> T {
        let _terminal = RawTerminal::open();
        asks()
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

        /// Reads up to the end of the attributes, or as long as patience lasts.
        fn hear(&mut self) -> std::io::Result<Option<GraphicsAnswer>> {
            let deadline = Instant::now() + PATIENCE;
            let mut answered = Vec::new();
            loop {
                if let Some(answer) = graphics_in(&answered) {
                    return Ok(Some(answer));
                }
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
        }
    }

    impl Drop for RawTerminal {
        fn drop(&mut self) {
            let _ = tcsetattr(&self.file, OptionalActions::Now, &self.before);
        }
    }

    /// What the answers say, once the attributes are among them.
    fn graphics_in(answered: &[u8]) -> Option<GraphicsAnswer> {
        const KITTY_OK: &[u8] = b"\x1b_Gi=31;OK";
        // The first attribute is the terminal's class.
        let sixel = report(answered, b'c')?.split(';').skip(1).any(|attribute| attribute == "4");
        // The 1 repeats the question, the 0 says that it was understood.
        let sixel_registers = report(answered, b'S')
            .and_then(|numbers| numbers.strip_prefix("1;0;"))
            .and_then(|count| count.parse().ok());
        let kitty = answered.windows(KITTY_OK.len()).any(|window| window == KITTY_OK);
        Some(GraphicsAnswer { kitty, sixel, sixel_registers })
    }

    /// The numbers of the first report `ESC [ ? numbers last`.
    fn report(answered: &[u8], last: u8) -> Option<&str> {
        const START: &[u8] = b"\x1b[?";
        let starts = answered.windows(START.len()).enumerate().filter(|&(_, window)| window == START);
        starts.map(|(at, _)| &answered[at + START.len()..]).find_map(|rest| {
            let length = rest.iter().position(|byte| !byte.is_ascii_digit() && *byte != b';')?;
            if rest[length] == last { str::from_utf8(&rest[..length]).ok() } else { None }
        })
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn xterm_tells_sixel_and_its_colours() {
            let answer = graphics_in(b"\x1b[?1;0;256S\x1b[?63;1;2;4;6;9;15;16;22;28c");
            assert_eq!(answer, Some(GraphicsAnswer { kitty: false, sixel: true, sixel_registers: Some(256) }));
            let answer = graphics_in(b"typed ahead\x1b[?1;0;16S\x1b[?62;4c");
            assert_eq!(answer, Some(GraphicsAnswer { kitty: false, sixel: true, sixel_registers: Some(16) }));
            let answer = graphics_in(b"\x1b[?1;3;0S\x1b[?62;4c");
            assert_eq!(answer.and_then(|answer| answer.sixel_registers), None, "the terminal reports an error");
        }

        #[test]
        fn kitty_tells_its_own_protocol() {
            let answer = graphics_in(b"\x1b_Gi=31;OK\x1b\\\x1b[?62;c");
            assert_eq!(answer, Some(GraphicsAnswer { kitty: true, sixel: false, sixel_registers: None }));
        }

        #[test]
        fn class_4_is_no_sixel() {
            let answer = graphics_in(b"\x1b[?4;6c");
            assert_eq!(answer, Some(GraphicsAnswer { kitty: false, sixel: false, sixel_registers: None }));
        }

        #[test]
        fn an_answer_is_complete_with_the_attributes() {
            for part in [&b""[..], b"cc", b"\x1b[?62;4", b"\x1b[?1;0;256S", b"\x1b[?1;0;256Sc", b"\x1b_Gi=31;OK\x1b\\"]
            {
                assert_eq!(graphics_in(part), None, "{}", part.escape_ascii());
            }
        }
    }
}
