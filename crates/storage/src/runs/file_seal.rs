//! Checksums within the files that a person may edit, `run.toml` and `dataset.json`: a difference is damage or an edit. It
//! is a reason for a warning, not for refusing the file, since an edit can be deliberate.

use std::io;
use std::path::Path;

use crate::regular_file::read_regular_file;
use mammoscope_domain::text::printable::printable_path;

/// The largest file that is compared with its checksum.
const LIMIT: u64 = 1 << 30;
/// What surrounds the digits in the first line of a TOML file.
const TOML: (&str, &str) = ("# crc32c ", " of the lines below, to notice damage\n");
/// What surrounds the digits in the first lines of a JSON object.
const JSON: (&str, &str) = ("{\n  \"crc32c\": \"", "\",\n");

/// A TOML text with its checksum in a first line.
#[must_use]
pub(super) fn sealed_toml(text: &str) -> String {
    sealed(text, TOML)
}

/// A JSON object, printed over several lines, with its checksum as the first key.
#[must_use]
pub(super) fn sealed_json(text: &str) -> String {
    text.strip_prefix("{\n").map_or_else(|| text.to_owned(), |rest| sealed(rest, JSON))
}

fn sealed(contents: &str, (before, after): (&str, &str)) -> String {
    format!("{before}{:08x}{after}{contents}", crc32c::crc32c(contents.as_bytes()))
}

/// The warning about a file whose contents are not those that its checksum was made of; `None` if they are, or if the file
/// has no checksum.
pub fn seal_warning(path: &Path) -> io::Result<Option<String>> {
    let bytes = read_regular_file(path, LIMIT)?;
    let is_broken = [TOML, JSON].into_iter().find_map(|seal| holds(&bytes, seal)).is_some_and(|holds| !holds);
    Ok(is_broken.then(|| {
        format!(
            "{} was edited or damaged after it was written: its contents do not match the checksum in it",
            printable_path(path.file_name().map_or(path, Path::new))
        )
    }))
}

/// Whether the checksum of a file holds; `None` if it has none of this form.
fn holds(bytes: &[u8], (before, after): (&str, &str)) -> Option<bool> {
    let (digits, rest) = bytes.strip_prefix(before.as_bytes())?.split_at_checked(8)?;
    let contents = rest.strip_prefix(after.as_bytes())?;
    Some(digits == format!("{:08x}", crc32c::crc32c(contents)).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warning(text: &str) -> Option<String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, text).unwrap();
        seal_warning(&path).unwrap()
    }

    #[test]
    fn every_changed_character_is_noticed_or_is_that_of_the_checksum_line() {
        for (sealed, contents) in [
            (sealed_toml("threads = 2\n[config]\nseed = 1\n"), "threads = 2\n[config]\nseed = 1\n"),
            (
                sealed_json("{\n  \"schema\": 1,\n  \"root\": \"/data\"\n}\n"),
                "\"schema\": 1,\n  \"root\": \"/data\"\n}\n",
            ),
        ] {
            assert_eq!(warning(&sealed), None);
            assert!(sealed.contains(contents));
            let place = sealed.find(contents).unwrap();
            for at in place..place + contents.trim_end().len() {
                let mut changed = sealed.clone().into_bytes();
                changed[at] ^= 1;
                let changed = String::from_utf8(changed).unwrap();
                assert!(warning(&changed).unwrap().contains("edited or damaged"), "{changed}");
            }
        }
        assert_eq!(warning("threads = 2\n"), None, "an earlier version wrote no checksum");
        assert_eq!(warning("{\n  \"schema\": 1\n}\n"), None);
        assert_eq!(warning(""), None);
    }
}
