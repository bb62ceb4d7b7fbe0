//! Whether this user has started the workbench before.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::Path;

/// True at the first start, which is recorded at once. Where it cannot be recorded, every start is the first.
pub(super) fn is_first_start(marker: Option<&Path>) -> bool {
    let Some(marker) = marker else { return true };
    if let Some(folder) = marker.parent() {
        // A folder that cannot be made is noticed by the next step.
        let _ = fs::create_dir_all(folder);
    }
    match OpenOptions::new().write(true).create_new(true).open(marker) {
        Ok(_) => true,
        Err(error) => error.kind() != io::ErrorKind::AlreadyExists,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_is_the_first_only_once() {
        let folder = tempfile::tempdir().unwrap();
        let marker = folder.path().join("state/mammoscope/tour_seen");
        assert!(is_first_start(Some(&marker)));
        assert!(!is_first_start(Some(&marker)));
    }

    #[test]
    fn without_a_place_for_it_every_start_is_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, b"").unwrap();
        for _ in 0..2 {
            assert!(is_first_start(None));
            assert!(is_first_start(Some(&file.join("tour_seen"))));
        }
    }
}
