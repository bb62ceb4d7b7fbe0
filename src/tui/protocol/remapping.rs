//! The keys of the verbs as a user's settings change them.

use crate::settings::{Settings, SettingsError, VerbKeys};
use crate::terminal::input::Key;
use crate::tui::protocol::verb::{KeyMap, SHOW_VERBS, VERBS, Verb, VerbEntry};
use mammoscope_domain::text::printable::printable;

/// Keys that keep their verb whatever the settings say, so that the workbench can always be left.
const FIXED: [(Key, Verb); 3] =
    [(Key::Ctrl('c'), Verb::Quit), (Key::Ctrl('z'), Verb::Suspend), (Key::Ctrl('l'), Verb::Redraw)];

/// A line of the settings that cannot be followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum RemappingError {
    #[error("keys: unknown verb '{}'{}; docs/workbench.md lists the verbs", printable(verb), suggestion(verb))]
    UnknownVerb { verb: String },
    #[error("keys.{verb}: {key} is the key of {other}; give {other} another one first")]
    Taken { verb: &'static str, key: Key, other: &'static str },
    #[error("keys.{verb}: {key} always means {other}")]
    Fixed { verb: &'static str, key: Key, other: &'static str },
}

/// The verb with the most similar name, as a question.
fn suggestion(verb: &str) -> String {
    const MIN_SIMILARITY: f64 = 0.8;
    let similar = entries().map(|entry| (strsim::jaro_winkler(entry.name, verb), entry.name));
    let best = similar.max_by(|(one, _), (other, _)| one.total_cmp(other));
    best.filter(|(similarity, _)| *similarity > MIN_SIMILARITY)
        .map(|(_, name)| format!(", perhaps {name}"))
        .unwrap_or_default()
}

fn entries() -> impl Iterator<Item = &'static VerbEntry> {
    VERBS.iter().chain(SHOW_VERBS)
}

fn name_of(verb: Verb) -> &'static str {
    entries().find(|entry| entry.verb == verb).map_or("", |entry| entry.name)
}

impl KeyMap {
    /// The keys of a user's settings: a verb named there has the keys given there instead of its own. An unknown verb and
    /// a key with two verbs are refused.
    pub(in crate::tui) fn of_settings(settings: &Settings) -> Result<Self, SettingsError> {
        let refuse = |line: usize, error: RemappingError| settings.error_at(line, error.to_string());
        let mut map = Self::default();
        let mut changed: Vec<(&VerbKeys, &VerbEntry)> = Vec::with_capacity(settings.keys.len());
        for line in &settings.keys {
            let entry = entries().find(|entry| entry.name == line.verb);
            let Some(entry) = entry else {
                return Err(refuse(line.line, RemappingError::UnknownVerb { verb: line.verb.clone() }));
            };
            let kept = FIXED.iter().filter(|(key, verb)| *verb == entry.verb && !line.keys.contains(key));
            map.set(entry.verb, line.keys.iter().copied().chain(kept.map(|(key, _)| *key)).collect());
            changed.push((line, entry));
        }
        // Checked once all lines are known, so that two verbs may swap their keys.
        for (line, entry) in changed {
            let verb = entry.name;
            for &key in &line.keys {
                if let Some((_, fixed)) = FIXED.iter().find(|(other, of)| *other == key && *of != entry.verb) {
                    return Err(refuse(line.line, RemappingError::Fixed { verb, key, other: name_of(*fixed) }));
                }
                let other = entries().find(|other| other.verb != entry.verb && map.keys_of(other.verb).contains(&key));
                if let Some(other) = other {
                    return Err(refuse(line.line, RemappingError::Taken { verb, key, other: other.name }));
                }
            }
        }
        Ok(map)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::SettingsPlace;

    fn settings(lines: &[(&str, &[Key])]) -> Settings {
        let place = SettingsPlace { path: "/etc/ada/config.toml".into(), is_named: false };
        let keys = lines.iter().enumerate().map(|(at, (verb, keys))| VerbKeys {
            verb: (*verb).to_owned(),
            keys: keys.to_vec(),
            line: at + 2,
        });
        Settings { keys: keys.collect(), ..Settings::of_place(place) }
    }

    #[test]
    fn a_verb_has_the_keys_of_the_settings_only() {
        let map = KeyMap::of_settings(&settings(&[("find", &[Key::Ctrl('f')]), ("mark", &[])])).unwrap();
        assert_eq!(map.verb_of(Key::Ctrl('f')), Some(Verb::Find));
        assert_eq!((map.verb_of(Key::Char('/')), map.verb_of(Key::Char(' '))), (None, None));
        assert_eq!(map.verb_of(Key::Char('s')), Some(Verb::Sort), "the others keep theirs");
        let swapped =
            KeyMap::of_settings(&settings(&[("sort", &[Key::Char('y')]), ("copy", &[Key::Char('s')])])).unwrap();
        assert_eq!(swapped.verb_of(Key::Char('y')), Some(Verb::Sort));
    }

    #[test]
    fn the_workbench_can_always_be_left() {
        let map = KeyMap::of_settings(&settings(&[("quit", &[]), ("redraw", &[Key::Function(5)])])).unwrap();
        assert_eq!(map.verb_of(Key::Ctrl('c')), Some(Verb::Quit));
        assert_eq!(map.verb_of(Key::Char('q')), None);
        assert_eq!(map.keys_of(Verb::Redraw), [Key::Function(5), Key::Ctrl('l')]);
    }

    #[test]
    fn conflicts_and_unknown_verbs_are_refused_by_name_and_line() {
        for (lines, message) in [
            (
                &[("find", &[Key::Char('f')][..])][..],
                "/etc/ada/config.toml, line 2: keys.find: f is the key of full-screen; give full-screen another one first",
            ),
            (
                &[("sort", &[Key::Ctrl('f')]), ("find", &[Key::Ctrl('f')])],
                "/etc/ada/config.toml, line 2: keys.sort: Ctrl-F is the key of find; give find another one first",
            ),
            (
                &[("quit", &[Key::Char('Q')]), ("copy", &[Key::Ctrl('c')])],
                "/etc/ada/config.toml, line 3: keys.copy: Ctrl-C always means quit",
            ),
            (
                &[("fnd", &[Key::Char('Q')])],
                "/etc/ada/config.toml, line 2: keys: unknown verb 'fnd', perhaps find; docs/workbench.md lists the verbs",
            ),
            (
                &[("\u{1b}[2J", &[Key::Char('Q')])],
                "/etc/ada/config.toml, line 2: keys: unknown verb '\\u{1b}[2J'; docs/workbench.md lists the verbs",
            ),
        ] {
            assert_eq!(KeyMap::of_settings(&settings(lines)).unwrap_err().to_string(), message);
        }
    }
}
