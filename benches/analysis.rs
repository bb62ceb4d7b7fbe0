//! What the program computes itself, without libtorch: resizing, masks, agreement, intervals, events and charts.
#![allow(missing_docs, reason = "criterion's macros make public items")]

use std::hint::black_box;

use chrono::Utc;
use criterion::{Criterion, criterion_group, criterion_main};
use mammoscope::report::charts::{matrix_chart, svg_to_png};
use mammoscope_dataset::phantom::{PhantomGenerator, PhantomSettings};
use mammoscope_domain::metrics::agreement::{KappaWeights, cohen_kappa};
use mammoscope_domain::metrics::bootstrap::Bootstrap;
use mammoscope_domain::metrics::evaluation::Evaluation;
use mammoscope_domain::metrics::evaluation_set::EvaluationSet;
use mammoscope_domain::network::input_route::InputRoute;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::fusion::Fusion;
use mammoscope_domain::subject::prediction::PredictionRow;
use mammoscope_domain::subject::probabilities::Probabilities;
use mammoscope_domain::subject::subject_id::SubjectId;
use mammoscope_domain::subject::view::View;
use mammoscope_imaging::anatomy::{chest_wall_side, find_pectoral};
use mammoscope_imaging::breast_mask::breast_mask;
use mammoscope_imaging::dense_tissue::dense_tissue;
use mammoscope_imaging::raster::{Channels, Raster};
use mammoscope_imaging::resize::resize;
use mammoscope_storage::runs::event_tail::EventTail;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::workspace::Workspace;
use mammoscope_synthetic_run::{SyntheticHistory, SyntheticRun};

/// The side of the network's input in pixels.
const SIZE: usize = 650;
const SUBJECTS: usize = 128;
const REPORTS: u64 = 100_000;

fn phantom() -> Raster<u8> {
    let settings = PhantomSettings { seed: 1, size: SIZE as u32, overlap: false, confounder: false };
    let generator = PhantomGenerator::new(settings).expect("a size within the limits");
    let image = generator.view(&generator.subject(3), View::MloR).image;
    Raster::new(SIZE, SIZE, Channels::Grey, image.into_raw())
}

fn images(criterion: &mut Criterion) {
    let picture = phantom();
    let mut group = criterion.benchmark_group(format!("{SIZE} pixels"));
    let (width, height) = (1914, 2294);
    let mammogram =
        Raster::new(width, height, Channels::Grey, (0..width * height).map(|at| (at * 7 % 251) as u8).collect());
    for route in [InputRoute::Training, InputRoute::GradCamNotebook] {
        group.bench_function(format!("resize {width} × {height} for {route:?}"), |bencher| {
            bencher.iter(|| resize(black_box(&mammogram), SIZE, route));
        });
    }
    group.bench_function("breast mask", |bencher| bencher.iter(|| breast_mask(black_box(&picture))));
    let breast = breast_mask(&picture).expect("a breast");
    group.bench_function("dense tissue", |bencher| bencher.iter(|| dense_tissue(black_box(&picture), &breast)));
    let side = chest_wall_side(&breast).expect("a chest wall");
    group.bench_function("pectoral muscle", |bencher| {
        bencher.iter(|| find_pectoral(black_box(&picture), &breast, side));
    });
}

/// Four views a subject, predicted with errors.
fn predictions() -> Vec<PredictionRow> {
    let rows = (0..SUBJECTS).flat_map(|subject| View::ALL.map(move |view| (subject, view)));
    rows.map(|(subject, view)| {
        let label = DensityClass::ALL[subject % 4];
        let logits = DensityClass::ALL.map(|class| {
            let noise = (subject * 37 + class.index() * 11 + view as usize * 5) % 17;
            noise as f32 / 8.0 - label.index().abs_diff(class.index()) as f32
        });
        let probabilities = Probabilities::from_logits(logits).expect("finite logits");
        PredictionRow {
            file: format!("{subject}_{view}.png"),
            subject: SubjectId(subject.to_string()),
            exam: None,
            view: Some(view),
            label: Some(label),
            predicted: probabilities.most_probable(),
            probabilities,
        }
    })
    .collect()
}

fn figures(criterion: &mut Criterion) {
    let rows = predictions();
    let mut group = criterion.benchmark_group(format!("{SUBJECTS} subjects"));
    group.bench_function("sets of four views", |bencher| {
        bencher.iter(|| EvaluationSet::of_rows(black_box(&rows), Fusion::Mean).expect("consistent rows"));
    });
    let sets = EvaluationSet::of_rows(&rows, Fusion::Mean).expect("consistent rows");
    let set = sets.last().expect("a set");
    let evaluation = Evaluation::of(&set.cases, Bootstrap::NONE).expect("cases");
    group.bench_function("quadratic kappa", |bencher| {
        bencher.iter(|| cohen_kappa(black_box(&evaluation.confusion_matrix), KappaWeights::Quadratic));
    });
    group.sample_size(20);
    group.bench_function("all figures with 2,000 resamples", |bencher| {
        bencher.iter(|| Evaluation::of(black_box(&set.cases), Bootstrap::default()));
    });
    group.bench_function("chart of the confusion matrix", |bencher| {
        bencher.iter(|| matrix_chart("matrix", "Matrix", black_box(&evaluation.confusion_matrix)).expect("a chart"));
    });
    let chart = matrix_chart("matrix", "Matrix", &evaluation.confusion_matrix).expect("a chart");
    group.bench_function("the same as PNG", |bencher| {
        bencher.iter(|| svg_to_png("matrix", black_box(&chart.svg)).expect("a picture"));
    });
}

fn events(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let workspace = Workspace::open(Some(folder.path())).expect("a workspace");
    let history = SyntheticHistory { epochs: 10, steps_per_epoch: REPORTS / 10, seed: 1, study: None };
    let mut run = SyntheticRun::create(&workspace, history, Utc::now()).expect("a run");
    while run.advance().expect("a step") {}
    let path = RunDir::new(run.path().to_owned()).events();
    let mut group = criterion.benchmark_group("events");
    group.sample_size(20);
    group.bench_function(format!("read {REPORTS} reports"), |bencher| {
        bencher.iter(|| {
            let mut count = 0_u64;
            EventTail::new(&path).read(|_| count += 1).expect("events");
            assert!(count >= REPORTS);
        });
    });
}

criterion_group!(benches, images, figures, events);
criterion_main!(benches);
