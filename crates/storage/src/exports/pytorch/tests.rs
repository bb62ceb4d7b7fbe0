use std::collections::HashMap;
use std::fs;
use std::path::Path;

use safetensors::tensor::SafeTensors;

use super::*;
use crate::keras::{ImportOptions, import};
use crate::models::model_file::{Model, grey_range_entry};
use mammoscope_domain::image::grey_range::GreyRange;
use mammoscope_domain::network::input_route::InputRoute;
use mammoscope_domain::subject::view::View;

/// The small Keras model, for inputs of 64 pixels, with the white level of its training images.
fn small_model() -> Model {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/small_w8_keras224names.h5");
    let options = ImportOptions { view: Some(View::MloL), size: Some(64) };
    let mut model = import(&file, options).unwrap().model;
    model.metadata.provenance.extend([grey_range_entry(GreyRange::White(4095))]);
    model
}

fn files(model: &Model) -> PytorchFiles {
    pytorch_files(&ExportedModel { model, sha256: "f00d" }).unwrap()
}

/// Writes tensors as another program would: with a change to their values, and with these metadata.
fn rewritten(bytes: &[u8], first_value: Option<f32>, metadata: impl Fn(&mut HashMap<String, String>)) -> Vec<u8> {
    let file = SafeTensors::deserialize(bytes).unwrap();
    let mut tensors: Vec<(String, Vec<usize>, Vec<u8>)> =
        file.iter().map(|(name, view)| (name.to_owned(), view.shape().to_vec(), view.data().to_vec())).collect();
    if let Some(value) = first_value {
        tensors[0].2[..4].copy_from_slice(&value.to_le_bytes());
    }
    let mut entries = SafeTensors::read_metadata(bytes).unwrap().1.metadata().clone().unwrap();
    metadata(&mut entries);
    let view = |shape: &Vec<usize>, bytes| TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap();
    let views = tensors.iter().map(|(name, shape, bytes)| (name.as_str(), view(shape, bytes)));
    safetensors::serialize(views, Some(entries)).unwrap()
}

fn imported(bytes: &[u8]) -> Result<PytorchImport, PytorchError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(TENSORS_FILE);
    fs::write(&path, bytes).unwrap();
    assert_eq!(pytorch_export(folder.path()), Some(path.clone()));
    assert_eq!(pytorch_export(&path), Some(path.clone()));
    import_pytorch(&path, ImportOptions::default())
}

#[test]
fn the_import_gives_back_the_exported_model() {
    let model = small_model();
    let import = imported(&files(&model).tensors).unwrap();
    assert_eq!((import.model, import.changed), (model, false));
}

#[test]
fn changed_weights_are_imported_without_the_checksum_only() {
    let model = small_model();
    let exported = files(&model).tensors;
    let damaged = imported(&rewritten(&exported, Some(0.5), |_| {})).unwrap_err().to_string();
    assert!(damaged.contains("do not match its checksum") && damaged.contains("'tensors_sha256'"), "{damaged}");
    let retrained = rewritten(&exported, Some(0.5), |entries| {
        entries.remove(CHECKSUM);
    });
    let import = imported(&retrained).unwrap();
    assert!(import.changed && import.model.tensors != model.tensors);
    let sources = ["source", "source_sha256", "imported_by", "imported_at"];
    assert!(sources.iter().all(|key| import.model.metadata.provenance.contains_key(*key)));
    assert_eq!(import.model.metadata.provenance["source"], TENSORS_FILE);
    let infinite = rewritten(&exported, Some(f32::INFINITY), |entries| {
        entries.remove(CHECKSUM);
    });
    let error = imported(&infinite).unwrap_err().to_string();
    assert!(error.starts_with("tensor '") && error.ends_with("contains values that are not finite"), "{error}");
}

#[test]
fn misfits_are_named_as_in_the_file() {
    let exported = files(&small_model()).tensors;
    let wider = rewritten(&exported, None, |entries| {
        entries.insert("width".to_owned(), "0.25".to_owned());
    });
    let error = imported(&wider).unwrap_err().to_string();
    assert!(error.contains("'stem.conv.weight' has shape [8, 3, 3, 3], not [16, 3, 3, 3]"), "{error}");
    let unnamed = rewritten(&exported, None, |entries| {
        entries.remove("size");
    });
    assert_eq!(imported(&unnamed).unwrap_err().to_string(), "metadata entry 'size': it is missing");
}

#[test]
fn other_files_are_not_exports() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    small_model().write(&path).unwrap();
    assert_eq!(pytorch_export(&path), None);
    for bytes in [&b""[..], b"\x89HDF\r\n\x1a\n", b"\x02\0\0\0\0\0\0\0[]", b"\x02\0\0\0\0\0\0\0{}"] {
        fs::write(&path, bytes).unwrap();
        assert_eq!(pytorch_export(&path), None, "{bytes:?}");
    }
    assert_eq!(pytorch_export(&folder.path().join("gone")), None);
}

#[test]
fn the_program_is_complete_and_the_same_each_time() {
    let mut model = small_model();
    let text = files(&model).script;
    assert_eq!(text, files(&model).script);
    assert!(!text.contains('@'), "every place is filled: {text}");
    for line in [
        "SIZE = 64  # height and width of the network's input, in pixels",
        "WHITE = 4095  # the white level of 16-bit files; None: 65535, unless the image may have fewer bits",
        "STEM = 8  # channels of the first convolution",
        "STAGES = [(8, 16, 1), (16, 32, 2), (16, 32, 2), (16, 32, 2)]",
        "MODEL_SHA256 = \"f00d\"",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 120));
    model.metadata.input_route = InputRoute::GradCamNotebook;
    model.metadata.provenance.clear();
    let notebook = files(&model).script;
    assert!(notebook.contains("Bilinear") && !text.contains("Bilinear"));
    assert!(notebook.contains("\nWHITE = None "), "{notebook}");
}
