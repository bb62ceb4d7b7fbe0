//! Findings in the folders of a data set: what was left out, and names that contradict their folders.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use mammoscope_domain::text::counted::{counted, counted_as};
use mammoscope_domain::text::foreign_file::{BEGINNING, ForeignFile};
use mammoscope_domain::text::printable::printable;

use super::audited_image::below;
use super::finding::{Finding, FindingCode, Severity};
use crate::folder_layout::FolderScan;
use crate::folder_problem::{FolderProblem, FolderProblemKind};

/// The most files of a table that are listed in a message.
const LISTED: usize = 5;
const DICOM_FIX: &str = "DICOM files are not read by training; run `mammoscope preprocess` and audit its output";

/// The findings of a scan, grouped by kind and reason.
pub(super) fn folder_findings(scan: &FolderScan) -> Vec<Finding> {
    let mut groups: BTreeMap<(FindingCode, String), (&FolderProblem, Vec<String>)> = BTreeMap::new();
    for problem in &scan.problems {
        let code = code(problem);
        let reason = if code == FindingCode::DicomFile { String::new() } else { problem.kind.to_string() };
        let (_, files) = groups.entry((code, reason)).or_insert_with(|| (problem, Vec::new()));
        match &problem.kind {
            FolderProblemKind::Unstated { files: unstated, .. }
            | FolderProblemKind::AmbiguousLabel { files: unstated } => {
                files.extend(unstated.iter().map(|file| below(&scan.root, file)));
            }
            FolderProblemKind::SpelledDifferently { .. } => {}
            _ => files.push(below(&scan.root, &problem.path)),
        }
    }
    let has_images = !scan.samples.is_empty();
    let mut findings: Vec<Finding> =
        groups.into_iter().map(|((code, reason), (first, files))| finding(code, &reason, first, files)).collect();
    findings.extend(ignored(scan));
    if !scan.stated_but_missing.is_empty() {
        let count = counted_as(scan.stated_but_missing.len(), "file or subject", "files or subjects");
        let named: Vec<String> = scan.stated_but_missing.iter().take(LISTED).map(|file| printable(file)).collect();
        let more = if scan.stated_but_missing.len() > LISTED { ", …" } else { "" };
        let message = format!("--labels names {count} that the data lacks: {}{more}", named.join(", "));
        let fix = "remove them from the table, or find the images";
        findings.push(Finding::warning(FindingCode::NotInData, Vec::new(), message, fix));
    }
    if !has_images {
        let message = "there is no image that could be used";
        let fix =
            "expected are <VIEW>/[train|validation|test/]<A|B|C|D>/*.png, or a folder of PNG, JPEG or TIFF images";
        findings.push(Finding::error(FindingCode::NoImages, Vec::new(), message, fix));
    }
    findings
}

fn code(problem: &FolderProblem) -> FindingCode {
    match problem.kind {
        FolderProblemKind::Unreadable { .. } => FindingCode::Unreadable,
        FolderProblemKind::NotAnImage if is_dicom(&problem.path) => FindingCode::DicomFile,
        FolderProblemKind::ClassAgainstName { .. } => FindingCode::ClassAgainstName,
        FolderProblemKind::ClassAgainstTable { .. } => FindingCode::ClassAgainstTable,
        FolderProblemKind::ViewAgainstName { .. } => FindingCode::ViewAgainstName,
        FolderProblemKind::ViewAgainstStatement { .. } => FindingCode::ViewAgainstTable,
        FolderProblemKind::FolderAgainstFolder { .. } => FindingCode::FolderAgainstFolder,
        FolderProblemKind::LinkLoop
        | FolderProblemKind::TooDeep
        | FolderProblemKind::Hidden
        | FolderProblemKind::NameNotUtf8
        | FolderProblemKind::NotAnImage
        | FolderProblemKind::BesideFolders
        | FolderProblemKind::UnknownFolder { .. }
        | FolderProblemKind::Nested { .. }
        | FolderProblemKind::Unstated { .. }
        | FolderProblemKind::AmbiguousLabel { .. }
        | FolderProblemKind::EmptyClassFolder => FindingCode::LeftOut,
        FolderProblemKind::SpelledDifferently { .. } => FindingCode::IdSpelling,
    }
}

/// True if a file begins like a DICOM file.
fn is_dicom(path: &Path) -> bool {
    let mut start = Vec::new();
    // A pipe would block.
    let is_file = std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file());
    let read =
        is_file && File::open(path).is_ok_and(|file| file.take(BEGINNING as u64).read_to_end(&mut start).is_ok());
    read && ForeignFile::of(&start) == Some(ForeignFile::Dicom)
}

/// The finding for files that cannot be read as images because they are DICOM files.
pub(super) fn dicom_files(files: Vec<String>) -> Finding {
    let message = match files.len() {
        1 => "a DICOM file is among the images; it was not audited".to_owned(),
        count => format!("{count} DICOM files are among the images; they were not audited"),
    };
    Finding::warning(FindingCode::DicomFile, files, message, DICOM_FIX)
}

fn finding(code: FindingCode, reason: &str, first: &FolderProblem, files: Vec<String>) -> Finding {
    if code == FindingCode::DicomFile {
        return dicom_files(files);
    }
    let noun = match first.kind {
        FolderProblemKind::UnknownFolder { .. }
        | FolderProblemKind::Nested { .. }
        | FolderProblemKind::EmptyClassFolder
        | FolderProblemKind::TooDeep
        | FolderProblemKind::LinkLoop
        | FolderProblemKind::FolderAgainstFolder { .. } => "folder",
        _ => "file",
    };
    let message = match (&first.kind, files.len()) {
        (FolderProblemKind::Unstated { option, .. }, count) => {
            format!("{} left out, since {option} does not cover them", counted(count, "image"))
        }
        (FolderProblemKind::AmbiguousLabel { .. }, count) => {
            let images = counted(count, "image");
            format!("{images} left out, since --labels has several classes that may apply to each")
        }
        (FolderProblemKind::SpelledDifferently { .. }, _) => reason.to_owned(),
        (_, 1) => format!("a {noun} {reason}"),
        (_, count) => format!("{count} {noun}s, each of which {reason}"),
    };
    let (severity, fix) = match code {
        FindingCode::Unreadable => (Severity::Error, "copy the file again from its source, or remove it"),
        FindingCode::ClassAgainstName | FindingCode::ClassAgainstTable => {
            (Severity::Error, "look up the report; move the file into the right folder, or rename it")
        }
        FindingCode::ViewAgainstName | FindingCode::ViewAgainstTable => {
            (Severity::Error, "look at the picture; move the file into the right folder, or rename it")
        }
        FindingCode::IdSpelling => (Severity::Error, "write the ids in the table as they are in the data"),
        FindingCode::FolderAgainstFolder => (Severity::Error, "move the inner folder to where it belongs"),
        _ => (Severity::Warning, left_out_fix(&first.kind)),
    };
    Finding { severity, ..Finding::error(code, files, message, fix) }
}

fn left_out_fix(kind: &FolderProblemKind) -> &'static str {
    match kind {
        FolderProblemKind::Hidden => "rename it without the dot if it belongs to the data, otherwise remove it",
        FolderProblemKind::NameNotUtf8 => "rename it",
        FolderProblemKind::NotAnImage => {
            "save it as 8- or 16-bit grey PNG if it belongs to the data, otherwise remove it"
        }
        FolderProblemKind::BesideFolders => "move it into the folder of its view, split and class",
        FolderProblemKind::Nested { .. } => "move the images up into the class folder, or give --nested",
        FolderProblemKind::Unstated { .. } => "add the images to the table, or change the pattern",
        FolderProblemKind::AmbiguousLabel { .. } => "give exam and view in the table, and in the names of the files",
        FolderProblemKind::EmptyClassFolder => "remove the folder, or add the images that it should have",
        FolderProblemKind::LinkLoop => "remove the link",
        _ => "rename or move the folder, or remove it",
    }
}

fn ignored(scan: &FolderScan) -> impl Iterator<Item = Finding> {
    let [clutter, masks] = scan.ignored.notes_by_kind(&scan.root);
    let clutter = clutter.map(|message| {
        let fix = "nothing has to be done; remove them before the data set is published";
        Finding::warning(FindingCode::LeftoverFiles, Vec::new(), message, fix)
    });
    let masks = masks.map(|message| {
        let files = scan.ignored.first_masks().iter().map(|file| below(&scan.root, file)).collect();
        let fix = "nothing has to be done if they are masks; otherwise rename them";
        Finding::warning(FindingCode::MasksLeftOut, files, message, fix)
    });
    clutter.into_iter().chain(masks)
}
