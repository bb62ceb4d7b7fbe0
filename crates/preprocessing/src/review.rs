//! Reviews: a user's verdicts on prepared images, kept in the manifest.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use mammoscope_domain::text::hexadecimal::hexadecimal;
use mammoscope_imaging::anatomy::PectoralCurve;
use mammoscope_storage::atomic_file::write_atomically;
use sha2::{Digest as _, Sha256};

use crate::candidate::read;
use crate::manifest::{ManifestError, read_manifest, write_manifest};
use crate::output::make;
use crate::output_lock::lock_output;
use crate::pseudonym::PseudonymKey;
use crate::record::{PectoralState, Record, Review};
use crate::settings::Settings;
use crate::source::{Source, find_sources};

/// In the order of a review, the place of images without an edge among confidences, which are at most 1.
const WITHOUT_EDGE: f64 = 2.0;

/// A verdict that cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum ReviewError {
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    #[error("the manifest has no such image; it may have been prepared again in the meantime")]
    NoSuchImage,
    #[error("the source of the image is not in the input folder any longer")]
    NoSource,
    #[error("the source of the image cannot be prepared: {0}")]
    Refused(String),
    #[error("the source has changed since it was prepared; run `mammoscope preprocess` again")]
    SourceChanged,
    #[error("a run of `preprocess` is writing to the folder; give the verdict again when it has ended")]
    Busy,
    #[error("the image cannot be written: {0}")]
    Write(std::io::Error),
}

/// The images of a folder in the order in which a reviewer should see them: uncertain muscles first, then warnings and
/// findings, then the least confident edges; those with a verdict last.
pub fn review_order(folder: &Path) -> Result<Vec<Record>, ManifestError> {
    let mut records: Vec<Record> =
        read_manifest(folder)?.into_values().filter(|record| record.output.is_some()).collect();
    let urgency = |record: &Record| {
        let steps = record.steps.as_ref();
        let uncertain = steps.is_some_and(|steps| steps.pectoral.state == PectoralState::Uncertain);
        let confidence = steps.and_then(|steps| steps.pectoral.confidence).unwrap_or(WITHOUT_EDGE);
        (record.review.is_some(), !uncertain, record.findings.is_empty(), (confidence * 1000.0) as i64)
    };
    records.sort_by_cached_key(|record| (urgency(record), record.output.as_ref().map(|output| output.output.clone())));
    Ok(records)
}

/// The source of a record below the input folder.
#[must_use]
pub fn source_of(record: &Record, input: &Path, output: &Path, key: &PseudonymKey) -> Option<Source> {
    find_sources(input, output).sources.into_iter().find(|source| key.path(&source.relative) == record.source.path)
}

/// The sources below the input folder by the pseudonyms of their paths, by which records name them.
#[must_use]
pub fn sources_by_pseudonym(input: &Path, output: &Path, key: &PseudonymKey) -> HashMap<String, Source> {
    let sources = find_sources(input, output).sources;
    sources.into_iter().map(|source| (key.path(&source.relative), source)).collect()
}

/// Keeps a verdict on the image of a record: an accepted image stays, a rejected one is removed, and a corrected one is
/// made again along the curve. `source` is the image's source; accepting and rejecting need none.
pub fn keep_review(
    folder: &Path,
    record: &Record,
    review: Review,
    source: Option<&Source>,
) -> Result<Record, ReviewError> {
    // A run keeps the manifest in memory and would write over the verdict.
    let _lock = lock_output(folder).map_err(ReviewError::Write)?.ok_or(ReviewError::Busy)?;
    let mut records = read_manifest(folder)?;
    let current = records.get_mut(&record.source.path).ok_or(ReviewError::NoSuchImage)?;
    if current.output.as_ref().map(|output| &output.output) != record.output.as_ref().map(|output| &output.output) {
        return Err(ReviewError::NoSuchImage);
    }
    let output = current.output.as_mut().ok_or(ReviewError::NoSuchImage)?;
    let path = folder.join(&output.output);
    match &review {
        Review::Rejected => {
            if let Err(error) = fs::remove_file(&path)
                && error.kind() != std::io::ErrorKind::NotFound
            {
                return Err(ReviewError::Write(error));
            }
        }
        // An image that was rejected before is made again.
        Review::Accepted if path.exists() => {}
        Review::Accepted | Review::Corrected { .. } => {
            let source = source.ok_or(ReviewError::NoSource)?;
            let (bytes, sha256) = read(source).map_err(|unsuitable| ReviewError::Refused(unsuitable.reason))?;
            if sha256 != current.source.sha256 {
                return Err(ReviewError::SourceChanged);
            }
            let settings = Settings::of_record(&current.settings);
            let made = make(bytes, source.format, output.view, &settings, Some(&review));
            let made = made.map_err(|refusal| ReviewError::Refused(refusal.reason))?;
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder).map_err(ReviewError::Write)?;
            }
            write_atomically(&path, &made.png).map_err(ReviewError::Write)?;
            output.bytes = made.png.len() as u64;
            output.sha256 = hexadecimal(&Sha256::digest(&made.png));
            output.pixel_sha256 = made.pixel_sha256;
            current.steps = Some(made.steps);
        }
    }
    current.review = Some(review);
    let kept = current.clone();
    write_manifest(folder, &records)?;
    Ok(kept)
}

/// The curve from which a correction starts: the one in use, or the most likely one.
#[must_use]
pub fn curve_of(record: &Record) -> Option<&PectoralCurve> {
    match &record.review {
        Some(Review::Corrected { curve }) => Some(curve),
        _ => record.steps.as_ref()?.pectoral.curve.as_ref(),
    }
}
