//! Copies of pictures.

use std::fs;

use image::codecs::jpeg::JpegEncoder;
use image::imageops::{FilterType, flip_horizontal, resize};

use mammoscope_dataset::audit::finding::FindingCode::{FormatWithClass, OddDepth, SideAgainstPixels};
use mammoscope_dataset::audit::finding::FindingCode::{
    Mirrored, OddSize, Recompressed, RepeatedView, SameFile, SamePixels,
};
use mammoscope_dataset::audit::finding::Severity::{Error, Warning};

use super::Planted;

const ONE: &str = "CC_R/A/1_1_A_CC_R.png";

#[test]
fn the_same_file_under_another_name_is_found() {
    let planted = Planted::new();
    fs::copy(planted.path(ONE), planted.path("CC_R/A/5_1_A_CC_R.png")).unwrap();
    let finding = planted.expect_only(Error, SameFile, &[ONE, "CC_R/A/5_1_A_CC_R.png"]);
    assert_eq!(finding.message, "2 files have the same bytes, but are of 2 subjects");

    let planted = Planted::new();
    fs::copy(planted.path(ONE), planted.path("CC_R/A/01_1_A_CC_R.PNG")).unwrap();
    let codes = super::codes(&planted.report());
    assert_eq!(codes, ["same-file", "id-spelling", "missing-views"], "of one subject it is a warning");
    assert!(!planted.report().has_errors());
}

#[test]
fn the_same_pixels_in_another_encoding_are_found() {
    let planted = Planted::new();
    let picture = planted.picture(ONE);
    picture.save(planted.path("CC_R/A/1_1_A_CC_R.tif")).unwrap();
    let files = [ONE, "CC_R/A/1_1_A_CC_R.tif"];
    planted.expect(&[(Warning, SamePixels, &files), (Warning, RepeatedView, &files)]);

    // As RGB, and as 16 bits of full range.
    let planted = Planted::new();
    image::DynamicImage::from(picture.clone()).to_rgb8().save(planted.path("CC_R/B/2_1_B_CC_R.png")).unwrap();
    let sixteen = image::ImageBuffer::from_fn(picture.width(), picture.height(), |x, y| {
        image::Luma([u16::from(picture.get_pixel(x, y)[0]) * 257])
    });
    sixteen.save(planted.path("CC_R/C/3_1_C_CC_R.png")).unwrap();
    let copies = ["CC_R/B/2_1_B_CC_R.png", "CC_R/C/3_1_C_CC_R.png"];
    let files = [ONE, copies[0], copies[1]];
    let found = planted.expect(&[(Error, SamePixels, &files), (Warning, OddDepth, &copies)]);
    assert_eq!(
        found[0].message,
        "3 files have the same pixels in different encodings, but are of classes A, B, C and of 3 subjects"
    );
}

#[test]
fn recompressed_and_scaled_copies_are_found() {
    let planted = Planted::new();
    let picture = planted.picture(ONE);
    let jpeg = planted.path("CC_R/A/5_1_A_CC_R.jpg");
    fs::remove_file(planted.path("CC_R/A/5_1_A_CC_R.png")).unwrap();
    JpegEncoder::new_with_quality(fs::File::create(&jpeg).unwrap(), 60).encode_image(&picture).unwrap();
    planted.expect_only(Error, Recompressed, &[ONE, "CC_R/A/5_1_A_CC_R.jpg"]);

    let planted = Planted::new();
    resize(&picture, 80, 80, FilterType::CatmullRom).save(planted.path("CC_R/A/5_1_A_CC_R.png")).unwrap();
    let small = "CC_R/A/5_1_A_CC_R.png";
    planted.expect(&[(Error, Recompressed, &[ONE, small]), (Warning, OddSize, &[small])]);
}

#[test]
fn mirrored_copies_are_found() {
    let planted = Planted::new();
    let left = "CC_L/A/1_1_A_CC_L.png";
    flip_horizontal(&planted.picture(ONE)).save(planted.path(left)).unwrap();
    let finding = planted.expect_only(Error, Mirrored, &[left, ONE]);
    assert!(finding.message.ends_with("mirrored, but are of views CC_R, CC_L"), "{finding:?}");

    // Under its own view, the side is wrong too.
    let planted = Planted::new();
    let other = "CC_R/A/5_1_A_CC_R.png";
    flip_horizontal(&planted.picture(ONE)).save(planted.path(other)).unwrap();
    planted.expect(&[(Error, Mirrored, &[ONE, other]), (Error, SideAgainstPixels, &[other])]);
}

#[test]
fn a_class_of_another_format_is_not_a_copy() {
    let planted = Planted::new();
    for number in (4..=24).step_by(4) {
        let file = format!("CC_R/D/{number}_1_D_CC_R.png");
        let picture = planted.picture(&file);
        fs::remove_file(planted.path(&file)).unwrap();
        picture.save(planted.path(&file.replace(".png", ".tif"))).unwrap();
    }
    let finding = planted.expect_only(Warning, FormatWithClass, &[]);
    assert!(finding.message.contains("grey TIFF in 25 % of D") || finding.message.contains("of D"), "{finding:?}");
}
