//! The shipped models and test set work at once, and the model cards describe the files.

use std::fs;
use std::path::Path;
use std::process::Output;

use mammoscope_domain::subject::view::View;
use mammoscope_domain::text::grouped_digits::grouped;
use mammoscope_storage::models::model_file::sha256_hex;
use mammoscope_test_support::{mammoscope, shipped, stderr_of};
use serde_json::Value;

const MAX_BYTES: usize = 1_500_000;

fn run(folder: &Path, arguments: &[&str]) -> Output {
    let output = mammoscope().current_dir(folder).args(arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", stderr_of(&output));
    output
}

#[test]
fn the_models_predict_the_test_set() {
    let folder = tempfile::tempdir().unwrap();
    let (models, testset) = (shipped("models"), shipped("testset"));
    let (models, testset) = (models.to_str().unwrap(), testset.to_str().unwrap());
    let arguments = ["predict", "--model", models, "--data", testset, "--view", "all", "--out", "predictions"];
    run(folder.path(), &[&arguments[..], &["--device", "cpu"]].concat());
    let output = run(folder.path(), &["evaluate", "predictions", "--json", "--out", "evaluation"]);
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    for view in View::ALL {
        assert_eq!(document["sets"][view.name()]["n"], 4, "{view}");
    }
    // Four subjects, one per class: with the views fused at most one is wrong, and by no more than one class.
    let total = &document["sets"]["total"];
    assert_eq!(total["n"], 4);
    assert!(total["accuracy"].as_f64().unwrap() >= 0.75 && total["kappa_linear"].as_f64().unwrap() >= 0.6, "{total}");
    assert!(folder.path().join("evaluation/evaluation.json").is_file());
}

#[test]
fn the_cards_describe_the_files() {
    for view in View::ALL {
        let file = shipped(&format!("models/{view}.safetensors"));
        let bytes = fs::read(&file).unwrap();
        assert!(bytes.len() <= MAX_BYTES, "{view}: {} bytes", bytes.len());
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
        says(&format!("| SHA-256 | `{}` |", text("sha256")));
        says(&format!("{} bytes", grouped(bytes.len())));
        says(&format!("width factor {}", text("width")));
        says(&format!("{} parameters", grouped(info["parameters"].as_u64().unwrap() as usize)));
        says(&format!("view {view}, {size} × {size} pixels", size = text("size")));
        assert_eq!(text("view"), view.name());
        says(provenance("dataset_sha256"));
        says(&format!("--preset {}", provenance("preset")));
        says(&format!("Best epoch {}, by `{}`", provenance("epoch"), provenance("monitor")));
        let value: f64 = provenance("value").parse().unwrap();
        says(&format!("({value:.3})"));
    }
}
