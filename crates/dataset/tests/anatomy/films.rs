//! Real films with drawn labels (`shared/dicom/README.md` has their sources and traps).

use std::path::PathBuf;

use mammoscope_domain::subject::view::Side;
use mammoscope_imaging::anatomy::{PixelBox, chest_wall_side, find_breast, find_pectoral, skin_box};
use mammoscope_test_support::shared;
use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};

use super::measures::{MuscleFigures, MuscleResult, dice, mask, median, read};

/// Grey levels of the labels.
const BACKGROUND: u8 = 64;
const MUSCLE: u8 = 255;

/// The chest wall's side of each film, with its name.
fn films() -> Option<(PathBuf, Vec<(String, Side)>)> {
    let folder = shared("dicom/expected.json")?.parent()?.to_owned();
    let expected = std::fs::read(folder.join("expected.json")).unwrap();
    let expected: serde_json::Value = serde_json::from_slice(&expected).unwrap();
    let films = expected["real_mlo"].as_object().unwrap().iter().map(|(path, film)| {
        let side = match film["chest_wall"].as_str().unwrap() {
            "L" => Side::Left,
            "R" => Side::Right,
            other => panic!("side {other}"),
        };
        (path.rsplit('/').next().unwrap().to_owned(), side)
    });
    Some((folder.join("real-mlo"), films.collect()))
}

#[test]
fn the_breast_the_chest_wall_and_the_muscle_of_films_are_found() {
    let Some((folder, films)) = films() else { return };
    assert_eq!(films.len(), 44);
    let results: Vec<(f64, MuscleResult)> = films
        .par_iter()
        .map(|(name, side)| {
            let image = read(&folder.join("images").join(name));
            let labels = read(&folder.join("labels").join(name));
            let breast = find_breast(&image).unwrap();
            assert_eq!(chest_wall_side(&breast), Some(*side), "{name}");
            let crop = skin_box(&breast, *side).unwrap();
            let PixelBox { left, right, .. } = crop;
            assert!(if *side == Side::Left { left == 0 } else { right == image.width() }, "{name}: {crop:?}");
            let found = find_pectoral(&image, &breast, *side);
            let truth = mask(&labels, |label| label == MUSCLE);
            let result = MuscleResult::new(name.clone(), &found, &breast, *side, &truth);
            (dice(&breast, &mask(&labels, |label| label > BACKGROUND)), result)
        })
        .collect();
    let least = results.iter().map(|(dice, _)| *dice).fold(1.0, f64::min);
    let middle = median(results.iter().map(|(dice, _)| *dice));
    eprintln!("films: Dice of the breast {middle:.3} in the median, {least:.3} at least");
    assert!(middle >= 0.97 && least >= 0.94, "Dice {middle:.3} in the median, {least:.3} at least");
    let muscles: Vec<MuscleResult> = results.into_iter().map(|(_, result)| result).collect();
    let figures = MuscleFigures::of("films", &muscles, 0.75);
    assert!(figures.median >= 0.91, "median Jaccard {:.3}", figures.median);
    assert!(figures.unflagged_below <= 0.05, "{:.3} unflagged below .75", figures.unflagged_below);
    assert!(figures.flagged <= 0.15, "{:.3} flagged", figures.flagged);
}
