//! The subjects that a model was trained, validated and tested on, according to its file.
//!
//! The metadata hold digests instead of subject ids: the first four bytes of the SHA-256 of `mammoscope subject\0<id>`,
//! as eight hexadecimal digits, sorted and concatenated, in the entries `provenance.subjects_train`, `_validation` and
//! `_test`. A published model thus lists no ids, although the split of a known id can be looked up. Likewise,
//! `provenance.images_train` holds the first four bytes of the SHA-256 of each training image's pixels
//! ([`PixelFacts::sha256`]).
//!
//! [`PixelFacts::sha256`]: mammoscope_domain::run::dataset_manifest::PixelFacts::sha256

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::manifest_file::read_manifest;
use super::run_dir::RunDir;
use crate::models::model_file::ModelMetadata;
use mammoscope_domain::run::dataset_manifest::DatasetManifest;
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::subject::subject_id::SubjectId;

/// Hexadecimal digits of a digest.
const DIGITS: usize = 8;
const IMAGES_TRAIN: &str = "images_train";

/// The subjects of each split, and the training images.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModelSplits {
    subjects: BTreeMap<Split, BTreeSet<u32>>,
    images_train: BTreeSet<u32>,
}

impl ModelSplits {
    /// Returns the splits of a model, from the manifest of the run that contains its file, otherwise from its metadata;
    /// `None` if neither has them.
    #[must_use]
    pub fn of_model(path: &Path, metadata: &ModelMetadata) -> Option<Self> {
        let run = path.parent().and_then(Path::parent).map(RunDir::new);
        let manifest = run
            .filter(|run| path.parent() == Some(run.checkpoints().as_path()))
            .and_then(|run| read_manifest(&run.manifest()).ok());
        manifest.map(|manifest| Self::of_manifest(&manifest)).or_else(|| Self::of_provenance(&metadata.provenance))
    }

    /// Returns the splits in the manifest of a run, ignoring unusable images.
    #[must_use]
    pub fn of_manifest(manifest: &DatasetManifest) -> Self {
        let mut splits = Self::default();
        for sample in manifest.samples.iter().filter(|sample| sample.unusable.is_none()) {
            splits.subjects.entry(sample.split).or_default().insert(digest_of(&sample.subject));
            if let (Split::Train, Some(pixels)) = (sample.split, &sample.pixels) {
                splits.images_train.extend(leading_digest(&pixels.sha256));
            }
        }
        splits
    }

    /// Returns the splits in the provenance of a model; `None` if they are absent or damaged.
    #[must_use]
    pub fn of_provenance(provenance: &BTreeMap<String, String>) -> Option<Self> {
        let mut subjects = BTreeMap::new();
        for split in Split::ALL {
            if let Some(text) = provenance.get(&entry(split)) {
                subjects.insert(split, digests(text)?);
            }
        }
        let images_train = provenance.get(IMAGES_TRAIN).map_or(Some(BTreeSet::new()), |text| digests(text))?;
        (!subjects.is_empty()).then_some(Self { subjects, images_train })
    }

    /// Returns the provenance entries for a model.
    #[must_use]
    pub fn to_provenance(&self) -> BTreeMap<String, String> {
        let mut entries: BTreeMap<_, _> =
            self.subjects.iter().map(|(split, subjects)| (entry(*split), concatenated(subjects))).collect();
        if !self.images_train.is_empty() {
            entries.insert(IMAGES_TRAIN.to_owned(), concatenated(&self.images_train));
        }
        entries
    }

    /// Returns the number of subjects of each split.
    #[must_use]
    pub fn counts(&self) -> Vec<(Split, usize)> {
        let counts = Split::ALL.into_iter().filter_map(|split| Some((split, self.subjects.get(&split)?.len())));
        counts.collect()
    }

    /// Returns the split of a subject; `None` if the training did not use the subject.
    #[must_use]
    pub fn split_of(&self, subject: &SubjectId) -> Option<Split> {
        let digest = digest_of(subject);
        self.subjects.iter().find(|(_, subjects)| subjects.contains(&digest)).map(|(split, _)| *split)
    }

    /// Returns true if the model was trained on an image whose pixels have this SHA-256 (hexadecimal); `None` if the
    /// training images are not known.
    #[must_use]
    pub fn was_fitted_to(&self, sha256: &str) -> Option<bool> {
        (!self.images_train.is_empty())
            .then(|| leading_digest(sha256).is_some_and(|image| self.images_train.contains(&image)))
    }
}

fn entry(split: Split) -> String {
    format!("subjects_{split}")
}

fn digest_of(subject: &SubjectId) -> u32 {
    let mut hasher = Sha256::new();
    hasher.update(b"mammoscope subject\0");
    hasher.update(subject.0.as_bytes());
    let [a, b, c, d, ..] = <[u8; 32]>::from(hasher.finalize());
    u32::from_be_bytes([a, b, c, d])
}

fn leading_digest(sha256: &str) -> Option<u32> {
    u32::from_str_radix(sha256.get(..DIGITS)?, 16).ok()
}

fn concatenated(digests: &BTreeSet<u32>) -> String {
    digests.iter().fold(String::with_capacity(DIGITS * digests.len()), |mut text, digest| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{digest:08x}");
        text
    })
}

fn digests(text: &str) -> Option<BTreeSet<u32>> {
    let (groups, rest) = text.as_bytes().as_chunks::<DIGITS>();
    let digest = |group: &[u8; DIGITS]| leading_digest(std::str::from_utf8(group).ok()?);
    if rest.is_empty() { groups.iter().map(digest).collect() } else { None }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use mammoscope_domain::run::dataset_manifest::{MANIFEST_SCHEMA, ManifestSample, PixelFacts, SplitSource};
    use mammoscope_domain::subject::density::DensityClass;
    use mammoscope_domain::subject::view::View;

    fn sample(subject: u32, split: Split, unusable: bool) -> ManifestSample {
        let sha256 = format!("{subject:08x}{}", "0".repeat(56));
        ManifestSample {
            file: format!("{subject}.png").into(),
            subject: SubjectId(subject.to_string()),
            exam: None,
            label: DensityClass::A,
            votes: None,
            split,
            pixels: Some(PixelFacts { sha256, width: 1, height: 1, grey_deviation: None, findings: None }),
            unusable: unusable.then(|| "cut short".to_owned()),
        }
    }

    #[test]
    fn splits_are_read_back_without_ids() {
        let split = |subject: u32| [Split::Train, Split::Train, Split::Validation, Split::Test][subject as usize % 4];
        let mut samples: Vec<_> = (100..500).map(|subject| sample(subject, split(subject), false)).collect();
        samples.push(sample(900, Split::Train, true));
        let manifest = DatasetManifest {
            schema: MANIFEST_SCHEMA,
            root: PathBuf::from("/data"),
            view: View::CcR,
            split_source: SplitSource::Seeded,
            split_seed: 1,
            split_file: None,
            grey_range: mammoscope_domain::image::grey_range::GreyRange::Auto,
            allow_duplicates: false,
            samples,
        };
        let splits = ModelSplits::of_manifest(&manifest);
        let provenance = splits.to_provenance();
        assert_eq!(ModelSplits::of_provenance(&provenance).as_ref(), Some(&splits));
        assert_eq!(provenance.values().map(String::len).sum::<usize>(), 600 * DIGITS);
        for subject in 100..500 {
            assert_eq!(splits.split_of(&SubjectId(subject.to_string())), Some(split(subject)));
        }
        assert_eq!(splits.split_of(&SubjectId("900".to_owned())), None, "it was not used");
        assert_eq!(splits.was_fitted_to(&format!("{:08x}ff", 100)), Some(true));
        assert_eq!(splits.was_fitted_to(&format!("{:08x}ff", 103)), Some(false));
    }

    #[test]
    fn foreign_and_damaged_provenance_is_ignored() {
        let of =
            |key: &str, value: &str| ModelSplits::of_provenance(&BTreeMap::from([(key.to_owned(), value.to_owned())]));
        assert_eq!(of("source", "a.h5"), None);
        for damaged in ["0123456", "0123456789", "0123456x", "ä23456x"] {
            assert_eq!(of("subjects_train", damaged), None, "{damaged}");
        }
        assert!(of("subjects_test", "").is_some_and(|splits| splits.was_fitted_to("00000000").is_none()));
    }
}
