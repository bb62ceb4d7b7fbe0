//! Masks that a data set has beside its images.

use std::path::{Path, PathBuf};

use mammoscope_domain::text::printable::printable_path;
use mammoscope_imaging::decode::{ImageError, decode_file};
use mammoscope_imaging::mask::Mask;
use mammoscope_imaging::picture_regions::TrueMasks;
use mammoscope_imaging::raster::{Channels, Raster};
use mammoscope_imaging::resize::nearest_pil;

use super::phantom::files::MASKS_FOLDER;

/// A mask that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MaskError {
    /// It cannot be read.
    #[error("{}: the mask {error}", printable_path(path))]
    Unreadable {
        /// The mask's file.
        path: PathBuf,
        /// Why.
        error: ImageError,
    },
    /// It is of another size than its image.
    #[error(
        "{}: the mask has {} × {} pixels, its image {} × {}; make it as large as the image, or remove it",
        printable_path(path), found.0, found.1, expected.0, expected.1
    )]
    OtherSize {
        /// The mask's file.
        path: PathBuf,
        /// Width and height of the mask.
        found: (usize, usize),
        /// Width and height of the image.
        expected: (usize, usize),
    },
    /// It is not of one channel.
    #[error("{}: the mask is coloured; masks are grey, 0 outside and 255 inside", printable_path(path))]
    Coloured {
        /// The mask's file.
        path: PathBuf,
    },
}

/// Where the mask `what` of an image is looked for: `masks/<stem>_<what>.png` in the image's folder.
#[must_use]
pub fn mask_path(image: &Path, what: &str) -> PathBuf {
    let mut name = image.file_stem().unwrap_or_default().to_owned();
    name.push(format!("_{what}.png"));
    image.with_file_name(MASKS_FOLDER).join(name)
}

/// The masks beside an image of `width` × `height` pixels, resized as the network's input is, to `size` × `size`, or left
/// as large as they are, and what is wrong with those that cannot be used. Masks that are not there are `None`.
#[must_use]
pub fn true_masks(image: &Path, (width, height): (usize, usize), size: Option<usize>) -> (TrueMasks, Vec<MaskError>) {
    let load = |what: &str| {
        let path = mask_path(image, what);
        // Looked for first: most data sets have none, and that is no error.
        if !path.exists() {
            return Ok(None);
        }
        let decoded = match decode_file(&path) {
            Ok(decoded) => decoded.into_8_bit(),
            Err(error) => return Err(MaskError::Unreadable { path, error }),
        };
        let found = (decoded.width(), decoded.height());
        if found != (width, height) {
            return Err(MaskError::OtherSize { path, found, expected: (width, height) });
        }
        if decoded.channels() != Channels::Grey {
            return Err(MaskError::Coloured { path });
        }
        Ok(Some(mask_of(&size.map_or(decoded.clone(), |size| nearest_pil(&decoded, size, size)))))
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

/// What is lighter than middle grey.
fn mask_of(picture: &Raster<u8>) -> Mask {
    Mask::new(picture.width(), picture.height(), picture.samples().iter().map(|&level| level > 127).collect())
}

#[cfg(test)]
mod tests {
    use image::{GrayImage, Luma, RgbImage};

    use super::*;

    #[test]
    fn masks_beside_an_image() {
        let folder = tempfile::tempdir().unwrap();
        let image = folder.path().join("4_1_D_CC_R.png");
        let sound = |size| {
            let (masks, problems) = true_masks(&image, (6, 4), size);
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
    fn what_is_wrong_is_one_line() {
        let folder = tempfile::tempdir().unwrap();
        let image = folder.path().join("4_1_D_CC_R.png");
        std::fs::create_dir(folder.path().join("masks")).unwrap();
        let path = mask_path(&image, "dense");
        GrayImage::from_pixel(6, 4, Luma([255])).save(mask_path(&image, "breast")).unwrap();
        let message = || {
            let (masks, problems) = true_masks(&image, (6, 4), None);
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
