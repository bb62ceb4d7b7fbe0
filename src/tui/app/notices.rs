//! The notices above the footer: how long they are shown, and what is kept of them.

use chrono::{DateTime, TimeDelta, Utc};

use super::App;
use crate::terminal::input::Key;
use crate::tui::protocol::effect::{Effect, Notice, Tone};
use crate::tui::protocol::verb::Verb;
use mammoscope_domain::text::printable::printable;

/// The time for which a notice is shown.
const NOTICE_DURATION: TimeDelta = TimeDelta::seconds(8);
/// The beginning of a notice about a copy.
const COPIED: &str = "copied ";
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

    /// Copies the latest notice but for those about copies.
    pub(super) fn copy_message(&self) -> Vec<Effect> {
        match self.messages.iter().rev().find(|(_, notice)| !notice.text.starts_with(COPIED)) {
            Some((_, notice)) => vec![Effect::Copy(notice.text.clone())],
            None => vec![Effect::quiet("nothing was reported yet")],
        }
    }

    /// Says what was copied.
    pub(super) fn note_copy(&mut self, text: &str) {
        self.note(Notice { text: format!("{COPIED}{}", printable(text)), tone: Tone::Done });
    }

    /// An aside about a key that does nothing in a popup.
    pub(super) fn unbound_in_popup(&mut self, key: Key) -> Vec<Effect> {
        if is_of_another_layout(key) {
            return self.hint_at_layout(key);
        }
        vec![Effect::quiet(format!("{key} does nothing here"))]
    }

    /// A hint that the keys may be those of another layout; kept among the messages once.
    fn hint_at_layout(&mut self, key: Key) -> Vec<Effect> {
        let text = format!("{key} is not a key here: is another keyboard layout active?");
        let is_known = std::mem::replace(&mut self.layout_hinted, true);
        vec![if is_known { Effect::quiet(text) } else { Effect::neutral(text) }]
    }

    /// An aside about a key that does nothing here.
    pub(super) fn unbound(&mut self, key: Key) -> Vec<Effect> {
        // Escape where there is nothing to go back from is not a mistake.
        if key == Key::Escape {
            return Vec::new();
        }
        if self.shared.keymap.verb_of(key).is_none() && is_of_another_layout(key) {
            return self.hint_at_layout(key);
        }
        let what = match self.shared.keymap.verb_of(key) {
            Some(verb) => format!("{key} ({}) does nothing here", verb.meaning()),
            None => format!("{key} is not bound"),
        };
        let help = self.shared.keymap.keys_of(Verb::Help).first();
        vec![Effect::quiet(what + &help.map(|help| format!(" · {help} shows the keys")).unwrap_or_default())]
    }
}

/// True for a letter of another script than Latin, such as Cyrillic or Greek.
fn is_of_another_layout(key: Key) -> bool {
    // The Latin letters are in the blocks before that of Greek, and in one of additions.
    const GREEK: char = '\u{370}';
    const LATIN_ADDITIONS: std::ops::RangeInclusive<char> = '\u{1e00}'..='\u{1eff}';
    match key {
        Key::Char(letter) | Key::Alt(letter) | Key::Ctrl(letter) => {
            letter >= GREEK && letter.is_alphabetic() && !LATIN_ADDITIONS.contains(&letter)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::testing::{fresh_app, press};

    fn shown(app: &App) -> (String, Tone) {
        let (_, notice) = app.notice.as_ref().unwrap();
        (notice.text.clone(), notice.tone)
    }

    #[test]
    fn a_letter_of_another_layout_is_named_and_does_not_act() {
        let mut app = fresh_app();
        assert_eq!(press(&mut app, &[Key::Char('й')]), [], "the key in the place of q");
        let hint = "й is not a key here: is another keyboard layout active?".to_owned();
        assert_eq!(shown(&app), (hint, Tone::Neutral));
        assert_eq!(app.messages.len(), 1);
        app.notice = None;
        press(&mut app, &[Key::Char('ц'), Key::Char('λ')]);
        let hint = "λ is not a key here: is another keyboard layout active?".to_owned();
        assert_eq!(shown(&app), (hint, Tone::Quiet));
        assert_eq!(app.messages.len(), 1, "once among the messages");
        press(&mut app, &[Key::Char(':'), Key::Char('й')]);
        assert_eq!(app.popups.len(), 1, "what is typed may be in any script");
    }

    #[test]
    fn latin_letters_are_of_no_other_layout() {
        for key in ["ö", "ß", "ł", "ế", "q", "7", "€", "'"] {
            assert!(!is_of_another_layout(Key::Char(key.chars().next().unwrap())), "{key}");
        }
        for key in ["й", "э", "Σ", "ק", "ض", "ㅂ"] {
            assert!(is_of_another_layout(Key::Char(key.chars().next().unwrap())), "{key}");
        }
    }
}
