//! The figures of merit of the reference's prediction files against scikit-learn's, by the library and by the program.

use assert_cmd::Command;
use mammoscope_domain::metrics::bootstrap::Bootstrap;
use mammoscope_domain::metrics::evaluation::Evaluation;
use mammoscope_domain::metrics::evaluation_set::EvaluationSet;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::fusion::Fusion;
use mammoscope_domain::subject::prediction::PredictionRow;
use mammoscope_domain::subject::subject_id::SubjectId;
use mammoscope_domain::subject::view::View;
use mammoscope_storage::tables::prediction_table::{PredictionWriter, read_probability_columns};
use mammoscope_test_support::fixture;
use serde_json::Value;

const TOLERANCE: f64 = 1e-6;
const SETS: [&str; 3] = ["CC_R", "MLO_R", "right"];

fn expected() -> Value {
    let text = std::fs::read_to_string(fixture("figures_of_merit.json")).expect("the fixture");
    serde_json::from_str::<Value>(&text).expect("JSON")["sets"].take()
}

/// The reference's predictions; its subjects come in blocks of 14 A, 51 B, 50 C and 13 D.
fn rows() -> Vec<PredictionRow> {
    let labels = DensityClass::ALL.into_iter().zip([14, 51, 50, 13]);
    let labels: Vec<_> = labels.flat_map(|(class, count)| std::iter::repeat_n(class, count)).collect();
    let mut rows = Vec::new();
    for (view, file) in [(View::CcR, "predictions_ccr.txt"), (View::MloR, "predictions_mlor.txt")] {
        let probabilities = read_probability_columns(&fixture(file)).expect("the fixture");
        assert_eq!(probabilities.len(), labels.len());
        for (subject, (probabilities, &label)) in probabilities.into_iter().zip(&labels).enumerate() {
            rows.push(PredictionRow {
                file: format!("{subject}_1_{label}_{view}.png"),
                subject: SubjectId(subject.to_string()),
                exam: None,
                view: Some(view),
                label: Some(label),
                predicted: probabilities.most_probable(),
                probabilities,
            });
        }
    }
    rows
}

/// Asserts that `found` contains every value of `expected`: numbers within the tolerance, all else exactly.
fn assert_close(found: &Value, expected: &Value, at: &str) {
    match (found, expected) {
        (Value::Number(found), Value::Number(expected)) => {
            let difference = found.as_f64().zip(expected.as_f64()).map(|(found, expected)| (found - expected).abs());
            assert!(difference.is_some_and(|it| it <= TOLERANCE), "{at}: {found} for {expected}");
        }
        (Value::Array(found), Value::Array(expected)) => {
            assert_eq!(found.len(), expected.len(), "{at}");
            for (place, (found, expected)) in found.iter().zip(expected).enumerate() {
                assert_close(found, expected, &format!("{at}[{place}]"));
            }
        }
        (Value::Object(found), Value::Object(expected)) => {
            for (key, expected) in expected {
                assert_close(&found[key], expected, &format!("{at}.{key}"));
            }
        }
        _ => assert_eq!(found, expected, "{at}"),
    }
}

#[test]
fn the_library_agrees_with_scikit_learn() {
    let expected = expected();
    let sets = EvaluationSet::of_rows(&rows(), Fusion::Mean).unwrap();
    assert_eq!(sets.iter().map(|set| set.name.name()).collect::<Vec<_>>(), SETS);
    for set in &sets {
        let name = set.name.name();
        let evaluation = Evaluation::of(&set.cases, Bootstrap { resamples: 200, seed: 0 }).unwrap();
        let mut found = serde_json::to_value(evaluation).unwrap();
        assert_close(&found, &expected[name], name);
        let intervals = found.as_object_mut().unwrap().remove("intervals").unwrap();
        let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys(&found), keys(&expected[name]), "the same keys except for the intervals");
        for (key, interval) in intervals.as_object().unwrap() {
            assert!(found.get(key).is_some(), "an interval of the unknown metric {key}");
            if let (Some(low), Some(high)) = (interval["low"].as_f64(), interval["high"].as_f64()) {
                assert!(low <= high, "{name}.{key}");
            }
        }
        assert_eq!(intervals.as_object().unwrap().len(), 19, "every metric except counts and lists has one");
    }
}

fn evaluate_json(arguments: &[&std::ffi::OsStr]) -> Value {
    let output =
        Command::new(assert_cmd::cargo::cargo_bin("mammoscope")).arg("evaluate").args(arguments).arg("--json").output();
    let output = output.expect("the program runs");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[test]
fn the_program_agrees_on_the_references_files() {
    let cc = format!("CC_R={}", fixture("predictions_ccr.txt").display());
    let mlo = format!("MLO_R={}", fixture("predictions_mlor.txt").display());
    let document = evaluate_json(&["--seed-txt", &cc, &mlo, "--class-counts", "14,51,50,13"].map(std::ffi::OsStr::new));
    let expected = expected();
    assert_eq!(document["sets"].as_object().unwrap().len(), SETS.len());
    assert_close(&document["sets"], &expected, "sets");
    for set in SETS {
        let [low, high] =
            ["low", "high"].map(|end| document["sets"][set]["intervals"]["accuracy"][end].as_f64().unwrap());
        let accuracy = expected[set]["accuracy"].as_f64().unwrap();
        // Over 128 subjects: about ±2 standard errors of a share.
        let standard_error = (accuracy * (1.0 - accuracy) / 128.0).sqrt();
        assert!((accuracy - low - 1.96 * standard_error).abs() < 0.02, "{set}: {low}");
        assert!((high - accuracy - 1.96 * standard_error).abs() < 0.02, "{set}: {high}");
    }
}

#[test]
fn the_program_agrees_on_a_table_in_any_order() {
    let folder = tempfile::tempdir().unwrap();
    let mut rows = rows();
    // Views are joined by subject in any order of the rows: here one view forwards, the other backwards.
    rows[128..].reverse();
    let mut writer = PredictionWriter::create(folder.path()).unwrap();
    for row in &rows {
        writer.write(row).unwrap();
    }
    writer.finish().unwrap();
    let document = evaluate_json(&[folder.path().as_os_str()]);
    let expected = expected();
    assert_close(&document["sets"]["CC_R"], &expected["CC_R"], "CC_R");
    assert_close(&document["sets"]["right"], &expected["right"], "right");
}
