//! The check that the images of runs are in another folder, with the same pixels.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::image::grey_range::GreyRange;
use mammoscope_domain::run::dataset_manifest::DatasetManifest;
use mammoscope_domain::text::counted::counted;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_imaging::decode::decode_file;
use mammoscope_imaging::pixel_checksum::pixel_sha256;

/// The most files of a kind that are named.
const MAX_NAMED: usize = 3;
/// Images between two looks at the cancellation.
const CHECKED_AT_ONCE: usize = 32;

/// The images that runs need, by their paths in manifests. Runs of the same data share most of them.
#[derive(Clone, Debug, Default)]
pub struct NeededImages {
    /// With each path and grey range, the checksums that the runs have recorded; none before the first reading.
    images: BTreeMap<PathBuf, Vec<(GreyRange, BTreeSet<String>)>>,
}

/// The images that are not in the other folder as the runs have recorded them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MissedImages {
    /// The number of images that were looked for.
    looked_for: usize,
    missing: Vec<PathBuf>,
    unreadable: Vec<PathBuf>,
    different: Vec<PathBuf>,
}

impl NeededImages {
    /// Adds the images of a run, without those that were unusable from its beginning or that it has lost since
    /// (`is_lost`, by the path in the manifest): it does without them.
    pub fn add(&mut self, manifest: &DatasetManifest, is_lost: &dyn Fn(&Path) -> bool) {
        let needed = manifest.samples.iter().filter(|sample| sample.unusable.is_none() && !is_lost(&sample.file));
        for sample in needed {
            let ranges = self.images.entry(sample.file.clone()).or_default();
            let at = ranges.iter().position(|(range, _)| *range == manifest.grey_range).unwrap_or_else(|| {
                ranges.push((manifest.grey_range, BTreeSet::new()));
                ranges.len() - 1
            });
            ranges[at].1.extend(sample.pixels.as_ref().map(|pixels| pixels.sha256.clone()));
        }
    }

    /// The number of different images.
    #[must_use]
    pub fn len(&self) -> usize {
        self.images.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.images.is_empty()
    }

    /// Looks for all images below `root`, decodes them and compares their pixels; `None` if cancelled. `on_progress` is
    /// called with the number of images so far.
    #[must_use]
    pub fn look_in(
        &self,
        root: &Path,
        cancellation: Cancellation<'_>,
        on_progress: &dyn Fn(usize),
    ) -> Option<MissedImages> {
        let mut missed = MissedImages { looked_for: self.images.len(), ..MissedImages::default() };
        let images: Vec<_> = self.images.iter().collect();
        for (part, images) in images.chunks(CHECKED_AT_ONCE).enumerate() {
            if cancellation.is_cancelled() {
                return None;
            }
            let found: Vec<Found> = images.par_iter().map(|(file, ranges)| look_at(&root.join(file), ranges)).collect();
            for ((file, _), found) in images.iter().zip(found) {
                match found {
                    Found::Same => {}
                    Found::Missing => missed.missing.push((*file).clone()),
                    Found::Unreadable => missed.unreadable.push((*file).clone()),
                    Found::Different => missed.different.push((*file).clone()),
                }
            }
            on_progress(part * CHECKED_AT_ONCE + images.len());
        }
        Some(missed)
    }
}

/// The result of looking for an image.
enum Found {
    Same,
    Missing,
    Unreadable,
    Different,
}

fn look_at(path: &Path, ranges: &[(GreyRange, BTreeSet<String>)]) -> Found {
    if !path.exists() {
        return Found::Missing;
    }
    for (range, checksums) in ranges.iter().filter(|(_, checksums)| !checksums.is_empty()) {
        let levels = decode_file(path).and_then(|image| image.into_levels(*range));
        let Ok(levels) = levels else { return Found::Unreadable };
        let now = pixel_sha256(&levels.raster);
        if checksums.iter().any(|checksum| *checksum != now) {
            return Found::Different;
        }
    }
    Found::Same
}

impl MissedImages {
    /// True if all images are there, with the same pixels.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.unreadable.is_empty() && self.different.is_empty()
    }
}

/// `of 32 images, 3 are missing (a.png, b.png, c.png) and 1 has other pixels (d.png)`.
impl fmt::Display for MissedImages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = |files: &[PathBuf], one: &str, several: &str| {
            let named: Vec<_> = files.iter().take(MAX_NAMED).map(|file| printable_path(file)).collect();
            let more = if files.len() > MAX_NAMED { ", …" } else { "" };
            let verb = if files.len() == 1 { one } else { several };
            (!files.is_empty()).then(|| format!("{} {verb} ({}{more})", files.len(), named.join(", ")))
        };
        let kinds = [
            kind(&self.missing, "is missing", "are missing"),
            kind(&self.unreadable, "cannot be read", "cannot be read"),
            kind(&self.different, "has other pixels", "have other pixels"),
        ];
        let kinds: Vec<String> = kinds.into_iter().flatten().collect();
        write!(f, "of {}, {}", counted(self.looked_for, "image"), kinds.join(" and "))
    }
}

#[cfg(test)]
mod tests {
    use mammoscope_domain::run::dataset_manifest::{MANIFEST_SCHEMA, ManifestSample, PixelFacts, SplitSource};
    use mammoscope_domain::subject::density::DensityClass;
    use mammoscope_domain::subject::split::Split;
    use mammoscope_domain::subject::subject_id::SubjectId;
    use mammoscope_domain::subject::view::View;
    use mammoscope_test_support::write_image;

    use super::*;

    fn manifest(root: &Path, files: &[&str]) -> DatasetManifest {
        let sample = |file: &&str| ManifestSample {
            file: PathBuf::from(file),
            subject: SubjectId((*file).to_owned()),
            exam: None,
            label: DensityClass::A,
            votes: None,
            split: Split::Train,
            pixels: decode_file(&root.join(file)).and_then(|image| image.into_levels(GreyRange::Auto)).ok().map(
                |levels| PixelFacts {
                    sha256: pixel_sha256(&levels.raster),
                    width: 70,
                    height: 90,
                    grey_deviation: None,
                    findings: None,
                },
            ),
            unusable: None,
        };
        DatasetManifest {
            schema: MANIFEST_SCHEMA,
            root: root.to_owned(),
            view: View::CcR,
            split_source: SplitSource::Folders,
            split_seed: 0,
            split_file: None,
            grey_range: GreyRange::Auto,
            allow_duplicates: false,
            samples: files.iter().map(sample).collect(),
        }
    }

    #[test]
    fn images_are_found_elsewhere_by_their_pixels() {
        let folder = tempfile::tempdir().unwrap();
        let (old, new) = (folder.path().join("old"), folder.path().join("new"));
        let files = ["a/1.png", "a/2.png", "b/3.png", "b/4.png", "b/5.png"];
        for (file, pattern) in files.iter().zip(1..) {
            write_image(&old.join(file), pattern);
            write_image(&new.join(file), pattern);
        }
        let mut needed = NeededImages::default();
        needed.add(&manifest(&old, &files), &|_| false);
        needed.add(&manifest(&old, &files[1..3]), &|_| false);
        assert_eq!(needed.len(), 5);
        std::fs::remove_dir_all(&old).unwrap();
        let missed = |needed: &NeededImages| needed.look_in(&new, Cancellation::never(), &|_| {}).unwrap();
        assert!(missed(&needed).is_empty());
        assert!(needed.look_in(&new, Cancellation::new(&|| true), &|_| {}).is_none());

        std::fs::remove_file(new.join(files[0])).unwrap();
        std::fs::remove_file(new.join(files[1])).unwrap();
        std::fs::write(new.join(files[2]), "not an image").unwrap();
        write_image(&new.join(files[4]), 77);
        assert_eq!(
            missed(&needed).to_string(),
            "of 5 images, 2 are missing (a/1.png, a/2.png) and 1 cannot be read (b/3.png) and 1 has other pixels (b/5.png)"
        );
        let mut rest = NeededImages::default();
        let all = manifest(&new, &files);
        rest.add(&all, &|file| file.starts_with("a") || file.ends_with("3.png"));
        assert!(missed(&rest).is_empty(), "what was lost before is not looked for");
        // Of a run that has not read its images yet, only their presence is known.
        let mut unread = all;
        unread.samples.iter_mut().for_each(|sample| sample.pixels = None);
        let mut needed = NeededImages::default();
        needed.add(&unread, &|_| false);
        assert_eq!(missed(&needed).to_string(), "of 5 images, 2 are missing (a/1.png, a/2.png)");
    }
}
