//! Copies of a picture among any images: with the same pixels, compressed or scaled again, or mirrored.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::copied_images::CopyKind;
use super::signature_search::{SimilarPair, similar_pairs};
use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::image::grey_range::GreyRange;
use mammoscope_imaging::decode::decode_file;
use mammoscope_imaging::picture_signature::PictureSignature;
use mammoscope_imaging::pixel_checksum::pixel_sha256;

/// What identifies a picture.
#[derive(Clone, Debug, PartialEq)]
pub struct PictureIdentity {
    /// SHA-256 of the pixels, in hexadecimal; `None` for a picture of a single grey level, which identifies nothing.
    checksum: Option<String>,
    signature: Option<PictureSignature>,
}

/// Two images that show the same picture, by their positions in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PictureCopy {
    pub earlier: usize,
    pub later: usize,
    /// [`CopyKind::Pixels`], [`CopyKind::Alike`] or [`CopyKind::Mirrored`].
    pub kind: CopyKind,
}

impl PictureIdentity {
    /// Decodes an image file; the error is a one-line reason why it cannot be read.
    pub fn read(path: &Path, grey_range: GreyRange) -> Result<Self, String> {
        let image = decode_file(path).and_then(|image| image.into_levels(grey_range));
        let raster = image.map_err(|error| error.to_string())?.raster;
        let samples = raster.samples();
        let is_flat = samples.iter().all(|level| level == &samples[0]);
        let checksum = (!is_flat).then(|| pixel_sha256(&raster));
        Ok(Self { checksum, signature: PictureSignature::of(&raster) })
    }
}

/// Decodes image files on all cores, one picture per core in memory; `on_read` is called after each. Returns `None` if
/// cancelled.
pub fn read_identities(
    paths: &[PathBuf],
    grey_range: GreyRange,
    cancellation: Cancellation<'_>,
    on_read: &(dyn Fn() + Sync),
) -> Option<Vec<Result<PictureIdentity, String>>> {
    paths
        .par_iter()
        .map(|path| {
            (!cancellation.is_cancelled()).then(|| {
                let identity = PictureIdentity::read(path, grey_range);
                on_read();
                identity
            })
        })
        .collect()
}

/// Finds the pairs of copies (among more than a few thousand pictures, nearly all), except that of many images with the same
/// pixels each is paired with the first only. `None` stands for an unreadable image. Returns `None` if cancelled.
#[must_use]
pub fn find_copies(images: &[Option<PictureIdentity>], cancellation: Cancellation<'_>) -> Option<Vec<PictureCopy>> {
    let mut first_of: HashMap<&str, usize> = HashMap::new();
    let mut copies = Vec::new();
    let (mut distinct, mut signatures) = (Vec::new(), Vec::new());
    for (later, image) in images.iter().enumerate() {
        let Some(PictureIdentity { checksum: Some(checksum), signature }) = image else { continue };
        if let Some(&earlier) = first_of.get(checksum.as_str()) {
            copies.push(PictureCopy { earlier, later, kind: CopyKind::Pixels });
            continue;
        }
        first_of.insert(checksum, later);
        if let Some(signature) = signature {
            distinct.push(later);
            signatures.push(signature);
        }
    }
    let copy = |pair: SimilarPair| {
        let [earlier, later] = pair.pictures.map(|at| distinct[at]);
        PictureCopy { earlier, later, kind: if pair.mirrored { CopyKind::Mirrored } else { CopyKind::Alike } }
    };
    copies.extend(similar_pairs(&signatures, cancellation)?.into_iter().map(copy));
    copies.sort_unstable_by_key(|copy| (copy.later, copy.earlier));
    Some(copies)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture with a texture of its own.
    fn picture(seed: u32, side: u32) -> image::GrayImage {
        image::GrayImage::from_fn(side, side, |x, y| {
            let position = y / 3 * 1000 + x / 3;
            let grain =
                position.wrapping_add(seed).wrapping_mul(2_654_435_761).rotate_left(13).wrapping_mul(2_246_822_519);
            image::Luma([(y + 60 + (grain >> 27)) as u8])
        })
    }

    #[test]
    fn all_pairs_of_copies_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let mirrored = image::imageops::flip_horizontal(&picture(1, 96));
        let pictures = [picture(1, 96), picture(2, 96), picture(1, 96), mirrored, image::GrayImage::new(96, 96)];
        let mut paths: Vec<PathBuf> = Vec::new();
        for picture in pictures.iter().chain([&pictures[4]]) {
            paths.push(folder.path().join(format!("{}.png", paths.len())));
            picture.save(&paths[paths.len() - 1]).unwrap();
        }
        paths.push(folder.path().join("absent.png"));
        let read = read_identities(&paths, GreyRange::Auto, Cancellation::never(), &|| {}).unwrap();
        assert!(read[6].is_err() && read[..6].iter().all(Result::is_ok));
        let images: Vec<_> = read.into_iter().map(Result::ok).collect();
        let copies = find_copies(&images, Cancellation::never()).unwrap();
        let pairs: Vec<_> = copies.iter().map(|copy| (copy.earlier, copy.later, copy.kind)).collect();
        assert_eq!(pairs, [(0, 2, CopyKind::Pixels), (0, 3, CopyKind::Mirrored)], "blank pictures are no copies");
        assert_eq!(find_copies(&images, Cancellation::new(&|| true)), None);
    }
}
