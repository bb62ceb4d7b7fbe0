//! Doubtful input is refused or reported by the real binaries: grey ranges, images that are not mammograms as expected,
//! stated IDs, and images unlike a model's training data.

#![cfg(unix)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use image::{GrayImage, ImageBuffer, Luma};
use mammoscope_domain::image::grey_range::GreyRange;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_storage::models::model_file::ModelMetadata;
use mammoscope_storage::runs::manifest_file::read_manifest;
use mammoscope_storage::tables::prediction_table::{PredictionRow, read_table};
use mammoscope_test_support::training_fixture::TrainingFixture;
use mammoscope_test_support::{mammoscope, names_in, shipped, stderr_of};
use serde_json::Value;

/// An edit to a picture.
type Change = fn(&mut GrayImage);

/// The phantoms of view CC_R, one per class, with their paths below the data folder.
fn phantoms() -> [(String, GrayImage); 4] {
    let classes = ["A", "B", "C", "D"];
    std::array::from_fn(|at| {
        let (number, class) = (at + 1, classes[at]);
        let name = format!("{number}_1_{class}_CC_R.png");
        let picture = image::open(shipped(&format!("testset/CC_R/{class}/{name}"))).unwrap().into_luma8();
        (format!("CC_R/{class}/{name}"), picture)
    })
}

/// A path below a root, whose folder is made.
fn path_below(root: &Path, below: &str) -> PathBuf {
    let path = root.join(below);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    path
}

/// Writes the phantoms as 16-bit files that use `bits` bits.
fn write_deep(root: &Path, bits: u32) {
    let white = (1_u32 << bits) - 1;
    for (below, picture) in phantoms() {
        let deep = |level: u8| ((u32::from(level) * white + 127) / 255) as u16;
        let (width, height) = picture.dimensions();
        let samples = picture.into_raw().into_iter().map(deep).collect();
        let deep = ImageBuffer::<Luma<u16>, Vec<u16>>::from_raw(width, height, samples).unwrap();
        deep.save(path_below(root, &below)).unwrap();
    }
}

fn write_changed(root: &Path, change: impl Fn(&mut GrayImage)) {
    for (below, mut picture) in phantoms() {
        change(&mut picture);
        picture.save(path_below(root, &below)).unwrap();
    }
}

fn predict(data: &Path, out: &Path, more: &[&str]) -> Output {
    let mut command = mammoscope();
    command.arg("predict").arg("--model").arg(shipped("models")).args(["--device", "cpu", "--threads", "1"]);
    command.arg("--data").arg(data).arg("--out").arg(out).args(more).output().unwrap()
}

fn rows(out: &Path) -> Vec<PredictionRow> {
    read_table(&out.join("predictions.csv")).unwrap()
}

#[test]
fn the_grey_range_of_16_bit_files_is_stated_or_evident() {
    let folder = tempfile::tempdir().unwrap();
    let (plain, out) = (folder.path().join("plain"), folder.path().join("out"));
    write_changed(&plain, |_| {});
    assert!(predict(&plain, &out, &[]).status.success());
    let expected = rows(&out);
    assert_eq!(expected.iter().map(|row| row.predicted).collect::<Vec<_>>(), DensityClass::ALL);
    for bits in [10, 12, 14, 16] {
        let data = folder.path().join(format!("deep{bits}"));
        write_deep(&data, bits);
        let depth = bits.to_string();
        let stated = predict(&data, &out, &["--bits", &depth]);
        assert!(stated.status.success(), "{}", stderr_of(&stated));
        for (row, expected) in rows(&out).iter().zip(&expected) {
            for (class, probability) in row.probabilities.0.into_iter().enumerate() {
                let off = (probability - expected.probabilities.0[class]).abs();
                assert!(off < 0.01, "{bits} bits: {} is off by {off}", row.file);
            }
        }
        let notes: Value = serde_json::from_slice(&fs::read(out.join("predictions.json")).unwrap()).unwrap();
        assert_eq!(notes["grey_range"], (1_u32 << bits) - 1, "{notes}");
        assert!(stderr_of(&stated).contains("was trained on images of white 255 (8 bits)"), "{}", stderr_of(&stated));
        fs::remove_dir_all(&out).unwrap();
        // Files that may have fewer bits are refused, with their largest value and the option to use.
        let auto = predict(&data, &out, &[]);
        if bits == 16 {
            assert!(auto.status.success(), "{}", stderr_of(&auto));
        } else {
            let stderr = stderr_of(&auto);
            assert_eq!(
                (auto.status.code(), stderr.lines().filter(|line| line.starts_with("error")).count()),
                (Some(1), 1)
            );
            assert!(
                stderr.contains("the largest value of the 4 16-bit images is ")
                    && stderr.contains(&format!("say --bits {bits}")),
                "{stderr}"
            );
            assert!(!out.exists(), "nothing is written");
        }
    }
    let above = predict(&folder.path().join("deep12"), &out, &["--white", "3000"]);
    assert!(stderr_of(&above).contains("above white 3,000: say --bits 12"), "{}", stderr_of(&above));
}

#[test]
fn a_run_and_its_model_keep_their_grey_range() {
    let fixture = TrainingFixture::empty();
    let mut subject = 0;
    for (split, copies) in [("train", 4), ("validation", 1), ("test", 1)] {
        for class in ["A", "B", "C", "D"].repeat(copies) {
            subject += 1;
            let path = path_below(&fixture.data, &format!("CC_R/{split}/{class}/{subject}_1_{class}_CC_R.png"));
            let noise = |x: u32, y: u32| {
                let mixed = (x * 1009 + y * 9176 + subject * 131_071).wrapping_mul(2_654_435_761);
                (mixed ^ (mixed >> 15)).wrapping_mul(2_246_822_519) >> 20
            };
            let picture = ImageBuffer::<Luma<u16>, Vec<u16>>::from_fn(64, 64, |x, y| Luma([noise(x, y) as u16]));
            picture.save(path).unwrap();
        }
    }
    let refused = fixture.train(&[]);
    assert!(stderr_of(&refused).contains("16-bit images is 4,"), "{}", stderr_of(&refused));
    assert!(stderr_of(&refused).contains("say --bits 12"), "{}", stderr_of(&refused));
    let output = fixture.train_command(&[], &["--follow", "--bits", "12"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
    let run = fixture.run();
    assert_eq!(read_manifest(&run.manifest()).unwrap().grey_range, GreyRange::White(4095));
    assert!(fs::read_to_string(run.spec()).unwrap().contains("grey_range = 4095"));
    let checkpoints = run.path().join("checkpoints");
    let best = names_in(&checkpoints).into_iter().find(|name| name.starts_with("best-")).unwrap();
    assert_eq!(ModelMetadata::read(&checkpoints.join(best)).unwrap().grey_range(), GreyRange::White(4095));
    // One warning with counts and examples, and the same from `evaluate RUN`.
    let warned = |output: &Output| stderr_of(output).matches("images are not mammograms as expected").count();
    assert_eq!(warned(&output), 1, "{}", stderr_of(&output));
    let evaluated = fixture.command(&["evaluate", &run.name()]).output().unwrap();
    assert_eq!(warned(&evaluated), 1, "{}", stderr_of(&evaluated));
}

#[test]
fn images_that_are_not_mammograms_as_expected_are_reported_once() {
    let folder = tempfile::tempdir().unwrap();
    let cases: [(&str, Change, &str); 3] = [
        (
            "inverted",
            |picture| image::imageops::invert(picture),
            "bright background, as if inverted (MONOCHROME1) in 4 (",
        ),
        ("flat", |picture| picture.fill(40), "one grey level only in 4 ("),
        (
            "saturated",
            |picture| picture.iter_mut().for_each(|level| *level = level.saturating_mul(3)),
            "large parts of the breast saturated in ",
        ),
    ];
    for (name, change, expected) in cases {
        let (data, out) = (folder.path().join(name), folder.path().join("out"));
        write_changed(&data, change);
        let output = predict(&data, &out, &[]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
        let stderr = stderr_of(&output);
        assert_eq!(stderr.matches("not mammograms as expected").count(), 1, "{stderr}");
        assert!(stderr.contains(expected), "{stderr}");
        let notes: Value = serde_json::from_slice(&fs::read(out.join("predictions.json")).unwrap()).unwrap();
        assert!(notes["not_as_expected"].as_str().unwrap().contains(expected), "{notes}");
    }
}

#[test]
fn images_unlike_the_training_data_are_reported_with_their_distance() {
    let folder = tempfile::tempdir().unwrap();
    let (data, out) = (folder.path().join("data"), folder.path().join("out"));
    write_changed(&data, |_| {});
    let output = predict(&data, &out, &[]);
    assert!(!stderr_of(&output).contains("warning"), "the phantoms are like the training data: {}", stderr_of(&output));
    // Like films: narrower, with more contrast and grain.
    for (below, picture) in phantoms() {
        let mut film = image::imageops::resize(&picture, 300, 600, image::imageops::FilterType::Triangle);
        for (x, y, pixel) in film.enumerate_pixels_mut() {
            let grain = ((x * 31 + y * 17).wrapping_mul(2_654_435_761) >> 30) as u8;
            pixel.0[0] = pixel.0[0].saturating_add(grain);
        }
        film.save(path_below(&data, &below)).unwrap();
    }
    let output = predict(&data, &out, &[]);
    let stderr = stderr_of(&output);
    assert_eq!(stderr.matches("4 of 4 images are unlike the 192 that").count(), 1, "{stderr}");
    assert!(stderr.contains("(median distance ") && stderr.contains("aspect ratio 0.50 instead of 1.00"), "{stderr}");
}

#[test]
fn ids_come_from_a_table_or_a_pattern() {
    let folder = tempfile::tempdir().unwrap();
    let (data, out) = (folder.path().join("data"), folder.path().join("out"));
    for ((_, picture), name) in phantoms().into_iter().zip(["scan a", "scan b", "scan c", "scan d"]) {
        picture.save(path_below(&data, &format!("images/{name}.png"))).unwrap();
    }
    let table = folder.path().join("labels.csv");
    fs::write(
        &table,
        "file;subject;exam;view;class\nscan a.png;7;1;CC_R;A\nscan b;8;1;CC_R;B\nimages/scan c.png;9;1;CC_R;C\n",
    )
    .unwrap();
    let output = predict(&data, &out, &["--labels", table.to_str().unwrap()]);
    let stderr = stderr_of(&output);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("1 image is left out, since --labels does not cover it: images/scan d.png"), "{stderr}");
    let found: Vec<(String, Option<DensityClass>)> =
        rows(&out).into_iter().map(|row| (row.subject.0, row.label)).collect();
    let expected = [("7", DensityClass::A), ("8", DensityClass::B), ("9", DensityClass::C)];
    assert_eq!(found, expected.map(|(subject, class)| (subject.to_owned(), Some(class))));

    let pattern = r"scan (?<subject>\w)";
    let output = predict(&data, &out, &["--ids", pattern, "--view", "CC_R"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
    assert_eq!(rows(&out).into_iter().map(|row| row.subject.0).collect::<Vec<_>>(), ["a", "b", "c", "d"]);
}
