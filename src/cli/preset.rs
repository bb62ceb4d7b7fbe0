//! `mammoscope preset`: the configurations that a run can start from, and the meaning of every key.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context as _;
use clap::{Args, Subcommand};

use super::console::{Console, Outcome, WrongUse, print_result};
use crate::report::wrapped::wrapped;
use mammoscope_domain::text::printable::{printable, printable_path};
use mammoscope_domain::training::config_keys::KEYS;
use mammoscope_domain::training::preset::Preset;
use mammoscope_storage::regular_file::read_regular_file;

/// The size limit of a preset file, in bytes.
const MAX_FILE: u64 = 1 << 20;
/// The width of a line.
const COLUMNS: usize = 80;

/// List the presets, or explain every key of one
#[derive(Debug, Args)]
pub(super) struct PresetArguments {
    #[command(subcommand)]
    question: Question,
}

#[derive(Debug, Subcommand)]
enum Question {
    List(ListArguments),
    Show(ShowArguments),
}

/// Print the names and purposes of the presets
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mammoscope preset list
  mammoscope preset list --json")]
struct ListArguments {
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Print every key of a preset with its value, unit, range and meaning
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mammoscope preset show modern
  mammoscope preset show mine.toml
  mammoscope preset show seed --json

Your own preset is a TOML file with base = \"modern\" and the keys that differ.")]
struct ShowArguments {
    /// Name of a preset, or a file NAME.toml
    #[arg(value_name = "NAME")]
    preset: String,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &PresetArguments, console: &Console) -> anyhow::Result<Outcome> {
    print_result(&match &arguments.question {
        Question::List(arguments) => list(arguments)?,
        Question::Show(arguments) => {
            let preset = load(&arguments.preset)?;
            if arguments.json { document(&preset)? } else { explained(&preset, console.color()) }
        }
    })?;
    Ok(Outcome::Done)
}

/// Loads a preset by name, or from a file ending in `.toml`, whose stem becomes its name.
pub(super) fn load(name: &str) -> anyhow::Result<Preset> {
    let path = Path::new(name);
    if path.extension().is_none_or(|extension| extension != "toml") {
        return Preset::named(name).map_err(|error| WrongUse(error.to_string()).into());
    }
    let shown = || printable_path(path);
    let bytes = read_regular_file(path, MAX_FILE).with_context(shown)?;
    let text = String::from_utf8(bytes).ok().context("not UTF-8 text").with_context(shown)?;
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    Preset::parse(&stem, &text).with_context(shown)
}

fn list(arguments: &ListArguments) -> anyhow::Result<String> {
    let presets = Preset::ALL.into_iter().map(|(name, _)| Preset::named(name)).collect::<Result<Vec<_>, _>>()?;
    if arguments.json {
        let presets: Vec<_> = presets
            .iter()
            .map(|preset| serde_json::json!({ "name": preset.name, "description": preset.description }))
            .collect();
        let document = serde_json::json!({ "schema": 1, "presets": presets });
        return Ok(serde_json::to_string_pretty(&document)? + "\n");
    }
    let mut text = String::new();
    for Preset { name, description, .. } in &presets {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{name:<8} {description}");
    }
    Ok(text)
}

fn document(preset: &Preset) -> anyhow::Result<String> {
    let keys: Vec<_> = KEYS
        .iter()
        .map(|key| {
            serde_json::json!({
                "key": key.name, "value": key.value(&preset.config), "unit": key.unit,
                "range": key.range.about(key.name), "meaning": key.meaning,
            })
        })
        .collect();
    let document = serde_json::json!({
        "schema": 1, "name": preset.name, "description": preset.description, "keys": keys,
    });
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

/// Formats every key as a line with value, unit and range, followed by its meaning.
fn explained(preset: &Preset, color: bool) -> String {
    let (bold, plain) = if color { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
    let mut text = String::new();
    for line in wrapped(&format!("{}: {}", printable(&preset.name), printable(&preset.description)), COLUMNS) {
        text.push_str(&line);
        text.push('\n');
    }
    // Writing to a string cannot fail.
    let _ = writeln!(text, "\n{:<20}{:<14}{:<9}range", "key", "value", "unit");
    for key in KEYS {
        let (value, range) = (key.value(&preset.config), key.range.about("x"));
        let _ = writeln!(text, "{bold}{:<20}{value:<14}{plain}{:<9}{range}", key.name, key.unit);
        for line in wrapped(key.meaning, COLUMNS - 4) {
            let _ = writeln!(text, "    {line}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_explained_in_eighty_columns() {
        for (name, _) in Preset::ALL {
            let preset = Preset::named(name).unwrap();
            let text = explained(&preset, false);
            assert!(text.lines().all(|line| line.chars().count() <= COLUMNS), "{text}");
            let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
            for key in KEYS {
                assert!(words.contains(&format!("{} {} ", key.name, key.value(&preset.config))), "{}", key.name);
                assert!(words.contains(key.meaning), "{}", key.name);
            }
        }
    }

    #[test]
    fn values_in_the_document_are_typed() {
        let document: serde_json::Value =
            serde_json::from_str(&document(&Preset::named("seed").unwrap()).unwrap()).unwrap();
        assert_eq!(document["keys"].as_array().unwrap().len(), KEYS.len());
        let rate = &document["keys"].as_array().unwrap().iter().find(|key| key["key"] == "learning_rate").unwrap();
        assert_eq!((&rate["value"], &rate["range"]), (&0.01.into(), &"0 < learning_rate ≤ 10".into()));
    }

    #[test]
    fn presets_come_from_names_or_files() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.toml");
        std::fs::write(&path, "base = \"quick\"\ndescription = \"mine\"\nsize = 96\n").unwrap();
        let mine = load(path.to_str().unwrap()).unwrap();
        assert_eq!((mine.name.as_str(), mine.config.size), ("mine", 96));
        std::fs::write(&path, "base = \"quick\"\nsize = 9\n").unwrap();
        let wrong = format!("{:#}", load(path.to_str().unwrap()).unwrap_err());
        assert!(wrong.ends_with("mine.toml: line 2: size = 9 is out of range: 32 ≤ size ≤ 4096"), "{wrong}");
        assert_eq!(Outcome::of(&load("fast").unwrap_err()), Outcome::WrongUse);
        assert_eq!(Outcome::of(&load("gone.toml").unwrap_err()), Outcome::Failed);
    }
}
