//! What the tests of the real binaries share: the engine's path, small images, and programs that stand in for an engine.

#![allow(dead_code, reason = "each test binary uses a part")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

pub(crate) mod folder_stage;
pub(crate) mod python;
pub(crate) mod run_stage;
#[cfg(target_os = "linux")]
pub(crate) mod trainer_stage;
pub(crate) mod training_stage;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use mammoscope_storage::keras::{ImportOptions, import};

/// The engine that was built with the tests.
pub(crate) fn engine() -> PathBuf {
    let engine = Path::new(env!("CARGO_BIN_EXE_mammoscope")).with_file_name("mammoscope-engine");
    assert!(engine.exists(), "{} is not built: `cargo xtask test` builds it first", engine.display());
    engine
}

/// The program, to be run with the real engine and without colours or progress.
pub(crate) fn mammoscope() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mammoscope"));
    command.env("OMP_WAIT_POLICY", "PASSIVE").env_remove("MAMMOSCOPE_ENGINE");
    command
}

pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// The small Keras model as a model file for inputs of `size` pixels.
pub(crate) fn small_model(folder: &Path, size: usize) -> PathBuf {
    let options = ImportOptions { view: None, size: Some(size) };
    let path = folder.join(format!("small_{size}.safetensors"));
    import(&fixture("small_w8_keras224names.h5"), options).unwrap().model.write(&path).unwrap();
    path
}

/// A grey image with a pattern of its own.
pub(crate) fn write_image(path: &Path, pattern: u32) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    image::GrayImage::from_fn(70, 90, |x, y| image::Luma([((x * 3 + y * pattern) % 251) as u8])).save(path).unwrap();
}

/// `count` names of one image in a folder of class B of view CC_R, each a subject of its own.
pub(crate) fn write_many(root: &Path, count: usize) {
    let folder = root.join("CC_R/B");
    let first = folder.join("1_1_B_CC_R.png");
    write_image(&first, 7);
    for number in 2..=count {
        std::fs::hard_link(&first, folder.join(format!("{number}_1_B_CC_R.png"))).unwrap();
    }
}

/// Four subjects of classes A to D in four views.
pub(crate) fn write_four_subjects(root: &Path) {
    for (number, class) in ["A", "B", "C", "D"].into_iter().enumerate() {
        for (pattern, view) in ["CC_R", "CC_L", "MLO_R", "MLO_L"].into_iter().enumerate() {
            let name = format!("{}_1_{class}_{view}.png", number + 11);
            write_image(&root.join(view).join(class).join(name), (number * 4 + pattern + 1) as u32);
        }
    }
}

/// An executable shell script. Another process writes it: a file that this one has open for writing at the moment in
/// which another test starts a program could not be executed ("text file busy").
#[cfg(unix)]
pub(crate) fn script(path: &Path, body: &str) -> PathBuf {
    let write = "printf '#!/bin/sh\\n%s\\n' \"$1\" > \"$2\" && chmod 755 \"$2\"";
    assert!(Command::new("sh").args(["-c", write, "sh", body]).arg(path).status().unwrap().success());
    path.to_owned()
}

/// Waits for a condition, and fails after two minutes with what was waited for.
pub(crate) fn wait_for<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(start.elapsed() < Duration::from_secs(120), "waited two minutes for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Says what is not tested here. The test runner keeps back what the print macros write, so this is written past it.
pub(crate) fn skipped(reason: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "skipped: {reason}");
}

pub(crate) fn stderr_of(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

pub(crate) fn names_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .map(|entries| entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect())
        .unwrap_or_default();
    names.sort();
    names
}
