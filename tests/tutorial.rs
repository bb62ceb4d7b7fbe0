//! The commands of the tutorial for learners run as they stand there, in an empty folder.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::Command;

/// The blocks of commands below a heading of the second level, up to the next one.
fn commands(text: &str, heading: &str) -> Vec<String> {
    let (_, section) = text.split_once(&format!("\n## {heading}\n")).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let blocks = section.split("```sh\n").skip(1);
    blocks.map(|block| block.split_once("```").unwrap().0.to_owned()).collect()
}

fn tutorial() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/tutorial.md")).unwrap()
}

#[test]
fn the_way_of_the_learner_can_be_gone() {
    let blocks = commands(&tutorial(), "To learn");
    assert!(blocks.len() > 8 && blocks.concat().contains("mammoscope evaluate"), "{blocks:#?}");
    let folder = tempfile::tempdir().unwrap();
    // One shell for all blocks, as a person has it; `-x` shows where it ended.
    let programs = support::engine().parent().unwrap().to_owned();
    let mut path = OsString::from(&programs);
    path.push(":");
    path.push(env::var_os("PATH").unwrap_or_default());
    let mut shell = Command::new("sh");
    shell.args(["-eux", "-c", &blocks.join("\n")]).current_dir(folder.path());
    shell.env("PATH", path).env("OMP_WAIT_POLICY", "PASSIVE").env_remove("MAMMOSCOPE_ENGINE");
    let output = shell.output().unwrap();
    let (said, errors) = (String::from_utf8_lossy(&output.stdout), support::stderr_of(&output));
    assert!(output.status.success(), "{said}\n{errors}");
    let made = folder.path().join("tutorial");
    let runs = support::names_in(&made.join("workspace/runs"));
    for (name, count) in [("by-heart", 1), ("first", 1), ("long", 1), ("four", 4)] {
        assert_eq!(runs.iter().filter(|run| run.ends_with(name)).count(), count, "{runs:?}");
    }
    // The interrupted run came to its end, and its history has no gap.
    let long = runs.iter().find(|run| run.ends_with("long")).unwrap();
    let history = fs::read_to_string(made.join("workspace/runs").join(long).join("loss_train.txt")).unwrap();
    assert_eq!(history.lines().count(), 8);
    assert!(made.join("figures/evaluation.json").is_file());
    assert!(said.contains("kappa"), "{said}");
}

#[test]
fn all_commands_of_the_tutorial_exist() {
    let text = tutorial();
    let blocks = [commands(&text, "To learn"), commands(&text, "With data and a GPU")].concat();
    let mut tried = 0;
    for line in blocks.iter().flat_map(|block| block.lines()) {
        let Some(words) = line.trim_start().strip_prefix("mammoscope ") else { continue };
        let subcommand = words.split_whitespace().next().unwrap();
        let help = support::mammoscope().args([subcommand, "--help"]).output().unwrap();
        assert!(help.status.success(), "{line}: {}", support::stderr_of(&help));
        let help = String::from_utf8(help.stdout).unwrap();
        for option in words.split_whitespace().filter(|word| word.starts_with("--")) {
            // Subcommands of subcommands have options of their own.
            assert!(help.contains(option) || help.contains("Commands:"), "{line}: {option}");
        }
        tried += 1;
    }
    assert!(tried > 15, "{tried}");
}
