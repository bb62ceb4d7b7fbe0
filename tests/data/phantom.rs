//! The phantom's images have their stated properties, and are the same everywhere.

use std::fmt::Write as _;

use image::GrayImage;
use mammoscope_dataset::phantom::{
    DensityBand, MIN_SIZE, PhantomGenerator, PhantomSettings, PhantomView, SizeOutOfRange,
};
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::view::{Projection, Side, View};
use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};
use rustfft::FftPlanner;
use rustfft::num_complex::Complex;
use sha2::{Digest as _, Sha256};

fn generator(seed: u64, size: u32) -> PhantomGenerator {
    PhantomGenerator::new(PhantomSettings { seed, size, overlap: false, confounder: false }).expect("a size in range")
}

fn pictures(view: &PhantomView) -> impl Iterator<Item = &GrayImage> {
    [&view.image, &view.breast, &view.dense].into_iter().chain(&view.pectoral)
}

/// SHA-256 over the pixels of all views and masks of the subjects.
fn digest(generator: &PhantomGenerator, subjects: std::ops::RangeInclusive<u32>) -> [u8; 32] {
    let views: Vec<PhantomView> = subjects
        .into_par_iter()
        .flat_map_iter(|number| {
            let subject = generator.subject(number);
            View::ALL.map(|view| generator.view(&subject, view))
        })
        .collect();
    let mut hash = Sha256::new();
    for picture in views.iter().flat_map(pictures) {
        hash.update(picture.as_raw());
    }
    hash.finalize().into()
}

/// For each pixel, true if it and all pixels within `radius` (square neighbourhood, inside the image) are breast tissue
/// without muscle.
fn eroded_tissue(view: &PhantomView, radius: u32) -> Vec<bool> {
    let size = view.image.width();
    let tissue: Vec<bool> = (0..(size * size) as usize)
        .map(|at| view.breast.as_raw()[at] > 0 && view.pectoral.as_ref().is_none_or(|mask| mask.as_raw()[at] == 0))
        .collect();
    // Rows, then columns.
    let pass = |source: &[bool], stride: u32, other: u32| -> Vec<bool> {
        (0..size * size)
            .map(|at| {
                let along = at / stride % size;
                let from = along.saturating_sub(radius);
                let start = at / other % size * other + from * stride;
                (0..=(along + radius).min(size - 1) - from).all(|step| source[(start + step * stride) as usize])
            })
            .collect()
    };
    pass(&pass(&tissue, 1, size), size, 1)
}

#[test]
fn masks_are_exact_and_nested_and_the_background_is_black() {
    for size in [MIN_SIZE, 97, 160] {
        let generator = generator(11, size);
        for number in 1..=8 {
            let subject = generator.subject(number);
            for view in View::ALL {
                let drawn = generator.view(&subject, view);
                let what = format!("subject {number}, {view}, {size} px");
                assert!(pictures(&drawn).all(|picture| picture.dimensions() == (size, size)), "{what}");
                assert_eq!(drawn.pectoral.is_some(), view.projection() == Projection::Mlo, "{what}");
                let mut muscle = Vec::new();
                for at in 0..(size * size) as usize {
                    let [grey, breast, dense] = [&drawn.image, &drawn.breast, &drawn.dense].map(|p| p.as_raw()[at]);
                    let pectoral = drawn.pectoral.as_ref().map_or(0, |mask| mask.as_raw()[at]);
                    assert!([breast, dense, pectoral].iter().all(|value| [0, 255].contains(value)), "{what}");
                    assert_eq!(grey > 0, breast > 0, "{what}: the breast is everything but the background");
                    assert!(dense <= breast && pectoral <= breast, "{what}: within the breast");
                    assert!(dense == 0 || pectoral == 0, "{what}: no dense tissue in the muscle");
                    if pectoral > 0 {
                        muscle.push(grey);
                    }
                }
                assert!(muscle.windows(2).all(|pair| pair[0] == pair[1]), "{what}: the muscle has one grey");
                assert_eq!(muscle.is_empty(), drawn.pectoral.is_none(), "{what}");
            }
        }
    }
}

#[test]
fn the_breast_reaches_from_the_chest_wall_to_the_opposite_edge() {
    let size = 128;
    let generator = generator(5, size);
    for number in 1..=12 {
        let subject = generator.subject(number);
        for view in View::ALL {
            let breast = generator.view(&subject, view).breast;
            let column = |x: u32| (0..size).filter(|&y| breast.get_pixel(x, y).0[0] > 0).count() as f64 / 128.0;
            let (chest, tip) = if view.side() == Side::Left { (0, size - 1) } else { (size - 1, 0) };
            assert!(column(chest) > 0.9, "subject {number}, {view}: chest wall {}", column(chest));
            assert!(
                (0.0..0.2).contains(&column(tip)) && column(tip) > 0.0,
                "subject {number}, {view}: {}",
                column(tip)
            );
        }
    }
}

#[test]
fn densities_stay_in_their_class_and_near_that_of_their_subject() {
    let generator = generator(21, 96);
    let mut means = [0.0; DensityClass::COUNT];
    let subjects = 80;
    for number in 1..=subjects {
        let subject = generator.subject(number);
        assert_eq!(subject.label.index() as u32, (number - 1) % 4, "the classes take turns");
        assert_eq!(subject.label, subject.drawn_from);
        let band = DensityBand::of(subject.label);
        for view in View::ALL {
            let measured = generator.view(&subject, view).percent_density();
            // One pixel more or less is at most 0.02 % of a breast at this size.
            let slack = 0.02;
            assert!(
                (band.low - slack..=band.high + slack).contains(&measured),
                "subject {number}, {view}: {measured} % outside the band of {}",
                subject.label
            );
            assert!((measured - subject.percent_density).abs() <= 3.0 + slack, "subject {number}, {view}");
            means[subject.label.index()] += measured / f64::from(subjects);
        }
    }
    // The means of the normals, cut to the bands: A 5.4, B 20.2, C 41.5, D 66.0 (numerically integrated).
    for (mean, expected) in means.into_iter().zip([5.4, 20.2, 41.5, 66.0]) {
        assert!((mean - expected).abs() < 3.5, "mean density {mean}, expected {expected}");
    }
}

/// Exponent of the radially averaged power spectrum of 128-pixel patches inside the breast, fitted from 4 to 28 cycles
/// per patch (Burgess 2001); `None` if no patch fits.
fn texture_exponent(view: &PhantomView) -> Option<f64> {
    const PATCH: usize = 128;
    let size = view.image.width() as usize;
    let tissue = eroded_tissue(view, 22);
    let transform = FftPlanner::new().plan_fft_forward(PATCH);
    let hann = |index: usize| 0.5 - 0.5 * (std::f64::consts::TAU * index as f64 / (PATCH as f64 - 1.0)).cos();
    let mut power = [(0.0, 0_u32); PATCH / 2];
    for top in (0..size - PATCH).step_by(32) {
        for left in (0..size - PATCH).step_by(32) {
            let rows = (top..top + PATCH).map(|y| y * size + left..y * size + left + PATCH);
            if !rows.clone().all(|row| tissue[row].iter().all(|&inside| inside)) {
                continue;
            }
            let grey: Vec<f64> = rows.flat_map(|row| view.image.as_raw()[row].iter().copied().map(f64::from)).collect();
            let mean = grey.iter().sum::<f64>() / grey.len() as f64;
            let mut patch: Vec<Complex<f64>> = grey
                .iter()
                .enumerate()
                .map(|(at, grey)| Complex::new((grey - mean) * hann(at / PATCH) * hann(at % PATCH), 0.0))
                .collect();
            transform.process(&mut patch);
            let mut columns: Vec<Complex<f64>> =
                (0..PATCH * PATCH).map(|at| patch[at % PATCH * PATCH + at / PATCH]).collect();
            transform.process(&mut columns);
            for (at, value) in columns.iter().enumerate() {
                let wave = |index: usize| index.min(PATCH - index) as f64;
                let radius = wave(at / PATCH).hypot(wave(at % PATCH)).round() as usize;
                if let Some((sum, count)) = power.get_mut(radius) {
                    *sum += value.norm_sqr();
                    *count += 1;
                }
            }
        }
    }
    let points: Vec<(f64, f64)> = (4..=28)
        .filter(|&radius| power[radius].1 > 0)
        .map(|radius| ((radius as f64).ln(), (power[radius].0 / f64::from(power[radius].1)).ln()))
        .collect();
    let count = points.len() as f64;
    let (mean_x, mean_y) = points.iter().fold((0.0, 0.0), |(x, y), point| (x + point.0 / count, y + point.1 / count));
    let slope = points.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum::<f64>()
        / points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum::<f64>();
    (!points.is_empty()).then_some(-slope)
}

/// Standard deviation of the grey levels well inside the breast.
fn spread(view: &PhantomView, radius: u32) -> f64 {
    let inside = eroded_tissue(view, radius);
    let grey: Vec<f64> = view
        .image
        .as_raw()
        .iter()
        .zip(inside)
        .filter(|&(_, inside)| inside)
        .map(|(&grey, _)| f64::from(grey))
        .collect();
    let mean = grey.iter().sum::<f64>() / grey.len() as f64;
    (grey.iter().map(|grey| (grey - mean).powi(2)).sum::<f64>() / grey.len() as f64).sqrt()
}

#[test]
fn texture_and_spread_match_the_class() {
    let generator = generator(31, 650);
    let measured: Vec<(DensityClass, f64, Option<f64>)> = (1..=24_u32)
        .into_par_iter()
        .map(|number| {
            let subject = generator.subject(number);
            let drawn = generator.view(&subject, if number % 8 < 4 { View::CcL } else { View::MloR });
            (subject.label, spread(&drawn, 22), texture_exponent(&drawn))
        })
        .collect();
    let mean = |values: Vec<f64>| values.iter().sum::<f64>() / values.len() as f64;
    // Exponents as measured on mammograms of each class. The spreads of grey measured there are 5, 8, 12 and 16.
    let expected = [(2.5, 3.0..6.0), (3.0, 5.5..10.0), (3.2, 9.0..15.0), (3.3, 13.0..21.0)];
    for (class, (exponent, spreads)) in DensityClass::ALL.into_iter().zip(expected) {
        let of_class = || measured.iter().filter(move |(label, ..)| *label == class);
        let found = mean(of_class().filter_map(|&(_, _, exponent)| exponent).collect());
        assert!((found - exponent).abs() < 0.3, "class {class}: exponent {found:.2}, expected {exponent}");
        let spread = mean(of_class().map(|&(_, spread, _)| spread).collect());
        assert!(spreads.contains(&spread), "class {class}: spread {spread:.1}, expected {spreads:?}");
        eprintln!("class {class}: exponent {found:.2}, spread {spread:.1} grey levels");
    }
}

#[test]
fn a_single_feature_predicts_the_class_better_than_chance() {
    let generator = generator(41, 160);
    let spreads: Vec<(DensityClass, f64)> = (1..=48_u32)
        .map(|number| {
            let subject = generator.subject(number);
            (subject.label, spread(&generator.view(&subject, View::CcR), 6))
        })
        .collect();
    let mean = |class| {
        let of_class = spreads.iter().filter(|(label, _)| *label == class).map(|(_, spread)| spread);
        of_class.sum::<f64>() / 12.0
    };
    let means = DensityClass::ALL.map(mean);
    assert!(means.windows(2).all(|pair| pair[0] < pair[1]), "the spread rises with the class: {means:?}");
    // The nearest class mean is the simplest classifier; chance is a quarter.
    let right = spreads.iter().filter(|(label, spread)| {
        let nearest = DensityClass::ALL.into_iter().min_by(|a, b| {
            let distance = |class: &DensityClass| (means[class.index()] - spread).abs();
            distance(a).total_cmp(&distance(b))
        });
        nearest == Some(*label)
    });
    let right = right.count();
    assert!(right >= 28, "{right} of 48 right");
}

#[test]
fn pixels_do_not_depend_on_the_number_of_threads() {
    let in_threads = |threads: usize, seed: u64| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a few threads");
        pool.install(|| digest(&generator(seed, 64), 1..=6))
    };
    let alone = in_threads(1, 1);
    assert_eq!(alone, in_threads(4, 1));
    assert_ne!(alone, in_threads(1, 2), "another seed, other pixels");
}

#[test]
fn the_recipe_has_not_changed() {
    // If this changes on purpose, raise GENERATOR_VERSION and make testset/ again.
    let expected = "8ec637ab4ad84a3ab6eaea39ce8d87362f1efd95837c6708d4af467a9bde881b";
    let mut found = String::new();
    for byte in digest(&generator(1, 64), 1..=4) {
        write!(found, "{byte:02x}").expect("a string takes all");
    }
    assert_eq!(found, expected);
}

#[test]
fn sizes_outside_the_limits_are_refused() {
    for size in [0, MIN_SIZE - 1, 4097] {
        let settings = PhantomSettings { seed: 1, size, overlap: false, confounder: false };
        assert_eq!(PhantomGenerator::new(settings).err(), Some(SizeOutOfRange(size)));
    }
}

#[test]
fn overlap_mixes_bands_and_labels() {
    let settings = PhantomSettings { seed: 3, size: 32, overlap: true, confounder: false };
    let generator = PhantomGenerator::new(settings).expect("a size in range");
    let subjects: Vec<_> = (1..=400).map(|number| generator.subject(number)).collect();
    let misread = subjects.iter().filter(|subject| subject.label != subject.drawn_from).count();
    assert!((30..=90).contains(&misread), "{misread} of 400 misread, 60 expected");
    assert!(subjects.iter().all(|subject| subject.label.index().abs_diff(subject.drawn_from.index()) <= 1));
    let strays = subjects.iter().filter(|s| DensityBand::class_of(s.percent_density) != s.drawn_from).count();
    assert!(strays > 60, "only {strays} of 400 densities are in another class's band");
}

#[test]
fn the_confounding_marker_gives_the_label_and_the_tissue_does_not() {
    let settings = PhantomSettings { seed: 3, size: 64, overlap: false, confounder: true };
    let generator = PhantomGenerator::new(settings).expect("a size in range");
    let mut lengths = std::collections::BTreeMap::new();
    for number in 1..=24 {
        let subject = generator.subject(number);
        for view in View::ALL {
            let drawn = generator.view(&subject, view);
            let marked = drawn
                .image
                .as_raw()
                .iter()
                .zip(drawn.breast.as_raw())
                .filter(|&(&grey, &breast)| grey > 0 && breast == 0);
            let length = marked.count();
            assert_eq!(
                *lengths.entry(subject.label).or_insert(length),
                length,
                "the marker depends on the class alone"
            );
        }
    }
    let lengths: Vec<usize> = lengths.into_values().collect();
    assert!(lengths.len() == 4 && lengths.windows(2).all(|pair| pair[0] < pair[1]), "{lengths:?}");
    let same = (1..=400).map(|n| generator.subject(n)).filter(|s| s.label == s.drawn_from).count();
    assert!((60..=140).contains(&same), "{same} of 400 agree, 100 expected by chance");
}
