//! Reads `config.toml`. Unknown names and values are errors that name their line.

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use super::{Origin, RunEndSignal, Settings, SettingsError, SettingsPlace, ThemeChoice, VerbKeys};
use crate::terminal::input::Key;
use mammoscope_domain::text::printable::printable;
use mammoscope_domain::training::config_toml::TomlError;
use mammoscope_storage::regular_file::read_regular_file;

/// The largest file that is read.
const LIMIT: u64 = 1 << 18;

/// The names in the file, in the order of the documentation.
pub(super) const NAMES: [&str; 5] = ["theme", "mouse", "notifications", "workspace", "keys"];

/// The user's settings, and the first mistake in their file. What the mistake does not touch is read all the same;
/// without a file, all settings have their defaults.
pub(crate) fn read_settings() -> (Settings, Option<SettingsError>) {
    match SettingsPlace::of_user() {
        Some(place) => read(place, std::env::home_dir().as_deref()),
        None => (Settings::default(), None),
    }
}

fn read(place: SettingsPlace, home: Option<&Path>) -> (Settings, Option<SettingsError>) {
    let mut settings = Settings::of_place(place.clone());
    let outcome = match read_regular_file(&place.path, LIMIT) {
        Ok(bytes) => match std::str::from_utf8(&bytes) {
            Ok(text) => parse(text, home, &mut settings),
            Err(_) => Err(TomlError::of_the_whole("not UTF-8 text")),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound && !place.is_named => Ok(()),
        Err(error) => Err(TomlError::of_the_whole(printable(&error.to_string()))),
    };
    let error = outcome.err().map(|error| SettingsError { path: place.path, line: error.line, reason: error.reason });
    (settings, error)
}

/// A value with its place in the text.
struct Entry<'t> {
    text: &'t str,
    place: Range<usize>,
    value: &'t DeValue<'t>,
}

impl Entry<'_> {
    fn refuse(&self, reason: impl std::fmt::Display) -> TomlError {
        TomlError::at(self.text, self.place.clone(), reason)
    }

    fn line(&self) -> usize {
        self.text[..self.place.start].matches('\n').count() + 1
    }

    /// The value that has the written name.
    fn choice<T: Copy>(&self, name: &str, all: &[T], named: impl Fn(T) -> &'static str) -> Result<T, TomlError> {
        let written = if let DeValue::String(text) = self.value { Some(text.as_ref()) } else { None };
        let found = all.iter().copied().find(|value| Some(named(*value)) == written);
        found.ok_or_else(|| {
            let names: Vec<_> = all.iter().map(|value| format!("\"{}\"", named(*value))).collect();
            self.refuse(format!("{name} must be one of {}", names.join(", ")))
        })
    }
}

fn parse(text: &str, home: Option<&Path>, settings: &mut Settings) -> Result<(), TomlError> {
    let table = DeTable::parse(text).map_err(|error| TomlError::of_parser(text, &error))?.into_inner();
    // The table is sorted by name; the error of the first line is to be reported.
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(name, _)| name.span().start);
    let mut outcome = Ok(());
    for (name, value) in entries {
        let entry = Entry { text, place: value.span(), value: value.get_ref() };
        let read = if let Some(known) = NAMES.into_iter().find(|known| *known == name.get_ref().as_ref()) {
            take(known, &entry, home, settings)
        } else {
            let reason = format!("unknown setting '{}'; there are {}", printable(name.get_ref()), NAMES.join(", "));
            Err(TomlError::at(text, name.span(), reason))
        };
        outcome = outcome.and(read);
    }
    outcome
}

/// Reads one setting.
fn take(name: &'static str, entry: &Entry<'_>, home: Option<&Path>, settings: &mut Settings) -> Result<(), TomlError> {
    match name {
        "theme" => settings.theme = entry.choice(name, ThemeChoice::ALL, ThemeChoice::name)?,
        "notifications" => settings.run_end = entry.choice(name, RunEndSignal::ALL, RunEndSignal::name)?,
        "mouse" => match entry.value {
            DeValue::Boolean(on) => settings.mouse = *on,
            _ => return Err(entry.refuse("mouse must be true or false")),
        },
        "workspace" => settings.workspace = Some(workspace(entry, home)?),
        _ => settings.keys = keys(entry)?,
    }
    settings.given.push((name, Origin::Line(entry.line())));
    Ok(())
}

/// An absolute path, or one below the home folder.
fn workspace(entry: &Entry<'_>, home: Option<&Path>) -> Result<PathBuf, TomlError> {
    let DeValue::String(written) = entry.value else {
        return Err(entry.refuse("workspace must be the path of a folder, in quotes"));
    };
    let path = match (written.strip_prefix("~/"), home) {
        (Some(below), Some(home)) => home.join(below),
        _ => PathBuf::from(written.as_ref()),
    };
    if path.is_absolute() {
        Ok(path)
    } else {
        Err(entry.refuse("workspace must be an absolute path or start with ~/, because it holds for every folder"))
    }
}

fn keys(entry: &Entry<'_>) -> Result<Vec<VerbKeys>, TomlError> {
    let DeValue::Table(table) = entry.value else {
        return Err(
            entry.refuse("keys must be a table: [keys], then one line for each verb, such as find = \"ctrl-f\"")
        );
    };
    let mut verbs = Vec::with_capacity(table.len());
    for (name, value) in table {
        let entry = Entry { text: entry.text, place: value.span(), value: value.get_ref() };
        let verb = name.get_ref().to_string();
        let keys = match entry.value {
            DeValue::Array(keys) => {
                let each = keys.iter();
                each.map(|key| key_of(&Entry { text: entry.text, place: key.span(), value: key.get_ref() }, &verb))
                    .collect::<Result<_, _>>()?
            }
            _ => vec![key_of(&entry, &verb)?],
        };
        verbs.push(VerbKeys { verb, keys, line: entry.line() });
    }
    verbs.sort_by_key(|verb| verb.line);
    Ok(verbs)
}

fn key_of(entry: &Entry<'_>, verb: &str) -> Result<Key, TomlError> {
    let verb = printable(verb);
    let DeValue::String(name) = entry.value else {
        return Err(
            entry.refuse(format!("keys.{verb}: a key is written in quotes, several in a list: [\"x\", \"ctrl-x\"]"))
        );
    };
    Key::named(name).map_err(|error| entry.refuse(format!("keys.{verb}: '{}': {error}", printable(name))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Settings, TomlError> {
        let mut settings = Settings::default();
        parse(text, Some(Path::new("/home/ada")), &mut settings).map(|()| settings)
    }

    #[test]
    fn a_file_may_set_everything_or_nothing() {
        assert_eq!(parsed(""), Ok(Settings::default()));
        let text = "# mine\ntheme = \"light\"\nmouse = false\nnotifications = \"osc9\"\nworkspace = \"~/density\"\n\n\
                    [keys]\nfind = \"ctrl-f\"\nmark = [\"space\", \"ins\"]\nquit = []\n";
        let settings = parsed(text).unwrap();
        assert_eq!(settings.theme, ThemeChoice::Light);
        assert!(!settings.mouse);
        assert_eq!(settings.run_end, RunEndSignal::Osc9);
        assert_eq!(settings.workspace, Some("/home/ada/density".into()));
        let verbs: Vec<_> = settings.keys.iter().map(|keys| (keys.verb.as_str(), keys.keys.len(), keys.line)).collect();
        assert_eq!(verbs, [("find", 1, 8), ("mark", 2, 9), ("quit", 0, 10)]);
        assert_eq!(settings.keys[0].keys, [Key::Ctrl('f')]);
        let given = [("theme", 2), ("mouse", 3), ("notifications", 4), ("workspace", 5), ("keys", 7)];
        assert_eq!(settings.given, given.map(|(name, line)| (name, Origin::Line(line))));
    }

    #[test]
    fn mistakes_are_refused_with_their_line() {
        for (text, line, part) in [
            ("mouse = true\ncolour = 1", 2, "unknown setting 'colour'; there are theme, mouse"),
            ("theme = \"blue\"", 1, "theme must be one of \"auto\", \"light\", \"dark\""),
            ("theme = 3", 1, "theme must be one of"),
            ("\nmouse = \"on\"", 2, "mouse must be true or false"),
            (
                "notifications = true",
                1,
                "notifications must be one of \"off\", \"bell\", \"terminal\", \"osc9\", \"osc99\", \"osc777\"",
            ),
            ("workspace = \"density\"", 1, "absolute"),
            ("workspace = 1", 1, "path of a folder"),
            ("keys = \"x\"", 1, "must be a table"),
            ("[keys]\nfind = \"x\"\nopen = \"hyper-o\"", 3, "keys.open: 'hyper-o': unknown key"),
            ("[keys]\nopen = [\n\"o\",\n\"ctrl-i\"]", 4, "keys.open: 'ctrl-i': terminals send Tab"),
            ("[keys]\nfind = 3", 2, "written in quotes"),
            ("theme = \"dark\"\ntheme = \"light\"", 2, "duplicate key"),
            ("theme = dark", 1, ""),
        ] {
            let error = parsed(text).unwrap_err();
            assert_eq!(error.line, Some(line), "{text}: {error}");
            assert!(error.reason.contains(part) && !error.reason.contains('\n'), "{text}: {error}");
        }
    }

    #[test]
    fn the_template_is_accepted_as_it_is_and_with_every_setting_in_use() {
        assert_eq!(parsed(super::super::TEMPLATE), Ok(Settings::default()));
        let is_setting = |line: &str| line.contains(" = ") || line == "[keys]";
        let used =
            super::super::TEMPLATE.lines().filter_map(|line| line.strip_prefix("# ")).filter(|line| is_setting(line));
        let settings = parsed(&used.collect::<Vec<_>>().join("\n")).unwrap();
        let given: Vec<_> = settings.given.iter().map(|(name, _)| *name).collect();
        assert_eq!(given, NAMES);
    }

    #[test]
    fn a_mistake_does_not_hide_the_other_settings() {
        let mut settings = Settings::default();
        let error = parse("mouse = 1\ntheme = \"dark\"\ncolour = 2", None, &mut settings).unwrap_err();
        assert_eq!((error.line, settings.theme, settings.mouse), (Some(1), ThemeChoice::Dark, true));
        let error = parse("theme = \"light\"\nmouse =", None, &mut settings).unwrap_err();
        assert_eq!((error.line, settings.theme), (Some(2), ThemeChoice::Dark), "TOML itself is broken");
    }

    #[test]
    fn only_a_file_named_by_the_user_must_exist() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        let place = |is_named| SettingsPlace { path: path.clone(), is_named };
        assert_eq!(read(place(false), None), (Settings::of_place(place(false)), None));
        let error = read(place(true), None).1.unwrap();
        assert!(error.to_string().contains("config.toml: ") && error.line.is_none(), "{error}");
        std::fs::write(&path, "mouse = 1").unwrap();
        let text = read(place(false), None).1.unwrap().to_string();
        assert!(text.ends_with("config.toml, line 1: mouse must be true or false"), "{text}");
        std::fs::write(&path, [0xff, 0xfe]).unwrap();
        assert!(read(place(false), None).1.unwrap().to_string().contains("UTF-8"));
    }
}
