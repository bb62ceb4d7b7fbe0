//! `explain --shard` and `explain merge` by the real binaries: the merged folder is that of one process, byte by byte.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use mammoscope_test_support::folder_tree::{assert_equal_folders, files_below};
use mammoscope_test_support::{mammoscope, shipped, stderr_of};
use serde_json::Value;

fn explain(data: &Path, out: &Path, more: &[&str]) -> Output {
    let mut command = mammoscope();
    command.args(["explain", "--json", "--device", "cpu", "--threads", "1", "--model"]).arg(shipped("models"));
    command.arg("--data").arg(data).arg("--out").arg(out).args(more).output().unwrap()
}

fn merge(parts: &[PathBuf], out: &Path) -> Output {
    mammoscope().args(["explain", "merge", "--json", "--out"]).arg(out).args(parts).output().unwrap()
}

fn document(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout).replace("/merged/", "/whole/");
    serde_json::from_str(&text).unwrap()
}

/// Images of one name in several splits, which are subjects of their own; one cannot be read, one has an unusable mask.
fn write_data(data: &Path) {
    let image = |number: usize| {
        let class = ["A", "B", "C", "D"][number % 4];
        let view = ["CC_R", "CC_L", "MLO_R", "MLO_L"][number / 4 % 4];
        shipped(&format!("testset/{view}/{class}/{}_1_{class}_{view}.png", number % 4 + 1))
    };
    let mut number = 0;
    for split in ["train", "validation", "test"] {
        for class in ["A", "C"] {
            let folder = data.join("CC_R").join(split).join(class);
            fs::create_dir_all(folder.join("masks")).unwrap();
            for name in ["scan.png".to_owned(), format!("{}_1_{class}_CC_R.png", number + 31)] {
                fs::copy(image(number), folder.join(name)).unwrap();
                number += 1;
            }
        }
    }
    fs::write(data.join("CC_R/train/A/scan.png"), "no image").unwrap();
    image::GrayImage::new(7, 7).save(data.join("CC_R/test/C/masks/scan_dense.png")).unwrap();
}

#[test]
fn three_merged_shards_equal_one_process() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    write_data(&data);
    let cases: [&[&str]; 3] = [
        &[],
        &["--method", "layer-cam", "--layer", "stage3"],
        &["--method", "eigen-cam", "--curves", "--split", "test"],
    ];
    for (case, options) in cases.into_iter().enumerate() {
        let of_case = folder.path().join(case.to_string());
        let (whole, merged) = (of_case.join("whole"), of_case.join("merged"));
        let one = explain(&data, &whole, options);
        assert_eq!(one.status.code(), Some(1), "{}", stderr_of(&one));
        let parts: Vec<PathBuf> = (1..=3)
            .map(|number| {
                let out = of_case.join(format!("part{number}"));
                let part = explain(&data, &out, &[options, &["--shard", &format!("{number}/3")]].concat());
                assert!(matches!(part.status.code(), Some(0 | 1)), "{}", stderr_of(&part));
                out
            })
            .collect();
        let rows = |part: &PathBuf| fs::read_to_string(part.join("scores.csv")).unwrap().lines().count() - 1;
        assert!(parts.iter().filter(|part| rows(part) > 0).count() > 1, "the images are in several shards");
        let before: Vec<_> = parts.iter().map(|part| files_below(part)).collect();
        let output = merge(&parts, &merged);
        assert_eq!(output.status.code(), Some(1), "{}", stderr_of(&output));
        assert_equal_folders(&merged, &whole);
        assert_eq!(document(&output), document(&one));
        assert!(parts.iter().zip(&before).all(|(part, before)| files_below(part) == *before));
        if case == 0 {
            assert!(merged.join("CC_R/A/scan_2_map.npy").exists(), "names are numbered over all shards");
            assert!(!merged.join("CC_R/A/scan_3_map.npy").exists(), "an image that failed has no name");
            assert!(stderr_of(&output).contains("train/A/scan.png: "), "{}", stderr_of(&output));
            assert_eq!(document(&output)["masks_left_out"].as_array().unwrap().len(), 1);
            refusals(&parts, &of_case, &data);
        }
    }
}

fn refusals(parts: &[PathBuf], folder: &Path, data: &Path) {
    let out = folder.join("out");
    let refused = |parts: &[PathBuf], reason: &str| {
        let output = merge(parts, &out);
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr_of(&output).contains(reason), "{reason} in {}", stderr_of(&output));
        assert!(!out.exists(), "nothing is written");
        let left = fs::read_dir(folder)
            .unwrap()
            .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().ends_with(".part"));
        assert_eq!(left.count(), 0, "nothing half-made is left");
    };
    refused(&parts[1..], "missing: shard 1 of 3");
    let other = folder.join("other");
    let part = explain(data, &other, &["--shard", "3/3", "--class", "D"]);
    assert!(matches!(part.status.code(), Some(0 | 1)), "{}", stderr_of(&part));
    refused(&[parts[0].clone(), parts[1].clone(), other], "differ in --class");
    let map = files_below(&parts[1]).into_keys().chain(files_below(&parts[0]).into_keys());
    let map = map.into_iter().find(|path| path.extension().is_some_and(|extension| extension == "npy")).unwrap();
    let part = parts[..2].iter().find(|part| part.join(&map).exists()).unwrap();
    let whole = fs::read(part.join(&map)).unwrap();
    fs::write(part.join(&map), &whole[1..]).unwrap();
    refused(parts, "not as the shard wrote it");
    fs::remove_file(part.join(&map)).unwrap();
    refused(parts, "_map.npy: ");
}

#[test]
fn a_sanity_check_of_a_shard_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let output = explain(&shipped("testset"), &folder.path().join("out"), &["--sanity", "--shard", "1/2"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr_of(&output).contains("--sanity judges images spread over the whole cohort"));
    assert!(!folder.path().join("out").exists());
}
