//! Folders of small images, and what a scan of one found, as lines.

use std::fs;
use std::path::Path;

use mammoscope_dataset::folder_layout::FolderScan;
use mammoscope_dataset::folder_problem::FolderProblemKind;

/// A folder with these files; images are small sound PNGs, a path that ends in `/` is a folder.
pub(crate) fn folder_with(files: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in files {
        let path = folder.path().join(file);
        if file.ends_with('/') {
            fs::create_dir_all(path).unwrap();
            continue;
        }
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        if file.to_ascii_lowercase().ends_with(".png") {
            image::GrayImage::new(2, 2).save_with_format(path, image::ImageFormat::Png).unwrap();
        } else {
            fs::write(path, "not an image").unwrap();
        }
    }
    folder
}

/// View, split, label and subject of every sample, as one line each.
pub(crate) fn lines(scan: &FolderScan) -> Vec<String> {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    scan.samples
        .iter()
        .map(|sample| {
            let view = or_dash(sample.view.map(|view| view.to_string()));
            let split = or_dash(sample.split.map(|split| split.to_string()));
            let label = or_dash(sample.label.map(|label| label.to_string()));
            format!("{view} {split} {label} {}", sample.subject)
        })
        .collect()
}

/// Path below the root and kind of every problem.
pub(crate) fn problems(root: &Path, scan: &FolderScan) -> Vec<(String, FolderProblemKind)> {
    let below = |path: &Path| path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
    scan.problems.iter().map(|problem| (below(&problem.path), problem.kind.clone())).collect()
}
