//! The audit of many files: memory in proportion to their number, a few kilobytes each, and copies found among thousands.

#![allow(clippy::unwrap_used, reason = "a test that cannot continue fails")]
#![cfg(target_os = "linux")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use image::imageops::flip_horizontal;
use image::{GrayImage, Luma};
use rayon::prelude::*;

use mammoscope_dataset::audit::{AuditOptions, AuditReport, audit};
use mammoscope_dataset::folder_layout::scan;
use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::image::grey_range::GreyRange;

/// Bytes kept of a file, at most: path, names, measures and the JSON document's entry.
const BYTES_PER_FILE: u64 = 5000;
/// Growth that does not depend on the number of files.
const SLACK: u64 = 40 << 20;

/// A right breast with a texture of its own, in blocks of two pixels.
fn picture(number: u64, side: u32) -> GrayImage {
    GrayImage::from_fn(side, side, |x, y| {
        let (from_wall, middle) = (u64::from(side - 1 - x), u64::from(y.abs_diff(side / 2)));
        if from_wall.pow(2) + middle.pow(2) >= u64::from(side * 2 / 5).pow(2) {
            return Luma([0]);
        }
        let block = number << 20 | u64::from(x / 2) << 10 | u64::from(y / 2);
        let mixed = (block ^ block >> 13).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mixed = (mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        Luma([110 + (mixed >> 58) as u8])
    })
}

fn path(root: &Path, number: usize) -> PathBuf {
    let class = ["A", "B", "C", "D"][number % 4];
    root.join(format!("CC_R/{class}/{number}_1_{class}_CC_R.png"))
}

/// Writes files with these numbers.
fn write(root: &Path, files: std::ops::Range<usize>, side: u32) {
    for class in ["A", "B", "C", "D"] {
        fs::create_dir_all(root.join("CC_R").join(class)).unwrap();
    }
    files.into_par_iter().for_each(|number| picture(number as u64, side).save(path(root, number)).unwrap());
}

/// Writes copies of the first three files: the same one, a noisy one, and a mirrored one as the left breast.
fn write_copies(root: &Path, after: usize, side: u32) {
    let original = |number: u64| picture(number, side);
    // A multiple of four after an original, so that only the subject differs.
    let at = |number: usize| path(root, after.next_multiple_of(4) + number);
    fs::copy(path(root, 0), at(0)).unwrap();
    let noisy = GrayImage::from_fn(side, side, |x, y| {
        let level = original(1).get_pixel(x, y)[0];
        Luma([if level > 0 { level + ((x * 7 + y * 3) % 4) as u8 } else { 0 }])
    });
    noisy.save(at(1)).unwrap();
    let mirrored = flip_horizontal(&original(2));
    fs::create_dir_all(root.join("CC_L/C")).unwrap();
    mirrored.save(root.join("CC_L/C/2_1_C_CC_L.png")).unwrap();
}

fn report(root: &Path) -> AuditReport {
    let options = AuditOptions {
        grey_range: GreyRange::Auto,
        splits: None,
        preprocessed: None,
        on_image: &|| {},
        cancellation: Cancellation::never(),
    };
    audit(&scan(root).unwrap(), options).unwrap()
}

/// The largest memory of this process so far, in bytes.
fn peak_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

fn codes(report: &AuditReport) -> Vec<&str> {
    report.findings.iter().map(|finding| finding.code.name()).collect()
}

#[test]
fn memory_grows_by_a_few_kilobytes_per_file_and_copies_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let (few, many) = (500, 4000);
    write(folder.path(), 0..few, 48);
    let clean = report(folder.path());
    assert!(clean.findings.is_empty(), "{:#?}", clean.findings);
    drop(clean);
    let before = peak_memory();
    write(folder.path(), few..many, 48);
    write_copies(folder.path(), many, 48);
    let found = report(folder.path());
    let grown = peak_memory() - before;
    assert!(grown < SLACK + (many - few) as u64 * BYTES_PER_FILE, "{grown} bytes for {} files", many - few);
    assert_eq!(codes(&found), ["same-file", "recompressed", "mirrored", "missing-views"]);
    assert!(found.findings[..3].iter().all(|finding| finding.files.len() == 2), "{:?}", &found.findings[..3]);
}

/// Prints rate and memory for `AUDIT_FILES` files (20,000) of `AUDIT_SIDE` pixels (64) in `AUDIT_FOLDER`:
/// `cargo test --release -p mammoscope-dataset --test audit_scale -- --ignored --nocapture`.
#[test]
#[ignore = "writes about 80 MB, a minute: cargo test --release -p mammoscope-dataset --test audit_scale -- --ignored"]
fn rate_and_memory_of_many_files() {
    let setting =
        |name: &str, default: usize| std::env::var(name).map_or(default, |value| value.parse().expect("a number"));
    let (files, side) = (setting("AUDIT_FILES", 20_000), setting("AUDIT_SIDE", 64) as u32);
    let folder = match std::env::var_os("AUDIT_FOLDER") {
        Some(folder) => tempfile::tempdir_in(folder).unwrap(),
        None => tempfile::tempdir().unwrap(),
    };
    write(folder.path(), 0..files, side);
    write_copies(folder.path(), files, side);
    let (start, before) = (Instant::now(), peak_memory());
    let found = report(folder.path());
    let (seconds, grown) = (start.elapsed().as_secs_f64(), peak_memory() - before);
    let count = found.counts.files as f64;
    println!(
        "{count} files of {side} px in {seconds:.1} s: {:.0} files/s on {} threads; {:.0} MB more memory, {:.0} bytes per file",
        count / seconds,
        rayon::current_num_threads(),
        grown as f64 / 1e6,
        grown as f64 / count
    );
    assert!(grown < SLACK + files as u64 * BYTES_PER_FILE, "{grown} bytes");
    assert_eq!(codes(&found)[..3], ["same-file", "recompressed", "mirrored"]);
}
