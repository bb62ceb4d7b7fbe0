//! `mammoscope config`: the user's settings, their file, and a first one to edit.

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use serde_json::json;

use super::arguments::{Arguments, Command};
use super::console::{Console, Outcome, print_result};
use super::workbench::Workbench;
use crate::settings::{Origin, SettingRow, Settings, SettingsPlace, TEMPLATE};
use mammoscope_domain::text::printable::printable_path;

/// Show your settings, or make the file for them
///
/// The settings are in config.toml in your configuration folder, or in the file that `MAMMOSCOPE_CONFIG` names. The
/// command line takes precedence over them.
#[derive(Debug, Args)]
pub(super) struct ConfigArguments {
    #[command(subcommand)]
    question: Question,
}

#[derive(Debug, Subcommand)]
enum Question {
    Show(ShowArguments),
    Path(PathArguments),
    Init(InitArguments),
}

/// Print every setting with its value, and where it comes from
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mammoscope config show
  mammoscope config show --json")]
struct ShowArguments {
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Print the path of the file, whether it exists or not
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  $EDITOR \"$(mammoscope config path)\"")]
struct PathArguments {}

/// Write a file with every setting commented out
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mammoscope config init
  MAMMOSCOPE_CONFIG=ward.toml mammoscope config init")]
struct InitArguments {}

pub(super) fn run(
    arguments: &ConfigArguments,
    workbench: &Workbench<'_>,
    console: &Console,
) -> anyhow::Result<Outcome> {
    let settings = &workbench.settings;
    match &arguments.question {
        Question::Path(PathArguments {}) => {
            let place = place(settings)?;
            let path = place.path.to_str().with_context(|| format!("{} is not UTF-8", printable_path(&place.path)))?;
            print_result(&format!("{path}\n"))?;
        }
        Question::Show(arguments) => {
            let settings = workbench.usable_settings()?;
            print_result(&if arguments.json { document(settings)? } else { table(settings) })?;
        }
        Question::Init(InitArguments {}) => {
            let place = place(settings)?;
            write_template(place)?;
            console.note(format!("{} written; every line is commented out", printable_path(&place.path)));
        }
    }
    Ok(Outcome::Done)
}

/// Warns of a mistake in the settings, if the command neither opens the workbench nor shows the mistake itself.
pub(super) fn announce_mistake(arguments: &Arguments, workbench: &Workbench<'_>, console: &Console) {
    let Some(mistake) = &workbench.mistake else { return };
    let is_shown_there = matches!(
        arguments.command,
        None | Some(
            Command::Attach(_) | Command::Config(_) | Command::Doctor(_) | Command::Completions(_) | Command::Man(_)
        )
    );
    if !is_shown_there {
        console.warn(format!("{mistake}; it is ignored"));
    }
}

fn place(settings: &Settings) -> anyhow::Result<&SettingsPlace> {
    settings
        .place
        .as_ref()
        .context("no folder for settings: neither MAMMOSCOPE_CONFIG nor XDG_CONFIG_HOME nor HOME is set")
}

/// Writes the first file; an existing one stays as it is.
fn write_template(place: &SettingsPlace) -> anyhow::Result<()> {
    let path = &place.path;
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("make the folder {}", printable_path(folder)))?;
    }
    match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(mut file) => file.write_all(TEMPLATE.as_bytes()).with_context(|| format!("write {}", printable_path(path))),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            bail!("{} exists; it stays as it is", printable_path(path))
        }
        Err(error) => Err(error).with_context(|| format!("write {}", printable_path(path))),
    }
}

fn table(settings: &Settings) -> String {
    let mut text = match &settings.place {
        Some(place) if place.path.exists() => format!("{}\n\n", printable_path(&place.path)),
        Some(place) => {
            format!("{} (does not exist; `mammoscope config init` writes one)\n\n", printable_path(&place.path))
        }
        None => "no file\n\n".to_owned(),
    };
    let rows = settings.rows();
    let width = |column: fn(&SettingRow) -> &str| rows.iter().map(|row| column(row).chars().count()).max().unwrap_or(0);
    let (names, values) = (width(|row| &row.name), width(|row| &row.value));
    for row in &rows {
        writeln!(text, "  {:names$}  {:values$}  {}", row.name, row.value, row.origin).expect("a String takes all");
    }
    text
}

fn document(settings: &Settings) -> anyhow::Result<String> {
    let keys: serde_json::Map<_, _> = settings
        .keys
        .iter()
        .map(|verb| (verb.verb.clone(), json!(verb.keys.iter().map(ToString::to_string).collect::<Vec<_>>())))
        .collect();
    let lines: serde_json::Map<_, _> = settings
        .given
        .iter()
        .filter_map(|(name, origin)| Some(((*name).to_owned(), json!(line_of(*origin)?))))
        .collect();
    let document = json!({
        "schema": 1,
        "path": settings.place.as_ref().map(|place| &place.path),
        "theme": settings.theme.name(),
        "mouse": settings.mouse,
        "notifications": settings.run_end.name(),
        "workspace": settings.workspace,
        "keys": keys,
        "lines": lines,
    });
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

fn line_of(origin: Origin) -> Option<usize> {
    match origin {
        Origin::Line(line) => Some(line),
        Origin::CommandLine | Origin::Session => None,
    }
}
