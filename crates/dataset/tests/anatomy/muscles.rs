//! The muscle of phantoms at all angles.

use mammoscope_dataset::phantom::{PhantomGenerator, PhantomSettings, VisibleMuscle};
use mammoscope_domain::subject::view::View;
use mammoscope_imaging::anatomy::{PectoralFinding, chest_wall_side, filled_edge_angle, find_breast, find_pectoral};
use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};

use super::measures::{MuscleFigures, MuscleResult, mask, raster};

const PHANTOMS: u32 = 400;

fn generator(size: u32) -> PhantomGenerator {
    PhantomGenerator::new(PhantomSettings { seed: 40, size, overlap: false, confounder: false }).unwrap()
}

/// Right and left views alternate after all four classes.
fn view_of(number: u32) -> View {
    if (number / 4).is_multiple_of(2) { View::MloL } else { View::MloR }
}

#[test]
fn the_muscle_of_400_phantoms_is_found_at_5_to_40_degrees() {
    let generator = generator(256);
    let results: Vec<MuscleResult> = (0..PHANTOMS)
        .into_par_iter()
        .map(|number| {
            // In steps that are not aligned with the classes; straight, bulging and hollow edges.
            let angle = 5.0 + 35.0 * f64::from(number * 7 % PHANTOMS) / f64::from(PHANTOMS - 1);
            let bulge = [0.0, 0.0, 0.08, -0.08][(number / 8 % 4) as usize];
            let subject = generator.subject(number + 1);
            let drawn = generator.view_with_muscle(&subject, view_of(number), VisibleMuscle { angle, bulge });
            let image = raster(&drawn.image);
            let breast = find_breast(&image).unwrap();
            let side = view_of(number).side();
            assert_eq!(chest_wall_side(&breast), Some(side), "phantom {number}");
            let found = find_pectoral(&image, &breast, side);
            let truth = mask(&raster(&drawn.pectoral.unwrap()), |grey| grey > 0);
            let name = format!("{number} ({}, {angle:.0}°, bulge {bulge})", subject.label);
            MuscleResult::new(name, &found, &breast, side, &truth)
        })
        .collect();
    let figures = MuscleFigures::of("phantoms", &results, 0.8);
    assert!(figures.median >= 0.95, "median Jaccard {:.3}", figures.median);
    assert!(figures.unflagged_below <= 0.02, "{:.3} unflagged below .8", figures.unflagged_below);
    // In the densest breasts the muscle is as bright as the tissue beside it.
    assert!(figures.flagged <= 0.28, "{:.3} flagged", figures.flagged);
}

#[test]
fn a_filled_muscle_is_reported_as_filled_with_its_angle() {
    for (size, subjects) in [(128, 16), (256, 8), (650, 2)] {
        let generator = generator(size);
        for number in 1..=subjects {
            let subject = generator.subject(number);
            let view = view_of(number);
            let drawn = generator.view(&subject, view);
            let image = raster(&drawn.image);
            let breast = find_breast(&image).unwrap();
            let truth = mask(&raster(&drawn.pectoral.unwrap()), |grey| grey > 0);
            let found = find_pectoral(&image, &breast, view.side());
            let PectoralFinding::Filled(muscle) = &found else { panic!("{size} px, subject {number}: {found:?}") };
            let [angle, true_angle] = [muscle, &truth].map(|mask| filled_edge_angle(mask, view.side()).unwrap());
            assert!((angle - true_angle).abs() < 2.0, "{size} px, subject {number}: {angle:.1}°, not {true_angle:.1}°");
            let result = MuscleResult::new(String::new(), &found, &breast, view.side(), &truth);
            assert!(result.jaccard > 0.9, "{size} px, subject {number}: Jaccard {:.3}", result.jaccard);
        }
    }
}

#[test]
fn most_cc_views_show_no_muscle() {
    let generator = generator(256);
    let findings: Vec<PectoralFinding> = (1..=64_u32)
        .into_par_iter()
        .map(|number| {
            let view = if number.is_multiple_of(2) { View::CcL } else { View::CcR };
            let image = raster(&generator.view(&generator.subject(number), view).image);
            let breast = find_breast(&image).unwrap();
            find_pectoral(&image, &breast, view.side())
        })
        .collect();
    let count = |kind: fn(&PectoralFinding) -> bool| findings.iter().filter(|&finding| kind(finding)).count();
    let none = count(|finding| *finding == PectoralFinding::None);
    let found = count(|finding| matches!(finding, PectoralFinding::Muscle { .. } | PectoralFinding::Filled(_)));
    eprintln!("CC views: {none} of 64 without a muscle, {found} with one");
    assert!(none >= 55 && found <= 2, "{none} without a muscle, {found} with one");
}
