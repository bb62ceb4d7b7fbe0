//! Headers of image files, read without decoding the image: for lists of many images.

use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::Path;

use super::decode::jpeg::structure::read_frame;
use super::decode::{contain, jpeg, png, tiff};
use super::image_error::ImageError;
use super::image_facts::{ImageFacts, ImageFormat};
use mammoscope_domain::text::foreign_file::{BEGINNING, ForeignFile};

/// The facts in an image file's header and the file's length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageHeader {
    pub facts: ImageFacts,
    /// The file's length in bytes.
    pub bytes: u64,
}

/// Reads an image file's header. A file with an intact header may still be damaged further on.
pub fn read_header(path: &Path) -> Result<ImageHeader, ImageError> {
    // Checked first because opening a pipe would block until it has a writer.
    let metadata = std::fs::metadata(path)?;
    if metadata.is_dir() {
        return Err(ImageError::NotAFile("folder"));
    }
    if !metadata.is_file() {
        return Err(ImageError::NotAFile("pipe or device"));
    }
    if metadata.len() == 0 {
        return Err(ImageError::Empty);
    }
    let mut file = BufReader::with_capacity(1 << 12, File::open(path)?);
    let mut start = Vec::new();
    file.by_ref().take(BEGINNING as u64).read_to_end(&mut start)?;
    let Some(format) = ImageFormat::of(&start) else {
        return Err(ImageError::NotAnImage { instead: ForeignFile::of(&start) });
    };
    let facts = contain(format, || match format {
        ImageFormat::Png => png::facts(&start),
        ImageFormat::Jpeg => {
            let frame = read_frame(&mut file).map_err(|_| ImageError::Truncated { format })?;
            jpeg::facts(&frame)
        }
        ImageFormat::Tiff => tiff::read_facts(path),
    })?;
    if facts.width == 0 || facts.height == 0 {
        let reason = format!("it claims {} × {} pixels", facts.width, facts.height);
        return Err(ImageError::Damaged { format: facts.format, reason });
    }
    Ok(ImageHeader { facts, bytes: metadata.len() })
}

#[cfg(test)]
mod tests {
    use image::{DynamicImage, GrayImage, ImageFormat as Written, RgbImage};

    use super::*;
    use crate::decode::decode_file;

    #[test]
    fn headers_agree_with_the_decoded_images() {
        let folder = tempfile::tempdir().unwrap();
        let grey = DynamicImage::from(GrayImage::from_pixel(7, 5, image::Luma([9])));
        let rgb = DynamicImage::from(RgbImage::from_pixel(3, 4, image::Rgb([9, 8, 7])));
        let sixteen = DynamicImage::from(grey.to_luma16());
        for (name, picture, format) in [
            ("a.png", &grey, Written::Png),
            ("b.png", &sixteen, Written::Png),
            ("c.jpg", &grey, Written::Jpeg),
            ("d.jpg", &rgb, Written::Jpeg),
            ("e.tif", &sixteen, Written::Tiff),
            ("f.tif", &rgb, Written::Tiff),
        ] {
            let path = folder.path().join(name);
            picture.save_with_format(&path, format).unwrap();
            let header = read_header(&path).unwrap();
            assert_eq!(header.facts, decode_file(&path).unwrap().facts, "{name}");
            assert_eq!(header.bytes, path.metadata().unwrap().len());
        }
    }

    #[test]
    fn files_that_are_not_images_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        let error = |bytes: &[u8]| {
            let path = folder.path().join("x.png");
            std::fs::write(&path, bytes).unwrap();
            read_header(&path).unwrap_err().to_string()
        };
        assert_eq!(error(b""), "is empty (0 bytes)");
        assert_eq!(error(b"notes"), "is not a PNG, JPEG or TIFF image");
        assert!(error(b"\x89PNG\r\n\x1a\n\0\0").contains("truncated"));
        assert!(error(b"\xff\xd8\xff\xe0\0\x10").contains("truncated"));
        assert!(read_header(folder.path()).unwrap_err().to_string().contains("folder"));
    }
}
