//! The ground-truth masks beside the images of a data set.

use std::path::{Path, PathBuf};

use mammoscope_domain::text::printable::printable_path;
use mammoscope_imaging::decode::{ImageError, decode_file};
use mammoscope_imaging::mask::Mask;
use mammoscope_imaging::picture_regions::TrueMasks;
use mammoscope_imaging::raster::{Channels, PictureSize, Raster};
use mammoscope_imaging::resize::nearest_pil;

use super::phantom::files::MASKS_FOLDER;

/// A mask that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MaskError {
    #[error("{}: the mask {error}", printable_path(path))]
    Unreadable { path: PathBuf, error: ImageError },
    /// The mask and its image differ in size.
    #[error(
        "{}: the mask has {found} pixels, its image {expected}; resize it to the size of the image, or remove it",
        printable_path(path)
    )]
    OtherSize { path: PathBuf, found: PictureSize, expected: PictureSize },
    /// The mask has more than one channel.
    #[error("{}: the mask is coloured; masks are grey, 0 outside and 255 inside", printable_path(path))]
    Coloured { path: PathBuf },
}

/// The path of the mask `what` of an image: `masks/<stem>_<what>.png` in the image's folder.
#[must_use]
pub fn mask_path(image: &Path, what: &str) -> PathBuf {
    let mut name = image.file_stem().unwrap_or_default().to_owned();
    name.push(format!("_{what}.png"));
    image.with_file_name(MASKS_FOLDER).join(name)
}

/// The masks beside an image of size `stored`, and the errors of those that cannot be used. Missing masks are `None`. With
/// `resized` they are resized to a square of this side like the network's input.
#[must_use]
pub fn true_masks(image: &Path, stored: PictureSize, resized: Option<usize>) -> (TrueMasks, Vec<MaskError>) {
    let load = |what: &str| {
        let path = mask_path(image, what);
        // Most data sets have no masks, which is not an error.
        if !path.exists() {
            return Ok(None);
        }
        let decoded = match decode_file(&path) {
            Ok(decoded) => decoded.into_8_bit(),
            Err(error) => return Err(MaskError::Unreadable { path, error }),
        };
        let found = decoded.size();
        if found != stored {
            return Err(MaskError::OtherSize { path, found, expected: stored });
        }
        if decoded.channels() != Channels::Grey {
            return Err(MaskError::Coloured { path });
        }
        Ok(Some(mask_of(&resized.map_or(decoded.clone(), |side| nearest_pil(&decoded, side, side)))))
    };
    let mut problems = Vec::new();
    let [breast, dense, pectoral] = ["breast", "dense", "pectoral"].map(load);
    let dense_is_unusable = dense.is_err();
    let [breast, dense, pectoral] = [breast, dense, pectoral].map(|mask| {
        mask.unwrap_or_else(|problem| {
            problems.push(problem);
            None
        })
    });
    (TrueMasks { breast, dense, pectoral, dense_is_unusable }, problems)
}

/// The pixels lighter than middle grey.
fn mask_of(picture: &Raster<u8>) -> Mask {
    Mask::new(picture.width(), picture.height(), picture.samples().iter().map(|&level| level > 127).collect())
}

#[cfg(test)]
mod tests {
    use image::{GrayImage, Luma, RgbImage};

    use super::*;

    const SIZE: PictureSize = PictureSize { width: 6, height: 4 };

    #[test]
    fn masks_beside_an_image_are_read_and_resized() {
        let folder = tempfile::tempdir().unwrap();
        let image = folder.path().join("4_1_D_CC_R.png");
        let sound = |size| {
            let (masks, problems) = true_masks(&image, SIZE, size);
            assert!(problems.is_empty(), "{problems:?}");
            masks
        };
        assert_eq!(sound(None), TrueMasks::default());
        std::fs::create_dir(folder.path().join("masks")).unwrap();
        let dense = GrayImage::from_fn(6, 4, |x, _| Luma([if x < 3 { 255 } else { 0 }]));
        dense.save(folder.path().join("masks/4_1_D_CC_R_dense.png")).unwrap();
        let masks = sound(None);
        assert_eq!((masks.breast, masks.pectoral, masks.dense.unwrap().area()), (None, None, 12));
        let resized = sound(Some(2)).dense.unwrap();
        assert_eq!(resized, Mask::new(2, 2, vec![true, false, true, false]));
    }

    #[test]
    fn unusable_masks_are_reported_in_one_line() {
        let folder = tempfile::tempdir().unwrap();
        let image = folder.path().join("4_1_D_CC_R.png");
        std::fs::create_dir(folder.path().join("masks")).unwrap();
        let path = mask_path(&image, "dense");
        GrayImage::from_pixel(6, 4, Luma([255])).save(mask_path(&image, "breast")).unwrap();
        let message = || {
            let (masks, problems) = true_masks(&image, SIZE, None);
            assert_eq!(problems.len(), 1, "{problems:?}");
            let breast = masks.breast.map(|breast| breast.area());
            assert_eq!((breast, masks.dense, masks.dense_is_unusable), (Some(24), None, true));
            problems[0].to_string()
        };
        GrayImage::new(6, 5).save(&path).unwrap();
        assert!(
            message().contains("4_1_D_CC_R_dense.png: the mask has 6 × 5 pixels, its image 6 × 4"),
            "{}",
            message()
        );
        RgbImage::new(6, 4).save(&path).unwrap();
        assert!(message().contains("coloured"), "{}", message());
        std::fs::write(&path, b"").unwrap();
        assert!(message().contains("the mask is empty (0 bytes)"), "{}", message());
    }
}
