//! Loads the images of a run's manifest onto the device.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use mammoscope_dataset::copied_images::{CopiedImages, copied_pictures};
use mammoscope_dataset::pixel_cache::{CachedImages, PixelCache, PixelCacheError};
use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::network::input_route::InputRoute;
use mammoscope_domain::run::dataset_manifest::{DatasetManifest, ManifestSample};
use mammoscope_domain::run::run_event::RunEventKind;
use mammoscope_domain::run::run_records::SkippedSample;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::reader_votes::ReaderVotes;
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_imaging::intensity_sd::intensity_sd;
use mammoscope_storage::runs::manifest_file::{read_manifest, write_manifest};
use mammoscope_storage::runs::run_dir::RunDir;
use tch::Device;

use super::recorder::Recorder;
use super::watched_images::{WatchedImage, WatchedImages, are_away};
use crate::learning::batches::TrainingImages;
use crate::learning::image_set::ImageSet;
use crate::learning::training_observer::TrainingObserver as _;

/// A run's manifest, completed with the facts of its pixels, and the pixels themselves.
#[derive(Debug)]
pub(super) struct PreparedImages {
    /// Every image, including the unusable ones with their reasons.
    pub(super) manifest: DatasetManifest,
    /// The pixels, by position in the manifest.
    pub(super) cache: CachedImages,
    /// Takes the place of pixels that have become unusable.
    blank: Vec<u8>,
}

/// The run was stopped while nothing had to be saved.
#[derive(Debug, thiserror::Error)]
#[error("stopped while images were read")]
pub(super) struct Cancelled;

impl PreparedImages {
    /// Reads all images of a run, from the pixel cache if they were read before. Images that cannot be read, or whose
    /// pixels have changed since the run started, are recorded and skipped.
    pub(super) fn read(
        run: &RunDir,
        size: usize,
        threads: usize,
        recorder: &mut Recorder,
        cancellation: Cancellation<'_>,
    ) -> anyhow::Result<Self> {
        let mut manifest = read_manifest(&run.manifest())?;
        let paths: Vec<PathBuf> = manifest.paths().collect();
        let folder = run.pixel_cache();
        let mark_progress = recorder.progress_marker();
        let cache = PixelCache {
            folder: &folder,
            size,
            route: InputRoute::Training,
            grey_range: manifest.grey_range,
            threads,
            measure: intensity_sd,
            on_progress: &|_| mark_progress(),
            cancellation,
        };
        let cache = read_pixels(run, &cache, &paths, &manifest, recorder)?;
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
                (Ok(record), Some(known)) if record.facts.sha256 == known.sha256 => {
                    let file = printable_path(&sample.file);
                    if recorder.summary().skipped.iter().any(|skipped| skipped.file == file) {
                        recorder.record(RunEventKind::SampleRestored { file })?;
                    }
                    continue;
                }
                // Unusable since the start: the manifest keeps the image, so that the others keep their indices.
                (Ok(_), Some(_)) => "its pixels have changed since the run began".to_owned(),
                (Err(reason), Some(_)) => reason.to_string(),
                (Err(reason), None) => {
                    sample.unusable = Some(reason.to_string());
                    changed = true;
                    reason.to_string()
                }
            };
            recorder
                .record(RunEventKind::SampleSkipped(SkippedSample { file: printable_path(&sample.file), reason }))?;
        }
        if changed {
            // Before the manifest is written, since a resumed run does not check again.
            refuse_copies(&manifest, &cache, recorder, cancellation)?;
            let doubtful = manifest.doubtful_images();
            if !doubtful.is_empty() {
                recorder.record(RunEventKind::Warning { message: doubtful.to_string() })?;
            }
            let path = run.manifest();
            recorder.persist("dataset.json", || write_manifest(&path, &manifest).context("write dataset.json"))?;
        }
        let blank = vec![0; size * size * cache.channels()];
        Ok(Self { manifest, cache, blank })
    }

    /// The training images, with the indices they had when the run started, and the indices of those that have become
    /// unusable since; these are blank.
    pub(super) fn training_set(&self, device: Device) -> anyhow::Result<(ImageSet<'_>, Vec<usize>)> {
        let positions: Vec<usize> = self.manifest.of_split(Split::Train).map(|(position, _)| position).collect();
        if positions.is_empty() {
            bail!("no training image can be used");
        }
        let unusable = (0..positions.len()).filter(|&image| self.pixels(positions[image]).is_none()).collect();
        Ok((self.set(&positions, device)?, unusable))
    }

    /// The usable images of a split, and their positions in the manifest.
    pub(super) fn evaluation_set(&self, split: Split, device: Device) -> anyhow::Result<(ImageSet<'_>, Vec<usize>)> {
        let positions: Vec<usize> = self
            .manifest
            .of_split(split)
            .map(|(position, _)| position)
            .filter(|&position| self.pixels(position).is_some())
            .collect();
        Ok((self.set(&positions, device)?, positions))
    }

    /// The training images, to be checked before every epoch; `unusable` ones are left out so far.
    pub(super) fn watched(&self, unusable: &BTreeSet<usize>) -> WatchedImages {
        let images = self
            .manifest
            .of_split(Split::Train)
            .map(|(position, sample)| WatchedImage {
                path: self.manifest.root.join(&sample.file),
                record: self.pixels(position).and_then(|_| self.cache.records()[position].clone().ok()),
            })
            .collect();
        WatchedImages::new(&self.manifest.root, images, self.manifest.grey_range, unusable)
    }

    fn set(&self, positions: &[usize], device: Device) -> anyhow::Result<ImageSet<'_>> {
        let pixels = positions.iter().map(|&position| self.pixels(position).unwrap_or(&self.blank)).collect();
        Ok(ImageSet {
            images: TrainingImages::new(pixels, self.cache.size(), self.cache.channels(), device)?,
            labels: positions.iter().map(|&position| self.manifest.samples[position].label).collect(),
            targets: targets(positions.iter().map(|&position| &self.manifest.samples[position])),
            files: positions.iter().map(|&position| file_name(&self.manifest.samples[position].file)).collect(),
            device,
        })
    }

    /// The pixels at a position of the manifest, unless they have changed since the run started.
    fn pixels(&self, position: usize) -> Option<&[u8]> {
        let record = self.cache.records()[position].as_ref().ok()?;
        let known = self.manifest.samples[position].pixels.as_ref()?;
        (record.facts.sha256 == known.sha256).then(|| self.cache.pixels(record.slot))
    }
}

/// Reads the pixels of all images. While the folder of the data is away, waits for it, unless all pixels are in the cache.
/// Looks for the cache at each attempt, since the workspace may be renamed meanwhile.
fn read_pixels(
    run: &RunDir,
    cache: &PixelCache<'_>,
    paths: &[PathBuf],
    manifest: &DatasetManifest,
    recorder: &mut Recorder,
) -> anyhow::Result<CachedImages> {
    loop {
        if are_away(paths) {
            if let Some(cached) = (PixelCache { folder: &run.pixel_cache(), ..*cache }).open_known(paths) {
                let root = printable_path(&manifest.root);
                let message = format!("the data in {root} are not there: their pixels in the cache are used");
                recorder.record(RunEventKind::Warning { message })?;
                return Ok(cached);
            }
            wait_for_data(manifest, recorder)?;
            continue;
        }
        let read = recorder.persist("the pixel cache", || {
            match (PixelCache { folder: &run.pixel_cache(), ..*cache }).open_or_build(paths) {
                Err(PixelCacheError::Cancelled) => Err(Cancelled.into()),
                Err(PixelCacheError::Write { path, error }) => {
                    Err(anyhow::Error::new(error).context(format!("write the pixel cache {}", printable_path(&path))))
                }
                other => Ok(other?),
            }
        })?;
        // It may have gone while the images were read.
        if read.records().iter().all(Result::is_ok) || !are_away(paths) {
            return Ok(read);
        }
    }
}

fn wait_for_data(manifest: &DatasetManifest, recorder: &mut Recorder) -> anyhow::Result<()> {
    let root = printable_path(&manifest.root);
    recorder.wait_for(&format!("the data in {root} are not there, trying again"))?;
    if recorder.should_stop() { Err(Cancelled.into()) } else { Ok(()) }
}

/// The readers' shares of each class for every image, and the label of those without readers; `None` if no image has
/// readers.
fn targets<'m>(samples: impl Iterator<Item = &'m ManifestSample> + Clone) -> Option<Vec<[f32; DensityClass::COUNT]>> {
    if samples.clone().all(|sample| sample.votes.is_none()) {
        return None;
    }
    let target = |sample: &ManifestSample| {
        let votes = sample.votes.unwrap_or_else(|| ReaderVotes::of([sample.label]));
        votes.shares().unwrap_or_default().map(|share| share as f32)
    };
    Some(samples.map(target).collect())
}

/// Copies of an image in two splits are an error, or a warning if they are allowed.
fn refuse_copies(
    manifest: &DatasetManifest,
    cache: &CachedImages,
    recorder: &mut Recorder,
    cancellation: Cancellation<'_>,
) -> anyhow::Result<()> {
    let signature = |position: usize| cache.records()[position].as_ref().ok()?.signature.as_ref();
    let copies = copied_pictures(manifest, &signature, cancellation).ok_or(Cancelled)?;
    let Some(copies) = CopiedImages::some(copies) else { return Ok(()) };
    if !manifest.allow_duplicates {
        bail!("{copies}; remove one of each, or train with --allow-duplicates");
    }
    recorder.record(RunEventKind::Warning { message: format!("{copies}; allowed by --allow-duplicates") })
}

fn file_name(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
