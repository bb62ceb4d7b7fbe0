//! A workspace that version 0.1.0 wrote before the code was split into crates: its files are read and written as
//! before, and the JSON of the commands is the same.

use std::fs;
use std::path::{Path, PathBuf};

use mammoscope_domain::run::run_event::RunEvent;
use mammoscope_storage::runs::manifest_file::{read_manifest, write_manifest};
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::run_spec_file::{read_run_spec, write_run_spec};
use mammoscope_storage::runs::run_status_file::{read_status, write_status};
use mammoscope_test_support::{fixture, mammoscope, names_in, stderr_of};
use serde_json::Value;

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in names_in(from) {
        let (from, to) = (from.join(&entry), to.join(&entry));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::write(&to, fs::read(&from).unwrap()).unwrap();
        }
    }
}

/// A copy of the recorded workspace.
fn workspace() -> (tempfile::TempDir, Vec<RunDir>) {
    let folder = tempfile::tempdir().unwrap();
    copy(&fixture("recorded_workspace/runs"), &folder.path().join("runs"));
    let runs = names_in(&folder.path().join("runs"));
    let runs = runs.into_iter().map(|run| RunDir::new(folder.path().join("runs").join(run))).collect();
    (folder, runs)
}

#[test]
fn recorded_events_round_trip_byte_for_byte() {
    let (_folder, runs) = workspace();
    let mut kinds = std::collections::BTreeSet::new();
    for run in &runs {
        let text = fs::read_to_string(run.path().join("events.jsonl")).unwrap();
        for line in text.lines() {
            let event: RunEvent = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            assert_eq!(serde_json::to_string(&event).unwrap(), line);
            let value: Value = serde_json::from_str(line).unwrap();
            kinds.insert(value["event"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(runs.len(), 4);
    assert!(kinds.len() >= 14, "{kinds:?}");
}

#[test]
fn manifests_statuses_and_specs_round_trip() {
    let (_folder, runs) = workspace();
    for run in &runs {
        let bytes = |name: &str| fs::read_to_string(run.path().join(name)).unwrap();
        let before = [bytes("dataset.json"), bytes("status.json"), bytes("run.toml")];
        let manifest = read_manifest(&run.manifest()).unwrap();
        write_manifest(&run.manifest(), &manifest).unwrap();
        let status = read_status(&run.status()).unwrap();
        write_status(&run.status(), &status).unwrap();
        let spec = read_run_spec(&run.spec()).unwrap();
        fs::remove_file(run.path().join("run.toml")).unwrap();
        write_run_spec(&run.spec(), &spec).unwrap();
        // The file is recorded without the checksum that stands first in it now.
        let (start, rest) = before[0].split_at("{\n".len());
        let written = bytes("dataset.json");
        let checksum = written[start.len()..].split_inclusive('\n').next().unwrap();
        assert!(checksum.starts_with("  \"crc32c\": \""), "{checksum}");
        assert_eq!(written, [start, checksum, rest].concat());
        assert_eq!(bytes("status.json"), before[1]);
        let is_key = |line: &&str| !line.starts_with('#');
        let keys = |text: &str| text.lines().filter(is_key).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(keys(&bytes("run.toml")), keys(&before[2]));
    }
}

#[test]
fn the_json_of_commands_is_unchanged() {
    let (folder, runs) = workspace();
    let table = |view: &str| format!("runs/2026-11-30T01-50-15_{view}_recorded/predictions/validation.csv");
    let mut cases: Vec<(Vec<String>, String)> = vec![
        (vec!["runs".into()], "runs.json".into()),
        (vec!["evaluate".into(), table("CC_R"), table("MLO_L")], "evaluate_tables.json".into()),
    ];
    for run in &runs {
        cases.push((vec!["status".into(), run.name()], format!("status_{}.json", run.name())));
    }
    for (arguments, expected) in cases {
        let mut command = mammoscope();
        command.current_dir(folder.path()).args(["--workspace", "."]).args(&arguments).arg("--json");
        let output = command.output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", stderr_of(&output));
        let root: PathBuf = folder.path().canonicalize().unwrap();
        let printed = String::from_utf8(output.stdout).unwrap().replace(root.to_str().unwrap(), "WORKSPACE");
        let expected = fs::read_to_string(fixture("recorded_workspace/expected").join(expected)).unwrap();
        assert_eq!(without_ages(&printed), without_ages(&expected), "{arguments:?}");
    }
}

/// The lines of a JSON document, without the age after a condition, as in `completed · 3 s ago`.
fn without_ages(text: &str) -> Vec<String> {
    let line = |line: &str| match line.split_once(" · ") {
        Some((condition, _)) if condition.trim_start().starts_with("\"condition\"") => format!("{condition}\","),
        _ => line.to_owned(),
    };
    text.lines().map(line).collect()
}
