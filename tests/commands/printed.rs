//! Printed tables and help texts, word for word.

use std::path::Path;

use assert_cmd::Command;

fn printed(arguments: &[&str]) -> String {
    let mut command = Command::cargo_bin("mammoscope").expect("the binary of this package");
    command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures"));
    let output = command.args(arguments).env("NO_COLOR", "1").output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn commands() {
    insta::assert_snapshot!(printed(&["--help"]));
}

#[test]
fn presets() {
    let list = printed(&["preset", "list"]);
    let explained = printed(&["preset", "show", "seed"]);
    assert!(list.lines().chain(explained.lines()).all(|line| line.chars().count() <= 80));
    insta::assert_snapshot!(format!("{list}\n{explained}"));
}

#[test]
fn network_layer_by_layer() {
    insta::assert_snapshot!(printed(&["model", "summary"]));
}

#[test]
fn figures_of_merit_of_the_reference() {
    let files = ["CC_R=predictions_ccr.txt", "MLO_R=predictions_mlor.txt"];
    let text = printed(&[&["evaluate", "--class-counts", "14,51,50,13", "--seed-txt"], &files[..]].concat());
    assert!(text.lines().all(|line| line.chars().count() <= 80), "every line fits in 80 columns");
    insta::assert_snapshot!(text);
}
