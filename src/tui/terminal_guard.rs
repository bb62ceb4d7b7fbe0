//! The terminal of the workbench: taken over on entry, and restored whatever happens.

use std::io::{self, Write as _};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{Mode, OFlags};
use rustix::termios::{OptionalActions, QueueSelector, Termios, tcflush, tcgetattr, tcsetattr};

use crate::terminal::query::{kind, takes_kitty};
use crate::terminal::terminal_kind::TerminalKind;

/// The terminal's settings before it was taken over.
static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);
static TAKEN: AtomicBool = AtomicBool::new(false);

/// True if mouse reports are requested.
static WITH_MOUSE: AtomicBool = AtomicBool::new(true);

/// Alternate screen, cursor hidden, pasted text as a whole.
const ENTER: &str = "\x1b[?1049h\x1b[?25l\x1b[?2004h";
/// Keys as usual, in kitty's protocol and in xterm's: a program that was killed may have left others switched on.
const USUAL_KEYS: &str = "\x1b[>0u\x1b[>4;0m";
/// Takes back what [`USUAL_KEYS`] pushed; xterm's keys stay as usual.
const EARLIER_KEYS: &str = "\x1b[<u";
/// The mouse in SGR coordinates: clicks, drags and the wheel.
const MOUSE: &str = "\x1b[?1000h\x1b[?1002h\x1b[?1006h";
/// Undoes [`MOUSE`].
const NO_MOUSE: &str = "\x1b[?1006l\x1b[?1002l\x1b[?1000l";
/// Ends a frame that was cut, and undoes [`ENTER`].
const LEAVE: &str = "\x1b[?2026l\x1b[?2004l\x1b[0m\x1b[?25h\x1b[?1049l";
/// Deletes all pictures of kitty's protocol.
const REMOVE_KITTY: &str = "\x1b_Ga=d,d=A,q=2\x1b\\";

/// Keeps the terminal in raw mode on its alternate screen; restores it on drop.
pub(super) struct TerminalGuard(());

impl TerminalGuard {
    /// Takes the terminal over, with or without its mouse.
    pub(super) fn enter(mouse: bool) -> io::Result<Self> {
        WITH_MOUSE.store(mouse, Ordering::SeqCst);
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

/// Enters raw mode and the alternate screen.
pub(super) fn enter() -> io::Result<()> {
    let stdin = io::stdin();
    let mut raw = tcgetattr(&stdin)?;
    raw.make_raw();
    tcsetattr(&stdin, OptionalActions::Now, &raw)?;
    TAKEN.store(true, Ordering::SeqCst);
    let mut stdout = io::stdout().lock();
    stdout.write_all(ENTER.as_bytes())?;
    if has_keyboard_protocols() {
        stdout.write_all(USUAL_KEYS.as_bytes())?;
    }
    if WITH_MOUSE.load(Ordering::SeqCst) {
        stdout.write_all(MOUSE.as_bytes())?;
    }
    stdout.write_all(b"\x1b[0m\x1b[2J")?;
    stdout.flush()
}

/// Asks for mouse reports, or for none.
pub(super) fn take_mouse(mouse: bool) -> io::Result<()> {
    WITH_MOUSE.store(mouse, Ordering::SeqCst);
    let mut stdout = io::stdout().lock();
    stdout.write_all(if mouse { MOUSE } else { NO_MOUSE }.as_bytes())?;
    stdout.flush()
}

/// Clears the screen.
pub(super) fn clear() -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(b"\x1b[0m\x1b[2J")?;
    stdout.flush()
}

/// Restores the terminal; a second call has no effect. Nothing here may panic.
pub(super) fn leave() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        let mut stdout = io::stdout().lock();
        let _ = stdout.write_all(leaving().as_bytes());
        let _ = stdout.flush();
        restore_settings();
    }
}

/// Restores the terminal without waiting: the main thread may be in the middle of a frame that the terminal does not
/// accept (output stopped by Ctrl-S, a stalled connection).
pub(super) fn leave_at_once() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        // Pending output is dropped to make room; the first bytes end a sequence that this may have cut.
        let _ = tcflush(io::stdin(), QueueSelector::OFlush);
        let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        if let Ok(terminal) = rustix::fs::open("/dev/tty", flags, Mode::empty()) {
            let _ = rustix::io::write(&terminal, &[b"\x1b\\", leaving().as_bytes()].concat());
        }
        restore_settings();
    }
}

fn leaving() -> String {
    let pictures = if takes_kitty() { REMOVE_KITTY } else { "" };
    let keys = if has_keyboard_protocols() { EARLIER_KEYS } else { "" };
    format!("{pictures}{NO_MOUSE}{keys}{LEAVE}")
}

/// True if sequences about the keyboard are at least harmless here: the Linux console knows none of them.
fn has_keyboard_protocols() -> bool {
    kind() == TerminalKind::Usual
}

fn restore_settings() {
    if let Some(before) = BEFORE.lock().unwrap_or_else(std::sync::PoisonError::into_inner).as_ref() {
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, before);
    }
}
