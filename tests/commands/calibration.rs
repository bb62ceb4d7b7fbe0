//! `evaluate --calibrate` and `--sensitivity`: what is fitted to validation images, against scikit-learn, and kept in runs.

use std::fs;
use std::path::PathBuf;
use std::process::Output;

use mammoscope_domain::image::grey_range::GreyRange;
use mammoscope_domain::metrics::calibration_document::CalibrationDocument;
use mammoscope_domain::run::dataset_manifest::{DatasetManifest, ManifestSample, SplitFile, SplitSource};
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::prediction::PredictionRow;
use mammoscope_domain::subject::probabilities::Probabilities;
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::subject::subject_id::{ExamId, SubjectId};
use mammoscope_domain::subject::view::View;
use mammoscope_storage::runs::manifest_file::{read_manifest, write_manifest};
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::tables::prediction_table::{read_table, write_split_tables};
use mammoscope_test_support::run_fixture::RunFixture;
use mammoscope_test_support::{fixture, stderr_of};
use serde_json::Value;

use crate::json_schemas::check;

const TOLERANCE: f64 = 1e-6;

pub(crate) fn references() -> Value {
    serde_json::from_slice(&fs::read(fixture("calibration_references.json")).unwrap()).unwrap()
}

/// A labelled prediction of the references.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) label: DensityClass,
    pub(crate) probabilities: [f64; 4],
}

pub(crate) fn cases(references: &Value, split: &str) -> Vec<Case> {
    let (labels, probabilities) = (&references[split]["labels"], &references[split]["probabilities"]);
    let case = |(label, probabilities): (&Value, &Value)| Case {
        label: DensityClass::ALL[label.as_u64().unwrap() as usize],
        probabilities: serde_json::from_value(probabilities.clone()).unwrap(),
    };
    labels.as_array().unwrap().iter().zip(probabilities.as_array().unwrap()).map(case).collect()
}

/// Runs with stored predictions and an empty file in place of the best checkpoint, which no test here opens.
pub(crate) struct Runs {
    pub(crate) fixture: RunFixture,
}

impl Runs {
    pub(crate) fn new() -> Self {
        Self { fixture: RunFixture::new() }
    }

    /// A run with these validation and test predictions, each of a subject of its own.
    fn add(&self, view: View, group: &str, splits: [&[Case]; 2]) -> RunDir {
        self.add_with_model(view, group, splits, view.name().as_bytes())
    }

    /// A run with these bytes as its best checkpoint.
    pub(crate) fn add_with_model(
        &self,
        view: View,
        group: &str,
        [validation, test]: [&[Case]; 2],
        model: &[u8],
    ) -> RunDir {
        let run = self.fixture.queued(view, group);
        let sample = |split: Split, number: usize, label: DensityClass| ManifestSample {
            file: PathBuf::from(format!("{view}/{split}/{label}/{split}{number}_1_{label}_{view}.png")),
            subject: SubjectId(format!("{split}{number}")),
            exam: Some(ExamId("1".to_owned())),
            label,
            votes: None,
            split,
            pixels: None,
            unusable: None,
        };
        let mut manifest = DatasetManifest {
            schema: 1,
            root: self.fixture.folder.path().to_owned(),
            view,
            split_source: SplitSource::Folders,
            split_seed: 0,
            grey_range: GreyRange::Auto,
            split_file: None,
            allow_duplicates: false,
            samples: Vec::new(),
        };
        fs::write(run.best_checkpoint(1, 0.5), model).unwrap();
        fs::create_dir_all(run.predictions()).unwrap();
        for (split, cases) in [(Split::Validation, validation), (Split::Test, test)] {
            let samples: Vec<ManifestSample> =
                cases.iter().enumerate().map(|(number, case)| sample(split, number, case.label)).collect();
            let rows: Vec<PredictionRow> = samples
                .iter()
                .zip(cases)
                .map(|(sample, case)| manifest.prediction_row(sample, Probabilities(case.probabilities)))
                .collect();
            if !rows.is_empty() {
                write_split_tables(&run, split, &rows).unwrap();
            }
            manifest.samples.extend(samples);
        }
        write_manifest(&run.manifest(), &manifest).unwrap();
        run
    }

    fn evaluate(&self, arguments: &[&str]) -> Output {
        self.fixture.output(&[&["evaluate", "--stored", "--resamples", "100"], arguments].concat())
    }

    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let output = self.evaluate(&[arguments, &["--json"]].concat());
        assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// The error of an evaluation that is refused.
    fn refusal(&self, status: i32, arguments: &[&str]) -> String {
        let output = self.evaluate(arguments);
        assert_eq!(output.status.code(), Some(status), "{}", stderr_of(&output));
        assert!(output.stdout.is_empty());
        stderr_of(&output)
    }
}

/// The references as a run, and its name.
fn reference_run() -> (Runs, RunDir, Value) {
    let (runs, references) = (Runs::new(), references());
    let run = runs.add(View::CcR, "one", [&cases(&references, "validation"), &cases(&references, "test")]);
    (runs, run, references)
}

fn assert_close(found: &Value, expected: &Value, at: &str) {
    match (found.as_f64(), expected.as_f64()) {
        (Some(found), Some(expected)) => {
            assert!((found - expected).abs() <= TOLERANCE, "{at}: {found}, not {expected}");
        }
        _ => assert_eq!(found, expected, "{at}"),
    }
}

fn read(run: &RunDir) -> Value {
    serde_json::from_slice(&fs::read(run.calibration()).unwrap()).unwrap()
}

#[test]
fn temperatures_and_operating_points_are_those_of_scikit_learn() {
    let (runs, run, references) = reference_run();
    let document = runs.json(&[&run.name(), "--calibrate", "--sensitivity", "0.5,0.8,0.9,1"]);
    check("evaluation", &document);
    assert_eq!(document["split"], "test", "the metrics are still those of the test images");
    let calibration = &document["calibrations"][0];
    check("calibration", calibration);
    assert_eq!(&read(&run), calibration, "it is kept in the run");
    let set = &calibration["sets"]["CC_R"];
    assert_close(&set["scaling"]["temperature"], &references["temperature"], "temperature");
    for split in ["validation", "test"] {
        for when in ["before", "after"] {
            for figure in ["log_loss", "brier_multiclass", "ece15"] {
                let (found, expected) =
                    (&set["scaling"][split][when][figure], &references["scores"][split][when][figure]);
                assert_close(found, expected, &format!("{split} {when} {figure}"));
            }
        }
        let intervals = &set["scaling"][split]["difference_intervals"];
        assert!(intervals["log_loss"]["low"].as_f64().unwrap() < intervals["log_loss"]["high"].as_f64().unwrap());
    }
    let points = set["operating_points"].as_array().unwrap();
    for (is_calibrated, key) in [(false, "operating_points"), (true, "calibrated_operating_points")] {
        let found: Vec<&Value> = points.iter().filter(|point| point["is_calibrated"] == is_calibrated).collect();
        let expected = references[key].as_array().unwrap();
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.into_iter().zip(expected) {
            let at = format!("{key} {}", expected["wanted"]);
            assert_close(&found["wanted_sensitivity"], &expected["wanted"], &at);
            assert_close(&found["threshold"], &expected["threshold"], &at);
            for split in ["validation", "test"] {
                assert_eq!(found[split]["confusion"], expected[split]["confusion"], "{at} {split}");
                for figure in ["sensitivity", "specificity", "ppv", "npv"] {
                    assert_close(&found[split][figure], &expected[split][figure], &format!("{at} {split} {figure}"));
                }
            }
            let interval = &found["test"]["intervals"]["sensitivity"];
            let sensitivity = found["test"]["sensitivity"].as_f64().unwrap();
            assert!(
                interval["low"].as_f64().unwrap() < sensitivity && interval["high"].as_f64().unwrap() > sensitivity
            );
        }
    }
}

#[test]
fn nothing_is_fitted_to_test_images() {
    let (runs, references) = (Runs::new(), references());
    let (validation, test) = (cases(&references, "validation"), cases(&references, "test"));
    let mut shuffled = test.clone();
    for case in &mut shuffled {
        case.label = DensityClass::ALL[3 - case.label.index()];
    }
    let with = |test: &[Case], group| {
        let run = runs.add(View::CcR, group, [&validation, test]);
        let document = runs.json(&[&run.name(), "--calibrate", "--sensitivity", "0.9"]);
        document["calibrations"][0]["sets"]["CC_R"].clone()
    };
    let (one, other, none) = (with(&test, "one"), with(&shuffled, "two"), with(&[], "three"));
    for (place, key) in [(0, "threshold"), (1, "threshold")] {
        let point = |set: &Value| set["operating_points"][place][key].clone();
        assert_eq!(point(&one), point(&other));
        assert_eq!(point(&one), point(&none));
    }
    assert_eq!(one["scaling"]["temperature"], other["scaling"]["temperature"]);
    assert_ne!(one["scaling"]["test"], other["scaling"]["test"]);
    assert!(none["scaling"]["test"].is_null() && none["operating_points"][0]["test"].is_null(), "{none:#}");
}

#[test]
fn fused_sets_have_temperatures_of_their_own_and_requests_add_up() {
    let (runs, references) = (Runs::new(), references());
    let splits = [cases(&references, "validation"), cases(&references, "test")];
    // The second view errs elsewhere: the fused probabilities are less confident.
    let mut turned = splits.clone();
    for case in turned.iter_mut().flatten().step_by(3) {
        case.probabilities.reverse();
    }
    let one = runs.add(View::CcR, "group", [&splits[0], &splits[1]]);
    let other = runs.add(View::MloR, "group", [&turned[0], &turned[1]]);
    let names = [one.name(), other.name()];
    let document = runs.json(&["group", "--calibrate"]);
    let sets = document["calibrations"][0]["sets"].as_object().unwrap();
    assert_eq!(sets.keys().collect::<Vec<_>>(), ["CC_R", "MLO_R", "right"]);
    let temperature = |set: &str| sets[set]["scaling"]["temperature"].as_f64().unwrap();
    assert_close(&temperature("CC_R").into(), &references["temperature"], "CC_R");
    assert!(temperature("right") < temperature("MLO_R"), "{sets:#?}");
    assert_eq!(read(&one), read(&other), "both runs keep it");
    // Another request keeps what was fitted before, and has thresholds for both kinds of probabilities.
    let more = runs.json(&[&names[0], &names[1], "--sensitivity", "0.8"]);
    let right = &more["calibrations"][0]["sets"]["right"];
    assert_eq!(right["scaling"], sets["right"]["scaling"]);
    let kinds: Vec<&Value> =
        right["operating_points"].as_array().unwrap().iter().map(|it| &it["is_calibrated"]).collect();
    assert_eq!(kinds, [false, true]);
    let again = runs.json(&["group", "--calibrate"]);
    assert_eq!(again["calibrations"], more["calibrations"]);
    // A plain evaluation neither shows nor changes it.
    assert!(runs.json(&["group"])["calibrations"].is_null());
    assert_eq!(read(&one), more["calibrations"][0]);
    let parsed: CalibrationDocument = serde_json::from_value(read(&one)).unwrap();
    assert_eq!(serde_json::to_value(&parsed).unwrap(), read(&one));
}

#[test]
fn every_format_shows_the_same_numbers() {
    let (runs, run, _) = reference_run();
    let name = run.name();
    let text = |format: &str| {
        let output = runs.evaluate(&[&name, "--calibrate", "--sensitivity", "0.9", "--format", format]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
        assert!(
            stderr_of(&output).contains("kept in calibration.json of 1 run; next: mammoscope predict --calibrated")
        );
        String::from_utf8(output.stdout).unwrap()
    };
    let plain = text("table");
    let start = plain.find("Temperature scaling").unwrap();
    let end = plain.find("Overview").unwrap();
    assert!(end < start, "it follows the sets");
    insta::assert_snapshot!("calibration_tables", &plain[start..]);
    assert!(plain.lines().all(|line| line.chars().count() <= 80), "{plain}");
    for (format, wanted) in [
        ("markdown", ["1.487", "0.3702", "0.821"]),
        ("latex", ["\\label{tab:calibration}", "\\label{tab:cc-r-operating-points}", "0.3702"]),
        ("csv", ["CC_R,fitted,temperature,", "CC_R,test_calibrated,log_loss,", "sensitivity 0.9; calibrated"]),
    ] {
        let text = text(format);
        for wanted in wanted {
            assert!(text.contains(wanted), "{format} lacks {wanted}:\n{text}");
        }
    }
}

#[test]
fn folds_are_fitted_by_themselves() {
    let (runs, references) = (Runs::new(), references());
    let all = cases(&references, "validation");
    let (first, second) = all.split_at(30);
    for (fold, validation, test) in [(1, second, first), (2, first, second)] {
        let run = runs.add(View::CcR, "folds", [validation, test]);
        let mut manifest = read_manifest(&run.manifest()).unwrap();
        let (name, sha256) = ("folds.csv".to_owned(), "0".repeat(64));
        manifest.split_file = Some(SplitFile { name, sha256, fold: Some(fold), folds: vec![1, 2] });
        for sample in &mut manifest.samples {
            // The subjects of the two folds differ.
            sample.subject.0 = format!("{}{fold}", sample.subject.0);
        }
        fs::remove_file(run.manifest()).unwrap();
        write_manifest(&run.manifest(), &manifest).unwrap();
        for split in [Split::Validation, Split::Test] {
            let mut rows = read_table(&run.prediction_table(split, "csv")).unwrap();
            for row in &mut rows {
                row.subject.0 = format!("{}{fold}", row.subject.0);
            }
            write_split_tables(&run, split, &rows).unwrap();
        }
    }
    let document = runs.json(&["folds", "--calibrate", "--sensitivity", "0.8"]);
    let calibrations = document["calibrations"].as_array().unwrap();
    assert_eq!(calibrations.iter().map(|it| it["fold"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 2]);
    let temperatures: Vec<&Value> =
        calibrations.iter().map(|it| &it["sets"]["CC_R"]["scaling"]["temperature"]).collect();
    assert_ne!(temperatures[0], temperatures[1]);
    let output = runs.evaluate(&["folds", "--calibrate", "--sensitivity", "0.8"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("CC_R, 1") && text.contains("CC_R, fold 2: 30 validation cases"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
}

#[test]
fn what_cannot_be_fitted_is_refused_by_name() {
    let (runs, references) = (Runs::new(), references());
    let (validation, test) = (cases(&references, "validation"), cases(&references, "test"));
    let name = |run: RunDir| run.name();
    let none = name(runs.add(View::CcR, "none", [&[], &test]));
    let error = runs.refusal(1, &[&none, "--calibrate"]);
    assert!(error.contains(&format!("{none} has no validation images, and nothing is fitted to others")), "{error}");
    let without_d: Vec<Case> = validation.iter().filter(|case| case.label != DensityClass::D).cloned().collect();
    let lacking = runs.add(View::CcR, "lacking", [&without_d, &test]);
    let error = runs.refusal(1, &[&lacking.name(), "--calibrate"]);
    assert!(error.contains("the validation cases of CC_R have none of class D"), "{error}");
    assert!(error.contains(&lacking.name()) && !lacking.calibration().exists(), "{error}");
    let one = name(runs.add(View::CcR, "one", [&validation[..1], &test]));
    let error = runs.refusal(1, &[&one, "--sensitivity", "0.9"]);
    assert!(error.contains("the validation cases of CC_R are of one subject"), "{error}");
    let flawless = |case: &Case| {
        let probabilities = DensityClass::ALL.map(|class| if class == case.label { 0.7 } else { 0.1 });
        Case { probabilities, ..case.clone() }
    };
    let flawless: Vec<Case> = validation.iter().map(flawless).collect();
    let flawless = name(runs.add(View::CcR, "flawless", [&flawless, &test]));
    let error = runs.refusal(1, &[&flawless, "--calibrate"]);
    assert!(error.contains("CC_R has no temperature: every case is predicted correctly"), "{error}");
    // The densest case is called least dense: only a threshold below all others finds it.
    let mut inverted = validation.clone();
    for case in &mut inverted {
        case.probabilities = if case.label.is_dense() { [0.7, 0.2, 0.05, 0.05] } else { [0.1, 0.1, 0.1, 0.7] };
    }
    let inverted = name(runs.add(View::CcR, "inverted", [&inverted, &test]));
    let error = runs.refusal(1, &[&inverted, "--sensitivity", "0.9"]);
    assert!(error.contains("for a sensitivity of 0.9: it is reached only where every case is called dense"), "{error}");
    let run = runs.add(View::CcR, "plain", [&validation, &test]);
    let name = run.name();
    for bad in ["0", "1.5", "-1", "nan", "90%", ""] {
        let error = runs.refusal(2, &[&name, &format!("--sensitivity={bad}")]);
        assert!(error.contains("is not a sensitivity, which is above 0 and at most 1"), "{error}");
    }
    let error = runs.refusal(2, &[&name, "--calibrate", "--split", "test"]);
    assert!(error.contains("--calibrate fits to the validation images, never to the test images"), "{error}");
    let error = runs.refusal(2, &[&name, "--calibrate", "--split", "train"]);
    assert!(error.contains("not judged by the images that it was trained on"), "{error}");
    let table = run.prediction_table(Split::Validation, "csv");
    let error = runs.refusal(2, &[table.to_str().unwrap(), "--calibrate"]);
    assert!(error.contains("--calibrate is for runs: a table does not say"), "{error}");
    let weights = ["--fusion", "weighted", "--weights", "CC_R=1"];
    let error = runs.refusal(2, &[&[name.as_str(), "--calibrate"][..], &weights].concat());
    assert!(error.contains("--fusion weighted has weights besides"), "{error}");
    let mut manifest = read_manifest(&run.manifest()).unwrap();
    manifest.split_source = SplitSource::AllAsTrain;
    fs::remove_file(run.manifest()).unwrap();
    write_manifest(&run.manifest(), &manifest).unwrap();
    let error = runs.refusal(1, &[&name, "--calibrate"]);
    assert!(error.contains("are its training images (--all-as-train)"), "{error}");
}
