//! Taking over the weights of the Keras reference: every layout gives the same model, and what is wrong is named.

use std::path::{Path, PathBuf};

use mammoscope::domain::network_plan::NetworkPlan;
use mammoscope::storage::keras::{ImportOptions, KerasError, import};
use mammoscope::storage::model_file::{Model, ModelError, ModelFacts};

/// Says what is not tested here. The test runner keeps back what the print macros write, so this is written past it.
fn skipped(reason: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "skipped: {reason}");
}

const LAYOUTS: [&str; 5] = [
    "small_w8_keras224names.h5",
    "small_w8_keras224layout.h5",
    "small_w8_keras224names.weights.h5",
    "small_w8_autonames.h5",
    "small_w8_keras3format.weights.h5",
];

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn import_fixture(name: &str) -> Model {
    let options = ImportOptions { view: None, size: Some(64) };
    import(&fixture(name), options).unwrap_or_else(|error| panic!("{name}: {error}")).model
}

#[test]
fn every_layout_gives_the_same_tensors() {
    let first = import_fixture(LAYOUTS[0]);
    assert_eq!(first.metadata.width.to_string(), "0.125");
    assert_eq!(first.tensors.len(), first.metadata.plan().parameters().len());
    for layout in &LAYOUTS[1..] {
        let other = import_fixture(layout);
        for (name, values) in &first.tensors {
            assert_eq!(values, &other.tensors[name], "{name} of {layout}");
        }
    }
}

#[test]
fn the_input_size_comes_from_the_file_where_it_tells_it() {
    let whole = import(&fixture(LAYOUTS[1]), ImportOptions::default()).expect("a whole model");
    assert_eq!((whole.model.metadata.size, whole.size_assumed), (64, false));
    let weights = import(&fixture(LAYOUTS[2]), ImportOptions::default()).expect("weights alone");
    assert_eq!((weights.model.metadata.size, weights.size_assumed), (650, true));
}

#[test]
fn a_model_is_the_same_after_writing_and_reading() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("model.safetensors");
    let model = import_fixture(LAYOUTS[0]);
    model.write(&path).expect("written");
    assert_eq!(Model::read(&path).expect("read"), model);
    let facts = ModelFacts::read(&path).expect("facts");
    assert_eq!(facts.parameters, model.metadata.plan().parameter_count());
    assert_eq!(facts.metadata.provenance["source"], LAYOUTS[0]);
}

#[test]
fn the_full_reference_model_has_its_published_size() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/reference/full/keras_resnet41.h5");
    if !path.exists() {
        skipped(&format!("{} is not there", path.display()));
        return;
    }
    let imported = import(&path, ImportOptions::default()).expect("the reference's model");
    assert_eq!(imported.model.metadata.size, 650);
    assert_eq!(imported.model.metadata.plan().parameter_count(), 2_262_660);
    assert_eq!(imported.model.tensors.values().map(Vec::len).sum::<usize>(), 2_262_660);
}

/// A file cut short anywhere is refused in words; it neither ends the program nor passes for a model.
#[test]
fn truncated_files_are_refused_at_every_length() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("cut.h5");
    for layout in [LAYOUTS[1], LAYOUTS[3], LAYOUTS[4]] {
        let whole = std::fs::read(fixture(layout)).expect("the fixture");
        let step = whole.len() / 150;
        // Every length near the beginning, where the structure lies, and steps over the rest.
        let lengths = (0..200).chain((200..whole.len() - step).step_by(step));
        for length in lengths {
            std::fs::write(&path, &whole[..length]).expect("room on disk");
            let Err(error) = import(&path, ImportOptions::default()) else {
                panic!("{layout} passed for a model with {length} of {} bytes", whole.len())
            };
            assert!(!error.to_string().contains('\n'), "one line: {error}");
        }
    }
}

#[test]
fn damaged_model_files_are_refused_at_every_length() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("model.safetensors");
    import_fixture(LAYOUTS[0]).write(&path).expect("written");
    let whole = std::fs::read(&path).expect("the model");
    for length in (0..64).chain((64..whole.len()).step_by(4999)).chain([whole.len() - 1]) {
        let error = Model::from_bytes(&whole[..length]).expect_err("a truncated model");
        assert!(matches!(error, ModelError::Safetensors(_)), "{length}: {error}");
    }
    // A flipped bit among the weights gives other numbers, as good as any to all other checks.
    let mut flipped = whole.clone();
    let last = flipped.len() - 10;
    flipped[last] ^= 1;
    assert!(matches!(Model::from_bytes(&flipped), Err(ModelError::Checksum)));
    let mut more = whole.clone();
    more.extend_from_slice(&[0; 4]);
    assert!(Model::from_bytes(&more).is_err(), "trailing bytes");
}

#[test]
fn tensors_that_do_not_fit_are_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("model.safetensors");
    let mut model = import_fixture(LAYOUTS[0]);
    model.tensors.get_mut("conv2d_7.bias").expect("a tensor of the network")[0] = f32::NAN;
    model.write(&path).expect("written");
    let error = Model::read(&path).expect_err("a weight that is no number").to_string();
    assert!(error.contains("conv2d_7.bias") && error.contains("not finite"), "{error}");

    model.tensors.get_mut("conv2d_7.bias").expect("a tensor of the network")[0] = 0.0;
    model.tensors.get_mut("batch_normalization_3.moving_variance").expect("a tensor of the network")[0] = -1.0;
    model.write(&path).expect("written");
    let error = Model::read(&path).expect_err("a variance below zero").to_string();
    assert!(error.contains("batch_normalization_3.moving_variance") && error.contains("below zero"), "{error}");

    model.tensors.remove("conv2d_9.kernel");
    let error = model.write(&path).expect_err("an incomplete model").to_string();
    assert!(error.contains("conv2d_9.kernel"), "{error}");
}

#[test]
fn files_of_something_else_are_told_apart() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let other = folder.path().join("other.h5");
    std::fs::write(&other, b"not an HDF5 file at all").expect("room on disk");
    assert!(matches!(import(&other, ImportOptions::default()), Err(KerasError::Hdf5(_))));
    assert!(matches!(import(folder.path(), ImportOptions::default()), Err(KerasError::Io(_))));

    let data = [0_u8; 4];
    let view = safetensors::tensor::TensorView::new(safetensors::Dtype::F32, vec![1], &data).expect("four bytes");
    let bytes = safetensors::serialize([("x", view)], None).expect("serialised");
    assert!(matches!(Model::from_bytes(&bytes), Err(ModelError::NotOurs)));
}

#[test]
fn names_of_the_plan_are_unique() {
    let plan = NetworkPlan::new(mammoscope::domain::network_plan::WidthFactor::ONE);
    let mut names: Vec<String> = plan.parameters().into_iter().map(|parameter| parameter.name).collect();
    let count = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), count);
}
