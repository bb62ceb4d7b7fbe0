//! From an archive of DICOM files to reviewed, corrected and labelled images, in a terminal.

#![cfg(unix)]

use std::fs;
use std::path::Path;

use image::Luma;
use mammoscope_dataset::phantom::{PhantomGenerator, PhantomSettings};
use mammoscope_domain::subject::view::View;
use mammoscope_test_support::pty_session::PtySession;
use serde_json::Value;

const SIZE: (u16, u16) = (120, 40);
const PREPARED: &str = "archive-prepared";

/// The lines of the manifest with an image.
fn records(folder: &Path) -> Vec<Value> {
    let text = fs::read_to_string(folder.join(PREPARED).join("manifest.jsonl")).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line["output"].is_string()).collect()
}

/// The records with a verdict.
fn reviewed(folder: &Path, verdict: &str) -> Vec<Value> {
    records(folder).into_iter().filter(|record| record["review"]["verdict"] == verdict).collect()
}

/// Adds an oblique view of a subject with a bright muscle, which phantoms have filled.
fn add_muscle(archive: &Path) {
    let settings = PhantomSettings { seed: 5, size: 320, overlap: false, confounder: false };
    let generator = PhantomGenerator::new(settings).unwrap();
    let mut view = generator.view(&generator.subject(9), View::MloL);
    let muscle = view.pectoral.unwrap();
    for (x, y, pixel) in view.image.enumerate_pixels_mut().filter(|(x, y, _)| muscle.get_pixel(*x, *y).0 != [0]) {
        *pixel = Luma([215 + (x * 7 + y * 13) as u8 % 12]);
    }
    view.image.save(archive.join("9_1_A_MLO_L.png")).unwrap();
}

fn quit(mut session: PtySession) {
    session.send(b"q");
    assert!(session.wait_for_end().0.success());
    session.wait_until_restored();
}

#[test]
fn an_archive_is_prepared_reviewed_and_labelled_and_the_decisions_survive() {
    let folder = tempfile::tempdir().unwrap();
    assert_cmd::Command::new(env!("CARGO_BIN_EXE_mammoscope"))
        .args(["phantom", "archive", "--subjects", "4", "--size", "160", "--seed", "3", "--dicom", "--quiet"])
        .current_dir(folder.path())
        .assert()
        .success();
    add_muscle(&folder.path().join("archive"));

    let mut session = PtySession::start(&["--workspace", "ws"], folder.path(), SIZE);
    session.wait_for_text("[1 Datasets]");
    session.send(b"p");
    session.wait_for_text("Enter start");
    session.send(b"\x15archive");
    session.wait_for_text(PREPARED);
    session.send(b"\r");
    session.wait_for_text("17 images written");
    session.wait_for_text("a new key of pseudonyms");
    session.wait_for_text(&format!("{PREPARED} "));
    session.send(b"\r");
    session.wait_for_text("P review");
    session.send(b"P");
    session.wait_for_text("0 of 17");
    session.wait_for("the sources", |screen| !screen.contents().contains("looking for the sources"));

    // The image with a muscle comes first.
    session.send(b"R");
    session.wait_for_text("from the vertical");
    session.send(b"\x1b[C\x1b[C\x1b[A\r");
    session.wait_for_text("1 of 17");
    session.send(b"\r");
    session.wait_for_text("2 of 17");
    session.send(b"d");
    session.wait_for_text("3 of 17");
    session.send(b"B");
    session.wait_for_text("class B for P");
    session.wait_for("the verdicts are kept", |screen| {
        ["✎ 9 ", "✔ P", "✖ P"].iter().all(|row| screen.contents().contains(row))
    });
    quit(session);

    let [accepted, rejected, corrected] =
        ["accepted", "rejected", "corrected"].map(|verdict| reviewed(folder.path(), verdict));
    assert_eq!([accepted.len(), rejected.len(), corrected.len()], [1, 1, 1]);
    let exists = |record: &Value| folder.path().join(PREPARED).join(record["output"].as_str().unwrap()).exists();
    assert!(exists(&accepted[0]) && !exists(&rejected[0]) && exists(&corrected[0]));
    assert_eq!(corrected[0]["steps"]["pectoral"]["state"], "filled");
    let labels = fs::read_to_string(folder.path().join(PREPARED).join("labels.csv")).unwrap();
    let (subject, rest) = labels.strip_prefix("subject,exam,class\n").unwrap().split_once(',').unwrap();
    assert_eq!(rest, "1,B\n");

    // Prepared again, with the sources that the workbench remembers.
    let mut session = PtySession::start(&["--workspace", "ws"], folder.path(), SIZE);
    session.wait_for_text("P review");
    session.send(b"p");
    session.wait_for_text("Start a job");
    session.send(b"\r");
    session.wait_for_text("Enter start");
    session.send(b"\r");
    session.wait_for_text("1 rejected in a review");
    session.wait_for_text("classes are taken from labels.csv");
    session.send(b"\r");
    session.wait_for_text("P review");
    session.send(b"P");
    session.wait_for_text("3 of 17");
    quit(session);

    for (verdict, before) in [("accepted", &accepted), ("rejected", &rejected), ("corrected", &corrected)] {
        let after = reviewed(folder.path(), verdict);
        assert_eq!(after.len(), 1, "{verdict}");
        assert_eq!(after[0]["review"], before[0]["review"]);
        assert_eq!(after[0]["pixel_sha256"], before[0]["pixel_sha256"], "{verdict}");
        assert_eq!(exists(&after[0]), verdict != "rejected", "{verdict}");
    }
    let of_subject = records(folder.path()).into_iter().filter(|record| record["subject"] == subject);
    let classes: Vec<Value> = of_subject.map(|record| record["class"].clone()).collect();
    assert_eq!(classes, ["B", "B", "B", "B"], "an examination has one class");
}
