use std::collections::BTreeMap;

use serde_json::json;
use yaml_rust2::{Yaml, YamlLoader};

use super::*;
use crate::image::grey_range::GreyRange;
use crate::network::input_route::InputRoute;
use crate::network::network_plan::WidthFactor;
use crate::run::dataset_manifest::{SplitFile, SplitSource};
use crate::subject::split::Split;
use crate::training::preset::Preset;
use crate::training::training_changes::SettingChange;

/// A text with everything that means something to YAML, Markdown, HTML, a shell or the card itself.
const HOSTILE: &str = "a: \"b\" 'c' | `d` # <script>alert(1)</script> [e](f) *g* --- \n<!-- mammoscope: end head -->\n- h: {i}\u{202e}\u{85}é";

fn document(subjects: u64) -> serde_json::Value {
    json!({
        "resamples": 2000,
        "sets": { "CC_R": {
            "n": 4, "subjects": subjects, "accuracy": 0.75, "macro_recall": 0.875, "macro_precision": 0.5, "macro_f1": 0.6,
            "kappa_linear": 1.0 / 3.0, "kappa_quadratic": 0.0, "auc_macro_ovr": null, "ece15": 0.123_456,
            "confusion_matrix": [[1, 0, 0, 0], [0, 1, 1, 0], [0, 0, 0, 0], [0, 0, 0, 1]],
            "intervals": {
                "accuracy": { "low": 0.25, "high": 1.0, "undefined_resamples": 0 }, "macro_recall": null,
                "kappa_linear": { "low": -0.2, "high": 0.9, "undefined_resamples": 3 }
            },
            "baseline": { "n": 4, "accuracy": 0.5, "kappa_linear": null }
        } }
    })
}

fn evaluation(split: Split) -> CardEvaluation {
    CardEvaluation::of_document(&document(4), "CC_R", Some(split)).unwrap()
}

/// The facts of a run with these figures and with `text` wherever a text may be of any origin.
fn facts(text: &str, evaluations: Vec<CardEvaluation>) -> ModelCardFacts {
    let quick = Preset::named("quick").unwrap().config;
    let mut config = quick;
    config.set_all("width=0.125,optimizer=sgd").unwrap();
    ModelCardFacts {
        name: text.to_owned(),
        weights: WeightsFacts {
            form: WeightsForm::Mammoscope,
            file: text.to_owned(),
            bytes: 1_234_567,
            sha256: "ab".repeat(32),
            parameters: 37_000,
            exported_from: None,
        },
        view: Some(View::CcR),
        size: 64,
        width: WidthFactor::new(0.125).unwrap(),
        input_route: InputRoute::Training,
        data: DataFacts {
            name: Some(text.to_owned()),
            origin: DataOrigin::Phantoms { subjects: 24, size: 64, seed: 7, overlap: true, confounder: false },
            fingerprint: Some("cd".repeat(32)),
            splits: Some((
                SplitSource::File,
                0,
                Some(SplitFile { name: text.to_owned(), sha256: "ef".repeat(32), fold: Some(2), folds: vec![1, 2, 3] }),
            )),
            counts: vec![SplitCounts {
                split: Split::Train,
                images: [8, 7, 6, 5],
                subjects: [4, 3, 2, 1],
                all_subjects: 10,
            }],
            grey_range: GreyRange::White(4095),
            unusable: 1,
            doubtful: 2,
            ..DataFacts::default()
        },
        training: TrainingFacts {
            preset: Some("quick".to_owned()),
            recipe: Some(Recipe::of("quick", &config)),
            changes: vec![SettingChange { key: text.to_owned(), from: text.to_owned(), to: text.to_owned() }],
            best: Some((text.to_owned(), text.to_owned(), text.to_owned())),
            epochs: Some(20),
            seed: Some(text.to_owned()),
            device: Some(text.to_owned()),
            date: Some(text.to_owned()),
            version: Some(text.to_owned()),
        },
        figures: CardFigures::Stored { evaluations, outdated: Vec::new() },
        provenance: BTreeMap::from([(text.to_owned(), text.to_owned())]),
    }
}

/// The YAML head of a card, parsed.
fn head_of(card: &str) -> Yaml {
    let (head, _) = card.strip_prefix("---\n").and_then(|rest| rest.split_once("\n---\n")).expect("a head");
    let mut documents = YamlLoader::load_from_str(head).unwrap_or_else(|error| panic!("{error}:\n{head}"));
    assert_eq!(documents.len(), 1, "{head}");
    documents.remove(0)
}

#[test]
fn the_head_has_the_form_of_hugging_face() {
    let head = head_of(&model_card(&facts("run", vec![evaluation(Split::Test)])));
    assert_eq!(head["license"].as_str(), Some("unknown"));
    assert_eq!(head["library_name"].as_str(), Some("mammoscope"));
    assert_eq!(head["pipeline_tag"].as_str(), Some("image-classification"));
    let words =
        |list: &Yaml| list.as_vec().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect::<Vec<_>>();
    assert!(words(&head["tags"]).contains(&"synthetic".to_owned()));
    let metrics = words(&head["metrics"]);
    assert_eq!(metrics, ["accuracy", "recall", "precision", "f1", "cohen_kappa", "expected_calibration_error"]);
    let [model] = head["model-index"].as_vec().unwrap().as_slice() else { panic!("{head:?}") };
    assert_eq!(model["name"].as_str(), Some("run"));
    let [result] = model["results"].as_vec().unwrap().as_slice() else { panic!("{model:?}") };
    assert_eq!(result["task"]["type"].as_str(), Some("image-classification"));
    assert_eq!(result["dataset"]["name"].as_str(), Some("run, test images of CC_R"));
    assert_eq!(result["dataset"]["type"].as_str(), Some("imagefolder"));
    assert_eq!(result["dataset"]["split"].as_str(), Some("test"));
    let results = result["metrics"].as_vec().unwrap();
    // The undefined area under the curve is not among them.
    assert_eq!(results.len(), 7);
    for metric in results {
        assert!(metrics.iter().any(|known| Some(known.as_str()) == metric["type"].as_str()), "{metric:?}");
        assert!(metric["value"].as_f64().is_some() && metric["name"].as_str().is_some(), "{metric:?}");
    }
    let find = |name: &str| results.iter().find(|metric| metric["name"].as_str() == Some(name)).unwrap();
    assert_eq!(find("linear kappa")["value"].as_f64(), Some(0.3333));
    assert_eq!(find("linear kappa")["args"]["weights"].as_str(), Some("linear"));
    assert_eq!(find("quadratic kappa")["value"].as_f64(), Some(0.0));
    let interval = find("accuracy")["args"]["confidence_interval_95"].as_vec().unwrap();
    assert_eq!(interval.iter().map(|end| end.as_f64().unwrap()).collect::<Vec<_>>(), [0.25, 1.0]);
}

#[test]
fn results_are_those_of_test_images_where_there_are_any() {
    let splits = |evaluations| {
        let head = head_of(&model_card(&facts("run", evaluations)));
        let results = head["model-index"][0]["results"].as_vec().cloned().unwrap_or_default();
        results.iter().map(|result| result["dataset"]["split"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(splits(vec![evaluation(Split::Validation), evaluation(Split::Test)]), ["test"]);
    assert_eq!(splits(vec![evaluation(Split::Validation)]), ["validation"]);
    let head = head_of(&model_card(&facts("run", Vec::new())));
    assert!(head["model-index"].is_badvalue() && head["metrics"].is_badvalue(), "{head:?}");
}

#[test]
fn no_text_can_change_the_form_of_a_card() {
    let facts = facts(HOSTILE, vec![evaluation(Split::Test)]);
    let card = model_card(&facts);
    let head = head_of(&card);
    assert_eq!(head["model-index"][0]["name"].as_str(), Some(crate::text::printable::printable(HOSTILE).as_str()));
    assert_eq!(head.as_hash().unwrap().len(), 6, "{head:?}");
    let (_, body) = card.split_once("\n---\n").unwrap();
    assert!(body.contains("\\<script\\>") && !body.contains("<script>"), "{body}");
    assert_eq!(body.matches("\n## ").count(), 8, "{body}");
    // Every row of a table has the cells of its head.
    let cells = |line: &str| line.replace("\\\\", "").replace("\\|", "").matches('|').count();
    let mut columns = None;
    for line in body.lines() {
        let count = line.starts_with('|').then(|| cells(line));
        assert!(columns.is_none() || count.is_none() || columns == count, "{line}");
        columns = count;
    }
    // The sections are found again, and an update changes nothing.
    assert_eq!(updated_card(&card, &card, &[]).unwrap(), card);
    for name in ["head", "summary", "data", "training", "figures", "limits", "use", "provenance"] {
        assert!(section_of(&card, name).is_some_and(|contents| !contents.is_empty()), "{name}");
    }
}

#[test]
fn a_card_says_what_its_model_was_made_from() {
    let card = model_card(&facts("run", vec![evaluation(Split::Test)]));
    for line in [
        "| File | run, 1,234,567 bytes |",
        "made by `mammoscope phantom DIR --subjects 24 --size 64 --seed 7 --overlap`.",
        "- Splits: the table run, fold 2 of 3 held out, SHA-256",
        "| train | 8 (4) | 7 (3) | 6 (2) | 5 (1) | 26 (10) |",
        "| `optimizer` | `adamw` | `sgd` |",
        "| `width` | `0.25` | `0.125` |",
        "| linear kappa | 0.333 [-0.200, 0.900] |",
        "| AUC one-vs-rest | undefined |",
        "| B | 0 | 1 | 1 | 0 |",
        "has accuracy 0.500 and linear kappa undefined on the same images",
        "- 4 subjects (test images of CC\\_R)",
        "- No case of class C is among the test images of CC_R.",
    ] {
        let line = line.replace("CC\\_R", "CC_R");
        assert!(card.contains(&line), "`{line}` is missing:\n{card}");
    }
    assert!(!card.contains("Changed during the run: `epochs`"));
}

#[test]
fn an_update_with_unknown_figures_can_keep_those_of_the_card() {
    let mut known = facts("run", vec![evaluation(Split::Test)]);
    let card = model_card(&known).replace("license: unknown", "license: cc0-1.0") + "\n## Thanks\n\nTo the readers.\n";
    known.figures = CardFigures::Unknown;
    known.training.epochs = Some(30);
    let updated = updated_card(&card, &model_card(&known), &FIGURE_SECTIONS).unwrap();
    assert_eq!(section_of(&updated, "figures"), section_of(&card, "figures"));
    assert!(updated.contains(" of 30, by ") && updated.contains("license: cc0-1.0") && updated.ends_with("readers.\n"));
    let replaced = updated_card(&card, &model_card(&known), &[]).unwrap();
    assert!(replaced.contains("No evaluation of these weights is recorded"), "{replaced}");
    assert!(head_of(&replaced)["model-index"].is_badvalue());
}

#[test]
fn exports_say_how_they_are_used() {
    let mut facts = facts("run", Vec::new());
    facts.weights.exported_from = Some("12".repeat(32));
    facts.weights.form = WeightsForm::Onnx;
    let onnx = model_card(&facts);
    assert_eq!(head_of(&onnx)["library_name"].as_str(), Some("onnx"));
    assert!(onnx.contains("onnxruntime.InferenceSession(\"run\")") && onnx.contains(&"12".repeat(32)), "{onnx}");
    facts.weights.form = WeightsForm::Pytorch { script: "model.py".to_owned() };
    let pytorch = model_card(&facts);
    assert_eq!(head_of(&pytorch)["library_name"].as_str(), Some("pytorch"));
    assert!(pytorch.contains("python model.py image.png"), "{pytorch}");
}
