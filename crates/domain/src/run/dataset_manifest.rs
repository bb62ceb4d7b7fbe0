//! `dataset.json`: every image of a run, with its subject, class, split and the checksum of its pixels.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::image::doubtful_images::DoubtfulImages;
use crate::image::grey_range::GreyRange;
use crate::image::image_findings::ImageFindings;
use crate::subject::density::DensityClass;
use crate::subject::prediction::PredictionRow;
use crate::subject::probabilities::Probabilities;
use crate::subject::split::Split;
use crate::subject::subject::{ExamId, SubjectId};
use crate::subject::view::View;

/// The version of the layout of `dataset.json`.
pub const MANIFEST_SCHEMA: u32 = 1;

/// Where the splits come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SplitSource {
    /// The tree's own folders.
    Folders,
    /// Drawn by subject, stratified by class, from the seed.
    Seeded,
    /// A file that names them (`--splits`).
    File,
    /// Every image is a training image, and the same images are the validation images (`--all-as-train`).
    AllAsTrain,
}

/// The images of one run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DatasetManifest {
    /// [`MANIFEST_SCHEMA`].
    pub schema: u32,
    /// The data set's root, absolute.
    pub root: PathBuf,
    /// The view of all its images.
    pub view: View,
    /// Where the splits come from.
    pub split_source: SplitSource,
    /// The seed that splits were drawn from; 0 where they were not drawn.
    pub split_seed: u64,
    /// What is white in images of 16 bits.
    #[serde(default)]
    pub grey_range: GreyRange,
    /// Whether a subject, or the same pixels, may be in two splits.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_duplicates: bool,
    /// The images: by split, class and name. Their order is part of what a training computes.
    pub samples: Vec<ManifestSample>,
}

/// One image of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ManifestSample {
    /// The file, below the root where it lies there.
    pub file: PathBuf,
    /// Whose.
    pub subject: SubjectId,
    /// Which examination, where the name tells it.
    pub exam: Option<ExamId>,
    /// The true class.
    pub label: DensityClass,
    /// The split it belongs to.
    pub split: Split,
    /// What its pixels are, once they were read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pixels: Option<PixelFacts>,
    /// Why it cannot be used, where it cannot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unusable: Option<String>,
}

/// What the pixels of an image are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PixelFacts {
    /// SHA-256 of width and height (u32 little-endian), channels (u8), and the decoded 8-bit samples row by row, in
    /// hexadecimal digits.
    pub sha256: String,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Standard deviation of grey inside the eroded breast, in grey levels: the one-feature baseline. `None` where no
    /// breast was found.
    pub grey_deviation: Option<f64>,
    /// What else was found in the image; `None` where an earlier version read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub findings: Option<ImageFindings>,
}

impl DatasetManifest {
    /// The usable images of a split, with their positions in [`DatasetManifest::samples`]. With
    /// [`SplitSource::AllAsTrain`] the training images are the validation images too.
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

    /// What was found in the usable images of a split; empty before they were read.
    pub fn findings_of(&self, split: Split) -> impl Iterator<Item = (&ManifestSample, &ImageFindings)> + Clone {
        let usable = self.of_split(split).collect::<Vec<_>>().into_iter();
        usable.filter_map(|(_, sample)| Some((sample, sample.pixels.as_ref()?.findings.as_ref()?)))
    }

    /// The images of all splits that cannot be mammograms as expected.
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

    /// What was predicted for a sample, whoever predicted it; the file is named as the manifest names it.
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
