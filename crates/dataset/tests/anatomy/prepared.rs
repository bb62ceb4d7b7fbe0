//! Pictures that were prepared before: the examples of the reference, and renderings of DICOM phantoms.

use mammoscope_domain::subject::view::Side;
use mammoscope_imaging::anatomy::{
    PectoralFinding, PixelBox, chest_wall_side, filled_edge_angle, find_breast, find_pectoral, skin_box,
};
use mammoscope_test_support::shared;
use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};

use super::measures::{dice, jaccard, mask, read};

#[test]
fn the_muscle_of_the_reference_is_filled() {
    let Some(folder) = shared("seed/TestSet/MLO_R/test") else { return };
    let files = [
        ("B/110_1_B_MLO_R.png", 12.4),
        ("A/124_1_A_MLO_R.png", 29.4),
        ("C/145_1_C_MLO_R.png", 28.3),
        ("D/1302_1_D_MLO_R.png", 35.1),
    ];
    files.par_iter().for_each(|&(file, expected)| {
        let image = read(&folder.join(file));
        let breast = find_breast(&image).unwrap();
        assert_eq!(chest_wall_side(&breast), Some(Side::Right), "{file}");
        let found = find_pectoral(&image, &breast, Side::Right);
        let PectoralFinding::Filled(muscle) = found else { panic!("{file}: {found:?}") };
        let angle = filled_edge_angle(&muscle, Side::Right).unwrap();
        eprintln!("{file}: {angle:.2}°, expected {expected}°");
        assert!((angle - expected).abs() <= 0.5, "{file}: {angle:.2}°, not {expected}°");
    });
}

#[test]
fn the_chest_wall_of_the_reference_is_at_the_right() {
    let Some(folder) = shared("seed/TestSet/CC_R/test") else { return };
    for file in ["A/1251_1_A_CC_R.png", "B/1103_1_B_CC_R.png", "C/145_1_C_CC_R.png", "D/1346_1_D_CC_R.png"] {
        let image = read(&folder.join(file));
        let breast = find_breast(&image).unwrap();
        assert_eq!(chest_wall_side(&breast), Some(Side::Right), "{file}");
        assert_eq!(skin_box(&breast, Side::Right).unwrap().right, image.width(), "{file}");
    }
}

#[test]
fn the_breast_the_side_and_the_box_of_dicom_phantoms_are_found() {
    let Some(path) = shared("dicom/expected.json") else { return };
    let folder = path.parent().unwrap();
    let expected: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let mut counted = 0;
    for (name, file) in expected["files"].as_object().unwrap() {
        let (Some(rendering), Some(truth), Some(side)) =
            (file["rendering"]["png8"].as_str(), file["breast_mask"].as_str(), file["pixel_side"].as_str())
        else {
            continue;
        };
        let side = if side == "L" { Side::Left } else { Side::Right };
        let image = read(&folder.join(rendering));
        let truth = mask(&read(&folder.join(truth)), |grey| grey > 0);
        let breast = find_breast(&image).unwrap();
        let found = dice(&breast, &truth);
        assert!(found >= 0.98, "{name}: Dice {found:.4}");
        assert_eq!(chest_wall_side(&breast), Some(side), "{name}");
        let corners: Vec<usize> =
            file["breast_box_xyxy"].as_array().unwrap().iter().map(|at| at.as_u64().unwrap() as usize).collect();
        let box_found = skin_box(&breast, side).unwrap();
        let PixelBox { left, top, right, bottom } = box_found;
        let worst = [left, top, right, bottom].iter().zip(&corners).map(|(&a, &b)| a.abs_diff(b)).max().unwrap();
        assert!(worst <= 3, "{name}: {box_found:?}, not {corners:?}");
        if let Some(pectoral) = file["pectoral_mask"].as_str() {
            let truth = mask(&read(&folder.join(pectoral)), |grey| grey > 0);
            let finding = find_pectoral(&image, &breast, side);
            let PectoralFinding::Filled(muscle) = finding else { panic!("{name}: {finding:?}") };
            let overlap = jaccard(&muscle, &truth);
            assert!(overlap > 0.94, "{name}: Jaccard {overlap:.3} of the filled muscle");
        }
        counted += 1;
    }
    assert!(counted >= 30, "{counted} renderings with a breast");
}
