//! Support for tests of the real binaries: their paths, small data sets and models, run directories, terminals, and
//! stand-ins for the engine.

#![allow(
    clippy::unwrap_used,
    clippy::must_use_candidate,
    clippy::new_without_default,
    clippy::return_self_not_must_use,
    reason = "a test that cannot continue fails"
)]

pub mod faults;
pub mod folder_fixture;
pub mod folder_tree;
pub mod jpeg_encoder;
#[cfg(unix)]
pub mod pty_session;
pub mod python;
#[cfg(unix)]
pub mod read_only_folder;
pub mod run_fixture;
#[cfg(target_os = "linux")]
pub mod slurm_cluster;
pub mod trainer_fixture;
pub mod training_fixture;

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use mammoscope_storage::keras::{ImportOptions, import};

/// The variable that names the file to which skipped tests are appended, one per line; set by `cargo xtask test`.
const SKIPPED_TESTS: &str = "MAMMOSCOPE_SKIPPED_TESTS";

/// The root of the checkout.
pub fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

/// The program built with the tests. Test binaries are in `deps/` beside it.
pub fn program() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let program = test.ancestors().nth(2).unwrap().join("mammoscope");
    assert!(program.exists(), "{} is not built: `cargo xtask test` builds it first", program.display());
    program
}

/// The engine built with the tests.
pub fn engine() -> PathBuf {
    let engine = program().with_file_name("mammoscope-engine");
    assert!(engine.exists(), "{} is not built: `cargo xtask test` builds it first", engine.display());
    engine
}

/// A command that runs the program with the engine beside it.
pub fn mammoscope() -> Command {
    let mut command = Command::new(program());
    command.env("OMP_WAIT_POLICY", "PASSIVE").env_remove("MAMMOSCOPE_ENGINE");
    command
}

/// The path of a file in `tests/fixtures`.
pub fn fixture(name: &str) -> PathBuf {
    checkout().join("tests/fixtures").join(name)
}

/// The path of a file or folder that ships with the program, such as `models` or `testset`.
pub fn shipped(name: &str) -> PathBuf {
    checkout().join(name)
}

/// The path of a reference file or folder that public checkouts lack. Returns `None` and records a skip where it is
/// absent.
pub fn shared(name: &str) -> Option<PathBuf> {
    let path = checkout().join("../shared").join(name);
    if path.exists() {
        return Some(path);
    }
    skipped(&format!("no ../shared/{name}"));
    None
}

/// Writes the small Keras model as a model file for inputs of `size` pixels.
pub fn small_model(folder: &Path, size: usize) -> PathBuf {
    let options = ImportOptions { view: None, size: Some(size) };
    let path = folder.join(format!("small_{size}.safetensors"));
    import(&fixture("small_w8_keras224names.h5"), options).unwrap().model.write(&path).unwrap();
    path
}

/// Writes a grey image of 70 × 90 pixels, which differ from one `pattern` to another.
pub fn write_image(path: &Path, pattern: u32) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    image::GrayImage::from_fn(70, 90, |x, y| image::Luma([((x * 3 + y * pattern) % 251) as u8])).save(path).unwrap();
}

/// Writes `count` hard links to one image, each for another subject of class B in view CC_R.
pub fn write_many(root: &Path, count: usize) {
    let folder = root.join("CC_R/B");
    let first = folder.join("1_1_B_CC_R.png");
    write_image(&first, 7);
    for number in 2..=count {
        std::fs::hard_link(&first, folder.join(format!("{number}_1_B_CC_R.png"))).unwrap();
    }
}

/// Writes images of four subjects, one per class, in all four views.
pub fn write_four_subjects(root: &Path) {
    for (number, class) in ["A", "B", "C", "D"].into_iter().enumerate() {
        for (pattern, view) in ["CC_R", "CC_L", "MLO_R", "MLO_L"].into_iter().enumerate() {
            let name = format!("{}_1_{class}_{view}.png", number + 11);
            write_image(&root.join(view).join(class).join(name), (number * 4 + pattern + 1) as u32);
        }
    }
}

/// Writes an executable shell script. A child process writes it: a file that is open for writing in this process while
/// another test starts a program could not be executed ("text file busy").
#[cfg(unix)]
pub fn script(path: &Path, body: &str) -> PathBuf {
    let write = "printf '#!/bin/sh\\n%s\\n' \"$1\" > \"$2\" && chmod 755 \"$2\"";
    assert!(Command::new("sh").args(["-c", write, "sh", body]).arg(path).status().unwrap().success());
    path.to_owned()
}

/// Polls `condition` until it returns a value; fails after two minutes and names `what`.
pub fn wait_for<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(start.elapsed() < Duration::from_secs(120), "waited two minutes for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Reports that this test is skipped, and why. The test runner captures the print macros, so this writes to stderr
/// directly; the skip is also recorded for the summary of `cargo xtask test`.
pub fn skipped(reason: &str) {
    let thread = std::thread::current();
    let line = format!("skipped: {}: {reason}\n", thread.name().unwrap_or("a test"));
    let _ = std::io::stderr().write_all(line.as_bytes());
    if let Some(record) = std::env::var_os(SKIPPED_TESTS) {
        let file = OpenOptions::new().create(true).append(true).open(record);
        let _ = file.and_then(|mut file| file.write_all(line.as_bytes()));
    }
}

/// True once a process has ended with all its threads: one that this process has adopted and has not waited for remains as
/// a zombie. While threads are still exiting, the process holds its files and locks.
#[cfg(target_os = "linux")]
pub fn has_ended(pid: impl std::fmt::Display) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"));
    let state = stat.ok().and_then(|stat| stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next()));
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).map_or(0, Iterator::count);
    matches!(state, None | Some('Z' | 'X')) && threads <= 1
}

pub fn stderr_of(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The sorted names in a folder; none if it cannot be read.
pub fn names_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .map(|entries| entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect())
        .unwrap_or_default();
    names.sort();
    names
}
