//! `dataset.json`: every image of a run, with its subject, class, split and pixel checksum.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::image::doubtful_images::DoubtfulImages;
use crate::image::grey_range::GreyRange;
use crate::image::image_findings::ImageFindings;
use crate::subject::density::DensityClass;
use crate::subject::prediction::PredictionRow;
use crate::subject::probabilities::Probabilities;
use crate::subject::reader_votes::ReaderVotes;
use crate::subject::split::Split;
use crate::subject::subject_id::{ExamId, SubjectId};
use crate::subject::view::View;

/// The schema version of `dataset.json`.
pub const MANIFEST_SCHEMA: u32 = 1;

/// The source of the splits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SplitSource {
    /// The split folders of the data set.
    Folders,
    /// Drawn at random by subject, stratified by class.
    Seeded,
    /// A file that assigns them (`--splits`).
    File,
    /// Every image is both a training and a validation image (`--all-as-train`).
    AllAsTrain,
}

/// The table that assigned the splits of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SplitFile {
    /// The file's name, without its folder.
    pub name: String,
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
    /// The fold that the run holds out as its test images; `None` if the splits are not folds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fold: Option<u32>,
    /// The numbers of all folds in the file, in ascending order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub folds: Vec<u32>,
}

/// The images of one run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DatasetManifest {
    /// [`MANIFEST_SCHEMA`].
    pub schema: u32,
    /// The data set's root, absolute.
    pub root: PathBuf,
    pub view: View,
    pub split_source: SplitSource,
    /// The seed of a drawn split; 0 for other splits.
    pub split_seed: u64,
    /// The grey range of 16-bit images.
    #[serde(default)]
    pub grey_range: GreyRange,
    /// The table of splits; `None` for other sources, and for runs of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split_file: Option<SplitFile>,
    /// True if a subject, or the same pixels, may be in two splits.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_duplicates: bool,
    /// The images by split, class and name. Training depends on this order.
    pub samples: Vec<ManifestSample>,
}

/// One image of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ManifestSample {
    /// The path, relative to the root if it is below it.
    pub file: PathBuf,
    pub subject: SubjectId,
    /// The examination, if the file name contains it.
    pub exam: Option<ExamId>,
    /// The true class.
    pub label: DensityClass,
    /// The readers' classes, if the network is trained on their shares instead of the label (`--soft-labels`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub votes: Option<ReaderVotes>,
    pub split: Split,
    /// `None` before the pixels were read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pixels: Option<PixelFacts>,
    /// The reason why the image cannot be used; `None` if it can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unusable: Option<String>,
}

/// Facts about the pixels of an image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PixelFacts {
    /// SHA-256, in hexadecimal, of width and height (u32 little-endian), channels (u8), and the decoded 8-bit samples row
    /// by row.
    pub sha256: String,
    pub width: usize,
    pub height: usize,
    /// Standard deviation of the intensity inside the eroded breast, in grey levels: the one-feature baseline. `None` if
    /// no breast was found.
    pub grey_deviation: Option<f64>,
    /// Other findings; `None` if an earlier version read the image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub findings: Option<ImageFindings>,
}

impl DatasetManifest {
    /// The usable images of a split, with their positions in [`DatasetManifest::samples`]. With
    /// [`SplitSource::AllAsTrain`] the training images are also the validation images.
    pub fn of_split(&self, split: Split) -> impl Iterator<Item = (usize, &ManifestSample)> {
        let stored = match (self.split_source, split) {
            (SplitSource::AllAsTrain, Split::Validation) => Split::Train,
            _ => split,
        };
        self.samples.iter().enumerate().filter(move |(_, sample)| sample.split == stored && sample.unusable.is_none())
    }

    /// The files of all images.
    pub fn paths(&self) -> impl Iterator<Item = PathBuf> + '_ {
        self.samples.iter().map(|sample| self.root.join(&sample.file))
    }

    /// The findings of the usable images of a split; empty before they were read.
    pub fn findings_of(&self, split: Split) -> impl Iterator<Item = (&ManifestSample, &ImageFindings)> + Clone {
        let usable = self.of_split(split).collect::<Vec<_>>().into_iter();
        usable.filter_map(|(_, sample)| Some((sample, sample.pixels.as_ref()?.findings.as_ref()?)))
    }

    /// The images of all splits that do not look like the expected mammograms.
    #[must_use]
    pub fn doubtful_images(&self) -> DoubtfulImages {
        let mut doubtful = DoubtfulImages::default();
        for sample in self.samples.iter().filter(|sample| sample.unusable.is_none()) {
            if let Some(findings) = sample.pixels.as_ref().and_then(|pixels| pixels.findings.as_ref()) {
                doubtful.add(&sample.file.to_string_lossy(), &findings.doubts);
            }
        }
        doubtful
    }

    /// The prediction of a sample as a row of `predictions.csv`, with the file name of the manifest.
    #[must_use]
    pub fn prediction_row(&self, sample: &ManifestSample, probabilities: Probabilities) -> PredictionRow {
        PredictionRow {
            file: sample.file.to_string_lossy().into_owned(),
            subject: sample.subject.clone(),
            exam: sample.exam.clone(),
            view: Some(self.view),
            label: Some(sample.label),
            predicted: probabilities.most_probable(),
            probabilities,
        }
    }
}
