//! The clipboard within tmux, which has a command for it.

use std::sync::mpsc::Sender;
use std::thread;

use crate::terminal::clipboard::{give_to_tmux, tmux_takes_copies};
use crate::terminal::multiplexer::Multiplexer;
use crate::tui::protocol::message::UiMessage;
use mammoscope_domain::text::printable::printable;

/// Copies a text by way of the surrounding tmux, if there is one; reports if that cannot work.
pub(super) fn copy(text: String, inbox: &Sender<UiMessage>) {
    if Multiplexer::of_environment(|name| std::env::var(name).ok()) != Multiplexer::Tmux {
        return;
    }
    let inbox = inbox.clone();
    thread::spawn(move || {
        if let Err(error) = give_to_tmux(&text)
            && !tmux_takes_copies()
        {
            let reason = printable(&error.to_string());
            let _ = inbox.send(UiMessage::Fault(format!(
                "tmux did not copy it ({reason}); in ~/.tmux.conf, `set -s set-clipboard on` lets it"
            )));
        }
    });
}
