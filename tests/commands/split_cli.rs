//! `mammoscope split` as a user runs it: what it writes, what stays when the data grows, and what it refuses.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use image::GrayImage;
use image::imageops::flip_horizontal;
use mammoscope_dataset::phantom::{PhantomGenerator, PhantomSettings};
use mammoscope_domain::subject::view::View;
use mammoscope_test_support::{mammoscope, stderr_of, write_image};
use serde_json::Value;

fn split(data: &Path, out: &Path, arguments: &[&str]) -> Output {
    mammoscope().arg("split").arg(data).arg("--out").arg(out).args(arguments).output().unwrap()
}

/// Images of `subjects` in two views, of the classes A to D in turn.
fn add(root: &Path, subjects: impl Iterator<Item = u32>) {
    for subject in subjects {
        let class = ["A", "B", "C", "D"][subject as usize % 4];
        for (number, view) in (0..).zip(["CC_R", "MLO_R"]) {
            let path = root.join(format!("{view}/{class}/{subject}_1_{class}_{view}.png"));
            write_image(&path, 2 * subject + number + 1);
        }
    }
}

fn parts(table: &Path) -> BTreeMap<String, String> {
    let text = fs::read_to_string(table).unwrap();
    let mut lines = text.lines();
    assert!(matches!(lines.next(), Some("subject,split" | "subject,fold")), "{text}");
    let part = |line: &str| line.split_once(',').map(|(subject, part)| (subject.to_owned(), part.to_owned())).unwrap();
    let parts: BTreeMap<_, _> = lines.map(part).collect();
    assert_eq!(parts.len() + 1, text.lines().count(), "every subject once");
    parts
}

/// Asserts that the command failed with one line on stderr that contains `part`, and wrote nothing.
fn assert_refused(output: &Output, out: &Path, code: i32, part: &str) {
    let message = stderr_of(output);
    let error: Vec<_> = message.lines().filter(|line| line.starts_with("error: ")).collect();
    assert_eq!((output.status.code(), error.len()), (Some(code), 1), "{message}");
    assert!(error[0].contains(part), "'{part}' in {message}");
    assert!(output.stdout.is_empty() && !out.exists());
}

#[test]
fn subjects_keep_their_splits_when_others_are_added() {
    let folder = tempfile::tempdir().unwrap();
    let (data, first) = (folder.path().join("data"), folder.path().join("first.csv"));
    add(&data, (10..50).step_by(2));
    let output = split(&data, &first, &["--seed", "5"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.starts_with("subjects          A      B      C      D     all   images\n"), "{text}");
    assert!(text.ends_with("all              10      0     10      0      20       40\n"), "{text}");
    let before = parts(&first);
    assert_eq!(before.len(), 20);

    add(&data, (1..60).filter(|subject| !(10..50).contains(subject) || subject % 2 == 1));
    let second = folder.path().join("second.csv");
    assert_eq!(split(&data, &second, &["--seed", "5"]).status.code(), Some(0));
    let after = parts(&second);
    assert_eq!(after.len(), 59);
    assert!(before.iter().all(|(subject, part)| after[subject] == *part), "{before:?} {after:?}");
    let other = folder.path().join("other.csv");
    split(&data, &other, &["--seed", "6"]);
    assert_ne!(parts(&other), after);

    // Folds, with the same test subjects; a subject without images of one view is in the same fold.
    let folds = folder.path().join("folds.csv");
    let output = split(&data, &folds, &["--seed", "5", "--folds", "3", "--test", "0.1", "--json"]);
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let in_folds = parts(&folds);
    let test = |parts: &BTreeMap<String, String>| -> Vec<String> {
        parts.iter().filter(|(_, part)| *part == "test").map(|(subject, _)| subject.clone()).collect()
    };
    assert_eq!(test(&in_folds), test(&after));
    assert!(in_folds.values().all(|part| ["1", "2", "3", "test"].contains(&part.as_str())));
    let subjects = |part: &str| document["parts"][part]["subjects"].as_u64().unwrap();
    assert_eq!(["1", "2", "3", "test"].map(subjects).iter().sum::<u64>(), 59);
    assert_eq!(document["parts"]["test"]["share"], 0.1);
    assert_eq!((&document["schema"], &document["seed"], &document["folds"]), (&1.into(), &5.into(), &3.into()));
    assert_eq!(document["sha256"].as_str().unwrap().len(), 64);
}

#[test]
fn subjects_who_share_a_picture_stay_together() {
    let settings = PhantomSettings { seed: 4, size: 128, overlap: false, confounder: false };
    let generator = PhantomGenerator::new(settings).unwrap();
    let picture = |number: u32| generator.view(&generator.subject(number), View::CcR).image;
    let folder = tempfile::tempdir().unwrap();
    let save = |picture: &GrayImage, subject: &str, view: &str| {
        let path = folder.path().join(format!("data/{view}/B/{subject}_1_B_{view}.png"));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        picture.save(path).unwrap();
    };
    for subject in 1..=30 {
        save(&picture(subject), &subject.to_string(), "CC_R");
        save(&picture(100 + subject), &format!("{subject}"), "CC_L");
    }
    // The mirrored picture of another subject is filed under the other breast.
    for (copy, of) in [("40", 1), ("41", 2), ("42", 3), ("43", 4)] {
        save(&flip_horizontal(&picture(of)), copy, "CC_L");
    }
    save(&picture(105), "44", "CC_R");
    save(&picture(200), "007", "CC_R");
    let out = folder.path().join("splits.csv");
    let shares = ["--train", "0.4", "--validation", "0.3", "--test", ".3", "--json"];
    let output = split(&folder.path().join("data"), &out, &shares);
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
    let message = stderr_of(&output);
    assert!(message.contains("5 pairs of subjects share a picture and stay together: 1 and 40 (CC_R/B/1_1_B_CC_R.png and CC_L/B/40_1_B_CC_L.png, mirrored)"), "{message}");
    assert!(message.contains("007 and 7"), "{message}");
    let parts = parts(&out);
    for (one, other) in [("1", "40"), ("2", "41"), ("3", "42"), ("4", "43"), ("5", "44"), ("7", "007")] {
        assert_eq!(parts[one], parts[other], "{one} and {other}");
    }
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["joined"].as_array().unwrap().len(), 6, "{document}");
}

#[test]
fn impossible_requests_are_refused_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let (data, out) = (folder.path().join("data"), folder.path().join("s.csv"));
    add(&data, 0..12);
    let cases: [(&[&str], i32, &str); 9] = [
        (
            &["--train", ".8", "--validation", ".3"],
            2,
            "--train 0.8, --validation 0.3 and --test 0.1 add up to 1.2, not to 1",
        ),
        (&["--test", "1.5"], 2, "--test 1.5: a share is between 0 and 1"),
        (&["--train", "nan"], 2, "--train NaN: a share is between 0 and 1"),
        (&["--folds", "1"], 2, "--folds 1: at least 2 are needed"),
        (&["--folds", "0"], 2, "--folds 0: at least 2 are needed"),
        (&["--folds", "4"], 1, "--folds 4: class A has only 3 subjects"),
        (&["--folds", "3", "--test", "1"], 2, "--test 1: no subject is left for the folds"),
        (&["--labels", "no/such.csv"], 1, "--labels: read no/such.csv"),
        (&["--ids", "("], 2, ""),
    ];
    for (arguments, code, part) in cases {
        let output = split(&data, &out, arguments);
        if part.is_empty() {
            assert_eq!(output.status.code(), Some(code));
        } else {
            assert_refused(&output, &out, code, part);
        }
    }
    assert_eq!(
        split(&data, &out, &["--folds", "3", "--train", ".5"]).status.code(),
        Some(2),
        "clap names the conflict"
    );
    assert_refused(&split(&folder.path().join("absent"), &out, &[]), &out, 1, "absent: cannot be read");
    let nowhere = folder.path().join("no/folder/s.csv");
    assert_refused(&split(&data, &nowhere, &[]), &nowhere, 1, "there is no folder");

    fs::write(&out, "mine").unwrap();
    let output = split(&data, &out, &[]);
    assert!(stderr_of(&output).contains("s.csv exists already; choose another name, or remove it"));
    assert_eq!((output.status.code(), fs::read_to_string(&out).unwrap().as_str()), (Some(1), "mine"));

    let flat = folder.path().join("flat");
    write_image(&flat.join("1_1_A_CC_R.png"), 3);
    let other = folder.path().join("other.csv");
    assert_refused(&split(&flat, &other, &[]), &other, 1, "none of the 1 images has a label");
}

#[test]
fn an_unreadable_image_is_listed_and_the_table_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let (data, out) = (folder.path().join("data"), folder.path().join("s.csv"));
    add(&data, 0..8);
    fs::write(data.join("CC_R/A/4_1_A_CC_R.png"), b"no picture").unwrap();
    let output = split(&data, &out, &[]);
    let message = stderr_of(&output);
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.contains("4_1_A_CC_R.png: ") && message.contains("not compared with the others"), "{message}");
    assert_eq!(parts(&out).len(), 8);
}

/// A flat folder without classes, and labels by two readers.
fn flat_with_readers(folder: &Path) -> (PathBuf, PathBuf) {
    let (data, labels) = (folder.join("flat"), folder.join("readers.csv"));
    let mut table = "\u{feff}Subject;Exam;reader_1;reader_2\r\n".to_owned();
    for subject in 0..20 {
        // The class in the name does not count.
        write_image(&data.join(format!("s{subject}_1_D_CC_R.png")), subject + 1);
        let (one, other) = (subject % 4, if subject % 5 == 0 { (subject + 1) % 4 } else { subject % 4 });
        let (one, other) = (["1", "b", "C", "BI-RADS D"][one as usize], ["A", "2", "c", "d"][other as usize]);
        write!(table, "s{subject};1;{one};{other}\r\n").unwrap();
    }
    fs::write(&labels, table).unwrap();
    (data, labels)
}

#[test]
fn labels_of_two_readers_give_classes_and_kappas() {
    let folder = tempfile::tempdir().unwrap();
    let (data, labels) = flat_with_readers(folder.path());
    let out = folder.path().join("s.csv");
    let output = split(&data, &out, &["--labels", labels.to_str().unwrap()]);
    let message = stderr_of(&output);
    assert_eq!(output.status.code(), Some(0), "{message}");
    assert!(message.contains("4 cases for which as many readers chose one class as another, and the denser one counts: subject s0 exam 1 (B, line 2)"), "{message}");
    assert!(message.contains("\n1 and 2      20   0.800   0.733   0.760      0.760\n"), "{message}");
    assert!(message.contains("two radiologists: kappa 0.46 (0.02–0.72)"), "{message}");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    // Of the ties, subject 0 is B, 5 is C, 10 is D and 15, between D and A, stays D.
    assert!(text.ends_with("all               4      5      5      6      20       20\n"), "{text}");

    fs::write(&labels, "subject,class\ns1,A\ns1,B\ns2,E\n,A\n").unwrap();
    let other = folder.path().join("other.csv");
    let output = split(&data, &other, &["--labels", labels.to_str().unwrap()]);
    let path = labels.display();
    let expected = format!(
        "error: --labels: {path}:3: subject s1 is B here and A in line 2; {path}:4: column class: 'E' is not A, B, C or D, or 1 to 4; {path}:5: column subject: empty\n"
    );
    assert_eq!(stderr_of(&output), expected);

    fs::write(&labels, "subject,class\nS01,A\ns2,B\ns3,C\n").unwrap();
    let output = split(&data, &other, &["--labels", labels.to_str().unwrap()]);
    let message = stderr_of(&output);
    assert!(
        message.contains("--labels spells ids differently from the data (S01 and s1), so they do not match"),
        "{message}"
    );
    assert!(message.contains("18 images are left out, since --labels does not cover them"), "{message}");
    assert!(message.contains("--labels names 1 subject that the data does not have: S01"), "{message}");
}
