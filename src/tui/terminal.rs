//! The terminal: taken over, and given back whatever happens.

use std::io::{self, Write as _};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{Mode, OFlags};
use rustix::termios::{OptionalActions, QueueSelector, Termios, tcflush, tcgetattr, tcsetattr};

use crate::terminal::query::takes_kitty;

/// What the terminal was set to before.
static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Alternate screen, cursor hidden, pasted text as a whole, mouse in SGR coordinates (clicks, drags and the wheel).
const ENTER: &str = "\x1b[?1049h\x1b[?25l\x1b[?2004h\x1b[?1000h\x1b[?1002h\x1b[?1006h\x1b[2J";
/// All of it back.
const LEAVE: &str = "\x1b[?1006l\x1b[?1002l\x1b[?1000l\x1b[?2004l\x1b[0m\x1b[?25h\x1b[?1049l";
/// Removes pictures of kitty's protocol.
const REMOVE_KITTY: &str = "\x1b_Ga=d,d=A,q=2\x1b\\";
/// The terminal in raw mode on its alternate screen; dropped, it is as before.
pub(super) struct TerminalGuard(());

impl TerminalGuard {
    /// Takes the terminal over.
    pub(super) fn enter() -> io::Result<Self> {
        let stdin = io::stdin();
        let before = tcgetattr(&stdin)?;
        *BEFORE.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(before);
        enter()?;
        Ok(Self(()))
    }
}

impl Drop for TerminalGuard {
    fn drop(&mut self) {
        leave();
    }
}

/// Raw mode and the alternate screen.
pub(super) fn enter() -> io::Result<()> {
    let stdin = io::stdin();
    let mut raw = tcgetattr(&stdin)?;
    raw.make_raw();
    tcsetattr(&stdin, OptionalActions::Now, &raw)?;
    TAKEN.store(true, Ordering::SeqCst);
    let mut stdout = io::stdout().lock();
    stdout.write_all(ENTER.as_bytes())?;
    stdout.flush()
}

/// Clears the screen.
pub(super) fn clear() -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(b"\x1b[0m\x1b[2J")?;
    stdout.flush()
}

/// Gives the terminal back; done twice, it does nothing the second time. Nothing here may panic.
pub(super) fn leave() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        let mut stdout = io::stdout().lock();
        let _ = stdout.write_all(leaving().as_bytes());
        let _ = stdout.flush();
        restore_settings();
    }
}

/// Gives the terminal back without waiting for anybody: the main thread may be in the middle of a frame that the terminal
/// does not take (output held by Ctrl-S, a connection that stalls).
pub(super) fn leave_at_once() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        // What waits to be taken is dropped, so that there is room; the end of a sequence that was cut comes first.
        let _ = tcflush(io::stdin(), QueueSelector::OFlush);
        let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        if let Ok(terminal) = rustix::fs::open("/dev/tty", flags, Mode::empty()) {
            let _ = rustix::io::write(&terminal, &[b"\x1b\\", leaving().as_bytes()].concat());
        }
        restore_settings();
    }
}

fn leaving() -> String {
    if takes_kitty() { format!("{REMOVE_KITTY}{LEAVE}") } else { LEAVE.to_owned() }
}

fn restore_settings() {
    if let Some(before) = BEFORE.lock().unwrap_or_else(std::sync::PoisonError::into_inner).as_ref() {
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, before);
    }
}
