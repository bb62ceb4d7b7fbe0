//! `dataset.json` on disk, written atomically.

use std::collections::HashSet;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::file_seal::sealed_json;
use crate::atomic_file::AtomicFile;
use crate::regular_file::read_regular_file;
use mammoscope_domain::run::dataset_manifest::{DatasetManifest, MANIFEST_SCHEMA, PixelFacts};
use mammoscope_domain::text::printable::{printable, printable_path};

/// The largest file that is read; an image takes about 400 bytes.
const LIMIT: u64 = 1 << 30;

/// A `dataset.json` that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ManifestFileError {
    /// The file cannot be opened or read.
    #[error("read {}: {error}", printable_path(path))]
    Read { path: PathBuf, error: io::Error },
    /// It is not a valid manifest.
    #[error("{}: {reason}", printable_path(path))]
    Invalid {
        path: PathBuf,
        /// The fault and its location.
        reason: String,
    },
    /// The file cannot be written; an earlier one is unchanged.
    #[error("write {}: {error}", printable_path(path))]
    Write {
        path: PathBuf,
        /// The system's error, or a path that is not UTF-8.
        error: io::Error,
    },
}

/// Reads a `dataset.json` and checks its consistency. The images themselves are not checked.
pub fn read_manifest(path: &Path) -> Result<DatasetManifest, ManifestFileError> {
    let bytes =
        read_regular_file(path, LIMIT).map_err(|error| ManifestFileError::Read { path: path.to_owned(), error })?;
    parse(&bytes).map_err(|reason| ManifestFileError::Invalid { path: path.to_owned(), reason })
}

/// Writes a `dataset.json`, replacing an earlier one.
pub fn write_manifest(path: &Path, manifest: &DatasetManifest) -> Result<(), ManifestFileError> {
    let write = || {
        let mut file = AtomicFile::create(path)?;
        let text = serde_json::to_string_pretty(manifest)? + "\n";
        file.write_all(sealed_json(&text).as_bytes())?;
        file.commit()
    };
    write().map_err(|error| ManifestFileError::Write { path: path.to_owned(), error })
}

fn parse(bytes: &[u8]) -> Result<DatasetManifest, String> {
    /// Read first: another version may have other fields.
    #[derive(Deserialize)]
    struct Layout {
        schema: u32,
    }
    let described = |error: serde_json::Error| printable(&error.to_string());
    let Layout { schema } = serde_json::from_slice(bytes).map_err(described)?;
    if schema != MANIFEST_SCHEMA {
        return Err(format!("schema {schema} is not supported, only {MANIFEST_SCHEMA}; use the program that wrote it"));
    }
    let manifest: DatasetManifest = serde_json::from_slice(bytes).map_err(described)?;
    let mut files = HashSet::new();
    for sample in &manifest.samples {
        let file = || printable_path(&sample.file);
        if !files.insert(&sample.file) {
            return Err(format!("{} is listed twice", file()));
        }
        if sample.votes.is_some_and(|votes| votes.readers() == 0) {
            return Err(format!("{}: votes are those of at least one reader", file()));
        }
        if let Some(fault) = sample.pixels.as_ref().and_then(pixel_fault) {
            return Err(format!("{}: {fault}", file()));
        }
    }
    Ok(manifest)
}

fn pixel_fault(pixels: &PixelFacts) -> Option<&'static str> {
    let is_checksum = pixels.sha256.len() == 64 && pixels.sha256.bytes().all(|digit| digit.is_ascii_hexdigit());
    if !is_checksum {
        Some("sha256 is not 64 hexadecimal digits")
    } else if pixels.width == 0 || pixels.height == 0 {
        Some("an image has at least one row and one column")
    } else if pixels.grey_deviation.is_some_and(|deviation| deviation < 0.0) {
        Some("grey_deviation is negative")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mammoscope_domain::run::dataset_manifest::{ManifestSample, SplitSource};
    use mammoscope_domain::subject::density::DensityClass;
    use mammoscope_domain::subject::split::Split;
    use mammoscope_domain::subject::subject_id::{ExamId, SubjectId};
    use mammoscope_domain::subject::view::View;

    fn manifest() -> DatasetManifest {
        let sample = |number: u32, pixels: Option<PixelFacts>, unusable: Option<&str>| ManifestSample {
            file: PathBuf::from(format!("train/A/{number}_1_A_CC_R.png")),
            subject: SubjectId(number.to_string()),
            exam: Some(ExamId("1".to_owned())),
            label: DensityClass::A,
            votes: None,
            split: Split::Train,
            pixels,
            unusable: unusable.map(str::to_owned),
        };
        let pixels = PixelFacts {
            sha256: "0a".repeat(32),
            width: 2,
            height: 3,
            grey_deviation: Some(0.1 + 0.2),
            findings: None,
        };
        DatasetManifest {
            schema: MANIFEST_SCHEMA,
            root: PathBuf::from("/data/mammograms"),
            view: View::CcR,
            split_source: SplitSource::Folders,
            split_seed: 1,
            split_file: None,
            grey_range: mammoscope_domain::image::grey_range::GreyRange::Auto,
            allow_duplicates: false,
            samples: vec![sample(1, Some(pixels), None), sample(2, None, Some("is empty (0 bytes)"))],
        }
    }

    #[test]
    fn manifests_are_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dataset.json");
        write_manifest(&path, &manifest()).unwrap();
        assert_eq!(read_manifest(&path).unwrap(), manifest());
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("{\n  \"crc32c\": \"") && text.ends_with("}\n"), "{text}");
        assert_eq!(text.lines().nth(2), Some("  \"schema\": 1,"), "{text}");
    }

    #[test]
    fn errors_are_one_line_with_the_location() {
        let text = serde_json::to_string_pretty(&manifest()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dataset.json");
        let error_with = |from: &str, to: &str| {
            assert!(text.contains(from), "{from}");
            std::fs::write(&path, text.replace(from, to)).unwrap();
            let message = read_manifest(&path).expect_err(to).to_string();
            assert!(!message.contains('\n'), "{message}");
            message.strip_prefix(&format!("{}: ", path.display())).expect("it starts with the path").to_owned()
        };
        assert_eq!(
            error_with("\"schema\": 1", "\"schema\": 2"),
            "schema 2 is not supported, only 1; use the program that wrote it"
        );
        assert!(error_with("\"schema\": 1,", "").contains("missing field `schema`"));
        assert!(error_with("\"label\": \"A\"", "\"label\": \"E\"").contains("unknown variant `E`"));
        assert!(error_with("\"label\": \"A\"", "\"label\": \"E\"").contains(" at line "));
        assert_eq!(error_with("/2_1_A", "/1_1_A"), "train/A/1_1_A_CC_R.png is listed twice");
        assert!(error_with("\"0a0a", "\"0a0").ends_with("CC_R.png: sha256 is not 64 hexadecimal digits"));
        assert!(error_with("\"width\": 2", "\"width\": 0").contains("at least one row"));
        assert!(error_with("\"grey_deviation\": 0.3", "\"grey_deviation\": -0.3").contains("is negative"));
        assert!(error_with("\"samples\": [", "\"samples\": ").contains(" at line "));
    }

    #[test]
    fn a_missing_file_is_named() {
        let missing = Path::new("no/such/dataset.json");
        assert!(read_manifest(missing).unwrap_err().to_string().starts_with("read no/such/dataset.json: "));
        let error = write_manifest(missing, &manifest()).unwrap_err().to_string();
        assert!(error.starts_with("write no/such/dataset.json: "), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_path_that_is_not_utf8_is_refused_and_nothing_is_written() {
        use std::os::unix::ffi::OsStringExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dataset.json");
        let root = PathBuf::from(std::ffi::OsString::from_vec(b"/data/\xff".to_vec()));
        let error = write_manifest(&path, &DatasetManifest { root, ..manifest() }).unwrap_err().to_string();
        assert!(error.contains("UTF-8"), "{error}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
