//! Ctrl-C as a flag, for commands that finish the file they are at before they end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context as _;
use signal_hook::consts::SIGINT;

/// Whether Ctrl-C was pressed since [`Interruption::watch`].
#[derive(Clone, Debug)]
pub(super) struct Interruption(Arc<AtomicBool>);

impl Interruption {
    /// From now on Ctrl-C asks, and only a second one ends the process at once, with exit status 130.
    pub(super) fn watch() -> anyhow::Result<Self> {
        let pressed = Arc::new(AtomicBool::new(false));
        signal_hook::flag::register_conditional_shutdown(SIGINT, 130, Arc::clone(&pressed))
            .and_then(|_| signal_hook::flag::register(SIGINT, Arc::clone(&pressed)))
            .context("listen for Ctrl-C")?;
        Ok(Self(pressed))
    }

    /// Whether to stop.
    pub(super) fn requested(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
