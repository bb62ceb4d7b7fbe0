//! The settings as rows to print: each value with where it comes from.

use super::reading::NAMES;
use super::{Origin, Settings, VerbKeys};
use mammoscope_domain::text::printable::{printable, printable_path};

/// A setting as shown to the user; all texts are safe to print.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SettingRow {
    pub(crate) name: String,
    pub(crate) value: String,
    /// `default`, `line 3`, `command line` or `this session`.
    pub(crate) origin: String,
}

impl Settings {
    /// All settings, in the order of the documentation; each changed verb has a row of its own.
    pub(crate) fn rows(&self) -> Vec<SettingRow> {
        let mut rows = Vec::new();
        for name in NAMES {
            let origin = match self.given.iter().find(|(given, _)| *given == name).map(|(_, origin)| *origin) {
                None => "default".to_owned(),
                Some(Origin::Line(line)) => format!("line {line}"),
                Some(Origin::CommandLine) => "command line".to_owned(),
                Some(Origin::Session) => "this session".to_owned(),
            };
            let value = match name {
                "theme" => self.theme.name().to_owned(),
                "mouse" => if self.mouse { "on" } else { "off" }.to_owned(),
                "notifications" => self.run_end.name().to_owned(),
                "workspace" => {
                    self.workspace.as_deref().map_or_else(|| "in the user's data folder".to_owned(), printable_path)
                }
                _ if self.keys.is_empty() => "as in docs/workbench.md".to_owned(),
                _ => {
                    rows.extend(self.keys.iter().map(key_row));
                    continue;
                }
            };
            rows.push(SettingRow { name: name.to_owned(), value, origin });
        }
        rows
    }
}

fn key_row(verb: &VerbKeys) -> SettingRow {
    let keys: Vec<String> = verb.keys.iter().map(ToString::to_string).collect();
    SettingRow {
        name: format!("keys.{}", printable(&verb.verb)),
        value: if keys.is_empty() { "no key".to_owned() } else { keys.join(" ") },
        origin: format!("line {}", verb.line),
    }
}
