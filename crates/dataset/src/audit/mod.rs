//! The audit of a data set: one list of everything that would spoil training or its results, each with what to do.
//!
//! Every image is read once, in parallel; about 2 kB are kept of it. Copies are searched by hashes, so the work grows like
//! n log n.

mod association;
mod audited_image;
mod baseline;
mod class_features;
mod copies;
pub mod finding;
mod folder_findings;
mod image_measures;
mod odd_images;
mod picture_findings;
mod preprocess_manifest;
mod report;
mod subject_findings;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::image::grey_range::{GreyRange, depth_of};
use mammoscope_domain::subject::id_spelling::IdKey;
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::subject::subject_id::SubjectId;
use mammoscope_domain::text::foreign_file::ForeignFile;
use mammoscope_imaging::decode::ImageError;

use self::audited_image::{AuditedImage, below};
pub use self::baseline::{AuditBaseline, BaselineMethod, BaselineScores};
use self::finding::{Finding, FindingCode};
use self::image_measures::ImageMeasures;
pub use self::image_measures::Pectoral;
use self::picture_findings::UnreadableImage;
pub use self::preprocess_manifest::{PREPROCESS_MANIFEST, PreprocessManifest};
pub use self::report::{AUDIT_SCHEMA, AuditCounts, AuditReport, AuditedFile, Laterality};
use crate::folder_layout::FolderScan;
use crate::grey_check::{GreyRangeError, check_grey_range};
use crate::sample::DatasetSample;
use crate::split_table::SplitTable;

/// The input of an audit besides the scanned folders.
#[derive(Clone, Copy)]
pub struct AuditOptions<'a> {
    pub grey_range: GreyRange,
    /// A table of splits, which replaces the folders'.
    pub splits: Option<&'a SplitTable>,
    /// The record of preprocessing.
    pub preprocessed: Option<&'a PreprocessManifest>,
    /// Called after every image, from many threads.
    pub on_image: &'a (dyn Fn() + Sync),
    pub cancellation: Cancellation<'a>,
}

/// Audits a data set; `None` if cancelled. Uses the threads of the current rayon pool.
#[must_use]
pub fn audit(scan: &FolderScan, options: AuditOptions<'_>) -> Option<AuditReport> {
    let (grey_finding, range) = grey_range(scan, options)?;
    let table: Option<BTreeMap<SubjectId, Split>> = options.splits.map(|table| table.clone().into_splits());
    let measure = |sample| {
        if options.cancellation.is_cancelled() {
            return None;
        }
        let measured = measured(scan, sample, range, table.as_ref(), options.preprocessed);
        (options.on_image)();
        Some(measured)
    };
    let measured: Option<Vec<(AuditedImage<'_>, Option<UnreadableImage>)>> =
        scan.samples.par_iter().map(measure).collect();
    let (images, unreadable): (Vec<_>, Vec<_>) = measured?.into_iter().unzip();

    let mut findings = folder_findings::folder_findings(scan);
    findings.extend(picture_findings::unreadable(unreadable.into_iter().flatten().collect()));
    findings.extend(grey_finding);
    findings.extend(subject_findings::subject_findings(&images, table.as_ref()));
    findings.extend(copies::find_copies(&images, options.cancellation)?);
    findings.extend(picture_findings::picture_findings(&images));
    findings.extend(odd_images::odd_images(&images));
    if options.cancellation.is_cancelled() {
        return None;
    }
    findings.extend(class_features::features_with_class(&images));
    if let Some(manifest) = options.preprocessed {
        findings.extend(picture_findings::manifest_findings(manifest, &images));
    }
    let baseline = baseline::baseline(&images);
    Some(AuditReport::new(&images, findings, baseline))
}

fn measured<'a>(
    scan: &FolderScan,
    sample: &'a DatasetSample,
    range: GreyRange,
    table: Option<&BTreeMap<SubjectId, Split>>,
    preprocessed: Option<&'a PreprocessManifest>,
) -> (AuditedImage<'a>, Option<UnreadableImage>) {
    let file = below(&scan.root, &sample.path);
    let (measures, unreadable) = match ImageMeasures::of(&sample.path, sample.view, range) {
        Ok(measures) => (Some(measures), None),
        Err(error) => {
            let is_dicom = matches!(error, ImageError::NotAnImage { instead: Some(ForeignFile::Dicom) });
            (None, Some(UnreadableImage { file: file.clone(), reason: error.to_string(), is_dicom }))
        }
    };
    let image = AuditedImage {
        sample,
        key: IdKey::of(&sample.subject.0),
        split: match table {
            Some(table) => table.get(&sample.subject).copied(),
            None => sample.split,
        },
        measures,
        preprocessed: preprocessed.and_then(|manifest| manifest.images.get(&file)),
        file,
    };
    (image, unreadable)
}

/// The finding about the white level of 16-bit images, if it is in doubt, and the range to audit them with; `None` if
/// cancelled.
fn grey_range(scan: &FolderScan, options: AuditOptions<'_>) -> Option<(Option<Finding>, GreyRange)> {
    let paths: Vec<&Path> = scan.samples.iter().map(|sample| sample.path.as_path()).collect();
    let finding = |error: GreyRangeError, file: &Path| {
        let message = format!("the white level of 16-bit images is in doubt: {error}");
        let fix = "give --bits to this and every other command; keep images of different depths in different folders";
        Some(Finding::error(FindingCode::GreyRange, vec![below(&scan.root, file)], message, fix))
    };
    let relative = |file: PathBuf| PathBuf::from(below(&scan.root, &file));
    Some(match check_grey_range(&paths, options.grey_range, options.cancellation) {
        Ok(facts) => match facts.note(options.grey_range) {
            Some(note) => {
                let fix = "check the value of --bits or --white";
                (Some(Finding::warning(FindingCode::GreyRange, Vec::new(), note, fix)), GreyRange::White(facts.white))
            }
            None => (None, GreyRange::White(facts.white)),
        },
        Err(GreyRangeError::Interrupted) => return None,
        Err(GreyRangeError::InDoubt { deep, largest, file }) => {
            let file = relative(file);
            let range = GreyRange::of_bits(depth_of(largest));
            (finding(GreyRangeError::InDoubt { deep, largest, file: file.clone() }, &file), range)
        }
        Err(GreyRangeError::Mixed { deep, dark, file, largest, brightest }) => {
            let file = relative(file);
            let error = GreyRangeError::Mixed { deep, dark, file: file.clone(), largest, brightest };
            (finding(error, &file), options.grey_range)
        }
        Err(GreyRangeError::AboveWhite { file, value, white }) => {
            let file = relative(file);
            (finding(GreyRangeError::AboveWhite { file: file.clone(), value, white }, &file), options.grey_range)
        }
    })
}
