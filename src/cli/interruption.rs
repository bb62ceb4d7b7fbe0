//! Ctrl-C, and the end of the terminal or the session, as a flag, for commands that finish the file they are at before they end.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use anyhow::Context as _;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// Whether the process was asked to end since [`Interruption::watch`]: Ctrl-C, SIGTERM, or SIGHUP of a closed terminal.
#[derive(Clone, Debug)]
pub(super) struct Interruption {
    asked: Arc<AtomicBool>,
    by_keyboard: Arc<AtomicBool>,
}

/// One for the process: a command within another must not miss what the other has heard, nor be ended by it.
static WATCHED: OnceLock<Interruption> = OnceLock::new();

impl Interruption {
    /// From now on a signal asks, and only a second one ends the process at once, with exit status 130.
    pub(super) fn watch() -> anyhow::Result<Self> {
        if let Some(watched) = WATCHED.get() {
            return Ok(watched.clone());
        }
        // In the order of registration: who sees that something is asked sees who asked, too.
        let by_keyboard = Arc::new(AtomicBool::new(false));
        signal_hook::flag::register(SIGINT, Arc::clone(&by_keyboard)).context("listen for signals")?;
        let asked = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&asked))
                .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&asked)))
                .context("listen for signals")?;
        }
        Ok(WATCHED.get_or_init(|| Self { asked, by_keyboard }).clone())
    }

    /// Whether to stop.
    pub(super) fn requested(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// Whether it was Ctrl-C, so that somebody is there who can be asked.
    pub(super) fn by_keyboard(&self) -> bool {
        self.by_keyboard.load(Ordering::Relaxed)
    }

    /// Takes the demand as heard; the next signal asks again, and ends nothing by itself.
    pub(super) fn heard(&self) {
        self.by_keyboard.store(false, Ordering::Relaxed);
        self.asked.store(false, Ordering::Relaxed);
    }
}
