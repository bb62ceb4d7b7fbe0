//! Models of runs by the real binaries: `evaluate RUN|GROUP` and `predict --model RUN|GROUP`. The run directories are
//! written here, with a model of random weights as their best checkpoint: nothing is trained.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use chrono::Utc;
use mammoscope_domain::image::grey_range::GreyRange;
use mammoscope_domain::run::dataset_manifest::{
    DatasetManifest, MANIFEST_SCHEMA, ManifestSample, PixelFacts, SplitSource,
};
use mammoscope_domain::run::run_spec::{RUN_SCHEMA, RunSpec};
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::subject::subject_id::{ExamId, SubjectId};
use mammoscope_domain::subject::view::View;
use mammoscope_domain::training::compute_options::DeviceChoice;
use mammoscope_domain::training::preset::Preset;
use mammoscope_imaging::decode::decode_file;
use mammoscope_imaging::pixel_checksum::pixel_sha256;
use mammoscope_storage::models::model_file::Model;
use mammoscope_storage::runs::manifest_file::write_manifest;
use mammoscope_storage::runs::model_splits::ModelSplits;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::run_spec_file::write_run_spec;
use mammoscope_storage::tables::prediction_table::read_table;
#[cfg(unix)]
use mammoscope_test_support::read_only_folder::ReadOnlyCopy;
use mammoscope_test_support::{mammoscope, names_in, small_model, stderr_of, write_image};
use serde_json::Value;

const GROUP: &str = "2026-11-23T10-15-02_seed_7f3a";
const SUBJECTS: u32 = 16;

/// Subjects 1 to 8 are for training, 9 to 12 for validation, 13 to 16 for test; each four have all classes.
fn split_of(subject: u32) -> Split {
    match subject {
        1..=8 => Split::Train,
        9..=12 => Split::Validation,
        _ => Split::Test,
    }
}

fn class_of(subject: u32) -> DensityClass {
    DensityClass::ALL[(subject as usize - 1) % 4]
}

/// A data set, and a workspace with one run per view.
struct Fixture {
    folder: tempfile::TempDir,
    data: PathBuf,
    workspace: PathBuf,
}

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (data, workspace) = (folder.path().join("data"), folder.path().join("workspace"));
        fs::create_dir_all(workspace.join("runs")).unwrap();
        let fixture = Self { folder, data, workspace };
        let mut model = Model::read(&small_model(fixture.folder.path(), 64)).unwrap();
        for view in View::ALL {
            model.metadata.view = Some(view);
            fixture.write_run(view, &fixture.manifest(view), &model);
        }
        fixture
    }

    fn image(&self, view: View, subject: u32) -> PathBuf {
        let class = class_of(subject);
        self.data.join(format!("{view}/{class}/{subject}_1_{class}_{view}.png"))
    }

    fn manifest(&self, view: View) -> DatasetManifest {
        let sample = |subject: u32| {
            let path = self.image(view, subject);
            write_image(&path, subject * 4 + view as u32 + 1);
            let pixels = decode_file(&path).unwrap().into_8_bit();
            ManifestSample {
                file: path.strip_prefix(&self.data).unwrap().to_owned(),
                subject: SubjectId(subject.to_string()),
                exam: Some(ExamId("1".to_owned())),
                label: class_of(subject),
                votes: None,
                split: split_of(subject),
                pixels: Some(PixelFacts {
                    sha256: pixel_sha256(&pixels),
                    width: pixels.width(),
                    height: pixels.height(),
                    // Classes are 10 apart and spread over 4: the baseline can tell them apart.
                    grey_deviation: Some(10.0 * class_of(subject).index() as f64 + f64::from(subject % 5)),
                    findings: None,
                }),
                unusable: None,
            }
        };
        DatasetManifest {
            schema: MANIFEST_SCHEMA,
            root: self.data.clone(),
            view,
            split_source: SplitSource::Seeded,
            split_seed: 1,
            split_file: None,
            grey_range: GreyRange::Auto,
            allow_duplicates: false,
            samples: (1..=SUBJECTS).map(sample).collect(),
        }
    }

    fn write_run(&self, view: View, manifest: &DatasetManifest, model: &Model) {
        let run = RunDir::create(self.run(view).path()).unwrap();
        let mut config = Preset::named("seed").unwrap().config;
        config.set_all("size=64,width=0.125,threads=1").unwrap();
        let spec = RunSpec {
            schema: RUN_SCHEMA,
            on_event: None,
            placement: None,
            study: None,
            created: Utc::now(),
            group: GROUP.to_owned(),
            view,
            preset: "seed".to_owned(),
            data: self.data.clone(),
            device: DeviceChoice::Cpu,
            grey_range: GreyRange::Auto,
            config,
        };
        write_run_spec(&run.spec(), &spec).unwrap();
        write_manifest(&run.manifest(), manifest).unwrap();
        model.write(&run.best_checkpoint(3, 0.5)).unwrap();
    }

    fn run(&self, view: View) -> RunDir {
        RunDir::new(self.workspace.join("runs").join(format!("2026-11-23T10-15-02_{view}_seed")))
    }

    fn call(&self, arguments: &[&str]) -> Output {
        mammoscope().arg("--workspace").arg(&self.workspace).args(arguments).output().unwrap()
    }

    fn predict(&self, model: &str, data: &Path, out: &str, more: &[&str]) -> Output {
        let mut command = mammoscope();
        command.arg("--workspace").arg(&self.workspace).args(["predict", "--threads", "1", "--model", model]);
        command.arg("--data").arg(data).arg("--out").arg(self.folder.path().join(out)).args(more).output().unwrap()
    }
}

fn assert_fails(output: &Output, code: i32, part: &str) {
    let stderr = stderr_of(output);
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    assert!(stderr.contains(part), "'{part}' in {stderr}");
    assert!(output.stdout.is_empty());
}

#[test]
fn a_group_is_evaluated_on_its_test_images_with_the_baseline() {
    let fixture = Fixture::new();
    let output = fixture.call(&["evaluate", GROUP, "--json", "--resamples", "50"]);
    assert!(output.status.success(), "{}", stderr_of(&output));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["split"], "test");
    assert_eq!(document["inputs"].as_array().unwrap().len(), 4);
    for set in ["CC_R", "CC_L", "MLO_R", "MLO_L", "right", "left", "total"] {
        assert_eq!(document["sets"][set]["n"], 4, "{set}: subjects 13 to 16");
        assert_eq!(document["sets"][set]["baseline"]["n"], 4, "{set}");
        assert_eq!(document["sets"][set]["baseline"]["accuracy"], 1.0, "{set}");
        assert_eq!(document["sets"][set]["baseline"]["kappa_linear"], 1.0, "{set}");
    }
    let total = &document["sets"]["total"];
    let difference = total["kappa_linear"].as_f64().unwrap() - 1.0;
    assert!((total["baseline"]["kappa_linear_difference"].as_f64().unwrap() - difference).abs() < 1e-12);

    for view in View::ALL {
        let run = fixture.run(view);
        assert_eq!(names_in(&run.predictions()), ["test.csv", "test.txt", "validation.csv", "validation.txt"]);
        assert_eq!(names_in(&run.evaluations()), ["test.json", "validation.json"]);
        let rows = read_table(&run.prediction_table(Split::Validation, "csv")).unwrap();
        assert_eq!(rows.iter().map(|row| row.subject.0.as_str()).collect::<Vec<_>>(), ["9", "10", "11", "12"]);
        assert!(rows.iter().all(|row| row.view == Some(view) && fixture.data.join(&row.file).is_file()));
        let saved: Value = serde_json::from_slice(&fs::read(run.evaluation(Split::Test)).unwrap()).unwrap();
        assert_eq!(saved["sets"][view.name()]["predictions"], document["sets"][view.name()]["predictions"]);
        assert_eq!(saved["sets"][view.name()]["baseline"]["accuracy"], 1.0);
    }

    // The saved tables, given by path, hold the same predictions.
    let tables: Vec<String> = View::ALL
        .map(|view| fixture.run(view).prediction_table(Split::Test, "csv").to_string_lossy().into_owned())
        .to_vec();
    let mut arguments = vec!["evaluate", "--json", "--resamples", "50"];
    arguments.extend(tables.iter().map(String::as_str));
    let again: Value = serde_json::from_slice(&fixture.call(&arguments).stdout).unwrap();
    assert_eq!(again["sets"]["total"]["intervals"], document["sets"]["total"]["intervals"]);
}

#[test]
fn the_split_is_reported_and_can_be_chosen() {
    let fixture = Fixture::new();
    let run = fixture.run(View::MloL);
    let output = fixture.call(&["evaluate", "latest", "--split", "validation", "--resamples", "50"]);
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(table.contains("One-feature baseline") && table.contains("\ntotal           4    1.000"), "{table}");
    assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");

    let mut without_test = fixture.manifest(View::MloL);
    without_test.samples.retain(|sample| sample.split != Split::Test);
    write_manifest(&run.manifest(), &without_test).unwrap();
    let name = run.name();
    let output = fixture.call(&["evaluate", &name, "--json", "--resamples", "50"]);
    assert!(
        stderr_of(&output).contains("no test images: these are metrics of the validation images"),
        "{}",
        stderr_of(&output)
    );
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["split"], "validation");
    let output = fixture.call(&["evaluate", &name, "--split", "test"]);
    assert_fails(&output, 1, "has no test images; it has validation");
    let output = fixture.call(&["evaluate", &name, "--split", "train"]);
    assert_fails(&output, 2, "not judged by the images");
}

#[test]
fn wrong_runs_are_refused_before_anything_is_computed() {
    let fixture = Fixture::new();
    let run = fixture.run(View::CcR);
    assert_fails(&fixture.call(&["evaluate", "2026-11-23T10-15-02_CC_X"]), 1, "no run or group");
    let table = fixture.folder.path().join("predictions.csv");
    let header = "file,subject,exam,view,label,predicted,p_A,p_B,p_C,p_D";
    fs::write(&table, format!("{header}\na.png,1,1,CC_R,A,A,1,0,0,0\n")).unwrap();
    let output = fixture.call(&["evaluate", table.to_str().unwrap(), "--split", "test"]);
    assert_fails(&output, 2, "--split is for runs");
    assert_fails(&fixture.call(&["evaluate", &run.name(), run.path().to_str().unwrap()]), 2, "given twice");

    let copy = fixture.workspace.join("runs/copy");
    let command = std::process::Command::new("cp").arg("-r").arg(run.path()).arg(&copy).status().unwrap();
    assert!(command.success());
    assert_fails(&fixture.call(&["evaluate", &run.name(), "copy"]), 2, "are both of CC_R");
    let output = fixture.call(&["evaluate", &run.name(), "--against", "copy", "--resamples", "50"]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("CC_R: 4 cases in common"), "{text} {}", stderr_of(&output));

    fs::remove_dir_all(&copy).unwrap();
    fs::remove_file(run.best_checkpoint(3, 0.5)).unwrap();
    assert_fails(&fixture.call(&["evaluate", GROUP]), 1, "has no best checkpoint");
    let output = fixture.predict("latest", &fixture.data, "out", &[]);
    assert_fails(&output, 1, "no model for CC_R");
    assert!(stderr_of(&output).contains("2026-11-23T10-15-02_CC_R_seed has no best checkpoint"));
}

#[test]
fn unreadable_images_are_listed_and_the_rest_is_evaluated() {
    let fixture = Fixture::new();
    fs::write(fixture.image(View::CcR, 16), b"no picture").unwrap();
    let output = fixture.call(&["evaluate", &fixture.run(View::CcR).name(), "--json", "--resamples", "50"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr_of(&output).contains("16_1_D_CC_R.png: "), "{}", stderr_of(&output));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&document["sets"]["CC_R"]["n"], &document["sets"]["CC_R"]["baseline"]["n"]), (&3.into(), &3.into()));
}

#[test]
fn changed_images_are_listed_and_left_out() {
    let fixture = Fixture::new();
    write_image(&fixture.image(View::CcR, 14), 200);
    let name = fixture.run(View::CcR).name();
    let output = fixture.call(&["evaluate", &name, "--json"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr_of(&output));
    let lines: Vec<_> = stderr_of(&output).lines().filter(|line| line.contains("changed")).map(str::to_owned).collect();
    assert!(lines.len() == 1 && lines[0].contains("14_1_B_CC_R.png"), "{lines:?}");
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["sets"]["CC_R"]["n"], 3);
}

#[test]
fn models_of_runs_know_their_splits() {
    let fixture = Fixture::new();
    let output = fixture.predict(GROUP, &fixture.data, "test", &["--split", "test"]);
    assert!(output.status.success(), "{}", stderr_of(&output));
    assert!(!stderr_of(&output).contains("was trained on"), "{}", stderr_of(&output));
    let rows = read_table(&fixture.folder.path().join("test/predictions.csv")).unwrap();
    assert_eq!(rows.len(), 16);
    assert!(rows.iter().all(|row| row.subject.0.parse::<u32>().unwrap() > 12));

    let output = fixture.predict("latest", &fixture.data, "all", &[]);
    let stderr = stderr_of(&output);
    assert_eq!(stderr.matches("8 images of subjects that").count(), 4, "one warning per view: {stderr}");
    let output = fixture.predict("latest", &fixture.data, "train", &["--split", "train"]);
    assert!(!stderr_of(&output).contains("was trained on"), "the training images were requested");

    // Other subjects with the same IDs.
    let others = fixture.folder.path().join("others");
    for subject in 1..=8 {
        let path = fixture.image(View::CcR, subject);
        write_image(&others.join(path.strip_prefix(&fixture.data).unwrap()), 100 + subject);
    }
    let output = fixture.predict("latest", &others, "others", &[]);
    assert!(output.status.success() && !stderr_of(&output).contains("was trained on"), "{}", stderr_of(&output));
}

#[test]
fn a_copied_model_keeps_its_splits() {
    let fixture = Fixture::new();
    let mut model = Model::read(&fixture.run(View::CcR).best_checkpoint(3, 0.5)).unwrap();
    let away = fixture.folder.path().join("away.safetensors");
    let predict = |out: &str| {
        fixture.predict(away.to_str().unwrap(), &fixture.data, out, &["--view", "CC_R", "--split", "validation"])
    };
    model.metadata.provenance = BTreeMap::new();
    model.write(&away).unwrap();
    assert_fails(&predict("nothing"), 1, "the model does not know these subjects");
    model.metadata.provenance = ModelSplits::of_manifest(&fixture.manifest(View::CcR)).to_provenance();
    model.write(&away).unwrap();
    let output = predict("validation");
    assert!(output.status.success(), "{}", stderr_of(&output));
    let rows = read_table(&fixture.folder.path().join("validation/predictions.csv")).unwrap();
    assert_eq!(rows.iter().map(|row| row.subject.0.as_str()).collect::<Vec<_>>(), ["9", "10", "11", "12"]);
}

/// The run of a colleague, or of an archive.
#[cfg(unix)]
#[test]
fn a_run_that_can_only_be_read_is_evaluated_predicted_and_explained() {
    let fixture = Fixture::new();
    let Some(copy) = ReadOnlyCopy::make(&fixture.workspace, &fixture.folder.path().join("copy")) else { return };
    let run = copy.path().join("runs").join(fixture.run(View::CcR).name());
    let run = run.to_str().unwrap();
    let out = fixture.folder.path().join("out");
    let here = ["--workspace", copy.path().to_str().unwrap()];
    let call = |arguments: &[&str]| mammoscope().args(here).args(arguments).output().unwrap();
    let evaluate = ["evaluate", run, "--json", "--resamples", "50", "--out"];
    let output = call(&[&evaluate[..], &[out.to_str().unwrap()]].concat());
    let stderr = stderr_of(&output);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    let warning = format!("warning: the evaluation is not stored in {run}: ");
    assert_eq!(stderr.matches(&warning).count(), 1, "{stderr}");
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["sets"]["CC_R"]["n"], 4);
    assert_eq!(names_in(&out), ["confusion_matrix_CC_R.png", "evaluation.json"]);

    // A folder that cannot be made is reported before anything is computed.
    let within = format!("{run}/out");
    let output = call(&[&evaluate[..], &[within.as_str()]].concat());
    let stderr = stderr_of(&output);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(
        stderr.starts_with(&format!("error: --out: write to {within}: ")) && stderr.lines().count() == 1,
        "{stderr}"
    );

    let data = fixture.data.to_str().unwrap();
    for command in ["predict", "explain"] {
        let to = fixture.folder.path().join(command);
        let arguments = [command, "--model", run, "--data", data, "--split", "test", "--threads", "1", "--out"];
        let output = call(&[&arguments[..], &[to.to_str().unwrap()]].concat());
        assert!(output.status.success(), "{command}: {}", stderr_of(&output));
    }
}

#[test]
fn an_evaluation_without_its_images_says_that_they_are_gone() {
    let fixture = Fixture::new();
    fs::rename(&fixture.data, fixture.folder.path().join("moved")).unwrap();
    let run = fixture.run(View::CcR).name();
    let output = fixture.call(&["evaluate", &run]);
    let stderr = stderr_of(&output);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    let gone = format!("error: the data of {run} is not at {}; if it was moved: ", fixture.data.display());
    assert!(stderr.contains(&gone), "{stderr}");
    // What a run has stored needs no images.
    let output = fixture.call(&["evaluate", &run, "--stored"]);
    assert!(stderr_of(&output).contains("has stored no test predictions"), "{}", stderr_of(&output));
}
