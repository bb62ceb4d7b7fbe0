//! A checksum of everything about a run's images that its result depends on.

use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::dataset_manifest::{DatasetManifest, ManifestSample, SplitSource};
use crate::subject::density::DensityClass;
use crate::text::hexadecimal::hexadecimal;

impl DatasetManifest {
    /// SHA-256, in hexadecimal, over the view, a flag for training images that are also the validation images, and for
    /// every image in order: file, subject, class, split, pixel checksum, a flag for unusable images, and the readers'
    /// classes if the labels are soft.
    ///
    /// Manifests with the same fingerprint lead to the same training run, wherever the data set is stored.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let mut hasher = Sha256::new();
        add(&mut hasher, self.view.name().as_bytes());
        hasher.update([u8::from(self.split_source == SplitSource::AllAsTrain)]);
        for sample in &self.samples {
            add_sample(&mut hasher, sample);
        }
        hexadecimal(&hasher.finalize())
    }
}

fn add_sample(hasher: &mut Sha256, sample: &ManifestSample) {
    add(hasher, encoded_bytes(&sample.file));
    add(hasher, sample.subject.0.as_bytes());
    add(hasher, sample.label.letter().as_bytes());
    add(hasher, sample.split.name().as_bytes());
    // Checksums are never empty, so that an unread image differs from every image that was read.
    add(hasher, sample.pixels.as_ref().map_or(&[], |pixels| pixels.sha256.as_bytes()));
    hasher.update([u8::from(sample.unusable.is_some())]);
    // Nothing is added without votes: the fingerprints of hard labels are those of earlier versions.
    if let Some(votes) = sample.votes {
        let counts = DensityClass::ALL.map(|class| votes.count(class).to_le_bytes());
        add(hasher, &[b"votes".as_slice(), counts.as_flattened()].concat());
    }
}

/// Adds a part with its length first, so that `ab`, `c` differs from `a`, `bc`.
fn add(hasher: &mut Sha256, part: &[u8]) {
    hasher.update((part.len() as u64).to_le_bytes());
    hasher.update(part);
}

fn encoded_bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_encoded_bytes()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::super::dataset_manifest::{MANIFEST_SCHEMA, PixelFacts};
    use super::*;
    use crate::subject::reader_votes::ReaderVotes;
    use crate::subject::split::Split;
    use crate::subject::subject_id::SubjectId;
    use crate::subject::view::View;

    fn manifest() -> DatasetManifest {
        let sample = |file: &str, subject: &str| ManifestSample {
            file: PathBuf::from(file),
            subject: SubjectId(subject.to_owned()),
            exam: None,
            label: DensityClass::B,
            votes: None,
            split: Split::Train,
            pixels: Some(PixelFacts {
                sha256: "ab".repeat(32),
                width: 2,
                height: 3,
                grey_deviation: None,
                findings: None,
            }),
            unusable: None,
        };
        DatasetManifest {
            schema: MANIFEST_SCHEMA,
            root: PathBuf::from("/data"),
            view: View::MloL,
            split_source: SplitSource::Folders,
            split_seed: 3,
            split_file: None,
            grey_range: crate::image::grey_range::GreyRange::Auto,
            allow_duplicates: false,
            samples: vec![sample("1.png", "1"), sample("2.png", "2")],
        }
    }

    #[test]
    fn everything_that_affects_training_changes_the_fingerprint() {
        let of = |change: fn(&mut DatasetManifest)| {
            let mut changed = manifest();
            change(&mut changed);
            changed.fingerprint()
        };
        let changed = [
            of(|_| {}),
            of(|manifest| manifest.view = View::MloR),
            of(|manifest| manifest.split_source = SplitSource::AllAsTrain),
            of(|manifest| manifest.samples.swap(0, 1)),
            of(|manifest| manifest.samples.truncate(1)),
            of(|manifest| manifest.samples[0].file = PathBuf::from("1.png1")),
            of(|manifest| manifest.samples[0].subject.0 = "2".to_owned()),
            of(|manifest| manifest.samples[0].label = DensityClass::C),
            of(|manifest| manifest.samples[1].split = Split::Test),
            of(|manifest| manifest.samples[1].votes = Some(ReaderVotes::of([DensityClass::B]))),
            of(|manifest| manifest.samples[1].votes = Some(ReaderVotes::of([DensityClass::A]))),
            of(|manifest| manifest.samples[1].pixels = None),
            of(|manifest| manifest.samples[1].pixels.as_mut().unwrap().sha256 = "ac".repeat(32)),
            of(|manifest| manifest.samples[1].unusable = Some("is empty (0 bytes)".to_owned())),
        ];
        assert!(changed.iter().all(|fingerprint| fingerprint.len() == 64), "{changed:?}");
        let different: std::collections::BTreeSet<_> = changed.iter().collect();
        assert_eq!(different.len(), changed.len());
    }

    #[test]
    fn the_location_and_a_drawn_split_do_not_change_the_fingerprint() {
        let mut moved = manifest();
        moved.root = PathBuf::from("/elsewhere");
        moved.split_source = SplitSource::Seeded;
        assert_eq!(moved.fingerprint(), manifest().fingerprint());
    }
}
