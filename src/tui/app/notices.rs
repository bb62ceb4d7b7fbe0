//! The notices above the footer: how long they are shown, and what is kept of them.

use chrono::{DateTime, TimeDelta, Utc};

use super::App;
use crate::terminal::input::Key;
use crate::tui::protocol::effect::{Effect, Notice, Tone};
use crate::tui::protocol::verb::Verb;

/// The time for which a notice is shown.
const NOTICE_DURATION: TimeDelta = TimeDelta::seconds(8);
/// The number of notices that are kept.
const MAX_MESSAGES: usize = 200;
/// The time for which a quiet notice is shown.
pub(super) const QUIET_DURATION: TimeDelta = TimeDelta::seconds(3);

impl App {
    /// Ends a notice that was shown for long enough.
    pub(super) fn expire_notice(&mut self, now: DateTime<Utc>) {
        let duration = |notice: &Notice| if notice.tone == Tone::Quiet { QUIET_DURATION } else { NOTICE_DURATION };
        self.notice.take_if(|(since, notice)| now - *since > duration(notice));
    }

    /// Shows a notice; a quiet one does not hide another.
    pub(super) fn note(&mut self, notice: Notice) {
        let is_hidden =
            notice.tone == Tone::Quiet && self.notice.as_ref().is_some_and(|(_, current)| current.tone != Tone::Quiet);
        if notice.tone != Tone::Quiet {
            if self.messages.len() == MAX_MESSAGES {
                self.messages.remove(0);
            }
            self.messages.push((self.shared.now, notice.clone()));
        }
        if !is_hidden {
            self.notice = Some((self.shared.now, notice));
        }
    }

    /// An aside about a key that does nothing here.
    pub(super) fn unbound(&self, key: Key) -> Vec<Effect> {
        // Escape where there is nothing to go back from is not a mistake.
        if key == Key::Escape {
            return Vec::new();
        }
        let what = match self.shared.keymap.verb_of(key) {
            Some(verb) => format!("{key} ({}) does nothing here", verb.meaning()),
            None => format!("{key} is not bound"),
        };
        let help = self.shared.keymap.keys_of(Verb::Help).first();
        vec![Effect::quiet(what + &help.map(|help| format!(" · {help} shows the keys")).unwrap_or_default())]
    }
}
