//! `mammoscope doctor`: checks the machine and gives advice on what is missing.

mod engine;
mod machine;
mod settings;
mod terminal;
mod workspace;

use std::fmt::Write as _;
use std::path::Path;

use clap::Args;
use serde::Serialize;

use super::console::{Console, Outcome, print_result};
use super::workbench::Workbench;
use mammoscope_engine_client::engine_location::locate_engine;
use mammoscope_engine_client::engine_probe::{PROBE_TIMEOUT, probe_engine};
use mammoscope_engine_protocol::engine_facts::EngineFacts;

/// Check this machine, with advice on anything that is missing
///
/// Checks the engine and its libtorch, CUDA and the GPUs, the processor, the cache, the workspace, the terminal and
/// your settings. The exit status is
/// 0 if the program can do its work, otherwise 1. A GPU is useful but not required.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mammoscope doctor                          a table to read
  mammoscope doctor --json | jq .ready       one JSON document: docs/doctor.md
  MAMMOSCOPE_ENGINE=/opt/engine mammoscope doctor
                                             check another engine")]
pub(super) struct DoctorArguments {
    /// Print one JSON document instead of the table
    #[arg(long)]
    json: bool,
}

/// The result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Ok,
    /// It works, but not as well as it could.
    Warning,
    Missing,
}

/// One check with its finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Check {
    name: &'static str,
    state: State,
    /// Safe to print.
    found: String,
    /// One line per step to take; may be empty.
    advice: Vec<String>,
}

impl Check {
    fn new(name: &'static str, state: State, found: impl Into<String>) -> Self {
        Self { name, state, found: found.into(), advice: Vec::new() }
    }

    fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice.push(advice.into());
        self
    }
}

/// The document that `--json` prints.
#[derive(Debug, Serialize)]
struct Findings {
    schema: u32,
    version: &'static str,
    /// The program can do its work.
    ready: bool,
    checks: Vec<Check>,
    /// The engine's answer to the probe; `None` if it gave none.
    engine: Option<EngineFacts>,
}

pub(super) fn run(
    arguments: &DoctorArguments,
    workspace: Option<&Path>,
    workbench: &Workbench<'_>,
    console: &Console,
) -> anyhow::Result<Outcome> {
    let findings = examine(workspace, workbench);
    let text = if arguments.json {
        serde_json::to_string_pretty(&findings)? + "\n"
    } else {
        table(&findings, console.color())
    };
    print_result(&text)?;
    Ok(if findings.ready { Outcome::Done } else { Outcome::Failed })
}

fn examine(workspace: Option<&Path>, workbench: &Workbench<'_>) -> Findings {
    let location = locate_engine();
    let probed = location.as_ref().ok().map(|location| probe_engine(&location.path, PROBE_TIMEOUT));
    let facts = probed.as_ref().and_then(|probed| probed.as_ref().ok());
    let gpus = machine::NvidiaDriver::ask();
    let mut checks = engine::checks(&location, probed.as_ref());
    checks.extend(machine::checks(&gpus, facts));
    checks.push(workspace::check(workspace));
    checks.push(terminal::check());
    checks.push(settings::check(workbench));
    let ready = checks.iter().any(|check| check.name == "engine" && check.state == State::Ok);
    let engine = facts.cloned();
    Findings { schema: 1, version: env!("CARGO_PKG_VERSION"), ready, checks, engine }
}

fn table(findings: &Findings, color: bool) -> String {
    let name_width = findings.checks.iter().map(|check| check.name.len()).max().unwrap_or(0);
    let mut text = format!("mammoscope {}\n\n", findings.version);
    for check in &findings.checks {
        let (label, sgr) = match check.state {
            State::Ok => ("ok     ", "32"),
            State::Warning => ("warning", "33"),
            // Only the engine is required; nothing else that is missing counts as a fault.
            State::Missing if check.name == "engine" => ("missing", "31"),
            State::Missing => ("missing", "2"),
        };
        let label = if color { format!("\x1b[{sgr}m{label}\x1b[0m") } else { label.to_owned() };
        let name = check.name;
        writeln!(text, "  {name:name_width$}  {label}  {}", check.found).expect("a String takes all");
        for advice in &check.advice {
            // Aligned with the finding: two spaces, the name, two spaces, the label, two spaces.
            writeln!(text, "{:indent$}→ {advice}", "", indent = name_width + 13).expect("a String takes all");
        }
    }
    let verdict = if findings.ready {
        "The program can do its work."
    } else {
        "Without its engine the program can show and evaluate, but not train, predict or explain."
    };
    writeln!(text, "\n{verdict}").expect("a String takes all");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings() -> Findings {
        let checks = vec![
            Check::new("engine", State::Ok, "0.1.0"),
            Check::new("terminal", State::Warning, "16 colours").advise("set COLORTERM"),
            Check::new("GPUs", State::Missing, "none"),
        ];
        Findings { schema: 1, version: "0.1.0", ready: true, checks, engine: None }
    }

    #[test]
    fn columns_are_aligned_with_and_without_colour() {
        let plain = table(&findings(), false);
        let expected = "mammoscope 0.1.0\n\n  engine    ok       0.1.0\n  terminal  warning  16 colours\n                     → \
                        set COLORTERM\n  GPUs      missing  none\n\nThe program can do its work.\n";
        assert_eq!(plain, expected);
        let colored = table(&findings(), true);
        let stripped = ["\x1b[32m", "\x1b[33m", "\x1b[2m", "\x1b[0m"]
            .iter()
            .fold(colored.clone(), |text, sequence| text.replace(sequence, ""));
        assert_ne!(colored, plain);
        assert_eq!(stripped, plain);
    }

    #[test]
    fn everything_is_checked_once() {
        let workbench = Workbench::new(&|_| Ok(()), &|_| Ok(()));
        let names: Vec<&str> = examine(None, &workbench).checks.iter().map(|check| check.name).collect();
        let all = [
            "engine",
            "libtorch",
            "CUDA",
            "driver",
            "GPUs",
            "cores",
            "processor",
            "cache",
            "workspace",
            "terminal",
            "settings",
        ];
        assert_eq!(names, all);
    }
}
