//! The check of a folder for results, before they are computed.

use std::io;
use std::path::Path;

use anyhow::Context as _;
use mammoscope_domain::text::printable::printable_path;
use rustix::fs::{Access, access};

/// Checks that files can be written to a folder, or that it can be made, without making it.
pub(super) fn check_output_folder(folder: &Path) -> anyhow::Result<()> {
    let folder = std::path::absolute(folder).with_context(|| printable_path(folder))?;
    let existing = folder.ancestors().find(|above| above.exists()).unwrap_or(&folder);
    anyhow::ensure!(existing.is_dir(), "{} is a file, not a folder", printable_path(existing));
    access(existing, Access::WRITE_OK | Access::EXEC_OK)
        .map_err(io::Error::from)
        .with_context(|| format!("write to {}", printable_path(&folder)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_not_made_by_looking() {
        let folder = tempfile::tempdir().unwrap();
        check_output_folder(folder.path()).unwrap();
        check_output_folder(&folder.path().join("a/b")).unwrap();
        assert!(!folder.path().join("a").exists());
        std::fs::write(folder.path().join("file"), "").unwrap();
        let error = check_output_folder(&folder.path().join("file/below")).unwrap_err();
        assert!(error.to_string().contains("file is a file, not a folder"), "{error}");
    }
}
