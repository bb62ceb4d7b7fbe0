//! Finds the other views of an examination by the names of folders and files.

use std::path::{Component, Path, PathBuf};

use crate::tui::protocol::examination_views::FoundViews;
use mammoscope_dataset::subject_audit::sample_name;
use mammoscope_domain::subject::view::View;

/// The images of the examination that an image belongs to: files in the same place of the data set whose names differ in
/// the view only. The image itself is among them.
pub(super) fn views_of(image: &Path) -> FoundViews {
    let name = image.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let Some(own) = sample_name(name).map(|parsed| parsed.view) else { return FoundViews::default() };
    View::ALL.map(|view| {
        if view == own {
            return Some(image.to_owned());
        }
        let file = renamed(name, own, view)?;
        let beside = image.with_file_name(&file);
        // In a folder of each view, or in the same folder.
        [moved(&beside, own, view), beside].into_iter().find(|path| path.is_file())
    })
}

/// A file name with another view: the last mention of its own is replaced.
fn renamed(name: &str, own: View, other: View) -> Option<String> {
    let at = name.rfind(own.name())?;
    Some(format!("{}{}{}", &name[..at], other.name(), &name[at + own.name().len()..]))
}

/// A path with the folder of another view.
fn moved(path: &Path, own: View, other: View) -> PathBuf {
    let folder = path.parent().unwrap_or(path);
    let moved = folder.components().map(|component| match component {
        Component::Normal(name) if name == own.name() => Component::Normal(other.name().as_ref()),
        component => component,
    });
    moved.collect::<PathBuf>().join(path.file_name().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_are_found_in_folders_of_their_own_and_side_by_side() {
        let root = tempfile::tempdir().unwrap();
        let make = |path: &str| {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, "").unwrap();
            path
        };
        let cc_r = make("CC_R/train/C/145_1_C_CC_R.png");
        let cc_l = make("CC_L/train/C/145_1_C_CC_L.png");
        make("MLO_L/train/C/146_1_C_MLO_L.png");
        assert_eq!(views_of(&cc_r), [Some(cc_r.clone()), Some(cc_l.clone()), None, None]);
        assert_eq!(views_of(&cc_l)[0], Some(cc_r));
        let flat = make("flat/7_2_C_MLO_L.png");
        let other = make("flat/7_2_C_MLO_R.png");
        assert_eq!(views_of(&flat), [None, None, Some(other), Some(flat)]);
        assert_eq!(views_of(&make("flat/holiday.png")), FoundViews::default());
    }
}
