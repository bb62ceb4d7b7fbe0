//! `mammoscope explain` as it is typed, with the models and the images that ship.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use support::{mammoscope, names_in, stderr_of};

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn explain(out: &Path, words: &[&str]) -> Output {
    let mut command = mammoscope();
    command
        .arg("explain")
        .arg("--model")
        .arg(shipped("models"))
        .args(["--device", "cpu", "--out"])
        .arg(out)
        .args(words);
    command.output().unwrap()
}

#[test]
fn every_image_gets_a_map_four_pictures_and_a_line_of_scores() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("maps");
    let output = explain(&out, &["--data", shipped("testset").to_str().unwrap(), "--view", "CC_R"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("enrichment") && text.lines().all(|line| line.chars().count() <= 80), "{text}");
    assert_eq!(
        names_in(&out),
        ["CC_R", "contact_A.png", "contact_B.png", "contact_C.png", "contact_D.png", "scores.csv"]
    );
    let names = names_in(&out.join("CC_R/D"));
    assert_eq!(names.len(), 5, "{names:?}");
    assert!(names.contains(&"4_1_D_CC_R_map.npy".to_owned()), "{names:?}");
    for ending in ["_128.png", "_map.png", "_overlay.png", "_contours.png"] {
        let name = names.iter().find(|name| name.ends_with(&format!("_4_1_D_CC_R{ending}"))).unwrap();
        let picture = image::open(out.join("CC_R/D").join(name)).unwrap();
        assert_eq!((picture.width(), picture.height()), (128, 128), "{name}");
    }
    let map = mammoscope::storage::map_file::read_table(&out.join("CC_R/D/4_1_D_CC_R_map.npy")).unwrap();
    assert_eq!(map.shape, [128, 128]);
    let scores = fs::read_to_string(out.join("scores.csv")).unwrap();
    assert_eq!(scores.lines().count(), 5);
    assert!(scores.lines().skip(1).all(|line| line.contains(",grad-cam,add_12,sound,")), "{scores}");
}

#[test]
fn whether_maps_may_be_believed_is_told_with_its_rule() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("maps");
    let output = explain(&out, &["--data", shipped("testset").to_str().unwrap(), "--sanity", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
    let printed: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let written: serde_json::Value = serde_json::from_slice(&fs::read(out.join("sanity.json")).unwrap()).unwrap();
    assert_eq!(printed["sanity"], written);
    assert_eq!(printed["explained"], 16);
    // Eight images of two subjects of C and D cannot support anything.
    assert_eq!(written["verdict"], "not supported");
    assert_eq!(written["conditions"].as_array().unwrap().len(), 4);
    assert_eq!(written["evidence"]["randomisation"].as_array().unwrap().len(), 6);
    assert_eq!(written["evidence"]["repeatability"], 0.0, "the same thread count gives the same bits");
}

#[test]
fn what_cannot_be_explained_is_told_and_the_rest_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data/CC_R/D");
    fs::create_dir_all(data.join("masks")).unwrap();
    fs::copy(shipped("testset/CC_R/D/4_1_D_CC_R.png"), data.join("4_1_D_CC_R.png")).unwrap();
    fs::write(data.join("5_1_D_CC_R.png"), "no image").unwrap();
    image::GrayImage::new(7, 7).save(data.join("masks/4_1_D_CC_R_dense.png")).unwrap();
    let root = folder.path().join("data");
    let root = root.to_str().unwrap();
    let out = folder.path().join("maps");

    let output = explain(&out, &["--data", root]);
    let told = stderr_of(&output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("5_1_D_CC_R.png") && told.contains("the mask has 7 × 7 pixels, its image"), "{told}");
    assert!(out.join("CC_R/D/4_1_D_CC_R_map.npy").is_file(), "the other one was explained");

    let output = explain(&out, &["--data", root, "--layer", "conv9"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr_of(&output).contains("add_1, add_2"), "the layers are listed: {}", stderr_of(&output));
    let output = explain(&out, &["--data", root, "--parity", "--method", "occlusion"]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr_of(&output));

    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let output = explain(&file.join("below"), &["--data", root]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr_of(&output).contains("write to"), "{}", stderr_of(&output));
}

#[test]
fn the_class_that_is_explained_can_be_chosen() {
    let folder = tempfile::tempdir().unwrap();
    let image = folder.path().join("plain.png");
    fs::copy(shipped("testset/CC_R/A/1_1_A_CC_R.png"), &image).unwrap();
    let explained = |words: &[&str]| {
        let out = folder.path().join(words.join("_"));
        let output = explain(&out, &[&["--data", image.to_str().unwrap(), "--view", "CC_R"], words].concat());
        let scores = fs::read_to_string(out.join("scores.csv")).unwrap_or_default();
        let column = |line: &str| line.split(',').nth(10).unwrap_or_default().to_owned();
        (output.status.code(), scores.lines().nth(1).map(column), stderr_of(&output))
    };
    assert_eq!(explained(&["--class", "D"]).1.as_deref(), Some("D"));
    let (code, _, told) = explained(&["--class", "true"]);
    assert_eq!(code, Some(1), "neither folder nor name tells its class: {told}");
}
