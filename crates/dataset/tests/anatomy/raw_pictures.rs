//! The breast, its side and its crop in raw pictures.

use mammoscope_dataset::phantom::{PhantomGenerator, PhantomSettings};
use mammoscope_domain::subject::view::View;
use mammoscope_imaging::anatomy::{chest_wall_side, find_breast, skin_box};
use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};

use super::measures::{dice, raster};
use super::scene::{Scene, Surroundings};

/// Surroundings of raw pictures, each with a name.
fn surroundings() -> Vec<(&'static str, Surroundings)> {
    let plain = Surroundings { margin: 0.12, letters: true, ..Surroundings::default() };
    let noisy = Surroundings { background: 20, noise: 3.0, tape: true, ..plain };
    vec![
        ("plain", plain),
        ("noisy", noisy),
        ("dark and noisy", Surroundings { background: 0, noise: 6.0, ..plain }),
        ("grainy", Surroundings { background: 30, noise: 8.0, ..plain }),
        ("narrow margins", Surroundings { margin: 0.06, ..noisy }),
        ("white border", Surroundings { border: 0.03, ..noisy }),
        ("white collimator", Surroundings { collimator: 0.05, ..noisy }),
        ("padding at the chest wall", Surroundings { chest_wall_margin: 0.08, ..noisy }),
    ]
}

/// The least Dice and the largest error of a side of the box, in pixels.
fn worst(size: u32, subjects: u32, surroundings: &[(&str, Surroundings)]) -> (f64, usize) {
    let settings = PhantomSettings { seed: 9, size, overlap: false, confounder: false };
    let generator = PhantomGenerator::new(settings).unwrap();
    let cases: Vec<(u32, View)> = (1..=subjects).flat_map(|number| View::ALL.map(|view| (number, view))).collect();
    let results = cases.into_par_iter().flat_map_iter(|(number, view)| {
        let drawn = generator.view(&generator.subject(number), view);
        surroundings.iter().map(move |&(name, around)| {
            let scene = around.around(&drawn, view.side(), u64::from(number));
            let (dice, error) = measured(&scene, view, &format!("{size} px, subject {number}, {view}, {name}"));
            (dice, error, format!("{number} {view} {name}"))
        })
    });
    let results: Vec<(f64, usize, String)> = results.collect();
    let least = results.iter().min_by(|a, b| a.0.total_cmp(&b.0)).unwrap();
    let largest = results.iter().max_by_key(|result| result.1).unwrap();
    eprintln!(
        "{size} px, {} pictures: Dice {:.4} at least ({}), box off by {} pixels at most ({})",
        results.len(),
        least.0,
        least.2,
        largest.1,
        largest.2
    );
    (least.0, largest.1)
}

fn measured(scene: &Scene, view: View, name: &str) -> (f64, usize) {
    let breast = find_breast(&scene.image).unwrap_or_else(|| panic!("{name}: no breast"));
    assert_eq!(chest_wall_side(&breast), Some(view.side()), "{name}");
    let (found, truth) = (skin_box(&breast, view.side()).unwrap(), scene.skin_box);
    let errors = [
        found.left.abs_diff(truth.left),
        found.top.abs_diff(truth.top),
        found.right.abs_diff(truth.right),
        found.bottom.abs_diff(truth.bottom),
    ];
    (dice(&breast, &scene.breast), errors.into_iter().max().unwrap())
}

#[test]
fn breast_side_and_box_are_found_among_margins_letters_and_noise() {
    for (size, subjects) in [(64, 16), (128, 8), (256, 4), (512, 1)] {
        let (dice, error) = worst(size, subjects, &surroundings());
        assert!(dice >= 0.98, "{size} px: Dice {dice:.4}");
        assert!(error <= 3, "{size} px: the box is off by {error} pixels");
    }
}

#[test]
fn the_crop_of_a_large_picture_is_as_exact() {
    let (dice, error) = worst(1024, 1, &surroundings());
    assert!(dice >= 0.98 && error <= 3, "Dice {dice:.4}, the box is off by {error} pixels");
}

#[test]
fn the_side_of_every_cropped_phantom_is_known() {
    for size in [64, 100, 256, 1024] {
        let settings = PhantomSettings { seed: 12, size, overlap: false, confounder: false };
        let generator = PhantomGenerator::new(settings).unwrap();
        let subjects = if size > 256 { 4 } else { 16 };
        (1..=subjects).into_par_iter().for_each(|number: u32| {
            for view in View::ALL {
                let drawn = generator.view(&generator.subject(number), view);
                let breast = find_breast(&raster(&drawn.image)).unwrap();
                assert_eq!(chest_wall_side(&breast), Some(view.side()), "{size} px, subject {number}, {view}");
            }
        });
    }
}
