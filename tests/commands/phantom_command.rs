//! `mammoscope phantom` as a user runs it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use mammoscope_test_support::shipped;

fn phantom(out: &Path, arguments: &str) -> assert_cmd::assert::Assert {
    let mut command = Command::cargo_bin("mammoscope").expect("the binary of this package");
    command.arg("phantom").arg(out).args(arguments.split_whitespace()).assert()
}

/// The contents of every file below a folder, by relative path.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    walkdir::WalkDir::new(folder)
        .into_iter()
        .map(|entry| entry.expect("a readable folder"))
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            let path = entry.path().strip_prefix(folder).expect("a path below the folder").to_owned();
            (path, fs::read(entry.path()).expect("a readable file"))
        })
        .collect()
}

fn stderr(assert: &assert_cmd::assert::Assert) -> String {
    String::from_utf8_lossy(&assert.get_output().stderr).into_owned()
}

#[test]
fn the_shipped_test_set_can_be_reproduced() {
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let made = temporary.path().join("testset");
    phantom(&made, "--subjects 4 --size 512 --seed 1").success();
    let mut expected = contents(&shipped("testset"));
    expected.remove(Path::new("README.md")).expect("the test set has a README");
    let made = contents(&made);
    assert_eq!(made.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    for (path, bytes) in &expected {
        // Only the pixels count: their compression depends on the zlib in the build.
        if path.extension().is_some_and(|extension| extension == "png") {
            let [made, expected] = [&made[path], bytes].map(|bytes| image::load_from_memory(bytes).expect("a PNG"));
            assert!(made == expected, "{} differs", path.display());
        } else {
            assert!(made[path] == *bytes, "{} differs", path.display());
        }
        assert!(bytes.len() <= 150_000, "{} has {} bytes", path.display(), bytes.len());
    }
    let images = expected.keys().filter(|path| path.components().count() == 3).count();
    assert_eq!(images, 16, "one image per class and view");
}

#[test]
fn the_layout_is_the_references_plus_masks() {
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let out = temporary.path().join("phantom");
    let assert = phantom(&out, "--subjects 5 --size 32 --seed 7").success();
    let stdout = String::from_utf8_lossy(&assert.get_output().stdout).into_owned();
    assert!(stdout.starts_with("5 subjects (2 A, 1 B, 1 C, 1 D), 20 images of 32 px"), "{stdout}");
    assert!(stdout.contains("not for clinical use"), "{stdout}");
    let files = contents(&out);
    // Three files per CC view, four per MLO view, and the manifest.
    assert_eq!(files.len(), 5 * (3 + 3 + 4 + 4) + 1);
    for name in ["CC_L/A/5_1_A_CC_L.png", "MLO_R/D/masks/4_1_D_MLO_R_pectoral.png", "CC_R/B/masks/2_1_B_CC_R_dense.png"]
    {
        assert!(files.contains_key(Path::new(name)), "{name}");
    }
    let manifest: serde_json::Value = serde_json::from_slice(&files[Path::new("phantom.json")]).expect("JSON");
    assert_eq!(manifest["notice"], "synthetic, not for clinical use");
    assert_eq!(manifest["complete"], true);
    assert_eq!(manifest["subjects"][4]["label"], "A");
    assert_eq!(manifest["subjects"][4]["views"].as_array().map(Vec::len), Some(4));
}

#[test]
fn a_phantom_set_is_completed_and_extended_but_never_mixed() {
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let (fresh, grown) = (temporary.path().join("fresh"), temporary.path().join("grown"));
    phantom(&fresh, "--subjects 6 --size 32 --seed 7").success();
    phantom(&grown, "--subjects 3 --size 32 --seed 7").success();
    fs::remove_file(grown.join("CC_L/B/2_1_B_CC_L.png")).expect("the file was made");
    phantom(&grown, "--subjects 6 --size 32 --seed 7").success();
    assert!(contents(&grown) == contents(&fresh), "an extended set equals one made at once");

    let before = contents(&grown);
    for (arguments, word) in [
        ("--subjects 6 --size 32 --seed 8", "seed"),
        ("--subjects 6 --size 33 --seed 7", "pixels"),
        ("--subjects 6 --size 32 --seed 7 --overlap", "--overlap"),
        ("--subjects 5 --size 32 --seed 7", "subjects"),
    ] {
        let message = stderr(&phantom(&grown, arguments).code(2));
        assert!(message.contains(word), "{arguments}: {message}");
    }
    assert!(contents(&grown) == before, "a refusal changes nothing");
}

#[test]
fn wrong_use_gives_one_line_and_touches_nothing() {
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let out = temporary.path().join("out");
    let message = stderr(&phantom(&out, "--subjects 2 --size 31").code(2));
    assert!(message.contains("32") && message.lines().count() == 1, "{message}");
    assert!(!out.exists());
    phantom(&out, "--subjects 0").code(2);

    fs::write(temporary.path().join("notes.txt"), "mine").expect("room on disk");
    let message = stderr(&phantom(temporary.path(), "--subjects 2 --size 32").code(2));
    assert!(message.contains("not empty") && message.lines().count() == 1, "{message}");
    assert_eq!(contents(temporary.path()).len(), 1);
    let message = stderr(&phantom(&temporary.path().join("notes.txt"), "--subjects 2 --size 32").code(2));
    assert!(message.contains("is a file"), "{message}");

    fs::create_dir(&out).expect("room on disk");
    fs::write(out.join("phantom.json"), "{").expect("room on disk");
    let message = stderr(&phantom(&out, "--subjects 2 --size 32").code(1));
    assert!(message.contains("phantom.json") && message.lines().count() == 1, "{message}");
}

#[cfg(unix)]
#[test]
fn ctrl_c_leaves_whole_files_and_the_same_command_continues() {
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let out = temporary.path().join("phantom");
    let arguments = "--subjects 160 --size 48 --seed 3";
    let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin("mammoscope"))
        .arg("phantom")
        .arg(&out)
        .args(arguments.split_whitespace())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the binary starts");
    // The first image shows that it is running.
    while !out.join("CC_R/A/1_1_A_CC_R.png").exists() {
        assert!(child.try_wait().expect("a child to wait for").is_none(), "it ended before its first image");
        std::thread::yield_now();
    }
    let sent = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(sent.expect("kill is there").success());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
    for (path, bytes) in contents(&out).iter().filter(|(path, _)| !path.ends_with("phantom.json")) {
        assert!(path.extension().is_some_and(|extension| extension == "png"), "{} is left over", path.display());
        image::load_from_memory(bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
    phantom(&out, arguments).success();
    let fresh = temporary.path().join("fresh");
    phantom(&fresh, arguments).success();
    assert!(contents(&out) == contents(&fresh), "a continued set equals one made at once");
}
