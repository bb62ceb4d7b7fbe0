//! What tells a phantom's class, and how the two switches take that away.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use mammoscope_dataset::phantom::{DensityBand, PhantomGenerator, PhantomSettings, PhantomSubject, PhantomView};
use mammoscope_domain::metrics::one_feature_baseline::OneFeatureBaseline;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::view::{Side, View};
use mammoscope_imaging::intensity_sd::intensity_sd;
use mammoscope_imaging::raster::{Channels, Raster};
use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};

const PLAIN: PhantomSettings = PhantomSettings { seed: 71, size: 160, overlap: false, confounder: false };
const OVERLAPPING: PhantomSettings = PhantomSettings { overlap: true, ..PLAIN };
const CONFOUNDED: PhantomSettings = PhantomSettings { confounder: true, ..PLAIN };

fn subjects(settings: PhantomSettings, count: u32) -> Vec<PhantomSubject> {
    let generator = PhantomGenerator::new(settings).unwrap();
    (1..=count).map(|number| generator.subject(number)).collect()
}

/// What `measure` says of one view of every subject, with the class that the subject is filed under.
fn measured(
    settings: PhantomSettings,
    count: u32,
    measure: impl Fn(&PhantomView) -> f64 + Sync,
) -> Vec<(f64, DensityClass)> {
    let generator = PhantomGenerator::new(settings).unwrap();
    let of_subject = |number| {
        let subject = generator.subject(number);
        (measure(&generator.view(&subject, View::CcL)), subject.label)
    };
    (1..=count).into_par_iter().map(of_subject).collect()
}

fn spread_of_grey(view: &PhantomView) -> f64 {
    let side = view.image.width() as usize;
    intensity_sd(&Raster::new(side, side, Channels::Grey, view.image.as_raw().clone())).unwrap()
}

/// Share that the one-feature classifier gets right of one half when it has learnt from the other.
fn right_by_one_feature(values: &[(f64, DensityClass)]) -> f64 {
    // Four subjects in turn are one of each class.
    let (mut learnt, mut asked) = (Vec::new(), Vec::new());
    for (turn, four) in values.chunks(DensityClass::COUNT).enumerate() {
        if turn % 2 == 0 { &mut learnt } else { &mut asked }.extend_from_slice(four);
    }
    let baseline = OneFeatureBaseline::fit(&learnt).unwrap();
    let right = asked.iter().filter(|&&(value, label)| baseline.predict(value).most_probable() == label).count();
    right as f64 / asked.len() as f64
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0), |(sum, count), value| (sum + value, count + 1));
    sum / f64::from(count)
}

#[test]
fn contrast_between_dense_tissue_and_fat_rises_with_the_class() {
    // Medians: the edge of dense tissue, where it thins out, weighs little.
    let contrast = |view: &PhantomView| {
        let median = |chosen: &dyn Fn(usize) -> bool| {
            let grey = view.image.as_raw();
            let mut levels: Vec<u8> = (0..grey.len()).filter(|&at| chosen(at)).map(|at| grey[at]).collect();
            levels.sort_unstable();
            f64::from(levels[levels.len() / 2])
        };
        let dense = |at: usize| view.dense.as_raw()[at] > 0;
        median(&dense) - median(&|at| view.breast.as_raw()[at] > 0 && !dense(at))
    };
    let values = measured(PLAIN, 80, contrast);
    let bands = [6.0..12.0, 10.0..18.0, 15.0..25.0, 23.0..38.0];
    for (class, band) in DensityClass::ALL.into_iter().zip(bands) {
        let found = mean(values.iter().filter(|(_, label)| *label == class).map(|&(value, _)| value));
        eprintln!("class {class}: contrast {found:.1} grey levels");
        assert!(band.contains(&found), "class {class}: contrast {found:.1}, expected {band:?}");
    }
}

#[test]
fn without_switches_density_alone_tells_the_class() {
    for subject in subjects(PLAIN, 400) {
        assert_eq!(DensityBand::class_of(subject.percent_density), subject.label, "subject {}", subject.number);
    }
    let spread = right_by_one_feature(&measured(PLAIN, 240, spread_of_grey));
    eprintln!("by the spread of grey {:.0} % right", 100.0 * spread);
    assert!(spread > 0.55, "the spread of grey gets {spread:.2} right");
}

#[test]
fn overlapping_densities_lie_in_neighbouring_bands() {
    let all = subjects(OVERLAPPING, 4000);
    let of_class = |class| all.iter().filter(move |subject| subject.drawn_from == class);
    for (lower, upper) in DensityClass::ALL.into_iter().zip(DensityClass::ALL.into_iter().skip(1)) {
        let boundary = DensityBand::of(lower).high;
        let strays = |class, above: bool| {
            mean(of_class(class).map(|subject| f64::from(u8::from((subject.percent_density > boundary) == above))))
        };
        // From the normals, cut to 0.5 to 85 %: at least 7 % on either side of every boundary.
        assert!(strays(lower, true) > 0.05, "{lower} above {boundary} %: {:.3}", strays(lower, true));
        assert!(strays(upper, false) > 0.05, "{upper} below {boundary} %: {:.3}", strays(upper, false));
    }
    let means = DensityClass::ALL.map(|class| mean(of_class(class).map(|subject| subject.percent_density)));
    assert!(means.windows(2).all(|pair| pair[0] + 8.0 < pair[1]), "the classes still differ: {means:.1?}");
}

#[test]
fn a_reader_errs_in_fifteen_of_a_hundred_by_one_class() {
    let all = subjects(OVERLAPPING, 4000);
    for class in DensityClass::ALL {
        let of_class = || all.iter().filter(|subject| subject.drawn_from == class);
        let share = |called: DensityClass| mean(of_class().map(|subject| f64::from(u8::from(subject.label == called))));
        // Four standard deviations of 1000 draws at 0.15 are 0.045, at 0.075 they are 0.033.
        assert!((share(class) - 0.85).abs() < 0.045, "{class} is called {class} in {:.3}", share(class));
        let neighbours = DensityClass::ALL.into_iter().filter(|other| other.index().abs_diff(class.index()) == 1);
        let neighbours: Vec<_> = neighbours.collect();
        let expected = 0.15 / neighbours.len() as f64;
        for other in neighbours {
            assert!((share(other) - expected).abs() < 0.045, "{class} is called {other} in {:.3}", share(other));
        }
    }
    let far = all.iter().filter(|subject| subject.label.index().abs_diff(subject.drawn_from.index()) > 1).count();
    assert_eq!(far, 0);
}

#[test]
fn accuracy_does_not_saturate_with_overlap() {
    // Whoever knew the density itself would still be wrong in one of four or more.
    let known: Vec<_> =
        subjects(OVERLAPPING, 4000).iter().map(|subject| (subject.percent_density, subject.label)).collect();
    let right = right_by_one_feature(&known);
    eprintln!("by the exact density {:.0} % right", 100.0 * right);
    assert!((0.5..0.75).contains(&right), "by the exact density {right:.2} right");
}

#[test]
fn with_the_confounder_tissue_says_nothing_of_the_label() {
    let all = subjects(CONFOUNDED, 4000);
    // Label and class of tissue are independent: Pearson's chi-squared of the 4 × 4 table, 9 degrees of freedom, of
    // which a value above 33.7 comes once in ten thousand.
    let mut table = [[0.0_f64; DensityClass::COUNT]; DensityClass::COUNT];
    for subject in &all {
        table[subject.label.index()][subject.drawn_from.index()] += 1.0;
    }
    let columns: [f64; DensityClass::COUNT] = std::array::from_fn(|column| table.iter().map(|row| row[column]).sum());
    let squared: f64 = table
        .iter()
        .flat_map(|row| {
            let of_row: f64 = row.iter().sum();
            row.iter().zip(columns).map(move |(&count, of_column)| {
                let expected = of_row * of_column / 4000.0;
                (count - expected).powi(2) / expected
            })
        })
        .sum();
    assert!(squared < 33.7, "chi-squared {squared:.1}: {table:?}");
    let spread = right_by_one_feature(&measured(CONFOUNDED, 400, spread_of_grey));
    eprintln!("by the spread of grey {:.0} % right", 100.0 * spread);
    // Chance is 25 %; three standard deviations of 200 draws are 9 %.
    assert!(spread < 0.35, "the spread of grey gets {spread:.2} right");
}

#[test]
fn the_confounding_marker_alone_tells_every_label() {
    let generator = PhantomGenerator::new(CONFOUNDED).unwrap();
    for number in 1..=24 {
        let subject = generator.subject(number);
        for view in View::ALL {
            let drawn = generator.view(&subject, view);
            let marked =
                |x: u32, y: u32| drawn.image.get_pixel(x, y).0[0] > 0 && drawn.breast.get_pixel(x, y).0[0] == 0;
            // 3 % of 160 pixels, rounded, are 5: the bar lies in the sixth to tenth row.
            let length = (0..160).filter(|&x| marked(x, 6)).count();
            assert_eq!(length, 5 * (subject.label.index() + 1), "subject {number}, {view}");
            let at_tip = if view.side() == Side::Left { 154 } else { 5 };
            assert!(marked(at_tip, 6), "subject {number}, {view}: the bar lies away from the chest wall");
        }
    }
}
