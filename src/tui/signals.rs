//! Signals as messages.

use std::sync::mpsc::Sender;
use std::time::Duration;
use std::{io, thread};

use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM, SIGTSTP, SIGWINCH};
use signal_hook::iterator::Signals;

use super::terminal_guard;
use crate::tui::protocol::message::UiMessage;

/// The time for the workbench to leave by itself after a signal to end.
const LEAVE_TIMEOUT: Duration = Duration::from_millis(500);

/// Starts the thread that turns signals into messages.
pub(super) fn watch_signals(inbox: Sender<UiMessage>) -> io::Result<()> {
    let mut signals = Signals::new([SIGWINCH, SIGTSTP, SIGCONT, SIGHUP, SIGTERM, SIGINT])?;
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for signal in signals.forever() {
            let message = match signal {
                SIGWINCH => UiMessage::Resized,
                SIGTSTP => UiMessage::Suspend,
                SIGCONT => UiMessage::Resume,
                _ => UiMessage::Terminate,
            };
            let ends = matches!(message, UiMessage::Terminate);
            if inbox.send(message).is_err() {
                return;
            }
            if ends {
                // The terminal may be gone and the main thread blocked on writing to it.
                thread::sleep(LEAVE_TIMEOUT);
                terminal_guard::leave_at_once();
                std::process::exit(if signal == SIGINT { 130 } else { 0 });
            }
        }
    })?;
    Ok(())
}
