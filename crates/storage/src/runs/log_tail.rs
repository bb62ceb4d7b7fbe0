//! Reads the end of a log.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

/// The number of bytes that are read.
const BYTES: u64 = 128 * 1024;

/// Returns the last lines of a log, from at most 128 kB; a line cut at the beginning is left out.
pub fn last_lines(path: &Path) -> io::Result<Vec<String>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let start = length.saturating_sub(BYTES);
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(BYTES).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(text.lines().skip(usize::from(start > 0)).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_log_is_read_from_a_line_start() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.txt");
        let text = (0..30_000).map(|line| format!("line {line}")).collect::<Vec<_>>().join("\n");
        std::fs::write(&path, &text).unwrap();
        let lines = last_lines(&path).unwrap();
        assert_eq!(lines.last().map(String::as_str), Some("line 29999"));
        assert!(lines.len() < 30_000 && lines[0].starts_with("line "));
        std::fs::write(&path, "one\ntwo").unwrap();
        assert_eq!(last_lines(&path).unwrap(), ["one", "two"]);
    }
}
