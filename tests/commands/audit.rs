//! `mammoscope audit` as a user runs it.

use std::fs;
use std::path::Path;
use std::process::Output;

use mammoscope_test_support::{mammoscope, shipped, stderr_of};

fn audit(data: &Path, arguments: &[&str]) -> Output {
    mammoscope().arg("audit").arg(data).args(arguments).env("NO_COLOR", "1").output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// A copy of the test set without masks, in which a test plants faults.
fn test_set() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for view in ["CC_R", "CC_L", "MLO_R", "MLO_L"] {
        for (number, class) in ["A", "B", "C", "D"].iter().enumerate() {
            let file = format!("{view}/{class}/{}_1_{class}_{view}.png", number + 1);
            fs::create_dir_all(folder.path().join(&file).parent().unwrap()).unwrap();
            fs::copy(shipped("testset").join(&file), folder.path().join(&file)).unwrap();
        }
    }
    folder
}

#[test]
fn a_clean_set_has_counts_and_exit_status_0() {
    let output = audit(Path::new("testset"), &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
    insta::assert_snapshot!("audit_of_the_test_set", stdout(&output));
}

#[test]
fn planted_faults_are_listed_worst_first_and_the_exit_status_is_1() {
    let folder = test_set();
    let path = |file: &str| folder.path().join(file);
    fs::write(path("CC_R/A/1_1_A_CC_R.png"), "").unwrap();
    fs::copy(path("CC_R/B/2_1_B_CC_R.png"), path("CC_R/C/3_1_C_CC_R.png")).unwrap();
    fs::rename(path("CC_L/D/4_1_D_CC_L.png"), path("CC_L/D/04_1_C_CC_L.png")).unwrap();
    fs::write(path("CC_L/D/notes.docx"), "").unwrap();
    let output = audit(folder.path(), &["--jobs", "1"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr_of(&output));
    let text = stdout(&output).replace(folder.path().to_str().unwrap(), "DATA");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    insta::assert_snapshot!("audit_of_planted_faults", text);
}

#[test]
fn the_document_has_every_file_and_finding() {
    let folder = test_set();
    image::imageops::flip_horizontal(&image::open(folder.path().join("CC_R/A/1_1_A_CC_R.png")).unwrap().into_luma8())
        .save(folder.path().join("CC_R/A/1_1_A_CC_R.png"))
        .unwrap();
    let output = audit(folder.path(), &["--json"]);
    assert_eq!(output.status.code(), Some(1));
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["schema"], 1);
    assert_eq!(document["files"].as_array().unwrap().len(), 16);
    let file = &document["files"][0];
    let keys = ["file", "view", "class", "subject", "split", "pectoral", "laterality", "laterality_agrees"]
        .map(|key| &file[key]);
    let expected = serde_json::json!(["CC_R/A/1_1_A_CC_R.png", "CC_R", "A", "1", null, "none", "L", false]);
    assert_eq!(serde_json::json!(keys), expected);
    let findings = document["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 1, "{findings:#?}");
    let finding = &findings[0];
    assert_eq!((&finding["severity"], &finding["code"]), (&"error".into(), &"side-against-pixels".into()));
    assert_eq!(finding["files"], serde_json::json!(["CC_R/A/1_1_A_CC_R.png"]));
    assert!(finding["message"].is_string() && finding["fix"].is_string());
    assert!(document["baseline"].is_null());
    assert_eq!(document["counts"]["by_pectoral"]["filled"], 8);
}

#[test]
fn folders_without_images_are_findings_and_missing_ones_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let output = audit(folder.path(), &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).contains("error no-images"), "{}", stdout(&output));
    let mut dicom = vec![0; 128];
    dicom.extend(b"DICM\x02\0\0\0UL\x04\0");
    fs::write(folder.path().join("IM1"), dicom).unwrap();
    let text = stdout(&audit(folder.path(), &[]));
    assert!(text.contains("warning dicom-file") && text.contains("`mammoscope preprocess`"), "{text}");

    let output = audit(&folder.path().join("gone"), &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr_of(&output).contains("gone"), "{}", stderr_of(&output));
    assert_eq!(audit(&folder.path().join("IM1"), &[]).status.code(), Some(2), "a file is not a data set");
    assert_eq!(audit(folder.path(), &["--jobs", "0"]).status.code(), Some(2));
}

#[test]
fn splits_and_labels_come_from_tables() {
    let folder = test_set();
    let splits = folder.path().join("splits.csv");
    fs::write(&splits, "subject,split\n1,train\n2,train\n3,test\n5,test\n").unwrap();
    let output = audit(folder.path(), &["--json", "--splits", splits.to_str().unwrap()]);
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let codes: Vec<_> = document["findings"].as_array().unwrap().iter().map(|finding| &finding["code"]).collect();
    assert_eq!(codes, ["not-in-split-table", "not-in-data"]);
    assert_eq!(document["counts"]["by_split"], serde_json::json!({ "train": 8, "test": 4, "none": 4 }));
    fs::write(&splits, "subject,split\n1,everything\n").unwrap();
    let output = audit(folder.path(), &["--splits", splits.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr_of(&output).contains("splits.csv:2: column split"), "{}", stderr_of(&output));

    let labels = folder.path().join("labels.csv");
    let lines: Vec<String> = ["CC_R", "CC_L", "MLO_R", "MLO_L"]
        .iter()
        .flat_map(|view| {
            ["A", "B", "C", "D"].iter().enumerate().map(move |(number, class)| {
                let stated = if *class == "D" { "C" } else { class };
                format!("{view}/{class}/{}_1_{class}_{view}.png,{stated}", number + 1)
            })
        })
        .collect();
    fs::write(&labels, format!("file,class\n{}\ngone.png,A\n", lines.join("\n"))).unwrap();
    let output = audit(folder.path(), &["--json", "--labels", labels.to_str().unwrap()]);
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let findings = document["findings"].as_array().unwrap();
    let codes: Vec<_> = findings.iter().map(|finding| &finding["code"]).collect();
    assert_eq!(codes, ["class-against-table", "not-in-data"]);
    assert_eq!(findings[0]["files"].as_array().unwrap().len(), 4);
    assert_eq!(document["counts"]["by_class"], serde_json::json!({ "A": 4, "B": 4, "C": 8 }));
}

#[cfg(target_os = "linux")]
#[test]
fn ctrl_c_ends_an_audit_without_output() {
    use std::process::Stdio;

    use mammoscope_test_support::{wait_for, write_many};
    use rustix::process::{Pid, Signal, kill_process};

    let folder = tempfile::tempdir().unwrap();
    // Links to one image: far more than can be read before the signal.
    write_many(folder.path(), 30_000);
    let mut command = mammoscope();
    command.arg("audit").arg(folder.path()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    wait_for("the handler of Ctrl-C", || {
        let status = fs::read_to_string(&status).ok()?;
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"))?;
        let caught = u64::from_str_radix(caught.trim(), 16).ok()?;
        (caught >> (libc::SIGINT - 1) & 1 == 1).then_some(())
    });
    kill_process(Pid::from_raw(child.id().cast_signed()).unwrap(), Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", stderr_of(&output));
    assert!(output.stdout.is_empty());
    assert!(stderr_of(&output).contains("interrupted"), "{}", stderr_of(&output));
}
