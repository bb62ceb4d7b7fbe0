//! From a run's manifest to images on the device.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use mammoscope_dataset::copied_images::{CopiedImages, copied_pictures};
use mammoscope_dataset::pixel_cache::{CachedImages, PixelCache, PixelCacheError};
use mammoscope_domain::network::input_route::InputRoute;
use mammoscope_domain::run::dataset_manifest::DatasetManifest;
use mammoscope_domain::run::run_event::RunEventKind;
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_imaging::intensity_sd::intensity_sd;
use mammoscope_storage::runs::manifest_file::{read_manifest, write_manifest};
use mammoscope_storage::runs::run_dir::RunDir;
use tch::Device;

use super::recorder::{Recorder, WatchedImage};
use crate::learning::batches::TrainingImages;
use crate::learning::image_set::ImageSet;
use crate::learning::training_observer::TrainingObserver as _;

/// A run's manifest with what its pixels are, and the pixels themselves.
#[derive(Debug)]
pub(super) struct PreparedImages {
    /// Every image; what cannot be used says why.
    pub(super) manifest: DatasetManifest,
    /// Their pixels, by their position in the manifest.
    pub(super) cache: CachedImages,
    /// Stands in for pixels that are no longer to be had.
    blank: Vec<u8>,
}

/// Why there are no images: an order to end came first.
#[derive(Debug, thiserror::Error)]
#[error("asked to end while images were read")]
pub(super) struct Cancelled;

impl PreparedImages {
    /// Reads all images of a run, from the cache where they were read before. Images that cannot be read are recorded
    /// and left out, and so are those whose pixels are no longer what they were when the run began.
    pub(super) fn read(
        run: &RunDir,
        size: usize,
        threads: usize,
        recorder: &mut Recorder,
        is_to_end: &(dyn Fn() -> bool + Sync),
    ) -> anyhow::Result<Self> {
        let mut manifest = read_manifest(&run.manifest())?;
        let paths: Vec<PathBuf> = manifest.paths().collect();
        let folder = run.pixel_cache();
        let cache = PixelCache {
            folder: &folder,
            size,
            route: InputRoute::One,
            grey_range: manifest.grey_range,
            threads,
            measure: intensity_sd,
            on_progress: &|_| {},
            cancelled: is_to_end,
        };
        let cache = match cache.open_or_build(&paths) {
            Err(PixelCacheError::Cancelled) => return Err(Cancelled.into()),
            other => other?,
        };
        let mut changed = false;
        for (position, sample) in manifest.samples.iter_mut().enumerate() {
            if sample.unusable.is_some() {
                continue;
            }
            let reason = match (&cache.records()[position], &sample.pixels) {
                (Ok(record), None) => {
                    sample.pixels = Some(record.facts.clone());
                    changed = true;
                    continue;
                }
                (Ok(record), Some(known)) if record.facts.sha256 == known.sha256 => continue,
                // Lost later on: the manifest keeps what the run began with, so that its images keep their numbers.
                (Ok(_), Some(_)) => "its pixels have changed since the run began".to_owned(),
                (Err(reason), Some(_)) => reason.clone(),
                (Err(reason), None) => {
                    sample.unusable = Some(reason.clone());
                    changed = true;
                    reason.clone()
                }
            };
            recorder.record(RunEventKind::SampleSkipped { file: printable_path(&sample.file), reason })?;
        }
        if changed {
            // Before the manifest is written: a run that is taken up again would not look any more.
            refuse_copies(&manifest, &cache, recorder, is_to_end)?;
            let doubtful = manifest.doubtful_images();
            if !doubtful.is_empty() {
                recorder.record(RunEventKind::Warning { message: doubtful.to_string() })?;
            }
            write_manifest(&run.manifest(), &manifest).context("write dataset.json")?;
        }
        let blank = vec![0; size * size * cache.channels()];
        Ok(Self { manifest, cache, blank })
    }

    /// The training images, numbered as when the run began; those that were lost since are blank, and numbered in the
    /// second part.
    pub(super) fn training_set(&self, device: Device) -> anyhow::Result<(ImageSet<'_>, Vec<usize>)> {
        let places: Vec<usize> = self.manifest.of_split(Split::Train).map(|(position, _)| position).collect();
        if places.is_empty() {
            bail!("no training image can be used");
        }
        let lost = (0..places.len()).filter(|&image| self.pixels(places[image]).is_none()).collect();
        Ok((self.set(&places, device)?, lost))
    }

    /// The images of a split that can be used now, and their positions in the manifest.
    pub(super) fn evaluation_set(&self, split: Split, device: Device) -> anyhow::Result<(ImageSet<'_>, Vec<usize>)> {
        let places: Vec<usize> = self
            .manifest
            .of_split(split)
            .map(|(position, _)| position)
            .filter(|&position| self.pixels(position).is_some())
            .collect();
        Ok((self.set(&places, device)?, places))
    }

    /// The training images as they are looked at before every epoch.
    pub(super) fn watched(&self) -> Vec<WatchedImage> {
        self.manifest
            .of_split(Split::Train)
            .map(|(position, sample)| WatchedImage {
                path: self.manifest.root.join(&sample.file),
                record: self.pixels(position).and_then(|_| self.cache.records()[position].clone().ok()),
            })
            .collect()
    }

    fn set(&self, places: &[usize], device: Device) -> anyhow::Result<ImageSet<'_>> {
        let pixels = places.iter().map(|&place| self.pixels(place).unwrap_or(&self.blank)).collect();
        Ok(ImageSet {
            images: TrainingImages::new(pixels, self.cache.size(), self.cache.channels(), device)?,
            labels: places.iter().map(|&place| self.manifest.samples[place].label).collect(),
            files: places.iter().map(|&place| file_name(&self.manifest.samples[place].file)).collect(),
            device,
        })
    }

    /// The pixels at a position of the manifest, where they are what they were when the run began.
    fn pixels(&self, position: usize) -> Option<&[u8]> {
        let record = self.cache.records()[position].as_ref().ok()?;
        let known = self.manifest.samples[position].pixels.as_ref()?;
        (record.facts.sha256 == known.sha256).then(|| self.cache.pixels(record.slot))
    }
}

/// The same picture in two splits is an error, or a warning where it was allowed.
fn refuse_copies(
    manifest: &DatasetManifest,
    cache: &CachedImages,
    recorder: &mut Recorder,
    is_to_end: &(dyn Fn() -> bool + Sync),
) -> anyhow::Result<()> {
    let signature = |position: usize| cache.records()[position].as_ref().ok()?.signature.as_ref();
    let copies = copied_pictures(manifest, &signature, is_to_end).ok_or(Cancelled)?;
    let Some(copies) = CopiedImages::some(copies) else { return Ok(()) };
    if !manifest.allow_duplicates {
        bail!("{copies}; remove one of each, or train with --allow-duplicates");
    }
    recorder.record(RunEventKind::Warning { message: format!("{copies}; allowed by --allow-duplicates") })
}

fn file_name(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
