//! One cached image: what its pixels are, and whether its file still has them.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use sha2::{Digest as _, Sha256};

use super::PixelCache;
use super::content_index::ContentHash;
use mammoscope_domain::image::grey_range::GreyRange;
use mammoscope_domain::run::dataset_manifest::PixelFacts;
use mammoscope_domain::text::hexadecimal::hexadecimal;
use mammoscope_imaging::decode::{ImageError, decode, decode_file, read_file};
use mammoscope_imaging::picture_signature::PictureSignature;
use mammoscope_imaging::raster::{Channels, Raster};
use mammoscope_imaging::resize::resize;

/// What is known of a cached image.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageRecord {
    /// Where its pixels are: see [`CachedImages::pixels`](super::CachedImages::pixels). Files with the same bytes share
    /// them.
    pub slot: usize,
    /// What it is before it is resized.
    pub facts: PixelFacts,
    /// By what it is recognised; `None` where nothing is to be seen in it.
    pub signature: Option<PictureSignature>,
    /// Bytes of its file when it was read.
    pub file_len: u64,
    /// When its file had been written last.
    pub modified: SystemTime,
}

/// Whether an image's file still has the pixels that were cached: if not, why. A file that has its length and time of
/// writing still is not opened; another is decoded.
#[must_use]
pub fn verify_unchanged(record: &ImageRecord, path: &Path, grey_range: GreyRange) -> Option<String> {
    let now = match fs::metadata(path) {
        Ok(now) => now,
        Err(error) => return Some(ImageError::from(error).to_string()),
    };
    if now.len() == record.file_len && now.modified().is_ok_and(|modified| modified == record.modified) {
        return None;
    }
    match decode_file(path).and_then(|image| image.into_levels(grey_range)).map(|levels| pixel_checksum(&levels.raster))
    {
        Ok(checksum) if checksum == record.facts.sha256 => None,
        Ok(_) => Some("its pixels have changed since the run began".to_owned()),
        Err(error) => Some(error.to_string()),
    }
}

/// What comes of an image file.
#[expect(clippy::large_enum_variant, reason = "nearly all images can be decoded")]
pub(super) enum PreparedImage {
    /// It can be cached.
    Decoded {
        /// Resized; grey where it has no colours.
        pixels: Raster<u8>,
        /// What it is before it is resized.
        facts: PixelFacts,
        /// By what it is recognised.
        signature: Option<PictureSignature>,
    },
    /// Its bytes are no image.
    Undecodable {
        /// Why.
        reason: String,
    },
    /// It has not the bytes that it was hashed with; another time it may have.
    Changed,
}

/// Reads, decodes and resizes the image file that has these contents.
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
        sha256: pixel_checksum(&levels.raster),
        width: levels.raster.width(),
        height: levels.raster.height(),
        grey_deviation: (cache.measure)(&levels.raster),
        findings: Some(levels.findings(&picture)),
    };
    let signature = PictureSignature::of(&levels.raster);
    PreparedImage::Decoded { pixels: grey_where_colourless(picture), facts, signature }
}

/// SHA-256 as [`PixelFacts::sha256`] has it.
fn pixel_checksum(image: &Raster<u8>) -> String {
    let side = |pixels: usize| u32::try_from(pixels).expect("no side of a decoded image exceeds u32").to_le_bytes();
    let mut hasher = Sha256::new();
    hasher.update(side(image.width()));
    hasher.update(side(image.height()));
    hasher.update([image.channels().count() as u8]);
    hasher.update(image.samples());
    hexadecimal(&hasher.finalize())
}

/// Mammograms are often stored as RGB; one channel says the same in a third of the memory.
fn grey_where_colourless(image: Raster<u8>) -> Raster<u8> {
    let (pixels, rest) = image.samples().as_chunks::<3>();
    let colourless = image.channels() == Channels::Rgb
        && rest.is_empty()
        && pixels.iter().all(|[red, green, blue]| red == green && green == blue);
    if !colourless {
        return image;
    }
    Raster::new(image.width(), image.height(), Channels::Grey, pixels.iter().map(|[level, ..]| *level).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_covers_shape_and_samples() {
        let image = Raster::new(2, 1, Channels::Grey, vec![7, 255]);
        // printf '\2\0\0\0\1\0\0\0\1\7\377' | sha256sum
        assert_eq!(pixel_checksum(&image), "ec4ed94ea2201dfabc02fe82afb7e7d392ac46dc40fed8755e47baf941c58c02");
        assert_ne!(pixel_checksum(&Raster::new(1, 2, Channels::Grey, vec![7, 255])), pixel_checksum(&image));
    }

    #[test]
    fn equal_channels_are_one() {
        let stored_as_rgb = Raster::new(2, 1, Channels::Rgb, vec![9, 9, 9, 0, 0, 0]);
        assert_eq!(grey_where_colourless(stored_as_rgb), Raster::new(2, 1, Channels::Grey, vec![9, 0]));
        let coloured = Raster::new(2, 1, Channels::Rgb, vec![9, 9, 9, 0, 1, 0]);
        assert_eq!(grey_where_colourless(coloured.clone()), coloured);
        let grey = Raster::new(3, 1, Channels::Grey, vec![9, 9, 9]);
        assert_eq!(grey_where_colourless(grey.clone()), grey);
    }
}
