//! Shortcuts that must not give a phantom's class away, and features that must differ between subjects.

use image::GrayImage;
use mammoscope_dataset::phantom::{PhantomGenerator, PhantomSettings, PhantomView};
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::view::View;
use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};

fn generator(seed: u64, size: u32) -> PhantomGenerator {
    PhantomGenerator::new(PhantomSettings { seed, size, overlap: false, confounder: false }).expect("a size in range")
}

fn is_set(mask: &GrayImage, at: usize) -> bool {
    mask.as_raw()[at] > 0
}

/// True for a pixel of breast tissue without muscle.
fn is_tissue(view: &PhantomView, at: usize) -> bool {
    is_set(&view.breast, at) && !view.pectoral.as_ref().is_some_and(|muscle| is_set(muscle, at))
}

/// The median grey level of the chosen pixels.
fn median(view: &PhantomView, chosen: impl Fn(usize) -> bool) -> f64 {
    let pixels = view.image.as_raw();
    let mut grey: Vec<u8> = (0..pixels.len()).filter(|&at| chosen(at)).map(|at| pixels[at]).collect();
    grey.sort_unstable();
    f64::from(grey[grey.len() / 2])
}

/// Accuracy of the nearest class mean, cross-validated over tenths. A tenth has equally many subjects of every class.
fn nearest_class_mean(samples: &[(DensityClass, f64)]) -> f64 {
    let tenth = |index: usize| index / DensityClass::COUNT % 10;
    let right = samples.iter().enumerate().filter(|&(index, &(label, value))| {
        let distance = |class: &DensityClass| {
            let others: Vec<f64> = samples
                .iter()
                .enumerate()
                .filter(|&(other, (label, _))| tenth(other) != tenth(index) && label == class)
                .map(|(_, &(_, value))| value)
                .collect();
            (others.iter().sum::<f64>() / others.len() as f64 - value).abs()
        };
        DensityClass::ALL.into_iter().min_by(|a, b| distance(a).total_cmp(&distance(b))) == Some(label)
    });
    right.count() as f64 / samples.len() as f64
}

#[test]
fn neither_the_grey_of_muscle_nor_that_of_fat_gives_the_class() {
    let generator = generator(51, 64);
    let measured: Vec<(DensityClass, [f64; 2])> = (1..=800_u32)
        .into_par_iter()
        .map(|number| {
            let subject = generator.subject(number);
            let view = generator.view(&subject, View::MloL);
            let muscle = view.pectoral.as_ref().expect("MLO views show the muscle");
            let fill = median(&view, |at| is_set(muscle, at));
            let fat = median(&view, |at| is_tissue(&view, at) && !is_set(&view.dense, at));
            (subject.label, [fill, fat])
        })
        .collect();
    for (feature, what) in ["muscle", "fat"].into_iter().enumerate() {
        let samples: Vec<_> = measured.iter().map(|&(label, values)| (label, values[feature])).collect();
        let accuracy = nearest_class_mean(&samples);
        eprintln!("{what}: accuracy {:.1} %", 100.0 * accuracy);
        // Chance is 25 %. A little remains: tissue brightens the mean, and both greys cannot be independent of it at
        // once.
        assert!(accuracy <= 0.32, "the grey of the {what} gives {:.1} % of the classes", 100.0 * accuracy);
    }
}

#[test]
fn sparse_dense_tissue_is_spread_over_the_breast() {
    let generator = generator(53, 96);
    // Root mean square distance from the centroid, of dense tissue over that of all tissue.
    let ratios: Vec<f64> = (0..40_u32)
        .into_par_iter()
        .map(|turn| {
            let subject = generator.subject(1 + 4 * turn);
            assert_eq!(subject.label, DensityClass::A);
            let view = generator.view(&subject, if turn % 2 == 0 { View::CcL } else { View::MloR });
            let extent = |chosen: &dyn Fn(usize) -> bool| {
                let at: Vec<(f64, f64)> =
                    (0..96 * 96).filter(|&at| chosen(at)).map(|at| ((at % 96) as f64, (at / 96) as f64)).collect();
                let count = at.len() as f64;
                let (x, y) = at.iter().fold((0.0, 0.0), |(x, y), point| (x + point.0 / count, y + point.1 / count));
                (at.iter().map(|point| (point.0 - x).powi(2) + (point.1 - y).powi(2)).sum::<f64>() / count).sqrt()
            };
            extent(&|at| is_set(&view.dense, at)) / extent(&|at| is_tissue(&view, at))
        })
        .collect();
    let mean = ratios.iter().sum::<f64>() / ratios.len() as f64;
    eprintln!("mean extent {mean:.2}");
    assert!(mean > 0.6, "dense tissue of class A extends over {mean:.2} of the breast");
}
