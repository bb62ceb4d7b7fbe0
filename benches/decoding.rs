//! Decoding of image files compared with the `image` crate, on pictures of a mammogram's size.
#![allow(missing_docs, reason = "criterion's macros make public items")]

use std::hint::black_box;
use std::io::Cursor;

use criterion::{Criterion, criterion_group, criterion_main};
use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use image::{DynamicImage, ImageBuffer, ImageFormat, Luma};
use mammoscope_dataset::phantom::{PhantomGenerator, PhantomSettings};
use mammoscope_domain::subject::view::View;
use mammoscope_imaging::decode::decode;

const WIDTH: u32 = 2560;
const HEIGHT: u32 = 3328;

/// A phantom of a mammogram's size, with noise in its lowest bits as from films and detectors.
fn mammogram() -> Vec<u16> {
    let settings = PhantomSettings { seed: 1, size: 650, overlap: false, confounder: false };
    let generator = PhantomGenerator::new(settings).expect("a size within the limits");
    let small = generator.view(&generator.subject(3), View::MloR).image;
    let large = image::imageops::resize(&small, WIDTH, HEIGHT, FilterType::Triangle);
    let mut noise = 1_u32;
    let levels = large.as_raw().iter().map(|&level| {
        noise ^= noise << 13;
        noise ^= noise >> 17;
        noise ^= noise << 5;
        let noisy = u32::from(level) * 257 + if level > 5 { noise % 400 } else { 0 };
        noisy.min(65_535) as u16
    });
    levels.collect()
}

fn files() -> Vec<(&'static str, Vec<u8>)> {
    let deep: ImageBuffer<Luma<u16>, _> = ImageBuffer::from_raw(WIDTH, HEIGHT, mammogram()).expect("all pixels");
    let deep = DynamicImage::from(deep);
    let grey = DynamicImage::from(deep.to_luma8());
    let stored = |image: &DynamicImage, format| {
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, format).expect("memory");
        bytes.into_inner()
    };
    let jpeg = |image: DynamicImage| {
        let mut bytes = Vec::new();
        image.write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, 92)).expect("memory");
        bytes
    };
    vec![
        ("PNG 8-bit grey", stored(&grey, ImageFormat::Png)),
        ("PNG 16-bit grey", stored(&deep, ImageFormat::Png)),
        ("TIFF 8-bit grey", stored(&grey, ImageFormat::Tiff)),
        ("TIFF 16-bit grey", stored(&deep, ImageFormat::Tiff)),
        ("JPEG grey", jpeg(grey.clone())),
        ("JPEG RGB", jpeg(DynamicImage::from(grey.to_rgb8()))),
    ]
}

fn decoders(criterion: &mut Criterion) {
    for (name, bytes) in files() {
        let mut group = criterion.benchmark_group(name);
        group.sample_size(20);
        group.bench_function("image crate", |bencher| {
            bencher.iter(|| image::load_from_memory(black_box(&bytes)).expect("a whole file"));
        });
        // As from a file: the decoder owns the bytes.
        group.bench_function("mammoscope", |bencher| {
            bencher.iter_batched(|| bytes.clone(), decode, criterion::BatchSize::LargeInput);
        });
    }
}

criterion_group!(benches, decoders);
criterion_main!(benches);
