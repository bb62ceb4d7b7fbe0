//! The models and the test set that come with the program work at once, and are what their cards say.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use mammoscope_domain::subject::view::View;
use mammoscope_storage::models::model_file::sha256_hex;
use serde_json::Value;
use support::{mammoscope, stderr_of};

const MAX_VALUE: usize = 1_500_000;

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn run(folder: &Path, words: &[&str]) -> Output {
    let output = mammoscope().current_dir(folder).args(words).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{words:?}: {}", stderr_of(&output));
    output
}

#[test]
fn the_models_predict_the_test_set_and_are_evaluated() {
    let folder = tempfile::tempdir().unwrap();
    let (models, testset) = (shipped("models"), shipped("testset"));
    let (models, testset) = (models.to_str().unwrap(), testset.to_str().unwrap());
    let words = ["predict", "--model", models, "--data", testset, "--view", "all", "--out", "predictions"];
    run(folder.path(), &[&words[..], &["--device", "cpu"]].concat());
    let output = run(folder.path(), &["evaluate", "predictions", "--json", "--out", "evaluation"]);
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    for view in View::ALL {
        assert_eq!(document["sets"][view.name()]["n"], 4, "{view}");
    }
    // Four subjects, one a class: of the views together at most one is wrong, and not by more than a class.
    let total = &document["sets"]["total"];
    assert_eq!(total["n"], 4);
    assert!(total["accuracy"].as_f64().unwrap() >= 0.75 && total["kappa_linear"].as_f64().unwrap() >= 0.6, "{total}");
    assert!(folder.path().join("evaluation/evaluation.json").is_file());
}

#[test]
fn the_cards_say_what_the_files_are() {
    for view in View::ALL {
        let file = shipped(&format!("models/{view}.safetensors"));
        let bytes = fs::read(&file).unwrap();
        assert!(bytes.len() <= MAX_VALUE, "{view}: {} bytes", bytes.len());
        let output = run(Path::new("."), &["model", "info", file.to_str().unwrap(), "--json"]);
        let info: Value = serde_json::from_slice(&output.stdout).unwrap();
        let card = fs::read_to_string(shipped(&format!("models/{view}.md"))).unwrap();
        let says = |text: &str| assert!(card.contains(text), "{view}: the card does not say `{text}`; {info:#}");
        let text = |key: &str| match &info[key] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let provenance = |key: &str| info["provenance"][key].as_str().unwrap_or_else(|| panic!("{key}: {info:#}"));
        assert_eq!(text("sha256"), sha256_hex(&bytes));
        says(&format!("SHA-256 `{}`", text("sha256")));
        says(&format!("{} bytes", grouped(bytes.len())));
        says(&format!("width factor {}", text("width")));
        says(&format!("{} parameters", grouped(info["parameters"].as_u64().unwrap() as usize)));
        says(&format!("view {view}, {size} × {size} pixels", size = text("size")));
        assert_eq!(text("view"), view.name());
        says(provenance("dataset_sha256"));
        says(&format!("--preset {}", provenance("preset")));
        says(&format!("Best epoch {} of", provenance("epoch")));
        says(&format!("by `{}`", provenance("monitor")));
        let value: f64 = provenance("value").parse().unwrap();
        says(&format!("({value:.3})"));
    }
}

/// `617,560`.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).unwrap()).collect();
    groups.join(",")
}
