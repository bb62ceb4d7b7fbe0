//! The user's settings on the command line: where they are, what they are, and what a mistake in them does.

use std::fs;
use std::path::Path;
use std::process::Output;

use mammoscope_test_support::mammoscope;
use serde_json::Value;

/// Runs a command as a user whose home is this folder.
fn run(home: &Path, arguments: &[&str]) -> Output {
    let mut command = mammoscope();
    for variable in ["MAMMOSCOPE_CONFIG", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"] {
        command.env_remove(variable);
    }
    command.current_dir(home).env("HOME", home).args(arguments).output().unwrap()
}

fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

#[test]
fn the_first_file_is_written_once_and_changes_nothing() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join(".config/mammoscope/config.toml");
    assert_eq!(stdout(&run(home.path(), &["config", "path"])).trim_end(), path.to_str().unwrap());
    let before = run(home.path(), &["config", "show"]);
    assert!(stdout(&before).contains("does not exist"), "{}", stdout(&before));
    assert!(run(home.path(), &["config", "init"]).status.success());
    let after = run(home.path(), &["config", "show"]);
    let rows = |output: &Output| stdout(output).lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(rows(&before), rows(&after));
    fs::write(&path, "mouse = false\n").unwrap();
    let again = run(home.path(), &["config", "init"]);
    assert_eq!(again.status.code(), Some(1));
    assert!(stderr(&again).contains("it stays as it is"), "{}", stderr(&again));
    assert_eq!(fs::read_to_string(&path).unwrap(), "mouse = false\n");
}

#[test]
fn values_are_shown_with_their_lines() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join(".config/mammoscope/config.toml");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, "theme = \"dark\"\nworkspace = \"~/density\"\n\n[keys]\nfind = [\"/\", \"ctrl-f\"]\n").unwrap();
    let shown = run(home.path(), &["config", "show"]);
    let home_text = home.path().to_str().unwrap();
    for (name, value, origin) in [
        ("theme", "dark", "line 1"),
        ("mouse", "on", "default"),
        ("notifications", "off", "default"),
        ("workspace", &format!("{home_text}/density"), "line 2"),
        ("keys.find", "/ Ctrl-F", "line 5"),
    ] {
        let row = stdout(&shown).lines().find(|line| line.trim_start().starts_with(name)).unwrap();
        assert!(row.contains(value) && row.ends_with(origin), "{row}");
    }
    let document: Value = serde_json::from_slice(&run(home.path(), &["config", "show", "--json"]).stdout).unwrap();
    assert_eq!(document["keys"]["find"][1], "Ctrl-F");
    assert_eq!((document["lines"]["workspace"].as_u64(), document["mouse"].as_bool()), (Some(2), Some(true)));
    assert_eq!(document["path"].as_str(), path.to_str());
}

#[test]
fn the_workspace_of_the_settings_gives_way_to_the_folder_and_the_command_line() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join(".config/mammoscope/config.toml");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, "workspace = \"~/usual\"\n").unwrap();
    let used = |arguments: &[&str]| {
        let output = run(home.path(), &[&["runs", "--json"], arguments].concat());
        assert!(output.status.success(), "{}", stderr(&output));
        let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let workspace = std::path::PathBuf::from(document["workspace"].as_str().unwrap());
        workspace.file_name().unwrap().to_string_lossy().into_owned()
    };
    assert_eq!(used(&["--workspace", "mine"]), "mine");
    fs::create_dir(home.path().join("workspace")).unwrap();
    assert_eq!(used(&[]), "workspace");
    fs::remove_dir(home.path().join("workspace")).unwrap();
    assert_eq!(used(&[]), "usual");
    assert!(!home.path().join("usual").exists() && !home.path().join(".local").exists(), "reading creates nothing");
}

#[test]
fn a_mistake_is_a_warning_in_one_line_except_where_it_matters() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join(".config/mammoscope/config.toml");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mistake = format!("{}, line 2: keys: unknown verb 'fnd', perhaps find", path.display());
    fs::write(&path, "workspace = \"/dev/null/none\"\nkeys.fnd = \"x\"\n").unwrap();
    // The other settings count.
    let runs = run(home.path(), &["runs"]);
    assert_eq!(runs.status.code(), Some(1));
    assert!(stderr(&runs).contains("/dev/null/none"), "{}", stderr(&runs));
    let runs = run(home.path(), &["runs", "--workspace", "ws"]);
    assert!(runs.status.success(), "scripts do not depend on it");
    assert!(stderr(&runs).starts_with("warning: ") && stderr(&runs).contains(&mistake), "{}", stderr(&runs));
    assert_eq!(stderr(&runs).lines().filter(|line| line.contains("config.toml")).count(), 1);
    for command in [&["config", "show"][..], &["attach", "--workspace", "ws"], &["--workspace", "ws"]] {
        let output = run(home.path(), command);
        assert_eq!(output.status.code(), Some(1), "{command:?}");
        assert!(stderr(&output).starts_with(&format!("error: {mistake}")), "{}", stderr(&output));
        assert_eq!(stderr(&output).lines().count(), 1, "{}", stderr(&output));
    }
    let doctor = run(home.path(), &["doctor"]);
    let row = stdout(&doctor).lines().find(|line| line.trim_start().starts_with("settings")).unwrap();
    assert!(row.contains("warning") && row.contains(&mistake), "{row}");
    assert!(stderr(&doctor).is_empty(), "{}", stderr(&doctor));
}
