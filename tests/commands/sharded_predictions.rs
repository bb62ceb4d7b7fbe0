//! `predict --shard` and `predict merge` by the real binaries: the merged folder is that of one process, byte by byte.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use mammoscope_test_support::folder_tree::{assert_equal_folders, files_below};
use mammoscope_test_support::{mammoscope, shipped, small_model, stderr_of, write_four_subjects, write_image};
use serde_json::Value;
use walkdir::WalkDir;

fn predict(model: &Path, data: &Path, out: &Path, more: &[&str]) -> Output {
    let mut command = mammoscope();
    command.arg("predict").arg("--model").arg(model).arg("--data").arg(data).arg("--out").arg(out);
    command.args(["--threads", "1", "--device", "cpu"]).args(more).output().unwrap()
}

fn merge(parts: &[PathBuf], out: &Path) -> Output {
    mammoscope().args(["predict", "merge"]).args(parts).arg("--out").arg(out).output().unwrap()
}

/// The folders of all shards, each predicted by a process of its own, and the worst exit status.
fn shards(model: &Path, data: &Path, folder: &Path, count: u32) -> (Vec<PathBuf>, i32) {
    let mut worst = 0;
    let parts = (1..=count).map(|number| {
        let out = folder.join(format!("part{number}of{count}"));
        let output = predict(model, data, &out, &["--shard", &format!("{number}/{count}")]);
        worst = worst.max(output.status.code().unwrap());
        assert!(out.join("shard.json").exists(), "{}", stderr_of(&output));
        out
    });
    let parts = parts.collect();
    (parts, worst)
}

/// Eight shards of four subjects, most of them empty, with the shipped models.
#[test]
fn eight_merged_shards_equal_one_process() {
    let folder = tempfile::tempdir().unwrap();
    let (models, data) = (shipped("models"), shipped("testset"));
    let (whole, merged) = (folder.path().join("whole"), folder.path().join("merged"));
    let output = predict(&models, &data, &whole, &[]);
    assert!(output.status.success(), "{}", stderr_of(&output));
    let (mut parts, worst) = shards(&models, &data, folder.path(), 8);
    assert_eq!(worst, 0);
    let rows = |part: &PathBuf| fs::read_to_string(part.join("predictions.csv")).unwrap().lines().count() - 1;
    let counts: Vec<usize> = parts.iter().map(rows).collect();
    assert!(counts.contains(&0) && counts.iter().filter(|&&count| count > 0).count() >= 3, "{counts:?}");
    parts.reverse();
    let before: Vec<_> = parts.iter().map(|part| files_below(part)).collect();
    let output = merge(&parts, &merged);
    assert!(output.status.success(), "{}", stderr_of(&output));
    assert_equal_folders(&merged, &whole);
    assert!(
        parts.iter().zip(&before).all(|(part, before)| files_below(part) == *before),
        "the shards stay as they are"
    );
    // Earlier predictions are replaced, as by one process.
    fs::write(merged.join("predictions.txt"), "of another view").unwrap();
    fs::write(merged.join("predictions.csv"), "old").unwrap();
    assert!(merge(&parts, &merged).status.success());
    assert_equal_folders(&merged, &whole);
}

/// Failed images, and images that are not mammograms as expected.
#[test]
fn failures_are_merged_too() {
    let folder = tempfile::tempdir().unwrap();
    let (data, whole, merged) = (folder.path().join("data"), folder.path().join("whole"), folder.path().join("merged"));
    write_four_subjects(&data);
    for subject in 20..29 {
        fs::write(data.join(format!("CC_R/A/{subject}_1_A_CC_R.png")), b"these are words").unwrap();
        write_image(&data.join(format!("MLO_L/B/0{subject}_2_B_MLO_L.png")), subject);
    }
    let model = small_model(folder.path(), 64);
    let one = predict(&model, &data, &whole, &["--json"]);
    assert_eq!(one.status.code(), Some(1), "{}", stderr_of(&one));
    let (parts, worst) = shards(&model, &data, folder.path(), 3);
    assert_eq!(worst, 1);
    let output = mammoscope().args(["predict", "merge", "--json", "--out"]).arg(&merged).args(&parts).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", stderr_of(&output));
    assert_equal_folders(&merged, &whole);
    let document = |output: &Output| -> Value {
        let text = String::from_utf8_lossy(&output.stdout).replace("/merged/", "/whole/");
        serde_json::from_str(&text).unwrap()
    };
    assert_eq!(document(&output), document(&one));
    assert_eq!(document(&output)["failed"].as_array().unwrap().len(), 9);
    let warnings = |output: &Output| -> Vec<String> {
        stderr_of(output).lines().filter(|line| line.contains("_1_A_CC_R.png: ")).map(str::to_owned).collect()
    };
    assert_eq!(warnings(&output), warnings(&one));
    // Without any prediction the merge fails as one process does.
    let (bad, nowhere) = (folder.path().join("bad"), folder.path().join("nowhere"));
    fs::create_dir_all(bad.join("CC_R/A")).unwrap();
    fs::write(bad.join("CC_R/A/1_1_A_CC_R.png"), b"").unwrap();
    let (parts, worst) = shards(&model, &bad, &folder.path().join("of_bad"), 2);
    let output = merge(&parts, &nowhere);
    assert_eq!((worst, output.status.code()), (1, Some(1)));
    assert!(stderr_of(&output).contains("no image could be predicted, 1 failed"), "{}", stderr_of(&output));
    assert!(!nowhere.exists());
}

#[test]
fn shards_that_do_not_fit_together_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let (data, out) = (folder.path().join("data"), folder.path().join("out"));
    write_four_subjects(&data);
    let model = small_model(folder.path(), 64);
    let (parts, _) = shards(&model, &data, folder.path(), 2);
    let refused = |parts: &[PathBuf], reason: &str| {
        let output = merge(parts, &out);
        let stderr = stderr_of(&output);
        assert_eq!((output.status.code(), stderr.lines().count()), (Some(1), 1), "{stderr}");
        assert!(stderr.contains(reason), "{reason} in {stderr}");
        assert!(!out.exists(), "nothing is written");
    };
    refused(&parts[..1], "missing: shard 2 of 2");
    refused(&[parts[0].clone(), parts[0].clone()], "are both shard 1");
    let (thirds, _) = shards(&model, &data, folder.path(), 3);
    refused(&[parts[0].clone(), thirds[1].clone()], "merge shards of one count");

    // The second shard under one other condition at a time.
    let other = folder.path().join("other");
    let again = |data: &Path, model: &Path, more: &[&str]| {
        let output = predict(model, data, &other, &[&["--shard", "2/2"], more].concat());
        assert!(output.status.success(), "{}", stderr_of(&output));
        [parts[0].clone(), other.clone()]
    };
    refused(&again(&data, &model, &["--batch-size", "3"]), "differ in the batch size: 4 and 3");
    refused(&again(&data, &model, &["--bits", "8"]), "differ in the grey range");
    let other_model = shipped("models/CC_R.safetensors");
    refused(&again(&data, &other_model, &[]), "differ in the model of CC_L");
    write_image(&data.join("CC_R/A/99_1_A_CC_R.png"), 5);
    refused(&again(&data, &model, &[]), "differ in the images");
    fs::remove_file(data.join("CC_R/A/99_1_A_CC_R.png")).unwrap();
    let both = again(&data, &model, &[]);
    assert!(merge(&both, &out).status.success());
    fs::remove_dir_all(&out).unwrap();

    // An output that was changed, an unfinished shard, and the shard of another version.
    let table = other.join("predictions.csv");
    fs::write(&table, fs::read_to_string(&table).unwrap().replace("CC_R", "CC_L")).unwrap();
    refused(&both, "not as the shard wrote it");
    let record = other.join("shard.json");
    let text = fs::read_to_string(&record).unwrap();
    fs::write(&record, text.replace(concat!("\"", env!("CARGO_PKG_VERSION"), "\""), "\"0.0.1\"")).unwrap();
    refused(&both, "differ in the program's version");
    fs::remove_file(&record).unwrap();
    refused(&both, "not a finished shard");
}

#[test]
fn shards_out_of_range_and_folders_of_other_shards_are_wrong_use() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    write_four_subjects(&data);
    let model = small_model(folder.path(), 64);
    for text in ["0/8", "9/8", "a/b", "1", "1/0"] {
        let output = predict(&model, &data, &folder.path().join("out"), &["--shard", text]);
        let stderr = stderr_of(&output);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        let reasons = stderr.lines().filter(|line| line.contains("expected I/N")).count();
        assert_eq!(reasons, 1, "{stderr}");
    }
    let (parts, _) = shards(&model, &data, folder.path(), 2);
    let output = predict(&model, &data, &parts[0], &["--shard", "2/2"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr_of(&output).contains("holds shard 1/2; shard 2/2 needs a folder of its own"));
    let output = merge(&parts, &parts[0]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr_of(&output).contains("holds shard 1/2; give another folder"), "{}", stderr_of(&output));
    // The whole cohort replaces a shard, which is then no shard any longer.
    assert!(predict(&model, &data, &parts[0], &[]).status.success());
    assert!(!parts[0].join("shard.json").exists());
    assert!(stderr_of(&merge(&parts, &folder.path().join("out"))).contains("not a finished shard"));
}

/// An image has the same probabilities alone as among others and at any place, which shards rely on.
#[test]
fn predictions_do_not_depend_on_the_other_images_of_a_batch() {
    let folder = tempfile::tempdir().unwrap();
    let (models, data) = (shipped("models"), shipped("testset"));
    for batch in ["3", "4", "5"] {
        let together = folder.path().join(batch);
        assert!(predict(&models, &data, &together, &["--batch-size", batch]).status.success());
        let (mut alone, mut all) = (Vec::new(), Vec::new());
        for entry in WalkDir::new(&data).sort_by_file_name() {
            let path = entry.unwrap().into_path();
            let is_png = path.extension().is_some_and(|extension| extension == "png");
            if is_png && !path.to_string_lossy().contains("masks") {
                let view = path.strip_prefix(&data).unwrap().components().next().unwrap();
                let out = folder.path().join("alone");
                let view = view.as_os_str().to_str().unwrap();
                let output = predict(&models, &path, &out, &["--view", view, "--batch-size", batch]);
                assert!(output.status.success(), "{}", stderr_of(&output));
                alone.push(fs::read_to_string(out.join(format!("predictions_{view}.txt"))).unwrap());
            }
        }
        for view in ["CC_L", "CC_R", "MLO_L", "MLO_R"] {
            let text = fs::read_to_string(together.join(format!("predictions_{view}.txt"))).unwrap();
            all.extend(text.lines().map(|line| format!("{line}\n")));
        }
        assert!(alone.len() > 8);
        assert_eq!(alone, all, "batches of {batch}");
    }
}
