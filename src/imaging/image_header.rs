//! What an image's first bytes tell, without decoding it: for lists of many images.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use image::ImageDecoder as _;
use image::codecs::tiff::TiffDecoder;

use super::image_error::ImageError;
use super::image_facts::{ColorKind, ImageFacts, ImageFormat};

/// What an image file's header tells, and the file's length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageHeader {
    /// The image.
    pub facts: ImageFacts,
    /// The file's length in bytes.
    pub bytes: u64,
}

/// Reads an image file's header. A file whose header is whole may still be damaged further on.
pub fn read_header(path: &Path) -> Result<ImageHeader, ImageError> {
    // Asked before it is opened: opening a pipe waits for its writer.
    let kind = std::fs::metadata(path)?;
    if kind.is_dir() {
        return Err(ImageError::NotAFile("folder"));
    }
    if !kind.is_file() {
        return Err(ImageError::NotAFile("pipe or device"));
    }
    if kind.len() == 0 {
        return Err(ImageError::Empty);
    }
    let mut file = BufReader::with_capacity(1 << 12, File::open(path)?);
    let mut start = Vec::new();
    file.by_ref().take(132).read_to_end(&mut start)?;
    let facts = match ImageFormat::of(&start) {
        None => return Err(ImageError::NotAnImage { dicom: start.get(128..132) == Some(b"DICM") }),
        Some(ImageFormat::Png) => png_facts(&start),
        Some(ImageFormat::Jpeg) => jpeg_facts(&mut file),
        Some(ImageFormat::Tiff) => tiff_facts(file),
    }?;
    if facts.width == 0 || facts.height == 0 {
        let reason = format!("it claims {} × {} pixels", facts.width, facts.height);
        return Err(ImageError::Damaged { format: facts.format, reason });
    }
    Ok(ImageHeader { facts, bytes: kind.len() })
}

fn png_facts(start: &[u8]) -> Result<ImageFacts, ImageError> {
    let format = ImageFormat::Png;
    let header = start.get(16..26).ok_or(ImageError::Truncated { format })?;
    let size = |at: usize| u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    let color = match header[9] {
        0 => ColorKind::Grey,
        2 => ColorKind::Rgb,
        3 => ColorKind::Palette,
        4 => ColorKind::GreyAlpha,
        _ => ColorKind::Rgba,
    };
    Ok(ImageFacts { width: size(0), height: size(4), bits: header[8], color, format })
}

/// Goes from marker to marker until the one that begins a frame (ITU-T T.81, B.2.2).
fn jpeg_facts(file: &mut (impl Read + Seek)) -> Result<ImageFacts, ImageError> {
    let format = ImageFormat::Jpeg;
    let truncated = |_| ImageError::Truncated { format };
    file.seek(SeekFrom::Start(2))?;
    loop {
        let mut byte = [0];
        while byte[0] != 0xff {
            file.read_exact(&mut byte).map_err(truncated)?;
        }
        while byte[0] == 0xff {
            file.read_exact(&mut byte).map_err(truncated)?;
        }
        let marker = byte[0];
        // Markers without a segment.
        if matches!(marker, 0 | 1 | 0xd0..=0xd8) {
            continue;
        }
        let mut length = [0; 2];
        file.read_exact(&mut length).map_err(truncated)?;
        let is_frame = matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc);
        if !is_frame {
            file.seek(SeekFrom::Current(i64::from(u16::from_be_bytes(length)) - 2))?;
            continue;
        }
        let mut frame = [0; 6];
        file.read_exact(&mut frame).map_err(truncated)?;
        let color = match frame[5] {
            1 => ColorKind::Grey,
            4 => ColorKind::Cmyk,
            _ => ColorKind::Rgb,
        };
        let side = |at: usize| u32::from(u16::from_be_bytes([frame[at], frame[at + 1]]));
        return Ok(ImageFacts { width: side(3), height: side(1), bits: frame[0], color, format });
    }
}

fn tiff_facts(mut file: BufReader<File>) -> Result<ImageFacts, ImageError> {
    let format = ImageFormat::Tiff;
    file.rewind()?;
    let damaged = |error: image::ImageError| ImageError::Damaged { format, reason: error.to_string() };
    let decoder = TiffDecoder::new(file).map_err(damaged)?;
    let (width, height) = decoder.dimensions();
    let stored = decoder.original_color_type();
    let color = match stored.channel_count() {
        1 => ColorKind::Grey,
        2 => ColorKind::GreyAlpha,
        3 => ColorKind::Rgb,
        _ => ColorKind::Rgba,
    };
    let bits = (stored.bits_per_pixel() / u16::from(stored.channel_count())) as u8;
    Ok(ImageFacts { width, height, bits, color, format })
}

#[cfg(test)]
mod tests {
    use image::{DynamicImage, GrayImage, ImageFormat as Written, RgbImage};

    use super::*;
    use crate::imaging::decode::decode_file;

    #[test]
    fn headers_tell_what_decoding_tells() {
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
    fn what_is_no_image_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let said = |bytes: &[u8]| {
            let path = folder.path().join("x.png");
            std::fs::write(&path, bytes).unwrap();
            read_header(&path).unwrap_err().to_string()
        };
        assert_eq!(said(b""), "is empty (0 bytes)");
        assert_eq!(said(b"notes"), "is no PNG, JPEG or TIFF image");
        assert!(said(b"\x89PNG\r\n\x1a\n\0\0").contains("truncated"));
        assert!(said(b"\xff\xd8\xff\xe0\0\x10").contains("truncated"));
        assert!(read_header(folder.path()).unwrap_err().to_string().contains("folder"));
    }
}
