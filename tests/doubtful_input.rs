//! What goes in is right, or it is refused or named: grey ranges, images that are not mammograms as expected, stated ids,
//! images unlike a model's training, by the real binaries.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use image::{GrayImage, ImageBuffer, Luma};
use mammoscope_domain::image::grey_range::GreyRange;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_storage::models::model_file::ModelMetadata;
use mammoscope_storage::runs::manifest_file::read_manifest;
use mammoscope_storage::tables::prediction_table::{PredictionRow, read_table};
use serde_json::Value;
use support::training_stage::TrainingStage;
use support::{mammoscope, stderr_of};

/// What is done to a picture.
type Change = fn(&mut GrayImage);

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The phantoms of view CC_R, one a class.
fn phantoms() -> [(String, GrayImage); 4] {
    let classes = ["A", "B", "C", "D"];
    std::array::from_fn(|at| {
        let (number, class) = (at + 1, classes[at]);
        let name = format!("{number}_1_{class}_CC_R.png");
        let picture = image::open(shipped(&format!("testset/CC_R/{class}/{name}"))).unwrap().into_luma8();
        (format!("CC_R/{class}/{name}"), picture)
    })
}

fn place(root: &Path, below: &str) -> PathBuf {
    let path = root.join(below);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    path
}

/// The pictures in 16-bit files with so many bits.
fn write_deep(root: &Path, bits: u32) {
    let white = (1_u32 << bits) - 1;
    for (below, picture) in phantoms() {
        let deep = |level: u8| ((u32::from(level) * white + 127) / 255) as u16;
        let (width, height) = picture.dimensions();
        let samples = picture.into_raw().into_iter().map(deep).collect();
        let deep = ImageBuffer::<Luma<u16>, Vec<u16>>::from_raw(width, height, samples).unwrap();
        deep.save(place(root, &below)).unwrap();
    }
}

fn write_changed(root: &Path, change: impl Fn(&mut GrayImage)) {
    for (below, mut picture) in phantoms() {
        change(&mut picture);
        picture.save(place(root, &below)).unwrap();
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
fn the_grey_range_of_16_bit_files_is_stated_or_plain() {
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
        // What may be of fewer bits is refused, with what was seen and what to say; the rest is plain.
        let auto = predict(&data, &out, &[]);
        if bits == 16 {
            assert!(auto.status.success(), "{}", stderr_of(&auto));
        } else {
            let said = stderr_of(&auto);
            assert_eq!(
                (auto.status.code(), said.lines().filter(|line| line.starts_with("error")).count()),
                (Some(1), 1)
            );
            assert!(
                said.contains("the largest value of the 4 16-bit images is ")
                    && said.contains(&format!("say --bits {bits}")),
                "{said}"
            );
            assert!(!out.exists(), "nothing is written");
        }
    }
    let above = predict(&folder.path().join("deep12"), &out, &["--white", "3000"]);
    assert!(stderr_of(&above).contains("above white 3,000: say --bits 12"), "{}", stderr_of(&above));
}

#[test]
fn a_training_keeps_its_grey_range_and_its_model_knows_it() {
    let stage = TrainingStage::empty();
    let mut subject = 0;
    for (split, copies) in [("train", 4), ("validation", 1), ("test", 1)] {
        for class in ["A", "B", "C", "D"].repeat(copies) {
            subject += 1;
            let path = place(&stage.data, &format!("CC_R/{split}/{class}/{subject}_1_{class}_CC_R.png"));
            let noise = |x: u32, y: u32| {
                let mixed = (x * 1009 + y * 9176 + subject * 131_071).wrapping_mul(2_654_435_761);
                (mixed ^ (mixed >> 15)).wrapping_mul(2_246_822_519) >> 20
            };
            let picture = ImageBuffer::<Luma<u16>, Vec<u16>>::from_fn(64, 64, |x, y| Luma([noise(x, y) as u16]));
            picture.save(path).unwrap();
        }
    }
    let refused = stage.train(&[]);
    assert!(stderr_of(&refused).contains("16-bit images is 4,"), "{}", stderr_of(&refused));
    assert!(stderr_of(&refused).contains("say --bits 12"), "{}", stderr_of(&refused));
    let output = stage.train_command(&[], &["--follow", "--bits", "12"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
    let run = stage.run();
    assert_eq!(read_manifest(&run.manifest()).unwrap().grey_range, GreyRange::White(4095));
    assert!(fs::read_to_string(run.spec()).unwrap().contains("grey_range = 4095"));
    let checkpoints = run.path().join("checkpoints");
    let best = support::names_in(&checkpoints).into_iter().find(|name| name.starts_with("best-")).unwrap();
    assert_eq!(ModelMetadata::read(&checkpoints.join(best)).unwrap().grey_range(), GreyRange::White(4095));
    // One warning, with counts and examples; and the same from `evaluate RUN`.
    let warned = |output: &Output| stderr_of(output).matches("images are not mammograms as expected").count();
    assert_eq!(warned(&output), 1, "{}", stderr_of(&output));
    let evaluated = stage.command(&["evaluate", &run.name()]).output().unwrap();
    assert_eq!(warned(&evaluated), 1, "{}", stderr_of(&evaluated));
}

#[test]
fn images_that_are_not_mammograms_as_expected_are_named_once() {
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
        let said = stderr_of(&output);
        assert_eq!(said.matches("not mammograms as expected").count(), 1, "{said}");
        assert!(said.contains(expected), "{said}");
        let notes: Value = serde_json::from_slice(&fs::read(out.join("predictions.json")).unwrap()).unwrap();
        assert!(notes["not_as_expected"].as_str().unwrap().contains(expected), "{notes}");
    }
}

#[test]
fn images_unlike_the_training_are_reported_with_the_distance() {
    let folder = tempfile::tempdir().unwrap();
    let (data, out) = (folder.path().join("data"), folder.path().join("out"));
    write_changed(&data, |_| {});
    let output = predict(&data, &out, &[]);
    assert!(!stderr_of(&output).contains("warning"), "phantoms like those of the training: {}", stderr_of(&output));
    // As films: narrower, with more contrast and grain.
    for (below, picture) in phantoms() {
        let mut film = image::imageops::resize(&picture, 300, 600, image::imageops::FilterType::Triangle);
        for (x, y, pixel) in film.enumerate_pixels_mut() {
            let grain = ((x * 31 + y * 17).wrapping_mul(2_654_435_761) >> 30) as u8;
            pixel.0[0] = pixel.0[0].saturating_add(grain);
        }
        film.save(place(&data, &below)).unwrap();
    }
    let output = predict(&data, &out, &[]);
    let said = stderr_of(&output);
    assert_eq!(said.matches("4 of 4 images are unlike the 192 that").count(), 1, "{said}");
    assert!(said.contains("(median distance ") && said.contains("width by height 0.50 instead of 1.00"), "{said}");
}

#[test]
fn ids_are_stated_by_a_table_or_a_pattern() {
    let folder = tempfile::tempdir().unwrap();
    let (data, out) = (folder.path().join("data"), folder.path().join("out"));
    for ((_, picture), name) in phantoms().into_iter().zip(["scan a", "scan b", "scan c", "scan d"]) {
        picture.save(place(&data, &format!("images/{name}.png"))).unwrap();
    }
    let table = folder.path().join("labels.csv");
    fs::write(
        &table,
        "file;subject;exam;view;class\nscan a.png;7;1;CC_R;A\nscan b;8;1;CC_R;B\nimages/scan c.png;9;1;CC_R;C\n",
    )
    .unwrap();
    let output = predict(&data, &out, &["--labels", table.to_str().unwrap()]);
    let said = stderr_of(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("1 image is left out, since --labels does not know it: images/scan d.png"), "{said}");
    let found: Vec<(String, Option<DensityClass>)> =
        rows(&out).into_iter().map(|row| (row.subject.0, row.label)).collect();
    let expected = [("7", DensityClass::A), ("8", DensityClass::B), ("9", DensityClass::C)];
    assert_eq!(found, expected.map(|(subject, class)| (subject.to_owned(), Some(class))));

    let pattern = r"scan (?<subject>\w)";
    let output = predict(&data, &out, &["--ids", pattern, "--view", "CC_R"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr_of(&output));
    assert_eq!(rows(&out).into_iter().map(|row| row.subject.0).collect::<Vec<_>>(), ["a", "b", "c", "d"]);
}
