//! Decoding of every kind of image and of damaged files, and the network's input against the reference implementation.

use std::io::Cursor;

use image::{DynamicImage, ImageBuffer, ImageFormat as Stored, Luma, LumaA, Rgb, Rgba};
use mammoscope_domain::image::grey_range::GreyRange;
use mammoscope_domain::network::input_route::InputRoute;
use mammoscope_imaging::decode::{ColorKind, DecodedImage, ImageError, ImageFormat, Samples, decode, decode_file};
use mammoscope_imaging::network_input::{NetworkInput, load_input, resize};
use mammoscope_imaging::raster::{Channels, Raster};
use mammoscope_test_support::shared;
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

/// The picture as a file; `None` if the format's encoder does not support its kind.
fn stored(image: &DynamicImage, format: Stored) -> Option<Vec<u8>> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).ok()?;
    Some(bytes.into_inner())
}

fn ramp_8() -> DynamicImage {
    ImageBuffer::from_fn(9, 7, |x, y| Luma([(x * 20 + y) as u8])).into()
}

/// Pictures of 9 × 7 pixels whose first channel is a ramp.
fn every_kind() -> [(DynamicImage, u8, ColorKind); 8] {
    let value = |x: u32, y: u32| (x * 20 + y) as u8;
    let deep = |x: u32, y: u32| (x * 7000 + y * 13) as u16;
    [
        (ramp_8(), 8, ColorKind::Grey),
        (ImageBuffer::from_fn(9, 7, |x, y| LumaA([value(x, y), 3])).into(), 8, ColorKind::GreyAlpha),
        (ImageBuffer::from_fn(9, 7, |x, y| Rgb([value(x, y), 5, 250])).into(), 8, ColorKind::Rgb),
        (ImageBuffer::from_fn(9, 7, |x, y| Rgba([value(x, y), 5, 250, 9])).into(), 8, ColorKind::Rgba),
        (ImageBuffer::from_fn(9, 7, |x, y| Luma([deep(x, y)])).into(), 16, ColorKind::Grey),
        (ImageBuffer::from_fn(9, 7, |x, y| LumaA([deep(x, y), 3])).into(), 16, ColorKind::GreyAlpha),
        (ImageBuffer::from_fn(9, 7, |x, y| Rgb([deep(x, y), 5, 60000])).into(), 16, ColorKind::Rgb),
        (ImageBuffer::from_fn(9, 7, |x, y| Rgba([deep(x, y), 5, 60000, 9])).into(), 16, ColorKind::Rgba),
    ]
}

/// The first sample of every pixel.
fn first_channel(image: &DecodedImage) -> Vec<u16> {
    match &image.samples {
        Samples::Depth8(raster) => {
            raster.samples().iter().step_by(raster.channels().count()).map(|&sample| sample.into()).collect()
        }
        Samples::Depth16(raster) => raster.samples().iter().step_by(raster.channels().count()).copied().collect(),
    }
}

#[test]
fn every_depth_and_colour_of_png_and_tiff_round_trips() {
    for (picture, bits, color) in every_kind() {
        for (format, named) in [(Stored::Png, ImageFormat::Png), (Stored::Tiff, ImageFormat::Tiff)] {
            let Some(bytes) = stored(&picture, format) else {
                assert_eq!((format, color), (Stored::Tiff, ColorKind::GreyAlpha), "the one kind without an encoder");
                continue;
            };
            let image = decode(bytes.as_slice()).unwrap_or_else(|error| panic!("{bits}-bit {color} {named} {error}"));
            assert_eq!((image.facts.width, image.facts.height), (9, 7));
            assert_eq!((image.facts.bits, image.facts.color, image.facts.format), (bits, color, named));
            let expected: Vec<u16> = match bits {
                8 => (0..63).map(|at| (at % 9) * 20 + at / 9).collect(),
                _ => (0..63).map(|at| (at % 9) * 7000 + at / 9 * 13).collect(),
            };
            assert_eq!(first_channel(&image), expected, "{bits}-bit {color} {named}");
            let raster = image.into_8_bit();
            if matches!(color, ColorKind::Grey | ColorKind::GreyAlpha) {
                assert_eq!(raster.channels(), Channels::Grey);
            } else {
                let blue = if bits == 8 { 250 } else { 233 };
                assert_eq!(raster.samples()[2], blue, "an alpha channel is dropped, never mixed in");
            }
        }
    }
}

#[test]
fn sixteen_bits_are_scaled_from_their_full_range() {
    let picture = ImageBuffer::from_fn(4, 1, |x, _| Luma([[0_u16, 128, 129, 65535][x as usize]]));
    let image = decode(stored(&picture.into(), Stored::Png).unwrap()).unwrap();
    assert_eq!(image.into_8_bit().samples(), &[0, 0, 1, 255]);
}

#[test]
fn grey_and_colour_jpegs_are_decoded() {
    let grey = decode(stored(&ramp_8(), Stored::Jpeg).unwrap()).unwrap();
    assert_eq!((grey.facts.bits, grey.facts.color, grey.facts.format), (8, ColorKind::Grey, ImageFormat::Jpeg));
    let flat = image::RgbImage::from_pixel(20, 10, Rgb([200, 100, 50])).into();
    let image = decode(stored(&flat, Stored::Jpeg).unwrap()).unwrap();
    assert_eq!((image.facts.width, image.facts.height, image.facts.color), (20, 10, ColorKind::Rgb));
    for (sample, wanted) in image.into_8_bit().samples()[..3].iter().zip([200_u8, 100, 50]) {
        assert!(sample.abs_diff(wanted) <= 3, "{sample} for {wanted}");
    }
}

/// A PNG of a size, a kind (bits, colour type, interlacing) and chunks, with correct checksums.
fn png(width: u32, height: u32, [bits, color, interlaced]: [u8; 3], chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[bits, color, 0, 0, interlaced]].concat();
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    for (name, data) in std::iter::once((b"IHDR", header.as_slice())).chain(chunks.iter().copied()) {
        bytes.extend((data.len() as u32).to_be_bytes());
        let start = bytes.len();
        bytes.extend(name);
        bytes.extend(data);
        let checksum = bytes[start..].iter().fold(u32::MAX, |crc, &byte| {
            (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
        });
        bytes.extend((!checksum).to_be_bytes());
    }
    bytes
}

/// Bytes as one uncompressed zlib block.
fn zlib(data: &[u8]) -> Vec<u8> {
    let length = data.len() as u16;
    let (low, high) = data.iter().fold((1_u32, 0_u32), |(low, high), &byte| {
        let low = (low + u32::from(byte)) % 65521;
        (low, (high + low) % 65521)
    });
    let checksum = ((high << 16) | low).to_be_bytes();
    [&[0x78, 0x01, 0x01][..], &length.to_le_bytes(), &(!length).to_le_bytes(), data, &checksum].concat()
}

#[test]
fn palettes_and_low_bit_depths_are_expanded() {
    let palette = [10, 20, 30, 40, 50, 60];
    let bytes = png(3, 1, [1, 3, 0], &[(b"PLTE", &palette), (b"IDAT", &zlib(&[0, 0b0100_0000])), (b"IEND", &[])]);
    let image = decode(bytes.as_slice()).unwrap();
    assert_eq!((image.facts.bits, image.facts.color), (1, ColorKind::Palette));
    assert_eq!(image.into_8_bit().samples(), &[10, 20, 30, 40, 50, 60, 10, 20, 30]);
    let bytes = png(2, 1, [4, 0, 0], &[(b"IDAT", &zlib(&[0, 0x3f])), (b"IEND", &[])]);
    let image = decode(bytes.as_slice()).unwrap();
    assert_eq!((image.facts.bits, image.facts.color), (4, ColorKind::Grey));
    assert_eq!(image.into_8_bit().samples(), &[0x33, 0xff]);
}

#[test]
fn interlaced_images_are_deinterlaced() {
    // Adam7 of 2 × 2 pixels: the first pass holds the first pixel, the sixth the second, the seventh the lower row.
    let passes = zlib(&[0, 10, 0, 20, 0, 30, 40]);
    let image = decode(png(2, 2, [8, 0, 1], &[(b"IDAT", &passes), (b"IEND", &[])])).unwrap();
    assert_eq!(image.into_8_bit().samples(), &[10, 20, 30, 40]);
}

#[test]
fn oversized_images_are_refused_before_allocation() {
    for (width, height) in [(100_000, 100_000), (0x7fff_ffff, 0x7fff_ffff), (100_000_001, 1)] {
        let bytes = png(width, height, [16, 6, 0], &[(b"IDAT", &zlib(&[0; 64])), (b"IEND", &[])]);
        let error = decode(bytes.as_slice()).unwrap_err();
        assert!(matches!(error, ImageError::TooManyPixels { .. }), "{error}");
        assert!(error.to_string().contains(&format!("{width} × {height}")), "{error}");
    }
    let error = decode(png(0, 5, [8, 0, 0], &[(b"IEND", &[])])).unwrap_err();
    assert!(matches!(error, ImageError::Damaged { .. }), "{error}");
    let mut tiff = stored(&ramp_8(), Stored::Tiff).unwrap();
    // The directory's entries for width (256) and height (257): tag, type LONG, one value, little endian.
    for tag in [256_u16, 257] {
        let entry = [&tag.to_le_bytes()[..], &4_u16.to_le_bytes(), &1_u32.to_le_bytes()].concat();
        let at = tiff.windows(8).position(|window| window == entry).expect("the entry");
        tiff[at + 8..at + 12].copy_from_slice(&90_000_u32.to_le_bytes());
    }
    let error = decode(tiff).unwrap_err();
    assert!(matches!(error, ImageError::TooManyPixels { width: 90_000, height: 90_000 }), "{error}");
}

#[test]
fn files_that_are_not_images_are_identified() {
    assert!(matches!(decode(b""), Err(ImageError::Empty)));
    assert!(matches!(decode(b"subject,view,label\n"), Err(ImageError::NotAnImage { instead: None })));
    let dicom = [&[0; 128][..], b"DICM"].concat();
    assert!(decode(dicom).unwrap_err().to_string().contains("DICOM"));
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(decode_file(folder.path()).unwrap_err().to_string(), "is a folder, not a file");
    assert!(matches!(decode_file(&folder.path().join("missing.png")), Err(ImageError::Unreadable(_))));
    // The name does not count: a JPEG called .png is a JPEG.
    let misnamed = folder.path().join("image.png");
    std::fs::write(&misnamed, stored(&ramp_8(), Stored::Jpeg).unwrap()).unwrap();
    assert_eq!(decode_file(&misnamed).unwrap().facts.format, ImageFormat::Jpeg);
}

#[test]
fn a_file_truncated_anywhere_gives_one_line() {
    for (picture, ..) in every_kind() {
        for format in [Stored::Png, Stored::Tiff, Stored::Jpeg] {
            let Some(bytes) = stored(&picture, format) else { continue };
            let whole = decode(bytes.as_slice()).unwrap();
            for length in 0..bytes.len() {
                // The missing part may not matter (a PNG's end chunk): then the picture is complete.
                match decode(&bytes[..length]) {
                    Ok(image) => assert_eq!(image, whole, "{format:?}, {length} of {} bytes", bytes.len()),
                    Err(error) => assert!(!error.to_string().contains('\n'), "{error}"),
                }
            }
            assert!(decode(&bytes[..bytes.len() / 2]).is_err(), "half of a {format:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn flipped_bytes_never_panic(
        kind in 0_usize..8,
        format in prop::sample::select(&[Stored::Png, Stored::Tiff, Stored::Jpeg]),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        if let Some(mut bytes) = stored(&every_kind()[kind].0, format) {
            for (at, value) in flips {
                let at = at.index(bytes.len());
                bytes[at] = value;
            }
            if let Ok(image) = decode(bytes.as_slice()) {
                let facts = image.facts;
                let raster = image.into_8_bit();
                prop_assert_eq!((raster.width() as u32, raster.height() as u32), (facts.width, facts.height));
            }
        }
    }
}

#[test]
fn a_colour_image_keeps_its_colours() {
    let image = Raster::new(2, 2, Channels::Rgb, (0..12).map(|value| value * 20).collect());
    let input = NetworkInput::from_resized(&resize(&image, 4, InputRoute::Training), InputRoute::Training);
    assert_eq!(input.values().len(), 4 * 4 * 3);
    assert!(input.values()[0] < input.values()[1] && input.values()[1] < input.values()[2]);
}

#[test]
fn the_network_input_equals_the_references() {
    let (Some(reference), Some(seed)) = (shared("reference/predictions.json"), shared("seed")) else { return };
    let reference: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(reference).unwrap()).unwrap();
    let images = reference["images"].as_array().unwrap();
    assert_eq!(images.len(), 8);
    for expected in images {
        let path = seed.join(expected["file"].as_str().unwrap());
        let image = decode_file(&path).unwrap();
        let size = [0, 1].map(|at| expected["src_size_wh"][at].as_u64().unwrap());
        assert_eq!([u64::from(image.facts.width), u64::from(image.facts.height)], size);
        let image = image.into_8_bit();
        for (route, expected) in
            [(InputRoute::Training, &expected["route1"]), (InputRoute::GradCamNotebook, &expected["route2"])]
        {
            let resized = resize(&image, 650, route);
            let hex = expected["u8_sha256"].as_str().unwrap();
            let theirs: Vec<u8> =
                (0..64).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
            assert_eq!(Sha256::digest(resized.samples())[..], theirs, "{} {route}", path.display());
            let input = load_input(&path, 650, route, GreyRange::Auto).unwrap().0;
            assert_eq!(input, NetworkInput::from_resized(&resized, route));
            for (place, value) in expected["input_pixels"].as_object().unwrap() {
                let (row, column) = place.split_once(',').unwrap();
                let [row, column] = [row, column].map(|text| text.parse::<usize>().unwrap());
                for channel in 0..NetworkInput::CHANNELS {
                    let ours = f64::from(input.values()[(row * 650 + column) * NetworkInput::CHANNELS + channel]);
                    let theirs = value.as_f64().unwrap();
                    assert!((ours - theirs).abs() < 1e-6, "{place}: {ours} for {theirs}");
                }
            }
            let ours: f64 = input.values().iter().map(|value| f64::from(value.abs())).sum();
            let theirs = expected["input_sum_abs"].as_f64().unwrap();
            assert!((ours / theirs - 1.0).abs() < 1e-6, "sum of magnitudes {ours} for {theirs}");
        }
    }
}
