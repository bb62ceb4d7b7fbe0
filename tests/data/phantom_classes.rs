//! Properties that give a phantom's class away, and how the two switches remove them.

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

/// The result of `measure` on one view of every subject, with the subject's label.
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

/// Accuracy of the one-feature classifier on one half of the subjects when it is fitted to the other.
fn one_feature_accuracy(values: &[(f64, DensityClass)]) -> f64 {
    // Four subjects in turn are one of each class.
    let (mut fitted, mut held_back) = (Vec::new(), Vec::new());
    for (turn, four) in values.chunks(DensityClass::COUNT).enumerate() {
        if turn % 2 == 0 { &mut fitted } else { &mut held_back }.extend_from_slice(four);
    }
    let baseline = OneFeatureBaseline::fit(&fitted).unwrap();
    let correct = held_back.iter().filter(|&&(value, label)| baseline.predict(value).most_probable() == label).count();
    correct as f64 / held_back.len() as f64
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
fn without_switches_density_alone_gives_the_class() {
    for subject in subjects(PLAIN, 400) {
        assert_eq!(DensityBand::class_of(subject.percent_density), subject.label, "subject {}", subject.number);
    }
    let spread = one_feature_accuracy(&measured(PLAIN, 240, spread_of_grey));
    eprintln!("accuracy by the spread of grey: {:.0} %", 100.0 * spread);
    assert!(spread > 0.55, "accuracy by the spread of grey: {spread:.2}");
}

#[test]
fn overlapping_densities_reach_into_neighbouring_bands() {
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
fn a_reader_is_off_by_one_class_in_fifteen_percent() {
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
    // Even with the exact density, at least one label in four would be wrong.
    let known: Vec<_> =
        subjects(OVERLAPPING, 4000).iter().map(|subject| (subject.percent_density, subject.label)).collect();
    let accuracy = one_feature_accuracy(&known);
    eprintln!("accuracy by the exact density: {:.0} %", 100.0 * accuracy);
    assert!((0.5..0.75).contains(&accuracy), "accuracy by the exact density: {accuracy:.2}");
}

#[test]
fn with_the_confounder_tissue_is_independent_of_the_label() {
    let all = subjects(CONFOUNDED, 4000);
    // Label and class of tissue are independent: Pearson's chi-squared of the 4 × 4 table has 9 degrees of freedom, and
    // exceeds 33.7 once in ten thousand.
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
    let spread = one_feature_accuracy(&measured(CONFOUNDED, 400, spread_of_grey));
    eprintln!("accuracy by the spread of grey: {:.0} %", 100.0 * spread);
    // Chance is 25 %; three standard deviations of 200 draws are 9 %.
    assert!(spread < 0.35, "accuracy by the spread of grey: {spread:.2}");
}

#[test]
fn the_confounding_marker_alone_gives_every_label() {
    let generator = PhantomGenerator::new(CONFOUNDED).unwrap();
    for number in 1..=24 {
        let subject = generator.subject(number);
        for view in View::ALL {
            let drawn = generator.view(&subject, view);
            let marked =
                |x: u32, y: u32| drawn.image.get_pixel(x, y).0[0] > 0 && drawn.breast.get_pixel(x, y).0[0] == 0;
            // 3 % of 160 pixels, rounded, are 5: the bar is in rows six to ten.
            let length = (0..160).filter(|&x| marked(x, 6)).count();
            assert_eq!(length, 5 * (subject.label.index() + 1), "subject {number}, {view}");
            let at_tip = if view.side() == Side::Left { 154 } else { 5 };
            assert!(marked(at_tip, 6), "subject {number}, {view}: the bar is away from the chest wall");
        }
    }
}
