//! `mammoscope doctor`, `completions` and `man`, as they are typed, with shell scripts in the engine's place.
#![cfg(unix)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command as System, Output};

use assert_cmd::Command;
use mammoscope_engine_protocol::protocol::{PROTOCOL_VERSION, VERSION};
use serde_json::Value;

/// What an engine of this build says of itself.
fn answer() -> String {
    let facts = r#""libtorch":"2.11.0","library_folder":"/opt/torch/lib","threads":1,"cpu_bf16":false"#;
    let cuda = r#"{"state":"no_driver","detail":"","devices":[]}"#;
    format!(r#"{{"engine_version":"{VERSION}","protocol":{PROTOCOL_VERSION},{facts},"cuda":{cuda}}}"#)
}

fn mammoscope() -> Command {
    Command::cargo_bin("mammoscope").expect("the binary is built beside the test")
}

/// Written by another process: a program that this one has just written may be "busy" while a test beside starts one.
fn engine(folder: &Path, script: &str) -> PathBuf {
    let path = folder.join("an engine");
    let write = r#"printf '#!/bin/sh\n%s\n' "$2" > "$1" && chmod +x "$1""#;
    let status = System::new("sh").args(["-c", write, "sh"]).arg(&path).arg(script).status().expect("sh starts");
    assert!(status.success());
    path
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
fn a_working_engine_is_enough() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path(), &format!("test \"$1\" = probe && echo '{}'", answer()));
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
fn an_engine_that_does_not_work_is_told_in_words() {
    let cases = [
        ("echo 'no such instruction' >&2; exit 3", "ended with status 3: no such instruction"),
        ("kill -KILL $$", "ended by signal 9"),
        ("echo '<html>'", "is not understood"),
        ("true", "gave no answer"),
        (
            "echo 'engine: error while loading shared libraries: libtorch_cpu.so: cannot open' >&2; exit 127",
            "cargo xtask setup",
        ),
    ];
    for (script, expected) in cases {
        let folder = tempfile::tempdir().unwrap();
        let output = doctor(&engine(folder.path(), script), &[]);
        assert_eq!(output.status.code(), Some(1), "{script}");
        let shown = text(&output.stdout);
        assert!(shown.contains(expected), "{script}: {shown}");
    }
}

#[test]
fn a_missing_engine_is_told_with_what_to_do() {
    let output = doctor(Path::new("/nonexistent/engine"), &["--json"]);
    assert_eq!(output.status.code(), Some(1));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["ready"], false);
    assert_eq!(document["engine"], Value::Null);
    assert!(document["checks"][0]["found"].as_str().unwrap().contains("MAMMOSCOPE_ENGINE"));
}

#[test]
fn a_completion_script_and_manual_pages_are_written() {
    let script = mammoscope().args(["completions", "bash"]).output().unwrap();
    assert!(script.status.success());
    assert!(text(&script.stdout).contains("complete -F _mammoscope"));
    let unknown = mammoscope().args(["completions", "no-shell"]).output().unwrap();
    assert_eq!(unknown.status.code(), Some(2));

    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("man1");
    let written = mammoscope().arg("man").arg(&pages).output().unwrap();
    assert!(written.status.success() && written.stdout.is_empty());
    assert!(fs::read_to_string(pages.join("mammoscope-doctor.1")).unwrap().contains("Examples"));
}
