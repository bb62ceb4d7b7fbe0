//! `mammoscope show` where stdout is not a terminal: facts about images, and files that cannot be shown.

use std::path::Path;

use assert_cmd::Command;
use image::{GrayImage, ImageBuffer, Luma};
use mammoscope_test_support::shipped;

fn show(folder: &Path, files: &[&str]) -> (Option<i32>, String, String) {
    let output =
        Command::cargo_bin("mammoscope").unwrap().current_dir(folder).arg("show").args(files).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn each_image_gives_one_line_of_facts_without_pixels() {
    let folder = tempfile::tempdir().unwrap();
    GrayImage::new(30, 50).save(folder.path().join("145_1_C_CC_R.png")).unwrap();
    let deep: ImageBuffer<Luma<u16>, Vec<u16>> = ImageBuffer::new(7, 9);
    deep.save(folder.path().join("deep.tif")).unwrap();
    let (status, stdout, _) = show(folder.path(), &["145_1_C_CC_R.png", "deep.tif"]);
    let expected = "145_1_C_CC_R.png · 30 × 50 · 8-bit grey · PNG · subject 145 · exam 1 · class C · view CC_R\n\
                    deep.tif · 7 × 9 · 16-bit grey · TIFF\n";
    assert_eq!((status, stdout.as_str()), (Some(0), expected));
}

#[test]
fn bad_files_are_listed_and_the_rest_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    GrayImage::new(3, 4).save(folder.path().join("good.png")).unwrap();
    std::fs::write(folder.path().join("empty.png"), "").unwrap();
    std::fs::write(folder.path().join("\u{1b}[31mred.png"), "no image").unwrap();
    let (status, stdout, stderr) =
        show(folder.path(), &["empty.png", "\u{1b}[31mred.png", "good.png", "missing.png", "."]);
    assert_eq!(status, Some(1));
    assert_eq!(stdout, "good.png · 3 × 4 · 8-bit grey · PNG\n");
    let errors: Vec<_> = stderr.lines().filter(|line| line.starts_with("error:")).collect();
    assert_eq!(errors.len(), 4, "{stderr}");
    assert_eq!(errors[0], "error: empty.png: is empty (0 bytes)");
    assert_eq!(errors[1], "error: \\u{1b}[31mred.png: is not a PNG, JPEG or TIFF image");
    assert!(!stderr.contains('\u{1b}'), "a file name never controls the terminal");
}

#[test]
fn the_used_range_is_shown_and_a_stated_one_is_checked() {
    let folder = tempfile::tempdir().unwrap();
    let deep = ImageBuffer::<Luma<u16>, Vec<u16>>::from_fn(40, 40, |x, y| Luma([(x * 40 + y * 61 + 12) as u16]));
    deep.save(folder.path().join("deep.png")).unwrap();
    let (status, stdout, stderr) = show(folder.path(), &["deep.png"]);
    let line = "deep.png · 40 × 40 · 16-bit grey · PNG · values 12–3,951 (12 bits)\n";
    assert_eq!((status, stdout.as_str()), (Some(0), line), "{stderr}");
    let (status, stdout, _) = show(folder.path(), &["--bits", "12", "deep.png"]);
    assert_eq!((status, stdout.as_str()), (Some(0), line));
    let (status, _, stderr) = show(folder.path(), &["--bits", "10", "deep.png"]);
    assert_eq!(status, Some(1));
    assert_eq!(
        stderr.trim_end(),
        "error: deep.png: has the value 3,951, above the white of 1,023; say --bits 12 or the --white that is meant"
    );
}

#[test]
fn an_unusable_graphics_mode_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    GrayImage::new(3, 4).save(folder.path().join("a.png")).unwrap();
    let expected = "--graphics: stdout is not a terminal, so no pictures are drawn";
    let (status, _, stderr) = show(folder.path(), &["--graphics", "sixel", "a.png"]);
    assert!(status == Some(0) && stderr.contains(expected), "{stderr}");
    assert!(!show(folder.path(), &["a.png"]).2.contains(expected));
}

#[test]
fn images_that_cannot_be_mammograms_give_warnings() {
    let folder = tempfile::tempdir().unwrap();
    let phantom = image::open(shipped("testset/CC_R/B/2_1_B_CC_R.png")).unwrap();
    let mut inverted = phantom.into_luma8();
    inverted.save(folder.path().join("right.png")).unwrap();
    image::imageops::invert(&mut inverted);
    inverted.save(folder.path().join("inverted.png")).unwrap();
    GrayImage::from_pixel(64, 64, Luma([9])).save(folder.path().join("flat.png")).unwrap();
    let (status, _, stderr) = show(folder.path(), &["right.png", "inverted.png", "flat.png"]);
    assert_eq!(status, Some(0));
    assert_eq!(
        stderr.lines().collect::<Vec<_>>(),
        [
            "warning: inverted.png: bright background, as if inverted (MONOCHROME1)",
            "warning: flat.png: one grey level only"
        ]
    );
}

#[test]
fn no_files_and_unknown_modes_are_wrong_use() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(show(folder.path(), &[]).0, Some(2));
    assert_eq!(show(folder.path(), &["--graphics", "etch", "x.png"]).0, Some(2));
    let (status, stdout, _) = show(folder.path(), &["--help"]);
    assert_eq!(status, Some(0));
    assert!(stdout.contains("Examples:"));
}
