//! Folders of small images, and the result of scanning one in a form that is easy to compare.

use std::fs;
use std::path::Path;

use mammoscope_dataset::folder_layout::FolderScan;
use mammoscope_dataset::folder_problem::FolderProblemKind;

/// Makes a folder with these files. A name in `.png` becomes a valid image of 2 × 2 pixels, a path that ends in `/`
/// becomes a folder, and any other file is not an image.
pub fn folder_with(files: &[&str]) -> tempfile::TempDir {
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

/// The view, split, label and subject of every sample, one line each.
pub fn lines(scan: &FolderScan) -> Vec<String> {
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

/// The path below the root and the kind of every problem.
pub fn problems(root: &Path, scan: &FolderScan) -> Vec<(String, FolderProblemKind)> {
    let below = |path: &Path| path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
    scan.problems.iter().map(|problem| (below(&problem.path), problem.kind.clone())).collect()
}
