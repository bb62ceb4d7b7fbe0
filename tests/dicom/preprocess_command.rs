//! `mammoscope preprocess`: outputs, manifest, continuation, and replay.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use mammoscope_test_support::{mammoscope, shared, stderr_of};
use serde_json::Value;
use walkdir::WalkDir;

fn preprocess(home: &Path, input: &Path, out: &Path, options: &[&str]) -> Output {
    mammoscope().env("XDG_DATA_HOME", home).arg("preprocess").arg(input).arg(out).args(options).output().unwrap()
}

fn archive(folder: &Path, subjects: &str) -> PathBuf {
    let archive = folder.join("archive");
    let made =
        mammoscope().arg("phantom").arg(&archive).args(["--subjects", subjects, "--size", "96", "--dicom"]).output();
    let made = made.unwrap();
    assert!(made.status.success(), "{}", stderr_of(&made));
    archive
}

fn images(out: &Path) -> BTreeSet<PathBuf> {
    let files = WalkDir::new(out).into_iter().map(|entry| entry.unwrap().into_path());
    files.filter(|path| path.extension().is_some_and(|extension| extension == "png")).collect()
}

fn manifest(out: &Path) -> Vec<Value> {
    let text = fs::read_to_string(out.join("manifest.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_run_is_complete_repeatable_and_replayed_bit_by_bit() {
    let folder = tempfile::tempdir().unwrap();
    let (home, out) = (folder.path().join("home"), folder.path().join("out"));
    let archive = archive(folder.path(), "4");
    let labels = archive.join("labels.csv");
    let first = preprocess(&home, &archive, &out, &["--labels", labels.to_str().unwrap()]);
    assert!(first.status.success(), "{}", stderr_of(&first));
    let written = images(&out);
    assert_eq!(written.len(), 16);
    for class in ["A", "B", "C", "D"] {
        assert_eq!(names(&out.join("MLO_L").join(class)).len(), 1, "{class}");
    }
    let bytes: Vec<_> = written.iter().map(|path| fs::read(path).unwrap()).collect();

    // Again: the same files, and nothing else; with another number of jobs as well.
    let again = preprocess(&home, &archive, &out, &["--labels", labels.to_str().unwrap(), "--jobs", "1"]);
    assert!(again.status.success(), "{}", stderr_of(&again));
    assert!(
        String::from_utf8_lossy(&again.stdout).contains("16 unchanged"),
        "{}",
        String::from_utf8_lossy(&again.stdout)
    );
    assert_eq!(images(&out), written);
    assert!(written.iter().zip(&bytes).all(|(path, bytes)| fs::read(path).unwrap() == *bytes));

    let verified = preprocess(&home, &archive, &out, &["--verify"]);
    assert!(verified.status.success(), "{}", stderr_of(&verified));
    assert!(String::from_utf8_lossy(&verified.stdout).contains("16 of 16 outputs"));
    let changed = written.first().unwrap();
    fs::write(changed, fs::read(written.last().unwrap()).unwrap()).unwrap();
    let verified = preprocess(&home, &archive, &out, &["--verify"]);
    assert_eq!(verified.status.code(), Some(1));
    assert!(stderr_of(&verified).contains("changed after it was written"), "{}", stderr_of(&verified));

    // Another key, other pseudonyms.
    let other = folder.path().join("other");
    let run = preprocess(&folder.path().join("home2"), &archive, &other, &[]);
    assert!(run.status.success() && String::from_utf8_lossy(&run.stdout).contains("16 without a class"));
    let subject = |record: &Value| record["subject"].as_str().unwrap().to_owned();
    let subjects: BTreeSet<_> = manifest(&out).iter().map(subject).collect();
    assert_eq!(subjects.len(), 4);
    assert!(manifest(&other).iter().map(subject).all(|subject| !subjects.contains(&subject)));
    assert_eq!(names(&other.join("CC_R")), ["unlabelled"]);
}

fn names(folder: &Path) -> Vec<String> {
    mammoscope_test_support::names_in(folder)
}

#[test]
fn a_damaged_file_costs_one_line_and_only_changes_are_done() {
    let folder = tempfile::tempdir().unwrap();
    let (home, out) = (folder.path().join("home"), folder.path().join("out"));
    let archive = archive(folder.path(), "2");
    let whole = fs::read(archive.join("PHANTOM-2/IM3")).unwrap();
    fs::write(archive.join("PHANTOM-2/IM3"), &whole[..whole.len() / 2]).unwrap();
    fs::write(archive.join("notes.txt"), "not an image").unwrap();
    let first = preprocess(&home, &archive, &out, &[]);
    assert_eq!(first.status.code(), Some(1));
    let refused: Vec<_> =
        stderr_of(&first).lines().filter(|line| line.starts_with("warning:")).map(str::to_owned).collect();
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert!(refused[0].contains("end early") || refused[0].contains("cut off"), "{refused:?}");
    assert_eq!(images(&out).len(), 7);

    fs::write(archive.join("PHANTOM-2/IM3"), &whole).unwrap();
    let second = preprocess(&home, &archive, &out, &[]);
    assert!(second.status.success(), "{}", stderr_of(&second));
    let text = String::from_utf8_lossy(&second.stdout).into_owned();
    assert!(text.contains("1 image written, 7 unchanged"), "{text}");

    // Other settings make everything again.
    let sixteen = preprocess(&home, &archive, &out, &["--bits", "16"]);
    assert!(String::from_utf8_lossy(&sixteen.stdout).contains("8 images written"));
    assert!(images(&out).iter().all(|path| image::open(path).unwrap().as_luma16().is_some()));
}

#[test]
fn a_killed_run_leaves_whole_files_and_is_continued() {
    let folder = tempfile::tempdir().unwrap();
    let (home, out, other) = (folder.path().join("home"), folder.path().join("out"), folder.path().join("other"));
    let archive = archive(folder.path(), "8");
    // The key first, so that both runs have the same.
    assert!(preprocess(&home, &archive, &other, &[]).status.success());
    let mut child = mammoscope();
    child.env("XDG_DATA_HOME", &home).arg("preprocess").arg(&archive).arg(&out).args(["--jobs", "1"]);
    let mut child = child.stderr(std::process::Stdio::null()).stdout(std::process::Stdio::null()).spawn().unwrap();
    mammoscope_test_support::wait_for("some images", || (out.exists() && images(&out).len() >= 3).then_some(()));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(images(&out).iter().all(|path| image::open(path).is_ok()), "a half-written output");
    let continued = preprocess(&home, &archive, &out, &[]);
    assert!(continued.status.success(), "{}", stderr_of(&continued));
    let relative = |root: &Path| -> Vec<(PathBuf, Vec<u8>)> {
        let inside = |path: &PathBuf| (path.strip_prefix(root).unwrap().to_owned(), fs::read(path).unwrap());
        images(root).iter().map(inside).collect()
    };
    assert!(relative(&out) == relative(&other), "the continued run differs from an uninterrupted one");
}

#[test]
fn a_second_acquisition_never_overwrites_the_first() {
    let Some(root) = shared("dicom/synthetic-mg") else { return };
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("in");
    fs::create_dir(&input).unwrap();
    for name in ["explicit-12bit-window.dcm", "repeat-of-the-same-view.dcm", "same-pixels-other-syntax.dcm"] {
        fs::copy(root.join(name), input.join(name)).unwrap();
    }
    fs::copy(root.join("explicit-12bit-window.dcm"), input.join("the-same-file.dcm")).unwrap();
    let out = folder.path().join("out");
    let run = preprocess(&folder.path().join("home"), &input, &out, &[]);
    assert_eq!(run.status.code(), Some(1), "the same file twice is refused once");
    assert!(stderr_of(&run).contains("byte by byte"), "{}", stderr_of(&run));
    let written = names(&out.join("CC_L/unlabelled"));
    assert_eq!(written.len(), 3, "{written:?}");
    assert!(
        written.iter().any(|name| name.ends_with("_CC_L_2.png"))
            && written.iter().any(|name| name.ends_with("_CC_L_3.png"))
    );
}

#[test]
fn wrong_use_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let (home, input, out) = (folder.path().join("home"), folder.path().join("in"), folder.path().join("out"));
    fs::create_dir_all(&input).unwrap();
    let run = |input: &Path, out: &Path| {
        let output = preprocess(&home, input, out, &[]);
        (output.status.code().unwrap(), stderr_of(&output))
    };
    let (status, message) = run(&folder.path().join("missing"), &out);
    assert!(status == 2 && message.contains("no such file"), "{message}");
    let (status, message) = run(&input, &out);
    assert!(status == 1 && message.contains("no image found"), "{message}");
    fs::create_dir_all(folder.path().join("used")).unwrap();
    fs::write(folder.path().join("used/notes.txt"), "mine").unwrap();
    fs::write(input.join("x.png"), "x").unwrap();
    let (status, message) = run(&input, &folder.path().join("used"));
    assert!(status == 1 && message.contains("is not empty and has no manifest.jsonl"), "{message}");
    fs::create_dir_all(home.join("mammoscope")).unwrap();
    fs::write(home.join("mammoscope/pseudonym.key"), "too short").unwrap();
    let (status, message) = run(&input, &out);
    assert!(status == 1 && message.contains("chmod 600") || message.contains("not a key"), "{message}");
}
