//! Notes of `mammoscope explain` on the basis of its scores: images without scores, files of the same name, slow
//! methods.

#![cfg(unix)]

use std::fs;
use std::path::Path;
use std::process::Output;

use mammoscope_test_support::{mammoscope, shipped, stderr_of};
use serde_json::Value;

/// Explains the images of a folder with the model of their view.
fn explain(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = mammoscope();
    command.arg("explain").arg("--model").arg(shipped("models")).args(["--device", "cpu", "--threads", "1"]);
    command
        .arg("--data")
        .arg(folder.join("data"))
        .arg("--out")
        .arg(folder.join("maps"))
        .args(arguments)
        .output()
        .unwrap()
}

/// A folder with the phantom of class D under each of these names in `data/CC_R/D`.
fn phantoms(names: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in names {
        let path = folder.path().join("data/CC_R/D").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        image::open(shipped("testset/CC_R/D/4_1_D_CC_R.png")).unwrap().save(path).unwrap();
    }
    folder
}

#[test]
fn n_counts_the_averaged_images() {
    let folder = phantoms(&["1_1_D_CC_R.png", "2_1_D_CC_R.png"]);
    for blank in ["3_1_D_CC_R.png", "4_1_D_CC_R.png"] {
        image::GrayImage::from_pixel(128, 128, image::Luma([90]))
            .save(folder.path().join("data/CC_R/D").join(blank))
            .unwrap();
    }
    let output = explain(folder.path(), &["--curves", "--method", "occlusion"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("D  ") || line.starts_with("all")).collect();
    assert_eq!(rows.len(), 4, "{text}");
    assert!(rows.iter().all(|row| row.split_whitespace().nth(1) == Some("2")), "{text}");
    assert!(text.contains("2 images without scores, not counted in n: "), "{text}");
    assert!(!text.contains(" only."), "{text}");
    let stderr = stderr_of(&output);
    let warned = "2 of 4 images are not mammograms as expected: one grey level only in 2";
    assert_eq!(stderr.matches(warned).count(), 1, "{stderr}");
    assert!(stderr.contains("CC_R: Occlusion takes 145 passes per image, for 4 images, about "), "{stderr}");

    let output = explain(folder.path(), &["--json"]);
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["classes"]["D"]["means"][0]["images"], 2, "{document}");
    assert!(!stderr_of(&output).contains("passes"), "{}", stderr_of(&output));
}

#[test]
fn each_row_names_its_map_when_images_share_a_name() {
    let folder = phantoms(&["4_1_D_CC_R.png", "4_1_D_CC_R.tif"]);
    let output = explain(folder.path(), &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
    let mut table = csv::Reader::from_path(folder.path().join("maps/scores.csv")).unwrap();
    let columns = table.headers().unwrap().clone();
    let [file, map, positions] =
        ["file", "map_file", "positions"].map(|name| columns.iter().position(|column| column == name).unwrap());
    let rows: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
    let maps: Vec<&str> = rows.iter().map(|row| &row[map]).collect();
    assert_eq!(maps, ["CC_R/D/4_1_D_CC_R_map.npy", "CC_R/D/4_1_D_CC_R_2_map.npy"]);
    let endings: Vec<_> = rows.iter().map(|row| Path::new(&row[file]).extension().unwrap().to_owned()).collect();
    assert_eq!(endings, ["png", "tif"]);
    for row in &rows {
        assert!(folder.path().join("maps").join(&row[map]).is_file());
        assert_eq!(&row[positions], "4x4");
    }
    assert!(stderr_of(&output).contains("more than one image"), "two images of one view: {}", stderr_of(&output));
}
