//! Ensembles over seeds and folds, and copies of the images as in training.

use std::fs;
use std::path::PathBuf;
use std::process::Output;

use mammoscope_domain::subject::prediction::PredictionRow;
use mammoscope_domain::subject::probabilities::Probabilities;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::run_spec_file::read_run_spec;
use mammoscope_storage::tables::prediction_table::read_table;
use mammoscope_test_support::training_fixture::TrainingFixture;
use mammoscope_test_support::{fixture, names_in, stderr_of, write_image};
use serde_json::Value;

/// Networks of one epoch, with augmentation.
const SETTINGS: [&str; 2] = ["epochs=1", "augment=true"];

struct Study {
    fixture: TrainingFixture,
    id: String,
    runs: Vec<RunDir>,
}

impl Study {
    fn train(fixture: TrainingFixture, arguments: &[&str]) -> Self {
        let output = fixture.train_command(&SETTINGS, &[arguments, &["--follow"]].concat()).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
        let folder = fixture.workspace.join("runs");
        let runs: Vec<RunDir> = names_in(&folder).into_iter().map(|name| RunDir::new(folder.join(name))).collect();
        let id = read_run_spec(&runs[0].spec()).unwrap().study.unwrap().id;
        Self { fixture, id, runs }
    }

    fn out(&self, name: &str) -> PathBuf {
        self.fixture.folder.path().join(name)
    }

    fn predict(&self, model: &str, out: &str, more: &[&str]) -> Output {
        self.predict_data("data", model, out, more)
    }

    fn predict_data(&self, data: &str, model: &str, out: &str, more: &[&str]) -> Output {
        let (data, out) = (self.out(data), self.out(out));
        let start = ["predict", "--model", model, "--threads", "1", "--data", data.to_str().unwrap()];
        self.fixture.output(&[&start[..], &["--out", out.to_str().unwrap()], more].concat())
    }

    fn predicted(&self, model: &str, out: &str, more: &[&str]) -> (Vec<PredictionRow>, String) {
        let output = self.predict(model, out, more);
        assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
        (read_table(&self.out(out).join("predictions.csv")).unwrap(), stderr_of(&output))
    }

    fn notes(&self, out: &str) -> Value {
        serde_json::from_slice(&fs::read(self.out(out).join("predictions.json")).unwrap()).unwrap()
    }
}

fn assert_close(one: &Probabilities, other: &Probabilities, tolerance: f64) {
    for (one, other) in one.0.into_iter().zip(other.0) {
        assert!((one - other).abs() <= tolerance, "{one}, not {other}");
    }
}

#[test]
fn seeds_predict_together_and_copies_are_reproducible() {
    let study = Study::train(TrainingFixture::new(), &["--seeds", "2"]);
    let test = ["--split", "test"];
    let (mean, said) = study.predicted(&study.id, "both", &test);
    assert!(said.contains("an ensemble of 2 networks of"), "{said}");
    let singles = [0, 1].map(|place| study.predicted(&study.runs[place].name(), "single", &test).0);
    assert_eq!(mean.len(), 4);
    for (place, row) in mean.iter().enumerate() {
        let both = singles.each_ref().map(|rows| rows[place].probabilities);
        assert_close(&row.probabilities, &Probabilities::mean(&both).unwrap(), 1e-12);
        assert_ne!(both[0], both[1]);
    }
    // Whether it helped, in words and numbers.
    let words = "the ensemble of 2 networks against its best network by validation, ";
    assert!(said.contains(words) && said.contains("4 cases of CC_R: log loss"), "{said}");
    let notes = study.notes("both");
    let schema: Value =
        serde_json::from_slice(&fs::read(mammoscope_test_support::shipped("docs/schemas/predictions.json")).unwrap())
            .unwrap();
    assert!(jsonschema::is_valid(&schema, &notes), "{notes:#}");
    assert_eq!(notes["ensemble"].as_array().unwrap().len(), 2);
    let loss = |rows: &[PredictionRow]| {
        rows.iter().map(|row| -row.probabilities.of(row.label.unwrap()).ln()).sum::<f64>() / rows.len() as f64
    };
    let figure = &notes["comparisons"][0]["figures"][0];
    assert!((figure["value"].as_f64().unwrap() - loss(&mean)).abs() < 1e-9, "{figure}");
    let is_best = |run: &RunDir| said.contains(&format!("{words}{}, 4 cases", run.name()));
    let best = study.runs.iter().position(is_best).unwrap();
    assert!((figure["other"].as_f64().unwrap() - loss(&singles[best])).abs() < 1e-9, "{figure}");

    // Copies: the same every time, whatever the batch, and something else than the images as they are.
    let one = study.runs[0].name();
    let (copies, said) = study.predicted(&one, "copies", &["--tta", "3", "--split", "test"]);
    let (again, _) = study.predicted(&one, "again", &["--tta", "3", "--split", "test"]);
    assert_eq!(copies, again);
    let (others, _) = study.predicted(&one, "others", &["--tta", "3", "--split", "test", "--batch-size", "2"]);
    let (plain, _) = study.predicted(&one, "plain", &["--tta", "1", "--split", "test"]);
    for (place, row) in copies.iter().enumerate() {
        assert_close(&row.probabilities, &others[place].probabilities, 1e-5);
        assert_ne!(row.probabilities, singles[0][place].probabilities);
    }
    assert_eq!(plain, singles[0], "one copy is the image itself");
    assert!(said.contains("the mean of 3 copies against the images as they are, 4 cases of CC_R: log loss"), "{said}");
    assert_eq!(study.notes("copies")["copies"], 3);
    assert!(jsonschema::is_valid(&schema, &study.notes("copies")));
    let (_, said) = study.predicted(&study.id, "all", &["--tta", "2", "--split", "test"]);
    assert!(said.contains("network 2 of 2, copy 2 of 2: 4 images"), "{said}");
    assert_eq!(study.notes("all")["comparisons"].as_array().unwrap().len(), 2);

    // A network that was trained without augmentation has no copies, and an ensemble neither a temperature nor shards.
    let output = study.predict(&study.id, "refused", &["--calibrated"]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr_of(&output));
    assert!(stderr_of(&output).contains("no temperature was fitted to the mean"), "{}", stderr_of(&output));
    let output = study.predict(&study.id, "refused", &["--shard", "1/2"]);
    assert!(stderr_of(&output).contains("--shard is for single networks"), "{}", stderr_of(&output));
    let output = study.predict(&study.id, "refused", &["--point", "2"]);
    assert!(stderr_of(&output).contains("has no point 2: it has 1 point"), "{}", stderr_of(&output));
    let output = study.predict(&one, "refused", &["--point", "1"]);
    assert!(stderr_of(&output).contains("--point is for studies of several networks"), "{}", stderr_of(&output));
    let text = fs::read_to_string(study.runs[0].spec()).unwrap();
    fs::write(study.runs[0].spec(), text.replace("augment = true", "augment = false")).unwrap();
    let output = study.predict(&one, "refused", &["--tta", "2", "--split", "test"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr_of(&output).contains("was trained without augmentation"), "{}", stderr_of(&output));
    assert!(!study.out("refused").join("predictions.csv").exists());
}

#[test]
fn an_ensemble_over_folds_is_for_new_subjects() {
    let fixture = TrainingFixture::empty();
    let write = |folder: &str, first: usize| {
        for subject in first..first + 16 {
            let class = ["A", "B", "C", "D"][subject % 4];
            let name = format!("CC_R/{class}/{subject}_1_{class}_CC_R.png");
            write_image(&fixture.folder.path().join(folder).join(name), subject as u32 + 1);
        }
    };
    write("data", 0);
    write("new", 100);
    let study = Study::train(fixture, &["--folds", "3"]);
    let output = study.predict(&study.id, "seen", &[]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr_of(&output));
    let error = stderr_of(&output);
    assert!(error.contains("belong to subjects that some networks of"), "{error}");
    assert!(
        error.contains(&format!("`mammoscope evaluate {}` predicts those of a cross-validation", study.id)),
        "{error}"
    );
    assert!(!study.out("seen").exists());
    let output = study.predict_data("new", &study.id, "predicted", &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
    assert!(stderr_of(&output).contains("an ensemble of 3 networks"), "{}", stderr_of(&output));
    assert_eq!(read_table(&study.out("predicted").join("predictions.csv")).unwrap().len(), 16);
    assert_eq!(study.notes("predicted")["ensemble"].as_array().unwrap().len(), 3);
}

#[test]
fn the_mean_of_networks_has_the_scores_of_scikit_learn() {
    use mammoscope_domain::metrics::bootstrap::Bootstrap;
    use mammoscope_domain::metrics::evaluation::Evaluation;
    use mammoscope_domain::subject::density::DensityClass;
    use mammoscope_domain::subject::prediction::LabelledPrediction;
    use mammoscope_domain::subject::subject_id::SubjectId;
    let references: Value = serde_json::from_slice(&fs::read(fixture("calibration_references.json")).unwrap()).unwrap();
    let ensemble = &references["ensemble"];
    let members: Vec<Vec<[f64; 4]>> = serde_json::from_value(ensemble["members"].clone()).unwrap();
    let labels: Vec<usize> = serde_json::from_value(references["test"]["labels"].clone()).unwrap();
    let case = |(place, label): (usize, &usize)| {
        let all: Vec<Probabilities> = members.iter().map(|member| Probabilities(member[place])).collect();
        LabelledPrediction {
            subject: SubjectId(place.to_string()),
            label: DensityClass::ALL[*label],
            probabilities: Probabilities::mean(&all).unwrap(),
        }
    };
    let cases: Vec<LabelledPrediction> = labels.iter().enumerate().map(case).collect();
    let found = serde_json::to_value(Evaluation::of(&cases, Bootstrap::NONE).unwrap()).unwrap();
    for (figure, expected) in ensemble["scores"].as_object().unwrap() {
        let difference = found[figure].as_f64().unwrap() - expected.as_f64().unwrap();
        assert!(difference.abs() < 1e-6, "{figure}: {} instead of {expected}", found[figure]);
    }
}
