//! `mammoscope doctor`, `completions` and `man` as a user runs them, with shell scripts in the engine's place.
#![cfg(unix)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use assert_cmd::Command;
use mammoscope_engine_protocol::{PROTOCOL_VERSION, VERSION};
use mammoscope_test_support::script;
use serde_json::Value;

/// The answer of an engine of this build to a probe.
fn probe_answer() -> String {
    let facts = r#""libtorch":"2.11.0","library_folder":"/opt/torch/lib","threads":1,"cpu_bf16":false"#;
    let cuda = r#"{"state":"no_driver","detail":"","devices":[]}"#;
    format!(r#"{{"engine_version":"{VERSION}","protocol":{PROTOCOL_VERSION},{facts},"cuda":{cuda}}}"#)
}

fn mammoscope() -> Command {
    Command::cargo_bin("mammoscope").expect("the binary is built beside the test")
}

fn engine(folder: &Path, body: &str) -> PathBuf {
    script(&folder.join("an engine"), body)
}

fn doctor(engine: &Path, arguments: &[&str]) -> Output {
    let mut command = mammoscope();
    command.arg("doctor").args(arguments).env("MAMMOSCOPE_ENGINE", engine).env("API_TOKEN", "do-not-show");
    command.output().expect("the program runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

#[test]
fn a_working_engine_passes() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path(), &format!("test \"$1\" = probe && echo '{}'", probe_answer()));
    let table = doctor(&engine, &[]);
    assert_eq!(table.status.code(), Some(0), "{}", text(&table.stdout));
    let shown = text(&table.stdout);
    assert!(shown.contains("2.11.0 in /opt/torch/lib") && shown.contains("can do its work"), "{shown}");
    assert!(!shown.contains("do-not-show") && !shown.contains('\u{1b}'), "{shown}");

    let json = doctor(&engine, &["--json"]);
    let document: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(document["schema"], 1);
    assert_eq!(document["ready"], true);
    assert_eq!(document["engine"]["cuda"]["state"], "no_driver");
    assert_eq!(document["checks"][0]["name"], "engine");
    assert_eq!(document["checks"][0]["state"], "ok");
}

#[test]
fn a_broken_engine_is_reported_with_its_reason() {
    let cases = [
        ("echo 'no such instruction' >&2; exit 3", "ended with status 3: no such instruction"),
        ("kill -KILL $$", "killed by signal 9"),
        ("echo '<html>'", "is not valid"),
        ("true", "gave no answer"),
        (
            "echo 'engine: error while loading shared libraries: libtorch_cpu.so: cannot open' >&2; exit 127",
            "cargo xtask setup",
        ),
    ];
    for (body, expected) in cases {
        let folder = tempfile::tempdir().unwrap();
        let output = doctor(&engine(folder.path(), body), &[]);
        assert_eq!(output.status.code(), Some(1), "{body}");
        let shown = text(&output.stdout);
        assert!(shown.contains(expected), "{body}: {shown}");
    }
}

#[test]
fn a_missing_engine_is_reported_with_a_remedy() {
    let output = doctor(Path::new("/nonexistent/engine"), &["--json"]);
    assert_eq!(output.status.code(), Some(1));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["ready"], false);
    assert_eq!(document["engine"], Value::Null);
    assert!(document["checks"][0]["found"].as_str().unwrap().contains("MAMMOSCOPE_ENGINE"));
}

#[test]
fn a_completion_script_and_manual_pages_are_written() {
    let completions = mammoscope().args(["completions", "bash"]).output().unwrap();
    assert!(completions.status.success());
    assert!(text(&completions.stdout).contains("complete -F _mammoscope"));
    let unknown = mammoscope().args(["completions", "no-shell"]).output().unwrap();
    assert_eq!(unknown.status.code(), Some(2));

    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("man1");
    let written = mammoscope().arg("man").arg(&pages).output().unwrap();
    assert!(written.status.success() && written.stdout.is_empty());
    assert!(fs::read_to_string(pages.join("mammoscope-doctor.1")).unwrap().contains("Examples"));
}
