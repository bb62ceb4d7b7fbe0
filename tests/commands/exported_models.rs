//! `mammoscope export`: what onnxruntime and PyTorch compute with exported models, against `mammoscope predict`, and the
//! way back by `mammoscope import`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use image::{DynamicImage, ImageBuffer, Luma, Rgb};
use mammoscope_domain::image::grey_range::GreyRange;
use mammoscope_domain::network::input_route::InputRoute;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::view::View;
use mammoscope_imaging::network_input::load_input;
use mammoscope_storage::models::model_file::{Model, grey_range_entry};
use mammoscope_storage::tables::prediction_table::read_table;
use mammoscope_test_support::python::python_packages;
use mammoscope_test_support::training_fixture::TrainingFixture;
use mammoscope_test_support::{
    checkout, mammoscope, names_in, shipped, skipped, small_model, stderr_of, write_four_subjects,
};
use serde_json::Value;

use super::models_to_export::{calm_model, folded_model, wide_model};

/// The largest difference between probabilities of two implementations.
const TOLERANCE: f64 = 1e-5;
/// Names a Python with torch, safetensors, numpy and Pillow, which together are too large to install for every test run.
const TORCH_PYTHON: &str = "MAMMOSCOPE_TEST_TORCH_PYTHON";
const PACKAGES: [&str; 9] = [
    "onnxruntime==1.32.0",
    "onnx==1.23.2",
    "numpy==2.4.6",
    "pillow==13.0.0",
    "protobuf==7.36.2",
    "flatbuffers==25.12.19",
    "ml_dtypes==0.6.0",
    "packaging==26.4",
    "typing_extensions==4.16.0",
];

type Predictions = BTreeMap<PathBuf, [f64; 4]>;

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn export(model: &Path, more: &[&str]) -> Output {
    mammoscope().arg("export").arg(model).args(more).output().unwrap()
}

fn successfully(output: &Output) {
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(output));
}

/// Exports a model as `OUT.onnx` and, for PyTorch, as the folder OUT.
fn export_both(model: &Path, out: &Path) -> PathBuf {
    let onnx = out.with_extension("onnx");
    successfully(&export(model, &["--format", "onnx", "--out", text(&onnx)]));
    successfully(&export(model, &["--format", "pytorch", "--out", text(out)]));
    onnx
}

/// Runs a command of `exported_models.py`. Returns `None` and records a skip without its packages.
fn exported_models_py(arguments: &[&str]) -> Option<Value> {
    static FOLDER: OnceLock<Option<PathBuf>> = OnceLock::new();
    let packages = FOLDER.get_or_init(|| python_packages("onnxruntime-1.32", &PACKAGES)).as_deref();
    let Some(packages) = packages else {
        skipped("onnxruntime and its packages cannot be installed");
        return None;
    };
    let mut python = Command::new("python3");
    python.arg(checkout().join("tests/exported_models.py")).args(arguments).env("PYTHONPATH", packages);
    let output = python.output().unwrap();
    assert!(output.status.success(), "{}", stderr_of(&output));
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

/// What `mammoscope predict` says about all images of a folder, in f32.
fn predicted(model: &Path, data: &Path, views: &str) -> Predictions {
    let out = tempfile::tempdir().unwrap();
    let mut command = mammoscope();
    command.arg("predict").arg("--model").arg(model).arg("--data").arg(data).arg("--out").arg(out.path());
    command.args(["--view", views, "--threads", "1", "--device", "cpu", "--precision", "f32"]);
    successfully(&command.output().unwrap());
    let rows = read_table(&out.path().join("predictions.csv")).unwrap();
    rows.into_iter()
        .map(|row| (data.join(&row.file), DensityClass::ALL.map(|class| row.probabilities.of(class))))
        .collect()
}

fn largest_difference(ours: &Predictions, theirs: &Predictions) -> f64 {
    assert!(ours.len() >= 4 && ours.keys().eq(theirs.keys()), "{ours:?} {theirs:?}");
    let saturated = |of: &[f64; 4]| of.iter().any(|probability| *probability > 0.99);
    assert!(ours.values().filter(|of| saturated(of)).count() * 2 <= ours.len(), "{ours:?}");
    let pairs = ours.values().zip(theirs.values()).flat_map(|(ours, theirs)| ours.iter().zip(theirs));
    pairs.map(|(ours, theirs)| (ours - theirs).abs()).fold(0.0, f64::max)
}

/// By how much the probability of a class differs between images, at most.
fn spread(of: &Predictions) -> f64 {
    let of_class = |class: usize| {
        let values = of.values().map(|probabilities| probabilities[class]);
        values.clone().fold(0.0, f64::max) - values.fold(1.0, f64::min)
    };
    (0..4).map(of_class).fold(0.0, f64::max)
}

fn compare_with_onnxruntime(what: &str, model: &Path, data: &Path, views: &str) {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("exported");
    let onnx = export_both(model, &out);
    let ours = predicted(model, data, views);
    let script = out.join("model.py");
    let arguments = ["predict", text(&onnx), text(&script)].into_iter().chain(ours.keys().map(|path| text(path)));
    let Some(theirs) = exported_models_py(&arguments.collect::<Vec<_>>()) else { return };
    let theirs: Predictions = serde_json::from_value(theirs).unwrap();
    let difference = largest_difference(&ours, &theirs);
    println!("{what}: {difference:.2e} on {} images", ours.len());
    assert!(spread(&ours) > 0.01, "the images of {what} are too similar: {ours:?}");
    assert!(difference <= TOLERANCE, "{what}: {difference:.2e}");
}

#[test]
fn onnxruntime_predicts_the_test_set_as_we_do() {
    for view in View::ALL {
        let model = shipped(&format!("models/{view}.safetensors"));
        compare_with_onnxruntime(view.name(), &model, &shipped("testset"), view.name());
    }
}

#[test]
fn onnxruntime_agrees_on_other_widths_sizes_and_statistics() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    write_four_subjects(&data);
    compare_with_onnxruntime("small, 64 px", &calm_model(folder.path(), 64), &data, "all");
    compare_with_onnxruntime("small, 97 px", &calm_model(folder.path(), 97), &data, "all");
    compare_with_onnxruntime("width 0.5, 75 px", &wide_model(folder.path()), &data, "all");
    let folded = folded_model(folder.path(), View::MloR);
    compare_with_onnxruntime("folded statistics", &folded, &shipped("testset"), "MLO_R");
}

#[test]
fn a_run_is_exported_by_name_from_its_best_checkpoint() {
    let fixture = TrainingFixture::new();
    let run = fixture.train_successfully(&["epochs=1"]);
    let name = run.path().file_name().unwrap().to_str().unwrap();
    let out = tempfile::tempdir().unwrap();
    let file = out.path().join("run.onnx");
    let output = fixture.output(&["export", name, "--format", "onnx", "--out", text(&file)]);
    successfully(&output);
    let best = names_in(&run.path().join("checkpoints")).into_iter().find(|name| name.starts_with("best-")).unwrap();
    let best = run.path().join("checkpoints").join(best);
    let same = out.path().join("best.onnx");
    successfully(&export(&best, &["--format", "onnx", "--out", text(&same)]));
    assert!(fs::read(&file).unwrap() == fs::read(&same).unwrap());
    compare_with_onnxruntime("a run", run.path(), &fixture.data, "CC_R");
    let last = run.path().join("checkpoints/last.safetensors");
    let error = stderr_of(&export(&last, &["--format", "onnx"]));
    assert!(error.contains("a checkpoint of a training run, not a model; name the run"), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
}

#[test]
fn the_onnx_file_is_valid_and_describes_itself() {
    let folder = tempfile::tempdir().unwrap();
    let model = shipped("models/CC_L.safetensors");
    let onnx = folder.path().join("below/model.onnx");
    successfully(&export(&model, &["--format", "onnx", "--out", text(&onnx)]));
    let Some(described) = exported_models_py(&["describe", text(&onnx)]) else { return };
    let float = "tensor(float)";
    assert_eq!(described["inputs"], serde_json::json!([["image", ["batch", 3, 128, 128], float]]));
    let outputs = serde_json::json!([["probabilities", ["batch", 4], float], ["logits", ["batch", 4], float]]);
    assert_eq!(described["outputs"], outputs);
    let metadata = &described["metadata"];
    assert_eq!((&metadata["classes"], &metadata["view"]), (&"A,B,C,D".into(), &"CC_L".into()));
    let sha256 = mammoscope_storage::models::model_file::sha256_hex(&fs::read(&model).unwrap());
    assert_eq!(metadata["model_sha256"], sha256.as_str());
    assert!(metadata["intended_use"].as_str().unwrap().contains("Not a medical device"), "{metadata}");
    assert!(metadata["preprocessing"].as_str().unwrap().contains("128 x 128"), "{metadata}");
}

/// Images of every kind of PNG, with odd sizes.
fn png_kinds(folder: &Path) -> Vec<PathBuf> {
    let level = |x: u32, y: u32| (x * 7 + y * 13 + x * y / 5) % 256;
    let deep = |x, y| Luma([(level(x, y) * 16) as u16]);
    let images = [
        ("grey", DynamicImage::from(ImageBuffer::from_fn(131, 77, |x, y| Luma([level(x, y) as u8])))),
        ("rgb", ImageBuffer::from_fn(90, 45, |x, y| Rgb([0, 3, 9].map(|shift| level(x + shift, y) as u8))).into()),
        ("grey_alpha", ImageBuffer::from_fn(50, 64, |x, y| image::LumaA([level(x, y) as u8, x as u8])).into()),
        ("rgba", ImageBuffer::from_fn(64, 33, |x, y| image::Rgba([level(x, y) as u8, 7, y as u8, 9])).into()),
        ("twelve_bits", ImageBuffer::from_fn(300, 200, deep).into()),
    ];
    let paths = images.map(|(name, image)| {
        let path = folder.join(name).with_extension("png");
        image.save(&path).unwrap();
        path
    });
    paths.into()
}

#[test]
fn model_py_prepares_the_same_inputs_bit_for_bit() {
    let folder = tempfile::tempdir().unwrap();
    let images = png_kinds(folder.path());
    let white = GreyRange::White(4095);
    for (route, size) in [(InputRoute::Training, 64), (InputRoute::Training, 167), (InputRoute::GradCamNotebook, 96)] {
        let mut model = Model::read(&small_model(folder.path(), size)).unwrap();
        model.metadata.input_route = route;
        model.metadata.provenance.extend([grey_range_entry(white)]);
        let path = folder.path().join("route.safetensors");
        model.write(&path).unwrap();
        let out = folder.path().join(format!("{route}_{size}"));
        successfully(&export(&path, &["--format", "pytorch", "--out", text(&out)]));
        let script = out.join("model.py");
        let arguments = ["inputs", text(&script), text(&out)].into_iter().chain(images.iter().map(|path| text(path)));
        if exported_models_py(&arguments.collect::<Vec<_>>()).is_none() {
            return;
        }
        for (at, image) in images.iter().enumerate() {
            let theirs: Vec<u32> = fs::read(out.join(format!("{at}.f32")))
                .unwrap()
                .as_chunks()
                .0
                .iter()
                .map(|bytes| u32::from_le_bytes(*bytes))
                .collect();
            let (input, _) = load_input(image, size, route, white).unwrap();
            let pixels = size * size;
            let ours: Vec<u32> =
                (0..3 * pixels).map(|at| input.values()[(at % pixels) * 3 + at / pixels].to_bits()).collect();
            assert!(ours == theirs, "{route} {size} {}", image.display());
        }
    }
}

#[test]
fn pytorch_predicts_the_test_set_as_we_do() {
    let Some(python) = std::env::var_os(TORCH_PYTHON) else {
        skipped(&format!("{TORCH_PYTHON} names no Python with torch, safetensors, numpy and Pillow"));
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    write_four_subjects(&data);
    let testset = shipped("testset");
    let models = [
        (shipped("models/CC_R.safetensors"), &testset, "CC_R"),
        (shipped("models/MLO_L.safetensors"), &testset, "MLO_L"),
        (calm_model(folder.path(), 97), &data, "CC_R"),
        (wide_model(folder.path()), &data, "CC_R"),
    ];
    for (at, (model, data, view)) in models.iter().enumerate() {
        let out = folder.path().join(at.to_string());
        successfully(&export(model, &["--format", "pytorch", "--out", text(&out)]));
        let ours = predicted(model, data, view);
        let mut theirs = Predictions::new();
        for image in ours.keys() {
            let output = Command::new(&python).arg(out.join("model.py")).arg(image).output().unwrap();
            successfully(&output);
            let printed = String::from_utf8(output.stdout).unwrap();
            let line = |line: &str| {
                line.split_once(' ').map(|(class, value)| (class.to_owned(), value.parse::<f64>().unwrap()))
            };
            let (classes, values): (Vec<String>, Vec<f64>) = printed.lines().filter_map(line).unzip();
            assert_eq!(classes, ["A", "B", "C", "D"]);
            theirs.insert(image.clone(), values.try_into().unwrap());
        }
        let difference = largest_difference(&ours, &theirs);
        println!("{}: {difference:.2e} on {} images", model.display(), ours.len());
        assert!(difference <= TOLERANCE, "{}: {difference:.2e}", model.display());
    }
    let out = folder.path().join("0/model.py");
    let bad = Command::new(&python).arg(&out).arg(&out).output().unwrap();
    let error = stderr_of(&bad);
    assert_eq!((bad.status.code(), error.lines().count()), (Some(1), 1), "{error}");
    assert!(error.contains("not a PNG file"), "{error}");
}

#[test]
fn the_import_takes_a_pytorch_export_back() {
    let folder = tempfile::tempdir().unwrap();
    let original = shipped("models/MLO_L.safetensors");
    let out = folder.path().join("exported");
    successfully(&export(&original, &["--format", "pytorch", "--out", text(&out)]));
    assert_eq!(names_in(&out), ["README.md", "model.py", "model.safetensors"]);
    for (source, name) in [(out.clone(), "folder"), (out.join("model.safetensors"), "file")] {
        let back = folder.path().join(name);
        successfully(&mammoscope().arg("import").arg(&source).arg("--out").arg(&back).output().unwrap());
        let (ours, theirs) = (Model::read(&original).unwrap(), Model::read(&back).unwrap());
        let bits = |model: &Model| -> BTreeMap<String, Vec<u32>> {
            let values = |values: &Vec<f32>| values.iter().map(|value| value.to_bits()).collect();
            model.tensors.iter().map(|(name, tensor)| (name.clone(), values(tensor))).collect()
        };
        assert!(bits(&ours) == bits(&theirs), "{name}");
        assert_eq!(ours.metadata, theirs.metadata);
    }
    let as_model = stderr_of(&export(&out.join("model.safetensors"), &["--format", "onnx"]));
    assert!(as_model.contains("a model exported for PyTorch; `mammoscope import` makes a model of it"), "{as_model}");
    let lost = mammoscope().arg("import").arg(&out).arg("--out").arg(out.join("model.safetensors")).output().unwrap();
    assert_eq!(lost.status.code(), Some(2), "{}", stderr_of(&lost));
}

#[test]
fn bad_input_gets_one_clear_line_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let model = shipped("models/CC_R.safetensors");
    let below = |name: &str| folder.path().join(name);
    fs::write(below("taken.onnx"), "mine").unwrap();
    fs::create_dir(below("taken")).unwrap();
    fs::write(below("taken/model.py"), "mine").unwrap();
    let foreign = below("foreign.safetensors");
    fs::write(&foreign, b"\x02\0\0\0\0\0\0\0{}").unwrap();
    let models = shipped("models");
    let cases = [
        (below("absent.safetensors"), "onnx", "out.onnx", "absent.safetensors"),
        (PathBuf::from("no_such_run"), "onnx", "out.onnx", "no_such_run"),
        (foreign.clone(), "pytorch", "out", "a safetensors file, but not a mammoscope model"),
        (models, "onnx", "out.onnx", "has 4 models, and one is exported at a time; name one of"),
        (model.clone(), "onnx", "taken.onnx", "taken.onnx exists already; choose another name with --out"),
        (model.clone(), "pytorch", "taken", "model.py exists already; choose another name with --out"),
        (model.clone(), "onnx", "taken.onnx/below/out.onnx", "taken.onnx is a file, not a folder"),
        (model, "pytorch", "taken.onnx", "taken.onnx is a file, not a folder"),
    ];
    let before = names_in(folder.path());
    for (model, format, out, expected) in cases {
        let mut command = mammoscope();
        command.arg("--workspace").arg(below("workspace")).arg("export").arg(&model);
        let output = command.args(["--format", format]).arg("--out").arg(below(out)).output().unwrap();
        let error = stderr_of(&output);
        assert!(error.contains(expected) && error.lines().count() == 1, "{expected}: {error}");
        assert_eq!(output.status.code(), Some(1), "{error}");
        assert_eq!(names_in(folder.path()), before, "{error}");
        assert_eq!(names_in(&below("taken")), ["model.py"]);
    }
    let import = mammoscope().arg("import").arg(&foreign).arg("--out").arg(below("model")).output().unwrap();
    assert!(
        stderr_of(&import).contains("neither an HDF5 file of Keras nor a PyTorch export"),
        "{}",
        stderr_of(&import)
    );
}
