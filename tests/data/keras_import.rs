//! Import of the Keras reference's weights: every layout gives the same model, and errors name what is wrong.

use std::path::Path;

use mammoscope_domain::network::network_plan::{NetworkPlan, WidthFactor};
use mammoscope_storage::keras::{ImportOptions, KerasError, SizeSource, import};
use mammoscope_storage::models::model_file::{Model, ModelError, ModelFacts};
use mammoscope_test_support::{fixture, shared};

const LAYOUTS: [&str; 5] = [
    "small_w8_keras224names.h5",
    "small_w8_keras224layout.h5",
    "small_w8_keras224names.weights.h5",
    "small_w8_autonames.h5",
    "small_w8_keras3format.weights.h5",
];

fn import_fixture(name: &str) -> Model {
    let options = ImportOptions { view: None, size: Some(64) };
    import(&fixture(name), options).unwrap_or_else(|error| panic!("{name}: {error}")).model
}

#[track_caller]
fn refusal(path: &Path) -> String {
    let error = import(path, ImportOptions::default()).expect_err("a refusal").to_string();
    assert!(!error.contains('\n'), "one line: {error}");
    error
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
fn the_input_size_comes_from_the_file_if_present() {
    let whole = import(&fixture(LAYOUTS[1]), ImportOptions::default()).expect("a whole model");
    assert_eq!((whole.model.metadata.size, whole.size_source), (64, SizeSource::File));
    let weights = import(&fixture(LAYOUTS[2]), ImportOptions::default()).expect("weights alone");
    assert_eq!((weights.model.metadata.size, weights.size_source), (650, SizeSource::AssumedWeightsAlone));
}

#[test]
fn a_model_round_trips() {
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
    let Some(path) = shared("reference/full/keras_resnet41.h5") else { return };
    let imported = import(&path, ImportOptions::default()).expect("the reference's model");
    assert_eq!(imported.model.metadata.size, 650);
    assert_eq!(imported.model.metadata.plan().parameter_count(), 2_262_660);
    assert_eq!(imported.model.tensors.values().map(Vec::len).sum::<usize>(), 2_262_660);
}

/// A truncated file is refused with a message; it neither ends the program nor passes for a model.
#[test]
fn truncated_files_are_refused_at_every_length() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("cut.h5");
    for layout in [LAYOUTS[1], LAYOUTS[3], LAYOUTS[4]] {
        let whole = std::fs::read(fixture(layout)).expect("the fixture");
        let step = whole.len() / 150;
        // Every length near the beginning, which holds the structure, and steps over the rest.
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
    // A flipped bit among the weights gives other numbers, which only the checksum can notice.
    let mut flipped = whole.clone();
    let last = flipped.len() - 10;
    flipped[last] ^= 1;
    assert!(matches!(Model::from_bytes(&flipped), Err(ModelError::Checksum)));
    let mut more = whole.clone();
    more.extend_from_slice(&[0; 4]);
    assert!(Model::from_bytes(&more).is_err(), "trailing bytes");
}

#[test]
fn invalid_tensors_are_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("model.safetensors");
    let mut model = import_fixture(LAYOUTS[0]);
    model.tensors.get_mut("conv2d_7.bias").expect("a tensor of the network")[0] = f32::NAN;
    model.write(&path).expect("written");
    let error = Model::read(&path).expect_err("a weight that is not a number").to_string();
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
fn files_of_other_kinds_are_identified() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let other = folder.path().join("other.h5");
    let refusal_of = |bytes: &[u8]| {
        std::fs::write(&other, bytes).expect("room on disk");
        refusal(&other)
    };
    for (bytes, words) in [
        (&b""[..], "empty"),
        (b"not an HDF5 file at all", "not an HDF5 file"),
        (b"PK\x03\x04rest of a zip archive", ".weights.h5"),
        (b"\x89PNG\r\n\x1a\nrest of an image", "PNG"),
        (b"\xff\xd8\xff\xe0rest of an image", "JPEG"),
    ] {
        let error = refusal_of(bytes);
        assert!(error.contains(words) && !error.contains("cut short"), "{error}");
    }
    let ours = folder.path().join("ours.safetensors");
    import_fixture(LAYOUTS[0]).write(&ours).expect("written");
    assert!(refusal(&ours).contains("no import"));
    let saved = folder.path().join("saved");
    std::fs::create_dir(&saved).expect("room on disk");
    std::fs::write(saved.join("saved_model.pb"), b"").expect("room on disk");
    assert!(refusal(&saved).contains("SavedModel"));
    assert!(matches!(import(folder.path(), ImportOptions::default()), Err(KerasError::Io(_))));

    let data = [0_u8; 4];
    let view = safetensors::tensor::TensorView::new(safetensors::Dtype::F32, vec![1], &data).expect("four bytes");
    let bytes = safetensors::serialize([("x", view)], None).expect("serialised");
    assert!(matches!(Model::from_bytes(&bytes), Err(ModelError::NotOurs)));
    assert!(refusal_of(&bytes).contains("safetensors"));
}

/// A device without an end is refused before it is read.
#[cfg(target_os = "linux")]
#[test]
fn devices_are_not_read() {
    let error = import(Path::new("/dev/zero"), ImportOptions::default()).expect_err("a device");
    assert!(error.to_string().contains("device"), "{error}");
}

#[test]
fn causes_appear_once() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let missing = import(&folder.path().join("missing.h5"), ImportOptions::default()).expect_err("no file");
    let size = ImportOptions { view: None, size: Some(20) };
    let small = import(&fixture(LAYOUTS[0]), size).expect_err("a size below the smallest");
    for (error, words) in [(missing, "No such file"), (small, "20 pixels")] {
        let chain = format!("{:#}", anyhow::Error::from(error).context("model.h5"));
        assert_eq!(chain.matches(words).count(), 1, "{chain}");
    }
}

#[test]
fn a_truncated_file_is_reported_as_cut_short() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("cut.h5");
    let whole = std::fs::read(fixture(LAYOUTS[0])).expect("the fixture");
    std::fs::write(&path, &whole[..whole.len() - 9]).expect("room on disk");
    let error = refusal(&path);
    assert!(error.contains("cut short") && error.contains(&whole.len().to_string()), "{error}");
}

#[test]
fn a_negative_variance_is_named() {
    let mut bytes = std::fs::read(fixture(LAYOUTS[0])).expect("the fixture");
    let variance = &import_fixture(LAYOUTS[0]).tensors["batch_normalization_7.moving_variance"];
    let sought: Vec<u8> = variance.iter().flat_map(|value| value.to_le_bytes()).collect();
    let place = bytes.windows(sought.len()).position(|part| part == sought).expect("the array in the file");
    bytes[place + 3] |= 0x80;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("negative.h5");
    std::fs::write(&path, bytes).expect("room on disk");
    let error = refusal(&path);
    assert!(error.contains("'batch_normalization_7/moving_variance' contains variances below zero"), "{error}");
}

/// Compressed arrays four times as large as the file, one array in half and one in double precision, and lists of names
/// split over several attributes, as Keras writes them above 64 kB.
#[test]
fn compressed_halves_and_split_names_are_read() {
    let path = fixture("keras_compressed_halves.weights.h5");
    let model = import(&path, ImportOptions::default()).expect("weights").model;
    assert_eq!(model.metadata.width.to_string(), "0.5");
    let largest = model.tensors.values().map(|values| size_of_val(values.as_slice())).max().expect("tensors");
    assert!(largest as u64 > 4 * std::fs::metadata(&path).expect("the fixture").len());
    assert!(model.tensors["dense_1.kernel"].iter().all(|value| value.to_bits() == (-0.625_f32).to_bits()));
    assert!(model.tensors["dense_1.bias"].iter().all(|value| value.to_bits() == 0.1_f32.to_bits()));
    assert!(
        model.tensors["batch_normalization_2.moving_variance"].iter().all(|value| value.to_bits() == 1_f32.to_bits())
    );
}

#[test]
fn layer_trees_of_other_networks_are_refused() {
    for (name, words) in [
        ("keras_inner_model.weights.h5", "'functional' is a model inside a model"),
        ("keras_inner_model_named.weights.h5", "'model' is a model inside a model"),
        ("keras_listed_twice.weights.h5", "'conv2d_1' is listed twice"),
    ] {
        let error = refusal(&fixture(name));
        assert!(error.contains(words), "{error}");
    }
}

/// A group that contains itself, and a path that passes through it 15,000 times: recursion would overflow the stack.
#[test]
fn an_endless_path_is_refused() {
    const STACK: usize = 512 << 10;
    let path = fixture("keras_endless_path.weights.h5");
    let import = std::thread::Builder::new().stack_size(STACK).spawn(move || refusal(&path)).expect("a thread");
    let error = import.join().expect("a refusal");
    assert!(error.contains("listed but missing") && error.chars().count() < 300, "{error}");
}

#[test]
fn parameter_names_are_unique() {
    let plan = NetworkPlan::new(WidthFactor::ONE);
    let mut names: Vec<String> = plan.parameters().into_iter().map(|parameter| parameter.name).collect();
    let count = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), count);
}
