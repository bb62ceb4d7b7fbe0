//! Replays the inputs that fuzzing found to reach different code: image files and tables, on which no reader may panic.

use std::fs;
use std::path::Path;

#[path = "../../fuzz/readers.rs"]
mod readers;

/// Feeds every file of a corpus to a fuzzed reader.
fn replay(corpus: &str, least: usize, read: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(corpus);
    let files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() >= least, "{} inputs of {corpus}", files.len());
    for file in files {
        let bytes = fs::read(&file).unwrap();
        let outcome = std::panic::catch_unwind(|| read(&bytes));
        assert!(outcome.is_ok(), "{}", file.display());
    }
}

#[test]
fn images_are_read_or_refused() {
    replay("images", 100, readers::read_image);
}

#[test]
fn tables_are_read_or_refused() {
    replay("tables", 100, readers::read_tables);
}
