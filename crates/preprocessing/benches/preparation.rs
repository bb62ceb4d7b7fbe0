//! From the bytes of a file to the finished raster, and to the prepared image, of 2300 × 1900 pixels on one core.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use mammoscope_dicom::header::pixel_layout::Photometric;
use mammoscope_dicom::writer::{WrittenGrey, WrittenMammogram, WrittenSyntax};
use mammoscope_domain::image::grey_range::GreyRange;
use mammoscope_domain::subject::view::View;
use mammoscope_preprocessing::dicom_examination::judge;
use mammoscope_preprocessing::picture::OutputBits;
use mammoscope_preprocessing::preparation::{MusclePlan, prepare};
use mammoscope_preprocessing::settings::{PectoralTreatment, Settings};

const ROWS: usize = 2300;
const COLUMNS: usize = 1900;

/// A half-ellipse of breast with a muscle in its upper corner and noise, 12 bits.
fn samples() -> Vec<u16> {
    let mut state = 1_u32;
    let pixel = |at: usize| {
        let (x, y) = ((at % COLUMNS) as f64 / COLUMNS as f64, (at / COLUMNS) as f64 / ROWS as f64);
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let noise = f64::from(state >> 26);
        let level = match x.powi(2) / 0.8 + (y - 0.5).powi(2) / 0.2 {
            outside if outside > 1.0 => 30.0,
            _ if x < 0.35 - 0.6 * y => 2600.0,
            _ => 1500.0 + 300.0 * (9.0 * x).sin() * (11.0 * y).cos(),
        };
        (level + noise) as u16
    };
    (0..ROWS * COLUMNS).map(pixel).collect()
}

fn file(syntax: WrittenSyntax, samples: &[u16]) -> Vec<u8> {
    let mammogram = WrittenMammogram {
        patient_id: "1",
        patient_name: "Phantom^1",
        uids: ["2.25.1", "2.25.2", "2.25.3"],
        date: "20200101",
        view: View::MloL,
        rows: ROWS,
        columns: COLUMNS,
        bits: 12,
        samples,
        photometric: Photometric::Monochrome1,
        grey: WrittenGrey::Window,
        syntax,
        manufacturer: "bench",
        comment: "synthetic",
    };
    mammogram.to_bytes()
}

fn settings() -> Settings {
    Settings {
        bits: OutputBits::Eight,
        pectoral: PectoralTreatment::Auto,
        grey: "auto".parse().expect("a choice"),
        source_range: GreyRange::Auto,
        force: Vec::new(),
    }
}

fn bench(criterion: &mut Criterion) {
    let inverted: Vec<u16> = samples().into_iter().map(|value| 4095 - value.min(4095)).collect();
    let mut group = criterion.benchmark_group("2300 × 1900");
    group.sample_size(10);
    for (name, syntax) in [
        ("native to raster", WrittenSyntax::Explicit),
        ("JPEG lossless to raster", WrittenSyntax::JpegLossless { restart_rows: Some(16) }),
    ] {
        let bytes = file(syntax, &inverted);
        group.bench_function(name, |bencher| {
            bencher.iter(|| black_box(judge(bytes.clone(), &settings())).picture.expect("accepted"));
        });
    }
    let picture = judge(file(WrittenSyntax::Explicit, &inverted), &settings()).picture.expect("accepted");
    let plan = || MusclePlan::Find(PectoralTreatment::Auto);
    group.bench_function("raster to prepared image", |bencher| {
        bencher.iter(|| black_box(prepare(&picture, View::MloL, plan())).expect("a breast"));
    });
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
