//! Decoding of each pixel encoding, on a noisy image of a mammogram's size.
//!
//! Lossless JPEG is encoded here. The other codestreams are made by Python with the packages imagecodecs and pydicom, where
//! `python3` finds them: `pip install --target DIR imagecodecs pydicom`, and `PYTHONPATH=DIR`. Without them their
//! measurements are left out.
#![allow(missing_docs, reason = "criterion's macros make public items")]

use std::hint::black_box;
use std::process::Command;
use std::{env, fs, process};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mammoscope_dicom::codec::{Encoding, FrameLayout, decode, encode_jpeg_lossless};

const ROWS: usize = 2300;
const COLUMNS: usize = 1900;

/// Encodes the samples of a file and prints each codestream's name, and where it is.
const ENCODERS: &str = r#"
import sys
import imagecodecs, numpy
from pydicom.pixels.encoders import RLELosslessEncoder
folder, rows, columns = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
image = numpy.fromfile(folder + "/samples", "<u2").reshape(rows, columns)
rle = dict(rows=rows, columns=columns, samples_per_pixel=1, bits_allocated=16, bits_stored=12, pixel_representation=0,
           photometric_interpretation="MONOCHROME2", number_of_frames=1)
for name, codestream in {
    "JPEG extended 12 bits": imagecodecs.jpeg_encode(image, level=90, bitspersample=12),
    "JPEG baseline 8 bits": imagecodecs.jpeg_encode((image >> 4).astype("u1"), level=90),
    "JPEG-LS lossless": imagecodecs.jpegls_encode(image),
    "JPEG-LS near-lossless": imagecodecs.jpegls_encode(image, level=2),
    "JPEG 2000 reversible": imagecodecs.jpeg2k_encode(image, codecformat="j2k", reversible=True),
    "JPEG 2000 irreversible": imagecodecs.jpeg2k_encode(image, codecformat="j2k", reversible=False, level=85),
    "HTJ2K reversible": imagecodecs.htj2k_encode(image),
    "RLE": RLELosslessEncoder.encode(image.tobytes(), **rle),
}.items():
    with open(folder + "/" + name, "wb") as file:
        file.write(codestream)
"#;

/// A disc that becomes thinner towards its edge, with structures and noise, on a background with little noise.
fn mammogram() -> Vec<u16> {
    let mut state = 1_u32;
    let mut noise = move || {
        let sum: u32 = (0..4)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 17;
                state ^= state << 5;
                state % 64
            })
            .sum();
        f64::from(sum) - 126.0
    };
    let level = |index: usize| {
        let (x, y) = ((index % COLUMNS) as f64, (index / COLUMNS) as f64);
        let depth = 1.0 - (x / 1600.0).powi(2) - ((y - 1150.0) / 1080.0).powi(2);
        if depth <= 0.0 {
            return 20.0 + noise() / 8.0;
        }
        let texture = (x / 23.0 + y / 31.0).sin() * (y / 17.0 - x / 41.0).cos();
        2600.0 * depth.powf(0.4) + 200.0 * texture + noise() * 0.7
    };
    (0..ROWS * COLUMNS).map(level).map(|level| level.clamp(0.0, 4095.0) as u16).collect()
}

/// Each codestream with its name and encoding.
fn codestreams(samples: &[u16]) -> Vec<(String, Encoding, Vec<u8>)> {
    let lossless = |name: &str, predictor, restart| {
        let codestream = encode_jpeg_lossless(samples, ROWS, COLUMNS, 12, predictor, restart);
        (format!("JPEG lossless {name}"), Encoding::Jpeg, codestream)
    };
    let mut codestreams = vec![lossless("SV1", 1, None), lossless("predictor 6, restarts", 6, Some(1))];
    let folder = env::temp_dir().join(format!("codecs-{}", process::id()));
    fs::create_dir_all(&folder).expect("a temporary folder");
    let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    fs::write(folder.join("samples"), bytes).expect("a writable folder");
    let mut python = Command::new("python3");
    python.args(["-c", ENCODERS]).arg(&folder).args([ROWS.to_string(), COLUMNS.to_string()]);
    if !python.status().is_ok_and(|status| status.success()) {
        eprintln!("only lossless JPEG is measured: python3 lacks imagecodecs or pydicom");
    }
    for entry in fs::read_dir(&folder).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        let name = path.file_name().expect("a file").to_string_lossy().into_owned();
        let encoding = match name.split(' ').next() {
            Some("JPEG") if name.contains("2000") => Encoding::Jpeg2000,
            Some("HTJ2K") => Encoding::Jpeg2000,
            Some("JPEG") => Encoding::Jpeg,
            Some("JPEG-LS") => Encoding::JpegLs,
            Some("RLE") => Encoding::Rle,
            _ => continue,
        };
        codestreams.push((name, encoding, fs::read(path).expect("a readable file")));
    }
    fs::remove_dir_all(&folder).expect("a removable folder");
    codestreams.sort_by(|one, other| one.0.cmp(&other.0));
    codestreams
}

fn decoders(criterion: &mut Criterion) {
    let samples = mammogram();
    let mut group = criterion.benchmark_group("decode");
    group.sample_size(10).throughput(Throughput::Elements(samples.len() as u64));
    for (name, encoding, codestream) in codestreams(&samples) {
        let bits_allocated = if name.contains("8 bits") { 8 } else { 16 };
        let layout = FrameLayout { rows: ROWS, columns: COLUMNS, bits_allocated, bits_stored: bits_allocated.min(12) };
        let ratio = (samples.len() * usize::from(bits_allocated / 8)) as f64 / codestream.len() as f64;
        eprintln!("{name}: {} bytes, {ratio:.2} times smaller", codestream.len());
        group.bench_function(name, |bencher| {
            bencher.iter(|| decode(encoding, black_box(&codestream), layout).expect("a whole codestream"));
        });
    }
    group.finish();
    criterion.bench_function("encode JPEG lossless SV1", |bencher| {
        bencher.iter(|| encode_jpeg_lossless(black_box(&samples), ROWS, COLUMNS, 12, 1, None));
    });
}

criterion_group!(benches, decoders);
criterion_main!(benches);
