//! The merging of the prepared images of all shards.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use mammoscope_domain::cancellation::{Cancellation, Completion};
use mammoscope_domain::text::printable::printable_path;
use mammoscope_storage::models::model_file::sha256_hex;
use mammoscope_storage::regular_file::read_regular_file;
use mammoscope_storage::shards::staged_folder::StagedFolder;
use serde::{Deserialize, Serialize};

use crate::manifest::{MANIFEST, ManifestError, read_manifest, write_manifest};
use crate::output_lock::{LOCK, lock_output};
use crate::record::{Record, Review};
use crate::summary::Summary;

/// The largest prepared image that is read.
const MAX_IMAGE: u64 = 1 << 32;

/// The results of a shard of `mammoscope preprocess`; the manifest beside them has the rest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreprocessingShard {
    pub summary: Summary,
    pub refused: Vec<RefusedSource>,
}

/// A source that was refused, without its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RefusedSource {
    /// The number in the order of the paths of all sources, from 1.
    pub number: usize,
    /// Empty if the file could not be read.
    pub sha256: String,
    pub reason: String,
}

/// Shards that cannot be merged.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    #[error(
        "{} and {} both have the source {source_path}; prepare the shards again in new folders",
        printable_path(first),
        printable_path(other)
    )]
    Twice { source_path: String, first: PathBuf, other: PathBuf },
    #[error("{}: it is not as the manifest states; run the shard again", printable_path(.0))]
    Changed(PathBuf),
    #[error("{}: {error}", printable_path(path))]
    Io { path: PathBuf, error: io::Error },
    #[error(
        "{}: holds more than a shard's images, and merging would lose it; move it to the merged folder afterwards",
        printable_path(.0)
    )]
    Foreign(PathBuf),
    #[error("{}: is not empty; prepared images are merged into a new folder", printable_path(.0))]
    NotEmpty(PathBuf),
}

/// Checks that a folder to merge into is new or empty: the numbers of examinations depend on what is in a folder, and
/// the shards did not know it.
pub fn check_new(output: &Path) -> Result<(), MergeError> {
    match std::fs::read_dir(output) {
        Ok(mut entries) => match entries.next() {
            Some(_) => Err(MergeError::NotEmpty(output.to_owned())),
            None => Ok(()),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(MergeError::Io { path: output.to_owned(), error }),
    }
}

/// Copies the images of all shards and joins their manifests.
pub fn merge(
    shards: &[&Path],
    record_name: &str,
    merged: &StagedFolder,
    cancellation: Cancellation<'_>,
) -> Result<Completion<()>, MergeError> {
    let mut records: BTreeMap<String, Record> = BTreeMap::new();
    let mut origins: BTreeMap<String, &Path> = BTreeMap::new();
    for shard in shards {
        check_contents(shard, record_name)?;
        for (path, record) in read_manifest(shard)? {
            if let Some(first) = origins.insert(path.clone(), shard) {
                let (first, other) = (first.to_owned(), (*shard).to_owned());
                return Err(MergeError::Twice { source_path: path, first, other });
            }
            records.insert(path, record);
        }
    }
    for (path, record) in &records {
        if cancellation.is_cancelled() {
            return Ok(Completion::Cancelled);
        }
        let is_rejected = matches!(record.review, Some(Review::Rejected));
        let Some(output) = record.output.as_ref().filter(|_| !is_rejected) else { continue };
        let image = origins[path].join(&output.output);
        let bytes = read_regular_file(&image, MAX_IMAGE).map_err(|error| io_error(&image, error))?;
        if sha256_hex(&bytes) != output.sha256 {
            return Err(MergeError::Changed(image));
        }
        merged.write(&output.output, &bytes).map_err(|error| io_error(merged.path(), error))?;
    }
    write_manifest(merged.path(), &records)?;
    // As in every folder of prepared images.
    lock_output(merged.path()).map_err(|error| io_error(merged.path(), error))?;
    Ok(Completion::Done(()))
}

fn io_error(path: &Path, error: io::Error) -> MergeError {
    MergeError::Io { path: path.to_owned(), error }
}

/// Refuses files beside the images, such as classes that a reviewer stated.
fn check_contents(shard: &Path, record_name: &str) -> Result<(), MergeError> {
    for entry in std::fs::read_dir(shard).map_err(|error| io_error(shard, error))? {
        let entry = entry.map_err(|error| io_error(shard, error))?;
        let (name, is_folder) = (entry.file_name(), entry.file_type().is_ok_and(|kind| kind.is_dir()));
        if !is_folder && name != MANIFEST && name != LOCK && name != record_name {
            return Err(MergeError::Foreign(entry.path()));
        }
    }
    Ok(())
}
