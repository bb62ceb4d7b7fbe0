//! `mammoscope model card`: cards of model files, with the figures of predictions.

use std::fs;
use std::path::Path;
use std::process::Output;

use mammoscope_domain::subject::view::View;
use mammoscope_test_support::{mammoscope, shipped, stderr_of};
use yaml_rust2::YamlLoader;

fn run(folder: &Path, arguments: &[&str]) -> Output {
    mammoscope().current_dir(folder).args(arguments).output().unwrap()
}

fn succeed(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", stderr_of(&output));
    stderr_of(&output)
}

fn fail(folder: &Path, arguments: &[&str], expected: &str) {
    let output = run(folder, arguments);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}");
    assert!(stderr_of(&output).contains(expected), "{arguments:?}: {}", stderr_of(&output));
}

#[test]
fn the_shipped_cards_are_what_the_program_writes() {
    let folder = tempfile::tempdir().unwrap();
    for view in View::ALL {
        for ending in ["safetensors", "md"] {
            let name = format!("{view}.{ending}");
            fs::copy(shipped(&format!("models/{name}")), folder.path().join(&name)).unwrap();
        }
        let noted = succeed(folder.path(), &["model", "card", &format!("{view}.safetensors")]);
        assert!(noted.contains(&format!("{view}.md: up to date already")), "{noted}");
        let card = fs::read_to_string(folder.path().join(format!("{view}.md"))).unwrap();
        let (head, _) = card.strip_prefix("---\n").unwrap().split_once("\n---\n").unwrap();
        let head = &YamlLoader::load_from_str(head).unwrap()[0];
        assert_eq!(head["license"].as_str(), Some("cc0-1.0"), "{view}");
        let result = &head["model-index"][0]["results"][0];
        assert_eq!(result["dataset"]["split"].as_str(), Some("test"), "{view}");
        // The head, the table and the confusion matrix are of the same evaluation.
        let accuracy = result["metrics"][0]["value"].as_f64().unwrap();
        assert!(card.contains(&format!("| accuracy | {accuracy:.3} [")), "{view}: {accuracy}");
        let correct: u32 = "ABCD"
            .chars()
            .enumerate()
            .map(|(place, class)| {
                let row = card.lines().find(|line| line.starts_with(&format!("| {class} | "))).unwrap();
                row.split(" | ").nth(place + 1).unwrap().trim_end_matches(" |").parse::<u32>().unwrap()
            })
            .sum();
        assert!((f64::from(correct) / 24.0 - accuracy).abs() < 1e-3, "{view}: {correct} of 24");
    }
}

#[test]
fn figures_come_from_predictions_of_this_model_only() {
    let folder = tempfile::tempdir().unwrap();
    let models = folder.path().join("models");
    fs::create_dir(&models).unwrap();
    for view in ["CC_R", "MLO_R"] {
        let name = format!("{view}.safetensors");
        fs::copy(shipped(&format!("models/{name}")), models.join(&name)).unwrap();
    }
    let testset = shipped("testset");
    let predict =
        ["predict", "--model", "models/CC_R.safetensors", "--data", testset.to_str().unwrap(), "--view", "CC_R"];
    succeed(folder.path(), &[&predict[..], &["--device", "cpu", "--out", "predictions"]].concat());
    let card = models.join("CC_R.md");
    let with_figures = ["model", "card", "models/CC_R.safetensors", "--predictions", "predictions"];
    assert!(succeed(folder.path(), &with_figures).contains("CC_R.md: written"));
    let text = fs::read_to_string(&card).unwrap();
    // The four phantoms of the test set have ids of the model's training subjects, but are other images.
    assert!(
        text.contains("images of CC_R (4 of 4 subjects)") && text.contains("of no split of the training run"),
        "{text}"
    );
    assert!(!text.contains(folder.path().to_str().unwrap()), "{text}");
    // Without predictions the card keeps its figures, with those of other weights it does not.
    assert!(succeed(folder.path(), &["model", "card", "models/CC_R.safetensors"]).contains("up to date already"));
    fs::copy(models.join("MLO_R.safetensors"), models.join("CC_R.safetensors")).unwrap();
    assert!(succeed(folder.path(), &["model", "card", "models/CC_R.safetensors"]).contains("CC_R.md: updated"));
    let text = fs::read_to_string(&card).unwrap();
    assert!(text.contains("No evaluation of these weights is recorded") && !text.contains("model-index"), "{text}");
    fail(folder.path(), &with_figures, "the predictions are older than");
    let of_other = ["model", "card", "models/MLO_R.safetensors", "--predictions", "predictions"];
    fail(folder.path(), &of_other, "the predictions were made with models/CC_R.safetensors, not with");
    fs::write(&card, "# A card\n").unwrap();
    fail(folder.path(), &["model", "card", "models/CC_R.safetensors"], "so it was written by hand");
    assert_eq!(fs::read_to_string(&card).unwrap(), "# A card\n");
    fs::write(&card, b"a \xff").unwrap();
    fail(folder.path(), &["model", "card", "models/CC_R.safetensors"], "not UTF-8 text");
    let shipped = shipped("models");
    let several = run(folder.path(), &["model", "card", shipped.to_str().unwrap(), "--out", "card.md"]);
    assert_eq!(several.status.code(), Some(2), "{}", stderr_of(&several));
}
