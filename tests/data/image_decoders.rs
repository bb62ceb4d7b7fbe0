//! The pixels of JPEG and TIFF files of every kind against those of Pillow and tifffile.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use mammoscope_imaging::decode::{ImageError, Samples, decode, decode_file};
use mammoscope_imaging::image_header::read_header;
use mammoscope_test_support::jpeg_encoder::{JpegKind, Scans};
use mammoscope_test_support::python::python_packages;
use mammoscope_test_support::{checkout, stderr_of};

/// The most grey levels by which JPEG decoders may differ: the standard leaves rounding and chroma interpolation open.
const JPEG_TOLERANCE: u16 = 2;

/// Runs a command of `image_references.py` on a folder. Returns `None` and records a skip without its packages.
fn write_references(command: &str, folder: &Path) -> Option<()> {
    let packages = ["pillow==13.0.0", "numpy==2.4.6", "tifffile==2026.3.3", "imagecodecs==2026.3.6"];
    let packages = python_packages("image-references-2026.3", &packages)?;
    let script = checkout().join("tests/image_references.py");
    let output =
        Command::new("python3").arg(script).arg(command).arg(folder).env("PYTHONPATH", packages).output().unwrap();
    assert!(output.status.success(), "{}", stderr_of(&output));
    Some(())
}

/// A reference decoder's result for a file.
enum Reference {
    Pixels {
        width: usize,
        height: usize,
        channels: usize,
        bits: u8,
        samples: Vec<u16>,
    },
    /// The decoder's error, or the word that our refusal must contain.
    Refused(String),
}

impl Reference {
    fn of(path: &Path) -> Self {
        let mut raw = path.as_os_str().to_owned();
        raw.push(".raw");
        let raw = fs::read(raw).unwrap();
        let line = raw.iter().position(|&byte| byte == b'\n').unwrap();
        let facts: serde_json::Value = serde_json::from_slice(&raw[..line]).unwrap();
        if let Some(error) = facts["error"].as_str() {
            return Self::Refused(error.to_owned());
        }
        let number = |key: &str| facts[key].as_u64().unwrap() as usize;
        let bytes = &raw[line + 1..];
        let samples = match number("bits") {
            8 => bytes.iter().map(|&sample| sample.into()).collect(),
            _ => bytes.as_chunks::<2>().0.iter().map(|&sample| u16::from_le_bytes(sample)).collect(),
        };
        let [width, height, channels] = ["width", "height", "channels"].map(number);
        Self::Pixels { width, height, channels, bits: number("bits") as u8, samples }
    }
}

/// The largest difference between a file's samples and the reference's, or a description of the mismatch.
fn difference(path: &Path) -> Result<u16, String> {
    let decoded = decode_file(path);
    let header = read_header(path);
    match (Reference::of(path), decoded) {
        (Reference::Pixels { .. }, Err(error)) => Err(format!("is refused: {error}")),
        (Reference::Refused(word), Err(error)) if error.to_string().contains(&word) => Ok(0),
        (Reference::Refused(word), Err(error)) => Err(format!("'{word}' is not in: {error}")),
        (Reference::Refused(word), Ok(_)) => Err(format!("is read, but the reference says {word}")),
        (Reference::Pixels { width, height, channels, bits, samples }, Ok(image)) => {
            let facts = header.map_err(|error| format!("the header: {error}"))?.facts;
            if facts != image.facts {
                return Err(format!("the header says {facts}, the image {}", image.facts));
            }
            let (shape, depth, found): (_, u8, Vec<u16>) = match &image.samples {
                Samples::Depth8(raster) => (
                    (raster.width(), raster.height(), raster.channels().count()),
                    8,
                    raster.samples().iter().map(|&sample| sample.into()).collect(),
                ),
                Samples::Depth16(raster) => {
                    ((raster.width(), raster.height(), raster.channels().count()), 16, raster.samples().to_vec())
                }
            };
            if (shape, depth) != ((width, height, channels), bits) {
                return Err(format!("{shape:?} of {depth} bits for {:?} of {bits}", (width, height, channels)));
            }
            Ok(found.iter().zip(&samples).map(|(&ours, &theirs)| ours.abs_diff(theirs)).max().unwrap_or(0))
        }
    }
}

/// Asserts that no file with an ending differs by more than `tolerance` allows. Returns the number of files.
fn compare_all(folder: &Path, ending: &str, tolerance: impl Fn(&Path) -> u16) -> usize {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == ending));
    paths.sort();
    let mut wrong = Vec::new();
    for path in &paths {
        let name = path.file_name().unwrap().to_string_lossy();
        match difference(path) {
            Ok(largest) if largest <= tolerance(path) => {}
            Ok(largest) => wrong.push(format!("{name}: differs by {largest}")),
            Err(problem) => wrong.push(format!("{name}: {problem}")),
        }
    }
    assert!(wrong.is_empty(), "{} of {} files:\n{}", wrong.len(), paths.len(), wrong.join("\n"));
    paths.len()
}

#[test]
fn tiff_files_of_every_kind_match_tifffile_and_pillow() {
    let folder = tempfile::tempdir().unwrap();
    if write_references("tiff", folder.path()).is_none() {
        return;
    }
    let is_jpeg = |path: &Path| path.to_string_lossy().contains("jpeg");
    let files = compare_all(folder.path(), "tif", |path| if is_jpeg(path) { JPEG_TOLERANCE } else { 0 });
    assert!(files >= 300, "{files} files");
}

#[test]
fn jpeg_files_of_every_kind_match_pillow() {
    let folder = tempfile::tempdir().unwrap();
    let factors = || (1..=4).flat_map(|h| (1..=2).map(move |v| (h, v)));
    let mut kinds = Vec::new();
    for luma in factors() {
        for scans in [Scans::Together, Scans::Separate, Scans::Progressive] {
            for chroma in factors() {
                kinds.push(JpegKind { size: (101, 75), luma, chroma: Some(chroma), scans, restart: 0 });
            }
            kinds.push(JpegKind { size: (101, 75), luma, chroma: None, scans, restart: 0 });
        }
    }
    for restart in [1, 3, 7] {
        for scans in [Scans::Together, Scans::Separate, Scans::Progressive] {
            for chroma in [None, Some((1, 1))] {
                kinds.push(JpegKind { size: (101, 75), luma: (2, 2), chroma, scans, restart });
            }
        }
    }
    for size in [(1, 1), (7, 9), (8, 8), (16, 17), (640, 3)] {
        kinds.push(JpegKind { size, luma: (2, 1), chroma: Some((1, 1)), scans: Scans::Separate, restart: 0 });
    }
    for (number, kind) in kinds.iter().enumerate() {
        if kind.can_be_encoded() {
            let JpegKind { luma, chroma, scans, restart, .. } = *kind;
            let name = format!("{number:03}_{luma:?}_{chroma:?}_{scans:?}_{restart}.jpg").replace([' ', '(', ')'], "");
            fs::write(folder.path().join(name), kind.encode()).unwrap();
        }
    }
    if write_references("decode", folder.path()).is_none() {
        return;
    }
    let files = compare_all(folder.path(), "jpg", |_| JPEG_TOLERANCE);
    assert!(files >= 100, "{files} files");
}

/// The standard allows fractions, such as chroma sampled at two thirds of luma, but libjpeg, and with it Pillow and
/// OpenCV, cannot interpolate them.
#[test]
fn fractional_sampling_is_refused_by_name() {
    let kind = JpegKind { size: (101, 75), luma: (3, 1), chroma: Some((1, 1)), scans: Scans::Separate, restart: 0 };
    let mut bytes = kind.encode();
    let frame = bytes.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    // Marker, length, depth, height, width and component count; then three bytes per component, the second its factors.
    assert_eq!(bytes[frame + 14], 0x11);
    bytes[frame + 14] = 0x21;
    let error = decode(bytes.as_slice()).unwrap_err();
    assert!(matches!(&error, ImageError::Unsupported { .. }), "{error}");
    assert!(error.to_string().contains("fractional sampling"), "{error}");
}

/// The range of the coded data of a JPEG file's last scan.
fn coded_data(bytes: &[u8]) -> std::ops::Range<usize> {
    let start = bytes.windows(2).rposition(|pair| pair == [0xff, 0xda]).unwrap();
    let header = usize::from(u16::from_be_bytes([bytes[start + 2], bytes[start + 3]]));
    start + 2 + header..bytes.len() - 2
}

/// A valid file of each kind of coding.
fn whole_files() -> impl Iterator<Item = (JpegKind, Vec<u8>)> {
    let scans = [Scans::Together, Scans::Separate, Scans::Progressive];
    let kinds = scans.into_iter().flat_map(|scans| {
        [None, Some((1, 1))].into_iter().flat_map(move |chroma| [0, 3].map(|restart| (scans, chroma, restart)))
    });
    kinds.map(|(scans, chroma, restart)| {
        let kind = JpegKind { size: (301, 275), luma: (2, 2), chroma, scans, restart };
        (kind, kind.encode())
    })
}

fn assert_damaged(bytes: &[u8], what: &str) {
    match decode(bytes) {
        Err(ImageError::Damaged { .. } | ImageError::Truncated { .. }) => {}
        Err(error) => panic!("{what}: {error}"),
        Ok(_) => panic!("{what} is read"),
    }
}

#[test]
fn a_truncated_jpeg_is_refused_whatever_follows() {
    for (kind, whole) in whole_files() {
        let data = coded_data(&whole);
        for part in 0..20 {
            let cut = &whole[..data.start + data.len() * part / 20];
            assert_damaged(cut, &format!("{kind:?} cut at {}", cut.len()));
            assert_damaged(&[cut, &[0xff, 0xd9]].concat(), &format!("{kind:?} cut at {} and closed", cut.len()));
            assert_damaged(&[cut, &whole].concat(), &format!("{kind:?} cut at {} before another", cut.len()));
        }
        assert!(decode([whole.as_slice(), &whole].concat()).is_ok(), "a second file after the end changes nothing");
    }
}

#[test]
fn a_jpeg_with_zeroed_data_is_refused() {
    let (mut files, mut refused) = (0, 0);
    for (_, whole) in whole_files() {
        let pixels = decode(whole.as_slice()).unwrap();
        let data = coded_data(&whole);
        for length in [16, 64, 256] {
            for place in 0..20 {
                let mut bytes = whole.clone();
                let at = data.start + data.len().saturating_sub(length) * place / 20;
                bytes[at..(at + length).min(data.end)].fill(0);
                files += 1;
                refused += usize::from(decode(bytes).map_or(true, |image| image == pixels));
            }
        }
    }
    // Zeros are codes as well: now and then they decode to the right number of blocks, and libjpeg cannot warn.
    assert!(refused * 100 >= files * 97, "{refused} of {files}");
}

#[test]
fn bytes_between_segments_are_ignored() {
    for (kind, whole) in whole_files() {
        let pixels = decode(whole.as_slice()).unwrap();
        let frame = whole.windows(2).position(|pair| matches!(pair, [0xff, 0xc0..=0xc2])).unwrap();
        let end = whole.len() - 2;
        for (at, bytes) in [(frame, &[0x55; 40][..]), (frame, &[0xff; 9]), (end, &[0; 8]), (end, &[0xff; 9])] {
            let padded = [&whole[..at], bytes, &whole[at..]].concat();
            assert_eq!(decode(padded).unwrap(), pixels, "{kind:?} with {bytes:?}");
        }
    }
}
