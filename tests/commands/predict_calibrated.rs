//! `predict --calibrated`: the temperatures of runs, applied to views and to what is fused from them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use mammoscope_domain::run::dataset_manifest::ManifestSample;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::prediction::PredictionRow;
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::subject::view::View;
use mammoscope_storage::models::model_file::Model;
use mammoscope_storage::runs::manifest_file::{read_manifest, write_manifest};
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::tables::prediction_table::read_table;
use mammoscope_test_support::{engine, small_model, stderr_of, write_four_subjects, write_image};
use serde_json::Value;

use crate::calibration::{Runs, cases, references};
use crate::json_schemas::check;

/// A group of four runs whose models are small networks, and a data set of other subjects.
struct Group {
    runs: Runs,
    of_view: BTreeMap<View, RunDir>,
    data: PathBuf,
}

impl Group {
    fn new() -> Self {
        let (runs, references) = (Runs::new(), references());
        let folder = runs.fixture.folder.path().to_owned();
        let model = Model::read(&small_model(&folder, 64)).unwrap();
        let mut of_view = BTreeMap::new();
        for (turn, view) in View::ALL.into_iter().enumerate() {
            let mut splits = [cases(&references, "validation"), cases(&references, "test")];
            for case in splits.iter_mut().flatten().skip(turn).step_by(5) {
                case.probabilities.rotate_left(turn);
            }
            let mut of_run = model.clone();
            of_run.metadata.view = Some(view);
            let file = folder.join("of_view.safetensors");
            of_run.write(&file).unwrap();
            let bytes = fs::read(file).unwrap();
            of_view.insert(view, runs.add_with_model(view, "group", [&splits[0], &splits[1]], &bytes));
        }
        let data = folder.join("data");
        write_four_subjects(&data);
        Self { runs, of_view, data }
    }

    fn out(&self, name: &str) -> PathBuf {
        self.runs.fixture.folder.path().join(name)
    }

    fn predict(&self, model: &str, out: &str, more: &[&str]) -> Output {
        let mut command = self.runs.fixture.command(&["predict", "--model", model, "--threads", "1"]);
        command.env("MAMMOSCOPE_ENGINE", engine()).arg("--data").arg(&self.data).arg("--out").arg(self.out(out));
        command.args(more).output().unwrap()
    }

    fn predicted(&self, model: &str, out: &str, more: &[&str]) -> Vec<PredictionRow> {
        let output = self.predict(model, out, more);
        assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
        read_table(&self.out(out).join("predictions.csv")).unwrap()
    }

    /// The error of a prediction that is refused, which leaves no table.
    fn refusal(&self, status: i32, model: &str, more: &[&str]) -> String {
        let output = self.predict(model, "refused", more);
        assert_eq!(output.status.code(), Some(status), "{}", stderr_of(&output));
        assert!(!self.out("refused").join("predictions.csv").exists());
        stderr_of(&output)
    }

    fn name(&self, view: View) -> String {
        self.of_view[&view].name()
    }
}

/// `softmax(ln p / T)`.
fn scaled(probabilities: [f64; 4], temperature: f64) -> [f64; 4] {
    let raised = probabilities.map(|probability| probability.powf(1.0 / temperature));
    let sum: f64 = raised.iter().sum();
    raised.map(|value| value / sum)
}

fn assert_close(found: [f64; 4], expected: [f64; 4], at: &str) {
    for (found, expected) in found.into_iter().zip(expected) {
        assert!((found - expected).abs() < 1e-9, "{at}: {found}, not {expected}");
    }
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

#[test]
fn views_and_what_is_fused_from_them_are_calibrated() {
    let group = Group::new();
    let error = group.refusal(1, "group", &["--calibrated"]);
    let first = group.name(View::CcR);
    assert!(
        error.contains(&format!("{first} has no calibration; `mammoscope evaluate {first} --calibrate` fits one")),
        "{error}"
    );
    let sets = group.runs.json(&["group", "--calibrate"])["calibrations"][0]["sets"].clone();
    let temperature = |set: &str| sets[set]["scaling"]["temperature"].as_f64().unwrap();
    let plain = group.predicted("group", "plain", &[]);
    let calibrated = group.predicted("group", "calibrated", &["--calibrated"]);
    assert_eq!(plain.len(), 16);
    for (plain, calibrated) in plain.iter().zip(&calibrated) {
        assert_eq!((&plain.file, plain.predicted), (&calibrated.file, calibrated.predicted));
        let of_view = temperature(plain.view.unwrap().name());
        assert_close(calibrated.probabilities.0, scaled(plain.probabilities.0, of_view), &plain.file);
        assert_ne!(plain.probabilities, calibrated.probabilities);
    }
    let notes = read(&group.out("calibrated").join("predictions.json"));
    check("predictions", &notes);
    assert_eq!(notes["calibration"]["fusion"], "mean");
    let temperatures = notes["calibration"]["temperatures"].as_object().unwrap();
    assert_eq!(temperatures.len(), 7);
    for (set, value) in temperatures {
        assert_eq!(value, &sets[set]["scaling"]["temperature"], "{set}");
    }
    // Fused as predicted, and calibrated after that.
    let mut fused = csv::Reader::from_path(group.out("calibrated").join("fused.csv")).unwrap();
    let fused: Vec<BTreeMap<String, String>> = fused.deserialize().map(|line| line.unwrap()).collect();
    assert_eq!(fused.len(), 4 * 3);
    for line in &fused {
        let is_of = |row: &&PredictionRow| {
            let view = row.view.unwrap().name();
            let is_in = match line["set"].as_str() {
                "right" => view.ends_with('R'),
                "left" => view.ends_with('L'),
                _ => true,
            };
            is_in && row.subject.0 == line["subject"]
        };
        let rows: Vec<&PredictionRow> = plain.iter().filter(is_of).collect();
        assert_eq!(line["views"], rows.len().to_string());
        let mean = std::array::from_fn(|class| {
            rows.iter().map(|row| row.probabilities.0[class]).sum::<f64>() / rows.len() as f64
        });
        let found = ["p_A", "p_B", "p_C", "p_D"].map(|column| line[column].parse::<f64>().unwrap());
        assert_close(found, scaled(mean, temperature(&line["set"])), &line["set"]);
        assert_eq!(line["label"], rows[0].label.unwrap().letter());
    }
    // A prediction without temperatures leaves no table of those of an earlier one.
    group.predicted("group", "calibrated", &[]);
    assert!(!group.out("calibrated").join("fused.csv").exists());
    check("predictions", &read(&group.out("calibrated").join("predictions.json")));
}

#[test]
fn a_network_predicts_what_is_fitted_and_stored_predictions_give_the_same() {
    let group = Group::new();
    let name = group.name(View::CcR);
    let data = group.out("more");
    for subject in 0..24 {
        write_image(&data.join(format!("CC_R/A/{subject}_1_A_CC_R.png")), subject + 1);
    }
    let more = Group { data: data.clone(), ..group };
    let rows = more.predicted(&name, "more_predicted", &[]);
    // Three quarters are labelled as the network predicts them, the others by turns with the other classes.
    let mut manifest = read_manifest(&run_of(&more).manifest()).unwrap();
    manifest.root = data;
    let template = manifest.samples[0].clone();
    let sample = |(place, row): (usize, &PredictionRow)| ManifestSample {
        file: Path::new(&row.file).strip_prefix(&manifest.root).unwrap().to_owned(),
        subject: row.subject.clone(),
        label: if place % 4 > 0 { row.predicted } else { DensityClass::ALL[place / 4 % 4] },
        split: if place < 20 { Split::Validation } else { Split::Test },
        ..template.clone()
    };
    manifest.samples = rows.iter().enumerate().map(sample).collect();
    let run = run_of(&more);
    fs::remove_file(run.manifest()).unwrap();
    write_manifest(&run.manifest(), &manifest).unwrap();
    let mut command = more.runs.fixture.command(&["evaluate", &name, "--calibrate", "--resamples", "100", "--json"]);
    let output = command.env("MAMMOSCOPE_ENGINE", engine()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let sets = |document: &Value| document["calibrations"][0]["sets"]["CC_R"].clone();
    assert_eq!(sets(&document)["scaling"]["validation"]["n"], 20);
    assert_eq!(sets(&document)["scaling"]["test"]["n"], 4);
    let stored = more.runs.json(&[&name, "--calibrate"]);
    assert_eq!(sets(&stored), sets(&document));
}

fn run_of(group: &Group) -> &RunDir {
    &group.of_view[&View::CcR]
}

#[test]
fn stale_and_foreign_calibrations_are_refused_by_name() {
    let group = Group::new();
    let (run, name) = (&group.of_view[&View::CcR], group.name(View::CcR));
    group.runs.json(&["group", "--calibrate"]);
    let view = ["--view", "CC_R", "--calibrated"];
    // A copy of the model is in no run; a run's model on another view has no temperature for it.
    let foreign = group.out("copy.safetensors");
    fs::copy(run.best_checkpoint(1, 0.5), &foreign).unwrap();
    let error = group.refusal(1, foreign.to_str().unwrap(), &view);
    assert!(error.contains("copy.safetensors is not in a run, and only runs have calibrations"), "{error}");
    let error = group.refusal(1, &name, &["--view", "CC_L", "--calibrated"]);
    assert!(error.contains(&format!("{name} was calibrated on CC_R, and would predict CC_L")), "{error}");
    for (more, reason) in [
        (&["--shard", "1/2"][..], "cannot be used with"),
        (&["--tta", "2"], "cannot be used with"),
        (&["--tta", "0"], "0 is not in 1..=64"),
        (&["--tta", "1000000"], "1000000 is not in 1..=64"),
    ] {
        let options = if reason.starts_with("cannot") { &view[..] } else { &[] };
        let error = group.refusal(2, &name, &[options, more].concat());
        assert!(error.contains(reason), "{error}");
    }
    let error = group.refusal(1, foreign.to_str().unwrap(), &["--view", "CC_R", "--tta", "2"]);
    assert!(
        error.contains("copy.safetensors is not in a run, and only a run says how its images were augmented"),
        "{error}"
    );
    // Views that were calibrated by themselves have no temperature for what is fused from them.
    group.runs.json(&[&name, "--calibrate"]);
    let output = group.predict("group", "apart", &["--calibrated"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
    assert!(stderr_of(&output).contains("right has no temperature, since its views were not calibrated together"));
    let notes = read(&group.out("apart").join("predictions.json"));
    let sets: Vec<&String> = notes["calibration"]["temperatures"].as_object().unwrap().keys().collect();
    assert_eq!(sets, ["CC_L", "CC_R", "MLO_L", "MLO_R", "left"]);
    // Other validation images, then another checkpoint.
    let manifest = read_manifest(&run.manifest()).unwrap();
    let mut changed = manifest.clone();
    let last = changed.samples.iter().rposition(|sample| sample.split == Split::Validation).unwrap();
    changed.samples.remove(last);
    let replace = |manifest| {
        fs::remove_file(run.manifest()).unwrap();
        write_manifest(&run.manifest(), manifest).unwrap();
    };
    replace(&changed);
    let error = group.refusal(1, &name, &view);
    assert!(error.contains(&format!("the calibration of {name} was fitted to other validation images")), "{error}");
    assert!(error.contains(&format!("`mammoscope evaluate {name} --calibrate` fits it again")), "{error}");
    replace(&manifest);
    fs::copy(group.of_view[&View::CcL].best_checkpoint(1, 0.5), run.best_checkpoint(1, 0.5)).unwrap();
    let error = group.refusal(1, &name, &view);
    assert!(error.contains(&format!("the calibration of {name} was fitted to another checkpoint")), "{error}");
    fs::write(run.calibration(), "{\"schema\": 1}").unwrap();
    let error = group.refusal(1, &name, &view);
    assert!(error.contains("calibration.json: missing field"), "{error}");
}
