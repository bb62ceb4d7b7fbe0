//! The audit finds each fault that is planted in a folder of phantoms, and nothing in a clean one.

#![allow(clippy::unwrap_used, reason = "a test that cannot continue fails")]

mod class_faults;
mod clean_sets;
mod copy_faults;
mod name_faults;
mod picture_faults;
mod shared_files;
mod split_faults;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use image::GrayImage;

use mammoscope_dataset::audit::finding::{Finding, FindingCode, Severity};
use mammoscope_dataset::audit::{AuditOptions, AuditReport, PREPROCESS_MANIFEST, PreprocessManifest, audit};
use mammoscope_dataset::folder_layout::scan;
use mammoscope_dataset::phantom::files::paths_of_view;
use mammoscope_dataset::phantom::{PhantomGenerator, PhantomSettings, PhantomView};
use mammoscope_dataset::split_table::SplitTable;
use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::image::grey_range::GreyRange;
use mammoscope_domain::subject::view::View;

/// The subjects of a folder in which faults are planted; six per class.
const SUBJECTS: u32 = 24;
const SIZE: u32 = 128;

/// The views of phantoms, each with its path below a data set's root.
fn phantoms(settings: PhantomSettings, subjects: u32) -> Vec<(PathBuf, PhantomView)> {
    let generator = PhantomGenerator::new(settings).unwrap();
    let of_subject = |number| {
        let subject = generator.subject(number);
        View::ALL.map(|view| (paths_of_view(&subject, view).swap_remove(0), generator.view(&subject, view)))
    };
    (1..=subjects).flat_map(of_subject).collect()
}

fn write(root: &Path, file: &Path, picture: &GrayImage) {
    let path = root.join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    picture.save(path).unwrap();
}

/// A folder of clean phantoms, in which a test plants a fault.
struct Planted {
    folder: tempfile::TempDir,
}

fn clean_phantoms() -> &'static [(PathBuf, PhantomView)] {
    static PHANTOMS: OnceLock<Vec<(PathBuf, PhantomView)>> = OnceLock::new();
    let settings = PhantomSettings { seed: 3, size: SIZE, overlap: false, confounder: false };
    PHANTOMS.get_or_init(|| phantoms(settings, SUBJECTS))
}

impl Planted {
    fn new() -> Self {
        Self::with_paths(ToOwned::to_owned)
    }

    /// Clean phantoms with other paths.
    fn with_paths(path: impl Fn(&Path) -> PathBuf) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (file, view) in clean_phantoms() {
            write(folder.path(), &path(file), &view.image);
        }
        Self { folder }
    }

    fn root(&self) -> &Path {
        self.folder.path()
    }

    fn path(&self, file: &str) -> PathBuf {
        let path = self.root().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    }

    fn picture(&self, file: &str) -> GrayImage {
        image::open(self.path(file)).unwrap().into_luma8()
    }

    /// Replaces a picture by a changed one.
    fn change(&self, file: &str, change: impl FnOnce(GrayImage) -> GrayImage) {
        change(self.picture(file)).save(self.path(file)).unwrap();
    }

    fn rename(&self, file: &str, to: &str) {
        fs::rename(self.path(file), self.path(to)).unwrap();
    }

    fn report(&self) -> AuditReport {
        audited(self.root(), GreyRange::Auto, None)
    }

    /// Asserts that the folder has this one finding, about these files, and no other.
    fn expect_only(&self, severity: Severity, code: FindingCode, files: &[&str]) -> Finding {
        self.expect(&[(severity, code, files)]).remove(0)
    }

    /// Asserts that the folder has these findings in this order and no others.
    fn expect(&self, expected: &[(Severity, FindingCode, &[&str])]) -> Vec<Finding> {
        let findings = self.report().findings;
        let found: Vec<_> = findings.iter().map(|finding| (finding.severity, finding.code)).collect();
        let wanted: Vec<_> = expected.iter().map(|(severity, code, _)| (*severity, *code)).collect();
        assert_eq!(found, wanted, "{findings:#?}");
        for (finding, (_, _, files)) in findings.iter().zip(expected) {
            let mut named: Vec<&str> = finding.files.iter().map(String::as_str).collect();
            named.sort_unstable();
            let mut files = files.to_vec();
            files.sort_unstable();
            assert_eq!(named, files, "{finding:#?}");
            assert!(!finding.fix.is_empty() && !finding.message.contains('\n'), "{finding:#?}");
        }
        findings
    }
}

/// Gives the muscles of some MLO views, which are filled in phantoms, the texture of unfilled ones; returns the files.
fn show_muscles(planted: &Planted, shows: impl Fn(&Path) -> bool) -> Vec<String> {
    let mut shown = Vec::new();
    for (file, view) in clean_phantoms() {
        let Some(pectoral) = view.pectoral.as_ref().filter(|_| shows(file)) else { continue };
        let file = file.to_str().unwrap();
        planted.change(file, |mut picture| {
            let pixels = picture.iter_mut().zip(pectoral.iter()).enumerate();
            for (at, (level, _)) in pixels.filter(|(_, (_, inside))| **inside > 0) {
                // Brighter than the tissue beside it, and grainy.
                *level = level.saturating_add(30 + ((at * 2_654_435) >> 7) as u8 % 16);
            }
            picture
        });
        shown.push(file.to_owned());
    }
    shown
}

/// The report on a folder, with the preprocessing manifest in it.
fn audited(root: &Path, grey_range: GreyRange, splits: Option<&SplitTable>) -> AuditReport {
    let manifest = fs::read(root.join(PREPROCESS_MANIFEST)).ok();
    let manifest = manifest.map(|bytes| PreprocessManifest::read(bytes.as_slice()).unwrap());
    let options = AuditOptions {
        grey_range,
        splits,
        preprocessed: manifest.as_ref(),
        on_image: &|| {},
        cancellation: Cancellation::never(),
    };
    audit(&scan(root).unwrap(), options).unwrap()
}

fn codes(report: &AuditReport) -> Vec<&'static str> {
    report.findings.iter().map(|finding| finding.code.name()).collect()
}
