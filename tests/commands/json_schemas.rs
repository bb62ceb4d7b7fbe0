//! The schemas of `docs/schemas` against the documents that the program writes: every key of a document is in its schema,
//! and every key that a schema requires is in the document.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use chrono::Utc;
use jsonschema::Validator;
use mammoscope_domain::image::grey_range::GreyRange;
use mammoscope_domain::image::image_findings::{ImageDoubt, ImageFindings, ImageTraits};
use mammoscope_domain::metrics::bootstrap::Bootstrap;
use mammoscope_domain::metrics::evaluation_document::{EvaluatedSet, EvaluationDocument, Provenance};
use mammoscope_domain::metrics::fold_pool::{FoldPool, FoldSpread};
use mammoscope_domain::run::dataset_manifest::{DatasetManifest, ManifestSample, PixelFacts, SplitFile, SplitSource};
use mammoscope_domain::run::request_verb::RequestVerb;
use mammoscope_domain::run::run_event::{RunEvent, RunEventKind};
use mammoscope_domain::run::run_records::SkippedSample;
use mammoscope_domain::run::run_status::{BestEpoch, RunPhase};
use mammoscope_domain::study::study_member::StudyMember;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::fusion::Fusion;
use mammoscope_domain::subject::reader_votes::ReaderVotes;
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::subject::subject_id::{ExamId, SubjectId};
use mammoscope_domain::subject::view::View;
use mammoscope_domain::training::compute_options::Precision;
use mammoscope_domain::training::training_config::{
    ClassWeighting, FullDiskPolicy, Monitor, NonfinitePolicy, OptimizerKind, ScheduleKind,
};
use mammoscope_storage::runs::event_log::EventLog;
use mammoscope_storage::runs::manifest_file::write_manifest;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::run_spec_file::{read_run_spec, write_run_spec};
use mammoscope_storage::tables::prediction_table::read_table;
use mammoscope_test_support::run_fixture::{RunFixture, end, end_epoch, record, set_status};
use mammoscope_test_support::{
    engine, fixture, mammoscope, names_in, shipped, small_model, stderr_of, write_four_subjects,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

fn schema(name: &str) -> Value {
    let path = shipped("docs/schemas").join(format!("{name}.json"));
    serde_json::from_slice(&fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))).unwrap()
}

/// Asserts that a document fits its schema, and that it would not with another key or without one that is required.
pub(crate) fn check(name: &str, document: &Value) {
    let schema = schema(name);
    let validator: Validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> =
        validator.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "docs/schemas/{name}.json: {}\n{document:#}", errors.join("\n"));
    let mut other = document.clone();
    other["a key of tomorrow"] = json!(1);
    assert!(!validator.is_valid(&other), "{name}: a key that is not in the schema");
    for key in schema["required"].as_array().into_iter().flatten() {
        let mut other = document.clone();
        other.as_object_mut().unwrap().remove(key.as_str().unwrap());
        assert!(!validator.is_valid(&other), "{name}: without {key}");
    }
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn printed(workspace: &Path, arguments: &[&str]) -> Value {
    let output = mammoscope().arg("--workspace").arg(workspace).args(arguments).arg("--json").output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", stderr_of(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The names of the variants of an enumeration, from the error of one that does not exist.
fn variants<T: DeserializeOwned>(unknown: Value) -> BTreeSet<String> {
    let error = serde_json::from_value::<T>(unknown).err().expect("there is no such variant").to_string();
    let (_, expected) = error.split_once("expected ").expect("the variants are listed");
    expected.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn the_schemas_are_valid_and_listed() {
    let readme = fs::read_to_string(shipped("docs/schemas/README.md")).unwrap();
    for file in names_in(&shipped("docs/schemas")) {
        let Some(name) = file.strip_suffix(".json") else { continue };
        let schema = schema(name);
        jsonschema::meta::validate(&schema).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema", "{name}");
        assert_eq!(schema["$id"], format!("urn:mammoscope:schema:{name}"));
        assert!(readme.contains(&format!("[{name}.json]({name}.json)")), "the README lacks {name}.json");
    }
}

#[test]
fn enumerations_have_the_variants_of_the_program() {
    fn listed(name: &str, pointer: &str) -> BTreeSet<String> {
        let schema = schema(name);
        let list = schema.pointer(pointer).unwrap_or_else(|| panic!("{name}: {pointer}")).as_array().unwrap();
        list.iter().map(|word| word.as_str().unwrap().to_owned()).collect()
    }
    let unknown = || json!("?");
    let config = |key: &str| listed("status_command", &format!("/$defs/run/properties/config/properties/{key}/enum"));
    let sample = |path: &str| listed("dataset", &format!("/$defs/{path}/enum"));
    assert_eq!(listed("status", "/properties/state/enum"), variants::<RunPhase>(unknown()));
    assert_eq!(listed("dataset", "/properties/split_source/enum"), variants::<SplitSource>(unknown()));
    assert_eq!(sample("sample/properties/split"), variants::<Split>(unknown()));
    assert_eq!(sample("findings/properties/doubts/items"), variants::<ImageDoubt>(unknown()));
    assert_eq!(config("precision"), variants::<Precision>(unknown()));
    assert_eq!(config("optimizer"), variants::<OptimizerKind>(unknown()));
    assert_eq!(config("schedule"), variants::<ScheduleKind>(unknown()));
    assert_eq!(config("class_weights"), variants::<ClassWeighting>(unknown()));
    assert_eq!(config("monitor"), variants::<Monitor>(unknown()));
    assert_eq!(config("nonfinite"), variants::<NonfinitePolicy>(unknown()));
    assert_eq!(config("on_full"), variants::<FullDiskPolicy>(unknown()));
    let events = schema("event")["oneOf"].as_array().unwrap().clone();
    let find = |event: &str| events.iter().find(|one| one["properties"]["event"]["const"] == event).unwrap().clone();
    let names: BTreeSet<String> =
        events.iter().map(|one| one["properties"]["event"]["const"].as_str().unwrap().to_owned()).collect();
    assert_eq!(names, variants::<RunEventKind>(json!({ "event": "?" })));
    let verbs: BTreeSet<String> =
        serde_json::from_value(find("request_acknowledged")["properties"]["verb"]["enum"].clone()).unwrap();
    assert_eq!(verbs, variants::<RequestVerb>(unknown()));
}

/// An event of each kind, optional values present and absent.
fn events() -> Vec<RunEventKind> {
    serde_json::from_slice(&fs::read(fixture("events_of_every_kind.json")).unwrap()).unwrap()
}

#[test]
fn lines_of_every_event_fit_their_schema() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.jsonl");
    let mut log = EventLog::open(&path).unwrap();
    for kind in events() {
        log.append(&RunEvent { time: Utc::now(), kind }).unwrap();
    }
    let mut seen = BTreeSet::new();
    for line in fs::read_to_string(&path).unwrap().lines() {
        let mut line: Value = serde_json::from_str(line).unwrap();
        seen.insert(line["event"].as_str().unwrap().to_owned());
        check("event", &line);
        assert!(line.as_object_mut().unwrap().remove("crc32c").is_some());
        check("event", &line);
        // Keys of one kind are missing in none of its events.
        for key in line.as_object().unwrap().keys().filter(|key| *key != "slurm") {
            let mut other = line.clone();
            other.as_object_mut().unwrap().remove(key);
            let schema = schema("event");
            assert!(!jsonschema::is_valid(&schema, &other), "{line} without {key}");
        }
    }
    assert_eq!(seen, variants::<RunEventKind>(json!({ "event": "?" })));
}

#[test]
fn files_of_a_recorded_workspace_fit_their_schemas() {
    let runs = fixture("recorded_workspace/runs");
    for run in names_in(&runs) {
        let run = RunDir::new(runs.join(run));
        check("status", &read(&run.status()));
        check("dataset", &read(&run.manifest()));
        for line in fs::read_to_string(run.events()).unwrap().lines() {
            check("event", &serde_json::from_str(line).unwrap());
        }
        for split in ["validation", "test"] {
            let evaluation = run.path().join(format!("evaluation/{split}.json"));
            if evaluation.exists() {
                check("evaluation", &read(&evaluation));
            }
        }
        check("status_command", &printed(&fixture("recorded_workspace"), &["status", &run.name()]));
    }
    check("runs_command", &printed(&fixture("recorded_workspace"), &["runs"]));
}

#[test]
fn a_manifest_with_everything_in_it_fits_its_schema() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dataset.json");
    let findings = |doubts: Vec<ImageDoubt>, traits| ImageFindings {
        width: 64,
        height: 64,
        bits: 16,
        largest: 4095,
        white: 4095,
        doubts,
        traits,
    };
    let pixels = |findings| {
        Some(PixelFacts {
            sha256: "0".repeat(64),
            width: 64,
            height: 64,
            grey_deviation: None,
            findings: Some(findings),
        })
    };
    let sample = |pixels, votes, unusable, exam| ManifestSample {
        file: PathBuf::from("a.png"),
        subject: SubjectId("1".to_owned()),
        exam,
        label: DensityClass::B,
        votes,
        split: Split::Train,
        pixels,
        unusable,
    };
    let manifest = DatasetManifest {
        schema: 1,
        root: "/data".into(),
        view: View::CcR,
        split_source: SplitSource::File,
        split_seed: 0,
        grey_range: GreyRange::White(4095),
        split_file: Some(SplitFile {
            name: "folds.csv".to_owned(),
            sha256: "0".repeat(64),
            fold: Some(1),
            folds: vec![1, 2],
        }),
        allow_duplicates: true,
        samples: vec![
            sample(pixels(findings(ImageDoubt::ALL.to_vec(), None)), None, None, None),
            sample(
                pixels(findings(Vec::new(), Some(ImageTraits([0.5; 9])))),
                Some(ReaderVotes::of([DensityClass::B])),
                None,
                Some(ExamId("1".to_owned())),
            ),
            sample(None, None, Some("truncated".to_owned()), None),
        ],
    };
    write_manifest(&path, &manifest).unwrap();
    let written = read(&path);
    assert!(written["crc32c"].is_string());
    check("dataset", &written);
}

#[test]
fn documents_of_the_commands_on_runs_fit_their_schemas() {
    let fixture = RunFixture::new();
    let of_study = |point: u32, value: f64| {
        let run = fixture.queued(View::CcR, "sweep");
        let mut spec = read_run_spec(&run.spec()).unwrap();
        let values = BTreeMap::from([("learning_rate".to_owned(), point.to_string())]);
        spec.study = Some(StudyMember { id: "sweep".to_owned(), point, values, repetition: 1, fold: None });
        fs::remove_file(run.spec()).unwrap();
        write_run_spec(&run.spec(), &spec).unwrap();
        end(&run, RunPhase::Completed, None);
        set_status(&run, |status| {
            status.best = Some(BestEpoch { metric: "val_accuracy".to_owned(), value, epoch: 1 });
        });
        run
    };
    let sweep = [of_study(1, 0.5), of_study(2, 0.75)];
    // A run with one of every event, and labels.
    let full = fixture.running(View::CcR, "single");
    end_epoch(&full, 1);
    for kind in events() {
        record(&full, kind);
    }
    // Of the images left out, one is used again.
    let skipped = SkippedSample { file: "b.png".to_owned(), reason: "truncated".to_owned() };
    record(&full, RunEventKind::SampleSkipped(skipped));
    for change in [&["rename", "the good one"][..], &["tag", "+paper"], &["note", "a note"]] {
        let output = fixture.output(&["runs", change[0], &full.name(), change[1]]);
        assert!(output.status.success(), "{}", stderr_of(&output));
    }
    let group = [fixture.running(View::CcL, "group"), fixture.running(View::MloL, "group")];
    let damaged = fixture.queued(View::MloR, "damaged");
    fs::write(damaged.status(), "{").unwrap();
    fs::write(damaged.spec(), "?").unwrap();
    for run in sweep.iter().chain(&group).chain([&full]) {
        check("status", &read(&run.status()));
        check("status_command", &fixture.json(&["status", &run.name(), "--json"]));
    }
    let document = fixture.json(&["status", &full.name(), "--json"]);
    for key in ["changes", "moves", "labels", "history", "skipped", "warnings", "acknowledged", "last_error"] {
        assert!(
            document[key].as_array().map_or(document[key].is_object(), |list| !list.is_empty()),
            "{key}: {document:#}"
        );
    }
    check("status_command", &fixture.json(&["status", &damaged.name(), "--json"]));
    check("status_command", &fixture.json(&["status", "group", "--json"]));
    check("status_command", &fixture.json(&["status", "sweep", "--json"]));
    let runs = fixture.json(&["runs", "--json"]);
    assert_eq!(runs["runs"].as_array().unwrap().len(), 6);
    check("runs_command", &runs);
    let study = fixture.json(&["runs", "--study", "sweep", "--json"]);
    assert_eq!(study["ranking"]["points"].as_array().unwrap().len(), 2, "{study:#}");
    check("runs_command", &study);
    check("runs_command", &fixture.json(&["runs", "--study", "group", "--json"]));
}

#[test]
fn evaluations_fit_their_schema() {
    let recorded = fixture("recorded_workspace/runs");
    let table = |view: &str| {
        let run = names_in(&recorded).into_iter().find(|name| name.contains(view)).unwrap();
        recorded.join(run).join("predictions/validation.csv").to_str().unwrap().to_owned()
    };
    let (ccr, mlol) = (table("CC_R"), table("MLO_L"));
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let arguments = ["evaluate", &ccr, &mlol, "--against", &ccr, "--resamples", "20", "--out", out.to_str().unwrap()];
    let document = printed(folder.path(), &arguments);
    assert!(document["comparison"].is_object());
    check("evaluation", &document);
    check("evaluation", &read(&out.join("evaluation.json")));
    // Fused sets, of which some lack views, and a pool of folds.
    let rows = read_table(Path::new(&ccr)).unwrap();
    let mut other_view = rows.clone();
    for row in &mut other_view {
        row.view = Some(View::MloR);
    }
    other_view.pop();
    let rows = [rows, other_view].concat();
    let (one, other) = rows.split_at(rows.len() / 2);
    let bootstrap = Bootstrap { resamples: 20, seed: 0 };
    let sets = EvaluatedSet::of_rows(&rows, &rows, Fusion::Mean, bootstrap).unwrap();
    assert!(sets.iter().any(|set| set.set.missing_views.as_ref().is_some_and(|missing| missing.cases > 0)));
    let by_fold = BTreeMap::from([(1, one.to_vec()), (2, other.to_vec())]);
    let pool = FoldPool {
        file: "folds.csv".to_owned(),
        sha256: "0".repeat(64),
        folds: vec![1, 2, 3],
        missing: BTreeMap::from([(View::CcR, vec![3])]),
        sets: FoldSpread::of_rows(&by_fold, Fusion::Mean).unwrap(),
    };
    let provenance = Provenance { split: Some(Split::Test), rows: rows.len(), ..Provenance::default() };
    let document = EvaluationDocument::new(provenance, Fusion::Mean, bootstrap, sets).with_pool(Some(pool));
    check("evaluation", &serde_json::from_str(&document.to_json()).unwrap());
}

#[test]
fn the_notes_beside_predictions_fit_their_schema() {
    let folder = tempfile::tempdir().unwrap();
    let (data, out) = (folder.path().join("data"), folder.path().join("out"));
    write_four_subjects(&data);
    fs::write(data.join("CC_R/A/9_1_A_CC_R.png"), "no image").unwrap();
    let mut command = mammoscope();
    command
        .env("MAMMOSCOPE_ENGINE", engine())
        .arg("predict")
        .arg("--data")
        .arg(&data)
        .arg("--out")
        .arg(&out)
        .arg("--json");
    let output = command.arg("--model").arg(small_model(folder.path(), 64)).output().unwrap();
    let document: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", stderr_of(&output)));
    assert_eq!(document["failed"].as_array().unwrap().len(), 1);
    check("predict_command", &document);
    check("predictions", &read(&out.join("predictions.json")));
}

#[test]
fn documents_of_presets_fit_their_schemas() {
    let folder = tempfile::tempdir().unwrap();
    check("preset_list_command", &printed(folder.path(), &["preset", "list"]));
    for preset in ["seed", "modern", "quick"] {
        check("preset_show_command", &printed(folder.path(), &["preset", "show", preset]));
    }
}
