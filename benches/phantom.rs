//! Time of one phantom view, masks included, on one core.
#![allow(missing_docs, reason = "criterion's macros make public items")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use mammoscope_dataset::phantom::{PhantomGenerator, PhantomSettings};
use mammoscope_domain::subject::view::View;

fn views(criterion: &mut Criterion) {
    for size in [256, 650] {
        let settings = PhantomSettings { seed: 1, size, overlap: false, confounder: false };
        let generator = PhantomGenerator::new(settings).expect("a size within the limits");
        let subject = generator.subject(3);
        for view in [View::CcL, View::MloR] {
            criterion.bench_function(&format!("phantom {view} {size} px"), |bencher| {
                bencher.iter(|| generator.view(black_box(&subject), view));
            });
        }
    }
}

criterion_group!(benches, views);
criterion_main!(benches);
