//! `mammoscope explain` as a user runs it, with the models and images that ship.

#![cfg(unix)]

use std::fs;
use std::path::Path;
use std::process::Output;

use mammoscope_storage::models::model_file::Model;
use mammoscope_storage::tables::map_file::read_table;
use mammoscope_test_support::{engine, mammoscope, names_in, script, shared, shipped, stderr_of};
use serde_json::Value;

fn explain(out: &Path, arguments: &[&str]) -> Output {
    let mut command = mammoscope();
    command
        .arg("explain")
        .arg("--model")
        .arg(shipped("models"))
        .args(["--device", "cpu", "--out"])
        .arg(out)
        .args(arguments);
    command.output().unwrap()
}

#[test]
fn every_image_gets_a_map_four_pictures_and_a_row_of_scores() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("maps");
    let output = explain(&out, &["--data", shipped("testset").to_str().unwrap(), "--view", "CC_R"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("enrichment")
            && text.matches("  random").count() == 10
            && text.lines().all(|line| line.chars().count() <= 80),
        "{text}"
    );
    assert_eq!(
        names_in(&out),
        ["CC_R", "contact_A.png", "contact_B.png", "contact_C.png", "contact_D.png", "scores.csv"]
    );
    let names = names_in(&out.join("CC_R/D"));
    assert_eq!(names.len(), 5, "{names:?}");
    assert!(names.contains(&"4_1_D_CC_R_map.npy".to_owned()), "{names:?}");
    for ending in ["_128.png", "_map.png", "_overlay.png", "_contours.png"] {
        let name = names.iter().find(|name| name.ends_with(&format!("_4_1_D_CC_R{ending}"))).unwrap();
        let picture = image::open(out.join("CC_R/D").join(name)).unwrap();
        assert_eq!((picture.width(), picture.height()), (128, 128), "{name}");
    }
    let map = read_table(&out.join("CC_R/D/4_1_D_CC_R_map.npy")).unwrap();
    assert_eq!(map.shape, [128, 128]);
    let scores = fs::read_to_string(out.join("scores.csv")).unwrap();
    assert_eq!(scores.lines().count(), 5);
    assert!(scores.lines().skip(1).all(|line| line.contains(",grad-cam,add_12,sound,mask,")), "{scores}");
    assert!(scores.lines().skip(1).all(|line| line.ends_with(",,")), "no curves: {scores}");
}

#[test]
fn the_sanity_verdict_is_reported_with_its_conditions() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("maps");
    let data = shipped("testset");
    let arguments = ["--data", data.to_str().unwrap(), "--class", "predicted", "--sanity", "--json"];
    let output = explain(&out, &arguments);
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    let written: Value = serde_json::from_slice(&fs::read(out.join("sanity.json")).unwrap()).unwrap();
    assert_eq!(printed["sanity"], written);
    assert_eq!(printed["explained"], 16);
    // Eight images of two subjects of C and D can neither support nor refute anything.
    assert_eq!(written["verdict"], "undecided");
    let judged = serde_json::json!({ "classes": ["C", "D"], "images": 8, "subjects": 2, "least_subjects": 10 });
    assert_eq!(written["judged"], judged);
    let coarse = "maps of add_12 have 4 × 4 positions at 128 px, too few to locate anything in the breast: use --layer add_9 (8 × 8)";
    assert_eq!(printed["coarse_maps"], serde_json::json!([coarse]));
    assert_eq!(stderr_of(&output).matches(coarse).count(), 1, "{}", stderr_of(&output));
    assert_eq!(written["conditions"].as_array().unwrap().len(), 4);
    assert_eq!(written["evidence"]["randomisation"].as_array().unwrap().len(), 6);
    assert_eq!(written["evidence"]["repeatability"], 0.0, "the same thread count gives the same bits");
    let last = |checked: &Value| checked["evidence"]["randomisation"][5]["correlation"].as_f64().unwrap();
    assert!(last(&written) < 0.9, "the map depends on the weights: {}", last(&written));
    // Maps of each class and of the random maps, with curves: 16 images have both.
    for kind in ["maps", "control"] {
        for class in ["A", "B", "C", "D"] {
            let summary = &written[kind][class];
            assert_eq!(summary["images"], 4);
            for curve in [9, 10] {
                assert_eq!(summary["means"][curve]["images"], 4, "{kind} of {class}");
            }
        }
    }
    assert_ne!(written["maps"], written["control"]);
    let scores = fs::read_to_string(out.join("scores.csv")).unwrap();
    let areas = scores.lines().skip(1).flat_map(|line| line.rsplit(',').take(2));
    assert!(areas.map(|area| area.parse::<f64>().unwrap()).all(|area| (0.0..=1.0).contains(&area)), "{scores}");
    // A random map does not depend on the weights, and the check says so.
    let arguments = ["--data", data.to_str().unwrap(), "--view", "CC_R", "--method", "random", "--sanity", "--json"];
    let random = folder.path().join("random");
    let output = explain(&random, &arguments);
    let scores = fs::read_to_string(random.join("scores.csv")).unwrap();
    assert!(scores.lines().skip(1).all(|line| line.contains(",D,random,add_12,")), "maps of class D: {scores}");
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(printed["sanity"]["evidence"]["randomisation"][5]["correlation"], 1.0);
    assert_eq!(printed["sanity"]["conditions"][2]["holds"], false);
}

#[test]
fn bad_images_and_masks_are_reported_and_the_rest_is_explained() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data/CC_R/D");
    fs::create_dir_all(data.join("masks")).unwrap();
    fs::copy(shipped("testset/CC_R/D/4_1_D_CC_R.png"), data.join("4_1_D_CC_R.png")).unwrap();
    fs::write(data.join("5_1_D_CC_R.png"), "no image").unwrap();
    image::GrayImage::new(7, 7).save(data.join("masks/4_1_D_CC_R_dense.png")).unwrap();
    let root = folder.path().join("data");
    let root = root.to_str().unwrap();
    let out = folder.path().join("maps");

    let output = explain(&out, &["--data", root]);
    let stderr = stderr_of(&output);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("5_1_D_CC_R.png") && stderr.contains("the mask has 7 × 7 pixels, its image"), "{stderr}");
    assert!(out.join("CC_R/D/4_1_D_CC_R_map.npy").is_file(), "the other one was explained");
    assert!(stderr.contains("1 mask could not be used"), "{stderr}");
    let scores = fs::read_to_string(out.join("scores.csv")).unwrap();
    assert!(scores.lines().nth(1).unwrap().contains(",sound,none,"), "no mask of dense tissue: {scores}");
    // A bad mask alone fails the command as well. The breast's mask is valid and used.
    fs::remove_file(data.join("5_1_D_CC_R.png")).unwrap();
    let (width, height) = image::image_dimensions(data.join("4_1_D_CC_R.png")).unwrap();
    let inside = |x: u32| if x >= width / 2 { 255 } else { 0 };
    let breast = image::GrayImage::from_fn(width, height, |x, _| image::Luma([inside(x)]));
    breast.save(data.join("masks/4_1_D_CC_R_breast.png")).unwrap();
    let output = explain(&out, &["--data", root, "--json"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr_of(&output));
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&printed["explained"], printed["masks_left_out"].as_array().unwrap().len()), (&Value::from(1), 1));
    let outside = |text: &str| -> f64 { text.lines().nth(1).unwrap().split(',').nth(16).unwrap().parse().unwrap() };
    let now = fs::read_to_string(out.join("scores.csv")).unwrap();
    assert!(outside(&now) > outside(&scores), "by that mask half of the picture is outside: {now}");

    let output = explain(&out, &["--data", root, "--layer", "conv9"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr_of(&output).contains("add_1, add_2"), "the layers are listed: {}", stderr_of(&output));
    let output = explain(&out, &["--data", root, "--parity", "--method", "occlusion"]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr_of(&output));

    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let output = explain(&file.join("below"), &["--data", root]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr_of(&output).contains("write to"), "{}", stderr_of(&output));
}

#[test]
fn the_explained_class_can_be_chosen() {
    let folder = tempfile::tempdir().unwrap();
    let image = folder.path().join("plain.png");
    fs::copy(shipped("testset/CC_R/A/1_1_A_CC_R.png"), &image).unwrap();
    let explained = |arguments: &[&str]| {
        let out = folder.path().join(arguments.join("_"));
        let output = explain(&out, &[&["--data", image.to_str().unwrap(), "--view", "CC_R"], arguments].concat());
        let scores = fs::read_to_string(out.join("scores.csv")).unwrap_or_default();
        let column = |line: &str| line.split(',').nth(10).unwrap_or_default().to_owned();
        (output.status.code(), scores.lines().nth(1).map(column), stderr_of(&output))
    };
    assert_eq!(explained(&["--class", "D"]).1.as_deref(), Some("D"));
    let (code, _, stderr) = explained(&["--class", "true"]);
    assert_eq!(code, Some(1), "neither folder nor name gives its class: {stderr}");
}

#[test]
fn a_bad_model_fails_only_its_own_view() {
    let folder = tempfile::tempdir().unwrap();
    let models = folder.path().join("models");
    fs::create_dir(&models).unwrap();
    fs::copy(shipped("models/CC_R.safetensors"), models.join("CC_R.safetensors")).unwrap();
    let mut broken = Model::read(&shipped("models/CC_L.safetensors")).unwrap();
    broken.tensors.get_mut("conv2d_7.kernel").unwrap()[3] = f32::NAN;
    broken.write(&models.join("CC_L.safetensors")).unwrap();
    let out = folder.path().join("maps");
    let mut command = mammoscope();
    let data = shipped("testset");
    command.arg("explain").arg("--model").arg(&models).arg("--data").arg(&data).args(["--view", "CC_L,CC_R"]);
    let output = command.args(["--device", "cpu", "--json", "--out"]).arg(&out).output().unwrap();
    let stderr = stderr_of(&output);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("CC_L.safetensors") && stderr.contains("conv2d_7.kernel"), "{stderr}");
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    let failed = printed["failed"].as_array().unwrap();
    assert_eq!((&printed["explained"], failed.len()), (&Value::from(4), 4));
    assert!(failed.iter().all(|failure| failure["file"].as_str().unwrap().contains("CC_L")), "{failed:?}");
    assert_eq!(fs::read_to_string(out.join("scores.csv")).unwrap().lines().count(), 5);
}

#[test]
fn an_image_deleted_meanwhile_fails_alone() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("CC_R/A");
    fs::create_dir_all(&data).unwrap();
    let gone = data.join("2_1_A_CC_R.png");
    for image in [&data.join("1_1_A_CC_R.png"), &gone] {
        fs::copy(shipped("testset/CC_R/A/1_1_A_CC_R.png"), image).unwrap();
    }
    // The engine starts after all images have been listed.
    let body = format!("rm '{}'; exec '{}' \"$@\"", gone.display(), engine().display());
    let stand_in = script(&folder.path().join("engine"), &body);
    let out = folder.path().join("maps");
    let mut command = mammoscope();
    command.env("MAMMOSCOPE_ENGINE", stand_in).arg("explain").arg("--model").arg(shipped("models"));
    let output =
        command.args(["--device", "cpu", "--data"]).arg(folder.path()).arg("--out").arg(&out).output().unwrap();
    let stderr = stderr_of(&output);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("2_1_A_CC_R.png") && stderr.contains("No such file"), "{stderr}");
    assert_eq!(fs::read_to_string(out.join("scores.csv")).unwrap().lines().count(), 2, "{stderr}");
}

/// With the reference's weights and one of its mammograms: the map equals that of keras-vis, and the scores are those
/// of the map before keras-vis' last step, which spreads energy everywhere.
#[test]
fn parity_writes_the_map_of_keras_vis() {
    let (Some(weights), Some(image), Some(published)) = (
        shared("reference/full/keras_resnet41.h5"),
        shared("seed/TestSet/CC_R/test/A/1251_1_A_CC_R.png"),
        shared("reference/cams/full650_route2_1251_1_A_CC_R_normalised.npy"),
    ) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let (model, out) = (folder.path().join("model.safetensors"), folder.path().join("maps"));
    let imported = mammoscope().arg("import").arg(&weights).arg("--out").arg(&model).output().unwrap();
    assert!(imported.status.success(), "{}", stderr_of(&imported));
    let mut command = mammoscope();
    command.arg("explain").arg("--model").arg(&model).arg("--data").arg(&image).args(["--view", "CC_R"]);
    let output = command.args(["--parity", "--device", "cpu", "--out"]).arg(&out).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
    let folder = ["A", "unlabelled"].map(|class| out.join("CC_R").join(class)).into_iter().find(|path| path.exists());
    let ours = read_table(&folder.unwrap().join("1251_1_A_CC_R_map.npy")).unwrap();
    let theirs = read_table(&published).unwrap();
    assert_eq!((&ours.shape, ours.values.len()), (&vec![650, 650], theirs.values.len()));
    let pairs = ours.values.iter().zip(&theirs.values);
    let off = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(off <= 1e-3, "off by {off:.1e}");
    let peak = |values: &[f32]| (0..values.len()).fold(0, |best, at| if values[at] > values[best] { at } else { best });
    assert_eq!(peak(&ours.values), peak(&theirs.values));
    let above = ours.values.iter().filter(|&&value| value > 0.0).count();
    assert!(above > 400_000, "{above} of 422,500 pixels are above zero");
    let scores = fs::read_to_string(out.join("scores.csv")).unwrap();
    let outside: f64 = scores.lines().nth(1).unwrap().split(',').nth(16).unwrap().parse().unwrap();
    assert!((0.0..1.0).contains(&outside), "{scores}");
}
