//! Files that are no HDF5 file, and what to do about them.

use std::path::Path;

use safetensors::SafeTensors;

use crate::storage::model_file::FORMAT;

/// What a path is, where it cannot be what is asked for: a `SavedModel` is a folder.
pub(super) fn other_form_of_path(path: &Path) -> Option<&'static str> {
    path.join("saved_model.pb")
        .is_file()
        .then_some("a TensorFlow SavedModel folder; load it in Keras and save it as .h5 or .weights.h5")
}

/// What the first bytes show a file to be, where they are known and not those of HDF5.
pub(super) fn other_form(bytes: &[u8]) -> Option<&'static str> {
    const IMAGES: [(&[u8], &str); 4] = [
        (b"\x89PNG", "a PNG image, not a Keras model"),
        (b"\xff\xd8\xff", "a JPEG image, not a Keras model"),
        (b"II*\0", "a TIFF image, not a Keras model"),
        (b"MM\0*", "a TIFF image, not a Keras model"),
    ];
    if bytes.is_empty() {
        return Some("the file is empty");
    }
    if bytes.starts_with(b"PK\x03\x04") {
        return Some("a zip archive, such as Keras' .keras; load it in Keras and save it as .h5 or .weights.h5");
    }
    if let Some((_, form)) = IMAGES.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return Some(form);
    }
    let (_, header) = SafeTensors::read_metadata(bytes).ok()?;
    let format = header.metadata().as_ref().and_then(|entries| entries.get("format"));
    Some(if format.is_some_and(|format| format == FORMAT) {
        "a model of this program already; it needs no import"
    } else {
        "a safetensors file, not an HDF5 file of Keras"
    })
}
