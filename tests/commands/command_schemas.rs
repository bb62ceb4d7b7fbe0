//! The schemas of `docs/schemas` for the documents that commands print with `--json`, against what they print.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use mammoscope_dataset::audit::finding::FindingCode;
use mammoscope_domain::explanation::explanation_summary::SCORE_COUNT;
use mammoscope_test_support::training_fixture::TrainingFixture;
use mammoscope_test_support::{mammoscope, shipped, stderr_of, write_image};
use serde_json::Value;

use super::json_schemas::{check, schema};

/// Runs a command with `--json` and returns its document; `code` is the expected exit status.
fn document(folder: &Path, arguments: &[&str], code: i32) -> Value {
    let output = mammoscope().current_dir(folder).args(arguments).arg("--json").output().unwrap();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", stderr_of(&output));
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{arguments:?}: {error}"))
}

fn phantoms(folder: &Path, name: &str, more: &[&str]) {
    let arguments = ["phantom", name, "--size", "64", "--seed", "5"];
    let output = mammoscope().current_dir(folder).args(arguments).args(more).output().unwrap();
    assert!(output.status.success(), "{}", stderr_of(&output));
}

#[test]
fn audits_fit_their_schema() {
    let folder = tempfile::tempdir().unwrap();
    phantoms(folder.path(), "data", &["--subjects", "24"]);
    let sound = document(folder.path(), &["audit", "data"], 0);
    assert!(sound["baseline"].is_object(), "{sound:#}");
    check("audit_command", &sound);
    // Few images, one of them twice, one unreadable, one of unknown view.
    let few = folder.path().join("few");
    for name in ["CC_R/A/1_1_A_CC_R.png", "CC_R/B/2_1_B_CC_R.png", "MLO_R/B/2_1_B_MLO_R.png", "other/3_1_C.png"] {
        write_image(&few.join(name), 3);
    }
    fs::write(few.join("CC_R/A/4_1_A_CC_R.png"), "no image").unwrap();
    let faulty = document(folder.path(), &["audit", "few"], 1);
    assert!(faulty["baseline"].is_null() && faulty["counts"]["errors"].as_u64() > Some(1), "{faulty:#}");
    check("audit_command", &faulty);
    let codes = schema("audit_command").pointer("/properties/findings/items/properties/code/enum").unwrap().clone();
    let codes: BTreeSet<String> = serde_json::from_value(codes).unwrap();
    assert_eq!(codes, FindingCode::ALL.iter().map(|code| code.name().to_owned()).collect());
}

#[test]
fn reports_of_doctor_fit_their_schema() {
    let folder = tempfile::tempdir().unwrap();
    let sound = document(folder.path(), &["doctor"], 0);
    assert!(sound["engine"].is_object(), "{sound:#}");
    check("doctor_command", &sound);
    let mut command = mammoscope();
    command.env("MAMMOSCOPE_ENGINE", folder.path().join("gone")).args(["doctor", "--json"]);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", stderr_of(&output));
    let without: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(without["engine"].is_null(), "{without:#}");
    check("doctor_command", &without);
}

#[test]
fn examinations_of_dicom_files_fit_their_schema() {
    let folder = tempfile::tempdir().unwrap();
    phantoms(folder.path(), "archive", &["--subjects", "4", "--dicom"]);
    let mut kinds = BTreeSet::new();
    for patient in 1..=4 {
        for image in 1..=4 {
            let file = format!("archive/PHANTOM-{patient}/IM{image}");
            let examined = document(folder.path(), &["dicom", &file], 0);
            check("dicom_command", &examined);
            kinds.insert(examined["grey"]["kind"].as_str().unwrap().to_owned());
        }
    }
    assert!(kinds.contains("window"), "{kinds:?}");
    let with_identity = document(folder.path(), &["dicom", "archive/PHANTOM-1/IM1", "--phi"], 0);
    assert!(with_identity["phi"].is_object());
    check("dicom_command", &with_identity);
    fs::write(folder.path().join("empty.dcm"), "").unwrap();
    let refused = document(folder.path(), &["dicom", "empty.dcm"], 1);
    assert_eq!((&refused["decision"], &refused["view"]), (&"refuse".into(), &Value::Null));
    check("dicom_command", &refused);
}

#[test]
fn splits_fit_their_schema() {
    let folder = tempfile::tempdir().unwrap();
    phantoms(folder.path(), "data", &["--subjects", "20"]);
    check("split_command", &document(folder.path(), &["split", "data", "--out", "splits.csv"], 0));
    let folds = document(folder.path(), &["split", "data", "--out", "folds.csv", "--folds", "4", "--test", "0.2"], 0);
    assert_eq!(folds["folds"], 4);
    check("split_command", &folds);
}

#[test]
fn documents_about_models_fit_their_schemas() {
    let folder = tempfile::tempdir().unwrap();
    let model = shipped("models/CC_R.safetensors");
    let summary = document(folder.path(), &["model", "summary", "--width", "0.25", "--size", "64"], 0);
    check("model_summary_command", &summary);
    check("model_info_command", &document(folder.path(), &["model", "info", model.to_str().unwrap()], 0));
}

#[test]
fn settings_fit_their_schema() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mammoscope/config.toml");
    let settings = || {
        let mut command = mammoscope();
        command.env_remove("MAMMOSCOPE_CONFIG").env("XDG_CONFIG_HOME", folder.path());
        let output = command.args(["config", "show", "--json"]).output().unwrap();
        assert!(output.status.success(), "{}", stderr_of(&output));
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    check("config_show_command", &settings());
    let text = "theme = \"dark\"\nmouse = false\nnotifications = \"bell\"\nworkspace = \"/tmp/ws\"\n[keys]\nfind = [\"/\", \"ctrl-f\"]\n";
    fs::create_dir(file.parent().unwrap()).unwrap();
    fs::write(&file, text).unwrap();
    let given = settings();
    assert_eq!(
        (&given["theme"], &given["lines"]["mouse"], &given["keys"]["find"][1]),
        (&"dark".into(), &2.into(), &"Ctrl-F".into())
    );
    check("config_show_command", &given);
}

#[test]
fn detached_training_runs_fit_their_schema() {
    let fixture = TrainingFixture::new();
    let started = |more: &[&str]| -> Value {
        let arguments = [&["--detach", "--json"], more].concat();
        let output = fixture.train_command(&["epochs=1"], &arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        for run in document["runs"].as_array().unwrap() {
            let name = Path::new(run["path"].as_str().unwrap()).file_name().unwrap().to_str().unwrap().to_owned();
            assert!(fixture.output(&["follow", &name]).status.success(), "{name}");
        }
        document
    };
    check("train_command", &started(&[]));
    let study = started(&["--seeds", "2"]);
    assert_eq!(study["runs"][1]["study"]["repetition"], 2, "{study:#}");
    check("train_command", &study);
}

#[test]
fn explanations_fit_their_schemas() {
    let folder = tempfile::tempdir().unwrap();
    let (model, testset) = (shipped("models/CC_R.safetensors"), shipped("testset"));
    let data = ["--model", model.to_str().unwrap(), "--data", testset.to_str().unwrap(), "--view", "CC_R"];
    let explain = |more: &[&str]| {
        document(folder.path(), &[&["explain"], &data[..], &["--device", "cpu", "--out"], more].concat(), 0)
    };
    check("explain_command", &explain(&["maps"]));
    let sanity = explain(&["checked", "--sanity"]);
    assert!(sanity["sanity"].is_object(), "{sanity:#}");
    check("explain_command", &sanity);
    check("sanity", &serde_json::from_slice(&fs::read(folder.path().join("checked/sanity.json")).unwrap()).unwrap());
    let means = schema("explain_command").pointer("/$defs/summary/properties/means/maxItems").unwrap().as_u64();
    assert_eq!(means, Some(SCORE_COUNT as u64));
}
