//! `import`, `model` and `predict` by the real binaries: results equal the reference's, bad input is listed, and
//! nothing is left half done.

use std::path::Path;
use std::process::Output;

use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::image::grey_range::GreyRange;
use mammoscope_domain::subject::view::View;
use mammoscope_domain::training::compute_options::{DeviceChoice, Precision};
use mammoscope_engine_client::engine_process::{EngineProcess, Timeouts};
use mammoscope_engine_client::image_job::{PredictionEvent, run_image_job};
use mammoscope_engine_protocol::command::{JobId, PredictWork};
use mammoscope_engine_protocol::wire_path::WirePath;
use mammoscope_storage::models::model_file::Model;
use mammoscope_storage::tables::prediction_table::read_table;
use mammoscope_test_support::{
    engine, fixture, mammoscope, names_in, shared, shipped, small_model, stderr_of, write_four_subjects, write_image,
    write_many,
};
use serde_json::Value;

fn run(arguments: &[&str]) -> Output {
    mammoscope().args(arguments).output().unwrap()
}

fn run_predict(model: &Path, data: &Path, out: &Path, more: &[&str]) -> Output {
    let mut command = mammoscope();
    command.arg("predict").arg("--model").arg(model).arg("--data").arg(data).arg("--out").arg(out);
    command.args(["--threads", "1"]).args(more).output().unwrap()
}

/// The program's first purpose: a Keras model, real mammograms, and the reference's probabilities.
#[test]
fn predictions_of_real_mammograms_equal_the_references() {
    let (Some(weights), Some(data), Some(expected)) =
        (shared("reference/full/keras_resnet41.h5"), shared("seed/TestSet"), shared("reference/predictions.json"))
    else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let (model, out) = (folder.path().join("full.safetensors"), folder.path().join("predictions"));
    let imported = mammoscope().arg("import").arg(weights).arg("--out").arg(&model).output().unwrap();
    assert!(imported.status.success(), "{}", stderr_of(&imported));
    let mut command = mammoscope();
    command.arg("predict").arg("--model").arg(&model).arg("--data").arg(data).arg("--out").arg(&out);
    let predicted = command.output().unwrap();
    assert!(predicted.status.success(), "{}", stderr_of(&predicted));
    let rows = read_table(&out.join("predictions.csv")).unwrap();
    let expected: Value = serde_json::from_str(&std::fs::read_to_string(expected).unwrap()).unwrap();
    let images = expected["images"].as_array().unwrap();
    assert_eq!((rows.len(), images.len()), (8, 8));
    for row in rows {
        let image = images.iter().find(|image| row.file.ends_with(image["file"].as_str().unwrap())).unwrap();
        assert_eq!(row.view.unwrap().name(), image["view"]);
        assert_eq!(row.label.unwrap().letter(), image["true_class"]);
        assert_eq!(row.predicted.letter(), image["route1"]["predicted"]);
        for (class, ours) in row.probabilities.0.into_iter().enumerate() {
            let theirs = image["route1"]["probabilities"][class].as_f64().unwrap();
            assert!((ours - theirs).abs() < 1e-5, "{}: {ours} is not {theirs}", row.file);
        }
    }
    assert_eq!(
        names_in(&out),
        ["predictions.csv", "predictions.json", "predictions_CC_R.txt", "predictions_MLO_R.txt"]
    );
}

#[test]
fn a_tree_of_four_views_is_predicted_and_evaluated() {
    let folder = tempfile::tempdir().unwrap();
    let (data, out) = (folder.path().join("data"), folder.path().join("out"));
    write_four_subjects(&data);
    let output = run_predict(&small_model(folder.path(), 64), &data, &out, &[]);
    assert!(output.status.success(), "{}", stderr_of(&output));
    assert!(output.stdout.is_empty(), "results go to files, messages to stderr");
    let rows = read_table(&out.join("predictions.csv")).unwrap();
    assert_eq!(rows.len(), 16);
    for view in View::ALL {
        let text = std::fs::read_to_string(out.join(format!("predictions_{view}.txt"))).unwrap();
        let of_view: Vec<_> = rows.iter().filter(|row| row.view == Some(view)).collect();
        assert_eq!((text.lines().count(), of_view.len()), (4, 4));
        for (line, row) in text.lines().zip(of_view) {
            let columns: Vec<f64> = line.split_whitespace().map(|column| column.parse().unwrap()).collect();
            assert!(
                columns.iter().zip(row.probabilities.0).all(|(text, table)| (text - table).abs() < 1e-15),
                "{line}"
            );
        }
    }
    let evaluated = mammoscope().arg("evaluate").arg(&out).arg("--json").output().unwrap();
    let document: Value = serde_json::from_slice(&evaluated.stdout).unwrap();
    for set in ["CC_R", "CC_L", "MLO_R", "MLO_L", "right", "left", "total"] {
        assert_eq!(document["sets"][set]["n"], 4, "{set}");
    }
}

#[test]
fn bad_images_are_listed_and_the_rest_is_predicted() {
    let folder = tempfile::tempdir().unwrap();
    let (data, out) = (folder.path().join("data"), folder.path().join("out"));
    write_four_subjects(&data);
    let class = data.join("CC_R/A");
    let whole = std::fs::read(class.join("11_1_A_CC_R.png")).unwrap();
    std::fs::write(class.join("21_1_A_CC_R.png"), &whole[..whole.len() / 2]).unwrap();
    std::fs::write(class.join("22_1_A_CC_R.png"), b"").unwrap();
    std::fs::write(class.join("23_1_A_CC_R.png"), b"these are words").unwrap();
    let output = run_predict(&small_model(folder.path(), 64), &data, &out, &["--view", "CC_R"]);
    let stderr = stderr_of(&output);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    for bad in ["21_1_A_CC_R.png", "22_1_A_CC_R.png", "23_1_A_CC_R.png"] {
        let lines: Vec<&str> = stderr.lines().filter(|line| line.contains(bad)).collect();
        assert_eq!(lines.len(), 1, "one line for {bad}: {stderr}");
    }
    let rows = read_table(&out.join("predictions.csv")).unwrap();
    assert_eq!(rows.len(), 4, "the readable images of the view");
    let output = run_predict(&small_model(folder.path(), 64), &data, &out, &["--view", "CC_R", "--json", "--quiet"]);
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (document["predicted"].as_u64(), document["failed"].as_array().map(Vec::len)),
        (Some(4), Some(3)),
        "{document}"
    );
    assert!(document["failed"][0]["file"].as_str().unwrap().ends_with("21_1_A_CC_R.png"), "{document}");
}

#[test]
fn nothing_is_written_when_nothing_can_be_predicted() {
    let folder = tempfile::tempdir().unwrap();
    let (data, out) = (folder.path().join("data"), folder.path().join("out"));
    std::fs::create_dir_all(data.join("CC_R/A")).unwrap();
    std::fs::write(data.join("CC_R/A/1_1_A_CC_R.png"), b"").unwrap();
    let output = run_predict(&small_model(folder.path(), 64), &data, &out, &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(!out.exists(), "no empty folder remains");
}

/// A flat folder in which one name gives the view and another does not.
#[test]
fn images_of_unknown_view_are_counted_as_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let (data, out) = (folder.path().join("flat"), folder.path().join("out"));
    write_image(&data.join("1_1_A_CC_R.png"), 3);
    write_image(&data.join("scan.png"), 4);
    let output = run_predict(&small_model(folder.path(), 64), &data, &out, &["--view", "CC_R"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr_of(&output));
    assert!(stderr_of(&output).contains("the view: 1 image"), "{}", stderr_of(&output));
}

#[test]
fn arguments_are_shown_escaped() {
    let output = run(&["predict", "--view", "\u{1b}[31mred\u{202e}"]);
    let stderr = stderr_of(&output);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr.contains("red\\u{202e}"), "{stderr:?}");
    assert!(!stderr.contains(['\u{1b}', '\u{202e}']), "{stderr:?}");
}

#[test]
fn a_keras_file_is_never_overwritten_by_its_own_import() {
    let folder = tempfile::tempdir().unwrap();
    let keras = folder.path().join("own.h5");
    std::fs::copy(fixture("small_w8_keras224names.h5"), &keras).unwrap();
    let output = mammoscope().arg("import").arg(&keras).arg("--out").arg(&keras).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", stderr_of(&output));
    assert!(std::fs::read(&keras).unwrap().starts_with(b"\x89HDF"));
}

/// Each clause of an error appears once, even where one error wraps another.
#[test]
fn no_clause_of_an_error_is_repeated() {
    for arguments in [
        &["import", "gone.h5", "--out", "x.safetensors"][..],
        &["model", "info", "gone.safetensors"],
        &["predict", "--model", "gone", "--data", "gone", "--out", "out"],
        &["show", "gone.png"],
        &["evaluate", "gone.csv"],
    ] {
        let stderr = stderr_of(&run(arguments));
        let clauses: Vec<&str> = stderr.trim_end().split(": ").collect();
        let mut unique = clauses.clone();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), clauses.len(), "{stderr}");
    }
}

#[test]
fn one_image_and_a_flat_folder_need_no_labels() {
    let folder = tempfile::tempdir().unwrap();
    let (data, out) = (folder.path().join("flat"), folder.path().join("out"));
    write_image(&data.join("first scan.png"), 3);
    write_image(&data.join("second.png"), 4);
    let model = small_model(folder.path(), 64);
    let output = run_predict(&model, &data, &out, &[]);
    assert!(output.status.success(), "{}", stderr_of(&output));
    assert!(stderr_of(&output).contains("no subject id"), "{}", stderr_of(&output));
    assert_eq!(names_in(&out), ["predictions.csv", "predictions.json", "predictions.txt"]);
    let rows = read_table(&out.join("predictions.csv")).unwrap();
    assert!(rows.iter().all(|row| row.label.is_none() && row.view.is_none()));

    let evaluated = mammoscope().arg("evaluate").arg(&out).output().unwrap();
    assert_eq!(evaluated.status.code(), Some(1));
    assert!(stderr_of(&evaluated).contains("label"), "{}", stderr_of(&evaluated));

    // Into the same folder: the files of the earlier call do not stay beside the new table.
    let output = run_predict(&model, &data.join("second.png"), &out, &["--view", "CC_L"]);
    assert!(output.status.success(), "{}", stderr_of(&output));
    let stderr = stderr_of(&output);
    assert!(stderr.contains("in 1 file name:"), "{stderr}");
    assert!(stderr.contains("CC_L: 1 image on "), "{stderr}");
    assert!(stderr.contains("1 image predicted: "), "{stderr}");
    assert_eq!(names_in(&out), ["predictions.csv", "predictions.json", "predictions_CC_L.txt"]);
    let output = run_predict(&model, &data.join("second.png"), &out, &["--view", "MLO_L"]);
    assert!(stderr_of(&output).contains("holds predictions of CC_L"), "{}", stderr_of(&output));
}

#[test]
fn wrong_calls_and_models_give_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let (data, out) = (folder.path().join("data"), folder.path().join("out"));
    write_four_subjects(&data);
    let model = small_model(folder.path(), 64);
    let cut = folder.path().join("cut.safetensors");
    std::fs::write(&cut, &std::fs::read(&model).unwrap()[..5000]).unwrap();
    let empty = folder.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let gone = folder.path().join("gone");
    let h5 = fixture("small_w8_keras224names.h5");
    let cases: [(&Path, &Path, &[&str], i32, &str); 9] = [
        (&cut, &data, &[], 1, "cut.safetensors"),
        (&h5, &data, &[], 1, "mammoscope import"),
        (&empty, &data, &[], 1, "no model here"),
        (&gone, &data, &[], 1, "gone"),
        (&model, &gone, &[], 1, "gone"),
        (&model, &empty, &[], 1, "no image found"),
        (&model, &data, &["--split", "test"], 1, "no split folders"),
        (&model, &data, &["--view", "CC"], 2, "CC"),
        (&model, &data, &["--device", "tpu"], 2, "tpu"),
    ];
    for (model, data, more, code, words) in cases {
        let output = run_predict(model, data, &out, more);
        let stderr = stderr_of(&output);
        assert_eq!(output.status.code(), Some(code), "{more:?}: {stderr}");
        let errors: Vec<&str> = stderr.lines().filter(|line| line.starts_with("error:")).collect();
        assert!(errors.len() == 1 && errors[0].contains(words), "'{words}' is not in: {stderr}");
        assert!(!out.exists(), "nothing is written: {more:?}");
    }
}

#[test]
fn a_folder_of_models_gives_each_view_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let (data, out, models) = (folder.path().join("data"), folder.path().join("out"), folder.path().join("models"));
    write_four_subjects(&data);
    std::fs::create_dir(&models).unwrap();
    let mut model = Model::read(&small_model(folder.path(), 64)).unwrap();
    for view in [View::CcR, View::CcL, View::MloR] {
        model.metadata.view = Some(view);
        model.write(&models.join(format!("{view}.safetensors"))).unwrap();
    }
    let output = run_predict(&models, &data, &out, &[]);
    assert!(stderr_of(&output).contains("no model for MLO_L"), "{}", stderr_of(&output));
    assert_eq!(output.status.code(), Some(1));
    let output = run_predict(&models, &data, &out, &["--view", "CC_R,CC_L,MLO_R"]);
    assert!(output.status.success(), "{}", stderr_of(&output));
    // A model of one view is used on another with a warning.
    let output = run_predict(&models.join("CC_R.safetensors"), &data, &out, &["--view", "MLO_L"]);
    assert!(output.status.success() && stderr_of(&output).contains("trained on CC_R"), "{}", stderr_of(&output));
    // Two models for the same view are ambiguous.
    model.write(&models.join("again.safetensors")).unwrap();
    let output = run_predict(&models, &data, &out, &[]);
    assert!(stderr_of(&output).contains("both for MLO_R"), "{}", stderr_of(&output));
}

#[test]
fn quiet_prints_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let phantom = shipped("testset/CC_R/A");
    let output = run_predict(&small_model(folder.path(), 64), &phantom, &out, &["--quiet", "--precision", "auto"]);
    assert!(output.status.success());
    assert!(output.stderr.is_empty() && output.stdout.is_empty(), "{}", stderr_of(&output));
}

#[test]
fn model_info_and_summary_describe_the_network() {
    let folder = tempfile::tempdir().unwrap();
    let model = small_model(folder.path(), 64);
    let info = mammoscope().args(["model", "info", "--json"]).arg(&model).output().unwrap();
    let info: Value = serde_json::from_slice(&info.stdout).unwrap();
    assert_eq!((info["width"].as_f64(), info["size"].as_u64()), (Some(0.125), Some(64)));
    assert_eq!(info["view"], Value::Null);
    assert_eq!(info["provenance"]["source"], "small_w8_keras224names.h5");
    let summary = run(&["model", "summary"]);
    let text = String::from_utf8(summary.stdout).unwrap();
    assert!(text.contains("2,262,660 parameters, 2,249,988 of them trainable; 41 convolutions"), "{text}");
    let summary = run(&["model", "summary", "--json", "--width", "0.125", "--size", "64"]);
    let summary: Value = serde_json::from_slice(&summary.stdout).unwrap();
    assert_eq!(summary["layers"].as_array().unwrap().len(), 136);
    for wrong in [["--width", "0"], ["--width", "x"], ["--size", "8"], ["--size", "1e9"]] {
        assert_eq!(run(&[&["model", "summary"], &wrong[..]].concat()).status.code(), Some(2), "{wrong:?}");
    }
}

#[test]
fn a_failed_import_gives_the_reason_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("model.safetensors");
    let not_hdf5 = folder.path().join("not.h5");
    std::fs::write(&not_hdf5, b"these are words, not weights").unwrap();
    for (file, words) in [(not_hdf5, "HDF5"), (folder.path().join("gone.h5"), "gone.h5")] {
        let output = mammoscope().arg("import").arg(file).arg("--out").arg(&out).output().unwrap();
        let stderr = stderr_of(&output);
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(stderr.lines().count() == 1 && stderr.contains(words), "{stderr}");
    }
    assert!(!out.exists());
}

/// Ten thousand images cost the engine no more memory than two thousand.
#[test]
#[cfg(target_os = "linux")]
fn memory_stays_flat_over_ten_thousand_images() {
    const IMAGES: usize = 10_000;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    write_many(&data, IMAGES);
    let image = |number: usize| data.join(format!("CC_R/B/{number}_1_B_CC_R.png"));
    let mut engine = EngineProcess::start(&engine(), Timeouts::default(), Cancellation::never()).unwrap();
    let status = format!("/proc/{}/status", engine.id());
    let resident_kb = || -> u64 {
        let text = std::fs::read_to_string(&status).unwrap();
        let line = text.lines().find(|line| line.starts_with("VmRSS")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    let work = PredictWork {
        grey_range: GreyRange::Auto,
        model: WirePath::from(small_model(folder.path(), 32).as_path()),
        samples: (1..=IMAGES).map(|number| WirePath::from(image(number).as_path())).collect(),
        batch_size: Some(16),
        device: DeviceChoice::Cpu,
        precision: Precision::F32,
        threads: Some(1),
        augmented: None,
    };
    let (mut seen, mut early, mut late) = (0, 0, 0);
    run_image_job(&mut engine, JobId(1), work, Cancellation::never(), &mut |event| {
        if let PredictionEvent::Image { index, result } = event {
            assert_eq!(index, seen, "answers come in order");
            assert!(result.is_ok(), "{result:?}");
            seen += 1;
            if seen == IMAGES / 5 {
                early = resident_kb();
            } else if seen == IMAGES {
                late = resident_kb();
            }
        }
        Ok(())
    })
    .unwrap();
    assert_eq!(seen, IMAGES);
    assert!(late < early + 20_000, "{early} kB after a fifth, {late} kB at the end");
}
