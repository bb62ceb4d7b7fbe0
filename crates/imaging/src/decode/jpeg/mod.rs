//! JPEG by libjpeg: the pixels are those of Pillow, OpenCV and TensorFlow to the last bit.

pub(crate) mod structure;

use std::io::Cursor;
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use mozjpeg::Decompress;
use mozjpeg_sys::jpeg_error_mgr as ErrorMgr;

use self::structure::{Frame, MAX_SCANS, Process, ScanFault, check_scans, read_frame};
use crate::decode::size_check::check_facts;
use crate::decoded_image::{DecodedImage, Samples};
use crate::image_error::ImageError;
use crate::image_facts::{ColorKind, ImageFacts, ImageFormat};
use crate::image_limits::MAX_IMAGE_BYTES;
use crate::raster::{Channels, Raster};

/// The most extraneous bytes after a scan that count as an encoder's padding. A damaged scan leaves hundreds, or ends
/// early.
const PADDING: i32 = 16;

/// Decodes a JPEG file. Its EXIF orientation is not applied, as in Pillow's `convert("RGB")` and in Keras.
pub(super) fn decode(bytes: &[u8]) -> Result<DecodedImage, ImageError> {
    let facts = checked_facts(bytes)?;
    let raster = pixels(bytes, facts.color)?;
    if (raster.width(), raster.height()) != (facts.width as usize, facts.height as usize) {
        return Err(damaged("it has two frame headers of different sizes".to_owned()));
    }
    Ok(DecodedImage { facts, samples: Samples::Depth8(raster) })
}

/// The pixels of a JPEG file at a number of eighths of its size, from 1 to 8, which is chosen by its facts.
pub(crate) fn reduced_pixels(
    bytes: &[u8],
    eighths: impl FnOnce(ImageFacts) -> u8,
) -> Result<(ImageFacts, Raster<u8>), ImageError> {
    let facts = checked_facts(bytes)?;
    Ok((facts, pixels_at(bytes, facts.color, eighths(facts))?))
}

/// The facts of a complete JPEG file.
fn checked_facts(bytes: &[u8]) -> Result<ImageFacts, ImageError> {
    let frame = read_frame(&mut Cursor::new(bytes)).map_err(|_| ImageError::Truncated { format: ImageFormat::Jpeg })?;
    let facts = facts(&frame)?;
    check_scans(bytes, &frame).map_err(|fault| match fault {
        ScanFault::NoEnd => ImageError::Truncated { format: ImageFormat::Jpeg },
        ScanFault::TooMany => damaged(format!("it has more than {MAX_SCANS} scans")),
        ScanFault::Missing { what } => damaged(format!("{what} are missing; it was cut off and closed again")),
    })?;
    Ok(facts)
}

/// The facts in a frame header, or an error if this kind of JPEG is not supported.
pub(crate) fn facts(frame: &Frame) -> Result<ImageFacts, ImageError> {
    if let Process::Other(name) = frame.process {
        return Err(unsupported(name));
    }
    if frame.bits != 8 {
        return Err(unsupported(&format!("{}-bit JPEG", frame.bits)));
    }
    let color = match frame.components.len() {
        1 => ColorKind::Grey,
        3 => ColorKind::Rgb,
        4 => ColorKind::Cmyk,
        count => return Err(unsupported(&format!("{count} components"))),
    };
    let (width, height) = (u32::from(frame.width), u32::from(frame.height));
    let facts = ImageFacts { width, height, bits: frame.bits, color, format: ImageFormat::Jpeg };
    // Between the scans of a progressive JPEG all coefficients are kept, two bytes each.
    let samples = u64::from(width) * u64::from(height) * color.samples();
    if samples > MAX_IMAGE_BYTES * 3 / 4 {
        return Err(unsupported("it takes too much memory to decode"));
    }
    check_facts(facts).map(|()| facts)
}

/// The pixels of a complete JPEG stream, grey or RGB.
pub(super) fn pixels(bytes: &[u8], color: ColorKind) -> Result<Raster<u8>, ImageError> {
    pixels_at(bytes, color, 8)
}

/// The pixels of a complete JPEG stream at a number of eighths of its size.
fn pixels_at(bytes: &[u8], color: ColorKind, eighths: u8) -> Result<Raster<u8>, ImageError> {
    let decoded = catch_unwind(AssertUnwindSafe(|| -> std::io::Result<Raster<u8>> {
        let mut jpeg = Decompress::builder().with_err(error_manager()).from_mem(bytes)?;
        if eighths < 8 {
            jpeg.scale(eighths);
        }
        let mut started = match color {
            ColorKind::Grey => jpeg.grayscale(),
            ColorKind::Cmyk => jpeg.to_colorspace(mozjpeg::ColorSpace::JCS_CMYK),
            _ => jpeg.rgb(),
        }?;
        let (width, height) = (started.width(), started.height());
        let raster = match color {
            ColorKind::Grey => Raster::new(width, height, Channels::Grey, started.read_scanlines()?),
            ColorKind::Cmyk => {
                let (mut row, mut samples) = (vec![[0_u8; 4]; width], Vec::with_capacity(width * height * 3));
                for _ in 0..height {
                    started.read_scanlines_into(&mut row)?;
                    samples.extend(row.iter().copied().flat_map(rgb_of_inverted_inks));
                }
                Raster::new(width, height, Channels::Rgb, samples)
            }
            _ => Raster::new(width, height, Channels::Rgb, started.read_scanlines::<[u8; 3]>()?.into_flattened()),
        };
        started.finish()?;
        Ok(raster)
    }));
    match decoded {
        Ok(Ok(raster)) => Ok(raster),
        Ok(Err(error)) => Err(damaged(error.to_string())),
        Err(payload) => match payload.downcast::<LibjpegFault>() {
            Ok(fault) => Err(fault.error()),
            Err(panic) => resume_unwind(panic),
        },
    }
}

fn unsupported(reason: &str) -> ImageError {
    ImageError::Unsupported { format: ImageFormat::Jpeg, reason: reason.to_owned() }
}

fn damaged(reason: String) -> ImageError {
    ImageError::Damaged { format: ImageFormat::Jpeg, reason }
}

/// Converts CMYK that is stored inverted, as Adobe's programs write it.
fn rgb_of_inverted_inks(inks: [u8; 4]) -> [u8; 3] {
    crate::decode::inks::rgb_of_inks(inks.map(|ink| 255 - ink))
}

/// An error or warning of libjpeg.
#[derive(Debug)]
struct LibjpegFault {
    code: i32,
    message: String,
}

impl LibjpegFault {
    fn error(self) -> ImageError {
        match self.code {
            mozjpeg_sys::JWRN_JPEG_EOF | mozjpeg_sys::JERR_INPUT_EOF => {
                ImageError::Truncated { format: ImageFormat::Jpeg }
            }
            mozjpeg_sys::JERR_OUT_OF_MEMORY => unsupported("it takes too much memory to decode"),
            mozjpeg_sys::JERR_FRACT_SAMPLE_NOTIMPL => unsupported("fractional sampling"),
            mozjpeg_sys::JERR_BAD_MCU_SIZE => unsupported("sampling factors too large for one scan"),
            mozjpeg_sys::JERR_CONVERSION_NOTIMPL => unsupported("colours of an unknown kind"),
            _ => damaged(self.message),
        }
    }
}

/// An error manager that unwinds with a [`LibjpegFault`] on errors and on warnings that mean damage, where libjpeg would
/// continue with grey blocks.
fn error_manager() -> ErrorMgr {
    let mut manager = MaybeUninit::<ErrorMgr>::zeroed();
    // SAFETY: all zeros are a valid value of this struct of optional functions, integers and pointers, and
    // `jpeg_std_error` fills it in.
    let mut manager = unsafe {
        mozjpeg_sys::jpeg_std_error(manager.assume_init_mut());
        manager.assume_init()
    };
    manager.error_exit = Some(on_error);
    manager.emit_message = Some(on_message);
    manager
}

#[cold]
extern "C-unwind" fn on_error(decoder: &mut mozjpeg_sys::jpeg_common_struct) {
    let fault = fault(decoder);
    // Not `panic!`: the panic hook must not run.
    resume_unwind(Box::new(fault));
}

/// `level` is −1 for a warning, and 0 or more for trace messages.
extern "C-unwind" fn on_message(decoder: &mut mozjpeg_sys::jpeg_common_struct, level: i32) {
    if level < 0 && means_damage(decoder) {
        let fault = fault(decoder);
        resume_unwind(Box::new(fault));
    }
}

fn means_damage(decoder: &mut mozjpeg_sys::jpeg_common_struct) -> bool {
    // SAFETY: a decoder that calls back has an error manager, which lives as long as the decoder.
    let manager = unsafe { &mut *decoder.err };
    match manager.msg_code {
        // Odd but harmless: an unknown version or colour transform, headers that contradict a sequential scan, more data
        // than the picture needs.
        mozjpeg_sys::JWRN_ADOBE_XFORM
        | mozjpeg_sys::JWRN_JFIF_MAJOR
        | mozjpeg_sys::JWRN_NOT_SEQUENTIAL
        | mozjpeg_sys::JWRN_TOO_MUCH_DATA => false,
        mozjpeg_sys::JWRN_EXTRANEOUS_DATA => {
            let [count, marker, ..] = parameters(manager);
            // Before a restart marker the interval ended early; elsewhere a few bytes are padding.
            matches!(marker, 0xd0..=0xd7) || (count > PADDING && has_scans(decoder))
        }
        _ => true,
    }
}

/// True once a scan has started. Extraneous bytes between the headers before it affect no pixel.
fn has_scans(decoder: &mut mozjpeg_sys::jpeg_common_struct) -> bool {
    // SAFETY: only decompressors have this error manager, and the common part is the start of their struct.
    let decoder = unsafe { &*std::ptr::from_mut(decoder).cast::<mozjpeg_sys::jpeg_decompress_struct>() };
    decoder.input_scan_number > 0
}

/// The parameters of the last message.
fn parameters(manager: &mut ErrorMgr) -> [i32; 8] {
    // SAFETY: the union has 80 bytes, all of them initialised.
    unsafe { *manager.msg_parm.i() }
}

fn fault(decoder: &mut mozjpeg_sys::jpeg_common_struct) -> LibjpegFault {
    // SAFETY: as in `means_damage`.
    let manager = unsafe { &*decoder.err };
    let code = manager.msg_code;
    let mut text = [0_u8; 80];
    if let Some(format) = manager.format_message {
        // SAFETY: libjpeg writes at most 80 bytes (JMSG_LENGTH_MAX), the last of them 0. The binding declares the buffer
        // as shared although libjpeg writes to it, hence the cast.
        unsafe {
            let format: unsafe extern "C-unwind" fn(&mut mozjpeg_sys::jpeg_common_struct, &mut [u8; 80]) =
                std::mem::transmute(format);
            format(decoder, &mut text);
        }
    }
    let text = text.split(|&byte| byte == 0).next().unwrap_or_default();
    let text = String::from_utf8_lossy(text);
    let message = text.strip_prefix("Corrupt JPEG data: ").unwrap_or(&text).to_owned();
    LibjpegFault { code, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file with a frame header, one scan and an end marker.
    fn file(marker: u8, bits: u8, components: &[u8]) -> Vec<u8> {
        let frame: Vec<u8> = components.iter().flat_map(|&component| [component, 0x11, 0]).collect();
        let scan: Vec<u8> = components.iter().flat_map(|&component| [component, 0]).collect();
        let count = components.len() as u8;
        [
            &[0xff, 0xd8, 0xff, marker, 0, 8 + 3 * count, bits, 0, 8, 0, 8, count][..],
            &frame,
            &[0xff, 0xda, 0, 6 + 2 * count, count],
            &scan,
            &[0, 63, 0, 0x12, 0x34, 0xff, 0xd9],
        ]
        .concat()
    }

    #[test]
    fn unsupported_kinds_are_named() {
        for (marker, bits, components, named) in [
            (0xc3, 8, &[1][..], "lossless JPEG"),
            (0xc3, 16, &[1], "lossless JPEG"),
            (0xc1, 12, &[1], "12-bit JPEG"),
            (0xc2, 12, &[1], "12-bit JPEG"),
            (0xc9, 8, &[1], "arithmetic-coded JPEG"),
            (0xca, 8, &[1], "arithmetic-coded JPEG"),
            (0xf7, 8, &[1], "JPEG-LS"),
            (0xc5, 8, &[1], "hierarchical JPEG"),
            (0xc0, 8, &[1, 2], "2 components"),
        ] {
            let text = decode(&file(marker, bits, components)).unwrap_err().to_string();
            let expected = format!("is a JPEG of an unsupported kind ({named}); save it as 8- or 16-bit grey PNG");
            assert_eq!(text, expected);
        }
        let without_tables = decode(&file(0xc0, 8, &[1])).unwrap_err();
        assert!(without_tables.to_string().starts_with("is a damaged JPEG: "), "{without_tables}");
    }
}
