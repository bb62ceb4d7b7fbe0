//! Ctrl-C and the end of the terminal or the session as a flag, for commands that finish their current file first.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use anyhow::Context as _;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// A request to end the process, received since [`Interruption::watch`]: Ctrl-C, SIGTERM, or SIGHUP of a closed
/// terminal.
#[derive(Clone, Debug)]
pub(super) struct Interruption {
    requested: Arc<AtomicBool>,
    by_keyboard: Arc<AtomicBool>,
}

/// One per process: a command that runs within another must neither miss a signal that the outer one received nor be
/// ended by it.
static WATCHED: OnceLock<Interruption> = OnceLock::new();

impl Interruption {
    /// Starts watching: from now on the first signal only sets the flag, and a second one ends the process at once with
    /// exit status 130.
    pub(super) fn watch() -> anyhow::Result<Self> {
        if let Some(watched) = WATCHED.get() {
            return Ok(watched.clone());
        }
        // Handlers run in the order of registration, so `by_keyboard` is set before `requested`.
        let by_keyboard = Arc::new(AtomicBool::new(false));
        signal_hook::flag::register(SIGINT, Arc::clone(&by_keyboard)).context("listen for signals")?;
        let requested = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&requested))
                .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&requested)))
                .context("listen for signals")?;
        }
        Ok(WATCHED.get_or_init(|| Self { requested, by_keyboard }).clone())
    }

    /// True once the process was asked to end.
    pub(super) fn requested(&self) -> bool {
        self.requested.load(Ordering::Relaxed)
    }

    /// True if it was Ctrl-C, so that there is a user to ask.
    pub(super) fn by_keyboard(&self) -> bool {
        self.by_keyboard.load(Ordering::Relaxed)
    }

    /// Clears the flag: the next signal sets it again without ending the process.
    pub(super) fn clear(&self) {
        self.by_keyboard.store(false, Ordering::Relaxed);
        self.requested.store(false, Ordering::Relaxed);
    }
}
