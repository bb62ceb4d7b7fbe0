//! Recognises files that are not HDF5, and gives advice.

use std::path::Path;

use safetensors::SafeTensors;

use crate::models::model_file::FORMAT;
use mammoscope_domain::text::foreign_file::ForeignFile;

/// Recognises a TensorFlow `SavedModel`, which is a folder.
pub(super) fn foreign_folder(path: &Path) -> Option<&'static str> {
    path.join("saved_model.pb")
        .is_file()
        .then_some("a TensorFlow SavedModel folder; load it in Keras and save it as .h5 or .weights.h5")
}

/// Recognises other formats by their first bytes; `None` for HDF5 and for unknown formats.
pub(super) fn foreign_format(bytes: &[u8]) -> Option<String> {
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
        "already a model of this program; it needs no import"
    } else {
        "a safetensors file, neither an HDF5 file of Keras nor a PyTorch export of this program (a program that saves one \
         again must keep its metadata)"
    };
    Some(form.to_owned())
}
