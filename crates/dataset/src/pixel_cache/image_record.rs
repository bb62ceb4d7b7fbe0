//! The record of a cached image, and the check that its file has not changed.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use super::PixelCache;
use super::content_index::ContentHash;
use mammoscope_domain::image::grey_range::GreyRange;
use mammoscope_domain::run::dataset_manifest::PixelFacts;
use mammoscope_imaging::decode::{ImageError, decode, decode_file, read_file};
use mammoscope_imaging::picture_signature::PictureSignature;
use mammoscope_imaging::pixel_checksum::pixel_sha256;
use mammoscope_imaging::raster::Raster;
use mammoscope_imaging::resize::resize;

/// The facts about a cached image.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageRecord {
    /// The index of its pixels, for [`CachedImages::pixels`](super::CachedImages::pixels). Files with the same bytes share
    /// a slot.
    pub slot: usize,
    /// The facts before resizing.
    pub facts: PixelFacts,
    /// `None` if the image has no structure to recognise.
    pub signature: Option<PictureSignature>,
    /// Length of its file in bytes when it was read.
    pub file_len: u64,
    /// Modification time of its file when it was read.
    pub modified: SystemTime,
}

/// The reason why an image file is not in the cache.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnusableImage {
    /// The file cannot be read or decoded.
    #[error("{0}")]
    Undecodable(String),
    #[error("changed while the images were read")]
    Changed,
}

/// Checks that an image's file still has the cached pixels; if not, returns the reason. A file with the same length and
/// modification time is not opened; otherwise it is decoded.
#[must_use]
pub fn verify_unchanged(record: &ImageRecord, path: &Path, grey_range: GreyRange) -> Option<String> {
    let now = match fs::metadata(path) {
        Ok(now) => now,
        Err(error) => return Some(ImageError::from(error).to_string()),
    };
    if now.len() == record.file_len && now.modified().is_ok_and(|modified| modified == record.modified) {
        return None;
    }
    match decode_file(path).and_then(|image| image.into_levels(grey_range)).map(|levels| pixel_sha256(&levels.raster)) {
        Ok(checksum) if checksum == record.facts.sha256 => None,
        Ok(_) => Some("its pixels have changed since the run began".to_owned()),
        Err(error) => Some(error.to_string()),
    }
}

/// An image file, prepared for the cache.
#[expect(clippy::large_enum_variant, reason = "nearly all images can be decoded")]
pub(super) enum PreparedImage {
    Decoded {
        /// Resized, and in grey if it has no colours.
        pixels: Raster<u8>,
        /// The facts before resizing.
        facts: PixelFacts,
        signature: Option<PictureSignature>,
    },
    Undecodable {
        reason: String,
    },
    /// The file no longer has the bytes that were hashed.
    Changed,
}

/// Reads, decodes and resizes the image file with this content.
pub(super) fn prepare_image(cache: &PixelCache, content: &ContentHash, path: &Path) -> PreparedImage {
    let Ok(bytes) = read_file(path) else { return PreparedImage::Changed };
    if ContentHash::of(&bytes) != *content {
        return PreparedImage::Changed;
    }
    let levels = match decode(bytes).and_then(|image| image.into_levels(cache.grey_range)) {
        Ok(levels) => levels,
        Err(error) => return PreparedImage::Undecodable { reason: error.to_string() },
    };
    let picture = resize(&levels.raster, cache.size, cache.route);
    let facts = PixelFacts {
        sha256: pixel_sha256(&levels.raster),
        width: levels.raster.width(),
        height: levels.raster.height(),
        grey_deviation: (cache.measure)(&levels.raster),
        findings: Some(levels.findings(&picture)),
    };
    let signature = PictureSignature::of(&levels.raster);
    PreparedImage::Decoded { pixels: picture.grey_if_colourless(), facts, signature }
}
