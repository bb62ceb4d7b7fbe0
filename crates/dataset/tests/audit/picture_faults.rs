//! Faults that only the pixels, or the record of preprocessing, show.

use std::fs;

use image::imageops::{FilterType, flip_horizontal, invert, resize};
use image::{GrayImage, ImageBuffer, Luma};

use mammoscope_dataset::audit::PREPROCESS_MANIFEST;
use mammoscope_dataset::audit::finding::FindingCode::{
    BurnedInLetters, DigitisedFilm, GreyBackground, GreyRange as GreyRangeCode, Implant, Inverted, MixedMuscle,
    OddDepth, OddSize, OneGreyLevel, PreprocessLost, PreprocessNote, SideAgainstPixels, Synthesised2d,
};
use mammoscope_dataset::audit::finding::Severity::{Error, Warning};
use mammoscope_domain::image::grey_range::GreyRange;

use super::{Planted, SIZE, audited, codes, show_muscles};

const ONE: &str = "CC_L/B/2_1_B_CC_L.png";

#[test]
fn a_chest_wall_at_the_wrong_edge_is_found() {
    for file in [ONE, "MLO_R/C/3_1_C_MLO_R.png"] {
        let planted = Planted::new();
        planted.change(file, |picture| flip_horizontal(&picture));
        planted.expect_only(Error, SideAgainstPixels, &[file]);
        let report = planted.report();
        let found = report.files.iter().find(|found| found.file == file).unwrap();
        assert_eq!(found.laterality_agrees, Some(false));
    }
}

#[test]
fn inverted_and_blank_pictures_are_found() {
    let planted = Planted::new();
    planted.change(ONE, |mut picture| {
        invert(&mut picture);
        picture
    });
    planted.expect_only(Error, Inverted, &[ONE]);
    planted.change(ONE, |picture| GrayImage::from_pixel(picture.width(), picture.height(), Luma([9])));
    planted.expect_only(Error, OneGreyLevel, &[ONE]);
}

/// The upper corner away from the chest wall of a left breast.
fn corner(x: u32, y: u32) -> bool {
    (SIZE - 20..SIZE - 4).contains(&x) && (4..14).contains(&y)
}

#[test]
fn letters_and_film_are_found() {
    let planted = Planted::new();
    planted.change(ONE, |picture| {
        let letters = |x: u32, y: u32| corner(x, y) && (x / 3).is_multiple_of(2);
        GrayImage::from_fn(SIZE, SIZE, |x, y| if letters(x, y) { Luma([220]) } else { *picture.get_pixel(x, y) })
    });
    planted.expect_only(Warning, BurnedInLetters, &[ONE]);

    let planted = Planted::new();
    planted.change(ONE, |picture| {
        let noise =
            |x: u32, y: u32| 14 + (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(2_246_822_519) >> 3) as u8 % 9;
        GrayImage::from_fn(SIZE, SIZE, |x, y| Luma([picture.get_pixel(x, y)[0].max(noise(x, y))]))
    });
    planted.expect_only(Warning, DigitisedFilm, &[ONE]);

    let planted = Planted::new();
    planted.change(ONE, |picture| GrayImage::from_fn(SIZE, SIZE, |x, y| Luma([picture.get_pixel(x, y)[0].max(12)])));
    planted.expect_only(Warning, GreyBackground, &[ONE]);
}

#[test]
fn odd_sizes_and_depths_are_found() {
    let planted = Planted::new();
    planted.change(ONE, |picture| resize(&picture, 300, 300, FilterType::CatmullRom));
    let finding = planted.expect_only(Warning, OddSize, &[ONE]);
    assert_eq!(finding.message, "1 CC_L image of an odd size, such as 300 × 300 pixels; the others are 128 × 128");
    planted.change(ONE, |picture| resize(&picture, 130, 128, FilterType::CatmullRom));
    planted.expect_only(Warning, OddSize, &[ONE]);

    let planted = Planted::new();
    let picture = planted.picture(ONE);
    let sixteen = |white: u32| {
        ImageBuffer::from_fn(SIZE, SIZE, |x, y| Luma([(u32::from(picture.get_pixel(x, y)[0]) * white / 255) as u16]))
    };
    sixteen(65_535).save(planted.path(ONE)).unwrap();
    let finding = planted.expect_only(Warning, OddDepth, &[ONE]);
    assert!(finding.message.ends_with("such as 16-bit grey instead of 8-bit grey"), "{finding:?}");
    // 12 bits in 16.
    sixteen(4095).save(planted.path(ONE)).unwrap();
    let found = planted.expect(&[(Error, GreyRangeCode, &[ONE]), (Warning, OddDepth, &[ONE])]);
    assert!(found[0].message.contains(ONE) && found[0].message.contains("say --bits 12"), "{found:?}");
    let report = audited(planted.root(), GreyRange::of_bits(12), None);
    assert_eq!(codes(&report), ["odd-depth"]);
}

#[test]
fn filled_and_unfilled_muscles_in_one_set_are_found() {
    let planted = Planted::new();
    let states: Vec<_> = planted.report().files.into_iter().map(|file| file.pectoral.name()).collect();
    let count = |state: &str| states.iter().filter(|found| **found == state).count();
    assert_eq!((count("none"), count("filled")), (48, 48), "CC views, and the filled muscles of phantoms");

    let files = show_muscles(&planted, |file| file.to_str().unwrap().contains("/10_"));
    let finding = planted.expect_only(Warning, MixedMuscle, &files.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(finding.message.contains("filled in 46 MLO images and not, or not certainly, in 2"), "{finding:?}");
    let states: Vec<_> = planted.report().files.into_iter().filter(|file| files.contains(&file.file)).collect();
    assert!(states.iter().all(|file| ["muscle", "uncertain"].contains(&file.pectoral.name())), "{states:?}");

    let planted = Planted::new();
    show_muscles(&planted, |_| true);
    assert!(planted.report().findings.is_empty(), "unfilled throughout: {:#?}", planted.report().findings);
}

#[test]
fn findings_of_preprocessing_are_repeated() {
    let planted = Planted::new();
    let line = |file: &str, findings: &str| format!("{{\"output\": \"{file}\", \"findings\": [{findings}]}}\n");
    let two = "MLO_R/C/3_1_C_MLO_R.png";
    let lost = "CC_R/A/99_1_A_CC_R.png";
    let lines = [
        line(ONE, r#""implant", "burned-in annotation""#),
        line(two, r#""2D view synthesised from tomosynthesis", "digitised film", "side from the pixels only""#),
        line(lost, ""),
    ];
    fs::write(planted.path(PREPROCESS_MANIFEST), lines.concat()).unwrap();
    let found = planted.expect(&[
        (Warning, DigitisedFilm, &[two]),
        (Warning, Synthesised2d, &[two]),
        (Warning, Implant, &[ONE]),
        (Warning, BurnedInLetters, &[ONE]),
        (Warning, PreprocessNote, &[two]),
        (Warning, PreprocessLost, &[lost]),
    ]);
    assert_eq!(found[4].message, "preprocessing noted of 1 image: side from the pixels only");
}
