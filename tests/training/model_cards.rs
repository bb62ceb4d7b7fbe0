//! Model cards of trained runs by the real binaries: written at the end of training, kept up to date by `evaluate` without
//! the loss of what a person wrote, and written beside exports.

use std::fs;
use std::path::Path;
use std::process::Output;
use std::time::{Duration, SystemTime};

use mammoscope_domain::subject::split::Split;
use mammoscope_storage::models::model_file::sha256_hex;
use mammoscope_storage::runs::best_checkpoint::best_checkpoint;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_test_support::stderr_of;
use mammoscope_test_support::training_fixture::{TrainingFixture, summary};
use serde_json::Value;
use yaml_rust2::{Yaml, YamlLoader};

fn card_of(run: &RunDir) -> String {
    fs::read_to_string(run.model_card()).unwrap()
}

fn head_of(card: &str) -> Yaml {
    let (head, _) = card.strip_prefix("---\n").and_then(|rest| rest.split_once("\n---\n")).expect("a head");
    YamlLoader::load_from_str(head).unwrap_or_else(|error| panic!("{error}:\n{head}")).remove(0)
}

fn succeed(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(output));
    stderr_of(output)
}

fn evaluation(run: &RunDir, split: Split) -> Value {
    serde_json::from_slice(&fs::read(run.evaluation(split)).unwrap()).unwrap()
}

/// Asserts that the card says what the run has stored, and names no folder of this machine and no subject.
fn check(fixture: &TrainingFixture, run: &RunDir, card: &str) {
    let head = head_of(card);
    assert_eq!(head["library_name"].as_str(), Some("mammoscope"));
    let model = &head["model-index"][0];
    assert_eq!(model["name"].as_str(), Some(run.name().as_str()));
    let result = &model["results"][0];
    assert_eq!(
        (result["dataset"]["split"].as_str(), result["dataset"]["type"].as_str()),
        (Some("test"), Some("imagefolder"))
    );
    let stored = &evaluation(run, Split::Test)["sets"]["CC_R"];
    let accuracy = &result["metrics"][0];
    assert_eq!(
        (accuracy["type"].as_str(), accuracy["value"].as_f64()),
        (Some("accuracy"), stored["accuracy"].as_f64())
    );
    let best = best_checkpoint(run).unwrap();
    assert!(card.contains(&sha256_hex(&fs::read(&best).unwrap())), "{card}");
    for line in [
        "- Splits: the folders of the data set.",
        "| train | 2 (2) | 2 (2) | 2 (2) | 2 (2) | 8 (8) |",
        "| test | 1 (1) | 1 (1) | 1 (1) | 1 (1) | 4 (4) |",
        "| `width` | `1` | `0.125` |",
        "- Preset `seed` with the changes below.",
        "| File | checkpoints/best-",
    ] {
        assert!(card.contains(line), "`{line}` is missing:\n{card}");
    }
    let folder = fixture.folder.path().to_str().unwrap();
    assert!(!card.contains(folder) && !card.contains(".png") && !card.contains("file://"), "{card}");
}

#[test]
fn a_run_has_a_card_that_evaluate_keeps_up_to_date() {
    let fixture = TrainingFixture::new();
    let run = fixture.train_successfully(&[]);
    let trained = card_of(&run);
    check(&fixture, &run, &trained);

    // What a person wrote stays, whatever the sections become.
    let by_hand = trained.replace("license: unknown", "license: cc-by-4.0") + "\n## Contact\n\nThe fifth floor | é.\n";
    fs::write(run.model_card(), &by_hand).unwrap();
    fs::remove_file(run.evaluation(Split::Test)).unwrap();
    succeed(&fixture.output(&["model", "card", &run.name()]));
    let without = card_of(&run);
    assert_eq!(head_of(&without)["model-index"][0]["results"][0]["dataset"]["split"].as_str(), Some("validation"));
    assert!(without.contains("There are no figures of test images"), "{without}");
    succeed(&fixture.output(&["evaluate", &run.name(), "--resamples", "20"]));
    assert_eq!(card_of(&run), by_hand);

    // Figures of other weights are not shown.
    let evaluated = fs::metadata(run.evaluation(Split::Test)).unwrap().modified().unwrap();
    set_modified(&best_checkpoint(&run).unwrap(), evaluated + Duration::from_secs(5));
    succeed(&fixture.output(&["model", "card", &run.name()]));
    let outdated = card_of(&run);
    assert!(outdated.contains("The stored evaluation of the test images is older than these weights"), "{outdated}");
    assert!(head_of(&outdated)["model-index"].is_badvalue(), "{outdated}");
    assert!(outdated.ends_with("The fifth floor | é.\n") && outdated.contains("license: cc-by-4.0"));
    set_modified(&best_checkpoint(&run).unwrap(), evaluated - Duration::from_secs(5));

    // A section that a person changed is not overwritten; the evaluation is stored all the same.
    let changed = by_hand.replace("| accuracy |", "| accuracy (too low) |");
    assert_ne!(changed, by_hand);
    fs::write(run.model_card(), &changed).unwrap();
    let warned = succeed(&fixture.output(&["evaluate", &run.name(), "--resamples", "20"]));
    assert!(warned.contains("model_card.md is not up to date: its section figures was changed by hand"), "{warned}");
    assert_eq!(card_of(&run), changed);
}

fn set_modified(path: &Path, time: SystemTime) {
    fs::File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
}

#[test]
fn a_resumed_run_updates_its_card_or_says_why_not() {
    let fixture = TrainingFixture::new();
    let run = fixture.train_successfully(&[]);
    fs::write(run.model_card(), card_of(&run) + "By hand.\n").unwrap();
    succeed(&fixture.resume(&run, &["--epochs", "3"]));
    let resumed = card_of(&run);
    assert!(resumed.contains(" of 3, by ") && resumed.ends_with("By hand.\n"), "{resumed}");

    let changed = resumed.replace("| Form |", "| Format |");
    fs::write(run.model_card(), &changed).unwrap();
    succeed(&fixture.resume(&run, &["--epochs", "4"]));
    assert_eq!(card_of(&run), changed);
    let warnings: Vec<String> = summary(&run).warnings.iter().map(|warning| warning.message.clone()).collect();
    let expected = "model_card.md is not up to date: its section summary was changed by hand";
    assert!(warnings.iter().any(|warning| warning.contains(expected)), "{warnings:?}");
    assert!(warnings.iter().all(|warning| !warning.contains("/proc/")), "{warnings:?}");
}

#[test]
fn figures_of_training_images_are_refused() {
    let fixture = TrainingFixture::new();
    let run = fixture.train_successfully(&["epochs=1"]);
    let [all, test] = ["all", "test"].map(|split| {
        let out = fixture.folder.path().join(split).to_str().unwrap().to_owned();
        let data = fixture.data.to_str().unwrap();
        let predict = ["predict", "--model", &run.name(), "--data", data, "--view", "CC_R", "--device", "cpu"];
        succeed(&fixture.output(&[&predict[..], &["--split", split, "--out", &out]].concat()));
        out
    });
    let trained = card_of(&run);
    let refused = fixture.output(&["model", "card", &run.name(), "--predictions", &all]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr_of(&refused).contains("was trained on subjects that are among the predictions"));
    assert_eq!(card_of(&run), trained);
    succeed(&fixture.output(&["model", "card", &run.name(), "--predictions", &test]));
    let card = card_of(&run);
    assert_eq!(head_of(&card)["model-index"][0]["results"][0]["dataset"]["split"].as_str(), Some("test"));
    assert!(!card.contains("validation images of CC_R"), "{card}");
}

#[test]
fn exports_have_a_card_beside_them() {
    let fixture = TrainingFixture::new();
    let run = fixture.train_successfully(&["epochs=1"]);
    let (onnx, pytorch) = (fixture.folder.path().join("cc_r.onnx"), fixture.folder.path().join("cc_r"));
    let model = sha256_hex(&fs::read(best_checkpoint(&run).unwrap()).unwrap());
    for (format, out, weights, card, library) in [
        ("onnx", &onnx, onnx.clone(), fixture.folder.path().join("cc_r.onnx.md"), "onnx"),
        ("pytorch", &pytorch, pytorch.join("model.safetensors"), pytorch.join("README.md"), "pytorch"),
    ] {
        let export = || fixture.output(&["export", &run.name(), "--format", format, "--out", out.to_str().unwrap()]);
        succeed(&export());
        let text = fs::read_to_string(&card).unwrap();
        let head = head_of(&text);
        assert_eq!(head["library_name"].as_str(), Some(library));
        assert_eq!(head["model-index"][0]["results"][0]["metrics"][0]["type"].as_str(), Some("accuracy"));
        for sha256 in [&model, &sha256_hex(&fs::read(&weights).unwrap())] {
            assert!(text.contains(sha256.as_str()), "{sha256}:\n{text}");
        }
        assert!(!text.contains(fixture.folder.path().to_str().unwrap()) && !text.contains("checkpoints/"), "{text}");
        // A card is not replaced either.
        fs::remove_file(&weights).unwrap();
        if format == "pytorch" {
            fs::remove_file(pytorch.join("model.py")).unwrap();
        }
        let refused = export();
        let name = card.file_name().unwrap().to_str().unwrap();
        assert!(!refused.status.success() && stderr_of(&refused).contains(&format!("{name} exists already")));
    }
}
