//! Files that are not HDF5, and what to do about them.

use std::path::Path;

use safetensors::SafeTensors;

use crate::models::model_file::FORMAT;
use mammoscope_domain::text::foreign_file::ForeignFile;

/// What a path is, where it cannot be what is asked for: a `SavedModel` is a folder.
pub(super) fn other_form_of_path(path: &Path) -> Option<&'static str> {
    path.join("saved_model.pb")
        .is_file()
        .then_some("a TensorFlow SavedModel folder; load it in Keras and save it as .h5 or .weights.h5")
}

/// What the first bytes show a file to be, where they are known and not those of HDF5.
pub(super) fn other_form(bytes: &[u8]) -> Option<String> {
    if bytes.is_empty() {
        return Some("the file is empty".to_owned());
    }
    match ForeignFile::of(bytes) {
        Some(ForeignFile::Hdf5) => return None,
        Some(ForeignFile::Zip) => {
            let keras = "a zip archive, such as Keras' .keras; load it in Keras and save it as .h5 or .weights.h5";
            return Some(keras.to_owned());
        }
        Some(file @ ForeignFile::Gzip) => return Some(format!("{file}; {}", file.advice())),
        Some(file) => return Some(format!("{file}, not a Keras model")),
        None => {}
    }
    let (_, header) = SafeTensors::read_metadata(bytes).ok()?;
    let format = header.metadata().as_ref().and_then(|entries| entries.get("format"));
    let form = if format.is_some_and(|format| format == FORMAT) {
        "a model of this program already; it needs no import"
    } else {
        "a safetensors file, not an HDF5 file of Keras"
    };
    Some(form.to_owned())
}
