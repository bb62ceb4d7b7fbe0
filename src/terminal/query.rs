//! Queries to the terminal: its graphics capabilities and the size of its cells.

use super::graphics::{GraphicsFacts, is_multiplexed};
#[cfg(unix)]
use super::sizes::{Cells, Pixels};
use super::terminal_kind::TerminalKind;

/// Asks whether the terminal supports kitty's graphics protocol.
const ASK_KITTY: &str = "\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\";
/// Asks for the version, the size of a cell, the background, the sixel colour registers, and last for the attributes:
/// every terminal answers that query, so its reply shows that the others were answered or ignored.
const ASK: &str = "\x1b[>0q\x1b[16t\x1b]11;?\x1b\\\x1b[?1;1;0S\x1b[c";

/// Asks for the attributes only: the Linux console answers nothing else, and may print the rest.
const ASK_CONSOLE: &str = "\x1b[c";

/// The sequences that ask the terminal for everything that [`GraphicsFacts`] records.
pub(crate) fn query() -> String {
    match kind() {
        TerminalKind::Console => ASK_CONSOLE.to_owned(),
        _ if takes_kitty() => format!("{ASK_KITTY}{ASK}"),
        _ => ASK.to_owned(),
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The kind of this process's terminal.
pub(crate) fn kind() -> TerminalKind {
    TerminalKind::of_environment(variable)
}

/// True if kitty's sequences are at least harmless here: some terminals print them, and tmux takes them for a title.
pub(crate) fn takes_kitty() -> bool {
    kind() == TerminalKind::Usual && !is_multiplexed(variable)
}

#[cfg(all(unix, feature = "pictures"))]
pub(crate) use unix::without_echo;
#[cfg(unix)]
pub(crate) use unix::{ask, measure};

#[cfg(not(unix))]
pub(crate) fn ask(_facts: &mut GraphicsFacts) -> bool {
    false
}

#[cfg(not(unix))]
pub(crate) fn measure(_facts: &mut GraphicsFacts) {}

#[cfg(all(not(unix), feature = "pictures"))]
pub(crate) fn without_echo<T>(ask: impl FnOnce() -> T) -> T {
    ask()
}

#[cfg(unix)]
mod unix {
    use std::fs::{File, OpenOptions};
    use std::io::{self, Read as _, Write as _};
    use std::time::{Duration, Instant};

    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};

    use super::{Cells, GraphicsFacts, Pixels, query};
    use crate::terminal::input::Input;
    use crate::terminal::parser::InputParser;

    /// The longest wait for a reply: the round trip of a bad link.
    const TIMEOUT: Duration = Duration::from_secs(1);

    /// Records the window's size in cells and in pixels, as the system reports it.
    pub(crate) fn measure(facts: &mut GraphicsFacts) {
        if let Ok(size) = tcgetwinsize(io::stdout()) {
            let pixels = Pixels { width: size.ws_xpixel.into(), height: size.ws_ypixel.into() };
            facts.measure(Cells { columns: size.ws_col, rows: size.ws_row }, pixels);
        }
    }

    /// Queries the terminal and waits for its replies. Returns false if it did not reply: every terminal of the last
    /// decades reports its attributes, but a serial line or a program at the end of a pseudo-terminal may not.
    pub(crate) fn ask(facts: &mut GraphicsFacts) -> bool {
        RawTerminal::open().and_then(|mut terminal| terminal.ask(facts)).unwrap_or(false)
    }

    /// Runs code that queries the terminal itself, without echoing the replies.
    #[cfg(feature = "pictures")]
    pub(crate) fn without_echo<T>(ask: impl FnOnce() -> T) -> T {
        let _terminal = RawTerminal::open();
        ask()
    }

    /// The controlling terminal in raw mode; its settings are restored on drop.
    struct RawTerminal {
        file: File,
        before: Termios,
    }

    impl RawTerminal {
        fn open() -> io::Result<Self> {
            let file = OpenOptions::new().read(true).write(true).open("/dev/tty")?;
            let before = tcgetattr(&file)?;
            let mut raw = before.clone();
            raw.make_raw();
            tcsetattr(&file, OptionalActions::Now, &raw)?;
            Ok(Self { file, before })
        }

        fn ask(&mut self, facts: &mut GraphicsFacts) -> io::Result<bool> {
            self.file.write_all(query().as_bytes())?;
            let deadline = Instant::now() + TIMEOUT;
            let mut parser = InputParser::default();
            while !facts.is_resolved() {
                let left = deadline.saturating_duration_since(Instant::now());
                let limit = Timespec { tv_sec: left.as_secs().cast_signed(), tv_nsec: left.subsec_nanos().into() };
                let mut ready = [PollFd::new(&self.file, PollFlags::IN)];
                if poll(&mut ready, Some(&limit))? == 0 {
                    return Ok(false);
                }
                let mut bytes = [0; 64];
                match self.file.read(&mut bytes)? {
                    0 => return Ok(false),
                    count => parser.push(&bytes[..count], &mut |input| {
                        if let Input::Reply(reply) = input {
                            facts.on_reply(&reply);
                        }
                    }),
                }
            }
            Ok(true)
        }
    }

    impl Drop for RawTerminal {
        fn drop(&mut self) {
            let _ = tcsetattr(&self.file, OptionalActions::Now, &self.before);
        }
    }
}
