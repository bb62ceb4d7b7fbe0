//! The images of a label file with a line per image, found by file.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use super::merged_labels::MergedLabel;
use super::statement::{Statement, slashed};

/// Statements about images, by file.
#[derive(Clone, Debug)]
pub(super) struct LabelTable {
    lines: Vec<StatedLine>,
    /// Indices in `lines` by path, file name, stem, leading number of the stem, and first folder; `None` if several lines
    /// with different statements have the same key.
    by_key: HashMap<(Key, String), Option<usize>>,
}

#[derive(Clone, Debug)]
struct StatedLine {
    file: String,
    statement: Statement,
}

/// A kind of key by which a line is found, the most reliable first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Key {
    Path,
    Name,
    Stem,
    Folder,
}

impl LabelTable {
    /// The table of merged lines, by their files.
    pub(super) fn of(merged: &[MergedLabel<String>]) -> Self {
        let mut table = Self { lines: Vec::new(), by_key: HashMap::new() };
        for entry in merged {
            let label = entry.label();
            let (class, votes) = (label.map(|label| label.class), label.and_then(|label| label.votes));
            let statement = Statement { class, votes, ..entry.statement.clone() };
            table.add(StatedLine { file: entry.key.clone(), statement });
        }
        table
    }

    fn add(&mut self, line: StatedLine) {
        let index = self.lines.len();
        for key in keys_of_line(&line.file) {
            match self.by_key.get(&key) {
                None => drop(self.by_key.insert(key, Some(index))),
                // Lines with the same statement are interchangeable.
                Some(Some(other)) if self.lines[*other].statement == line.statement => {}
                Some(_) => drop(self.by_key.insert(key, None)),
            }
        }
        self.lines.push(line);
    }

    /// The statement about the image with this path below the root.
    pub(super) fn statement(&self, below: &Path) -> Option<&Statement> {
        self.line(below).map(|line| &self.lines[line].statement)
    }

    fn line(&self, below: &Path) -> Option<usize> {
        keys_of_image(&slashed(below)).into_iter().find_map(|key| *self.by_key.get(&key)?)
    }

    /// The files in the table that are not among these paths below the root.
    pub(super) fn missing_from<'p>(&self, below: impl Iterator<Item = &'p Path>) -> Vec<&str> {
        let used: BTreeSet<usize> = below.filter_map(|path| self.line(path)).collect();
        let unused = self.lines.iter().enumerate().filter(|(index, _)| !used.contains(index));
        unused.map(|(_, line)| line.file.as_str()).collect()
    }

    pub(super) fn files(&self) -> impl ExactSizeIterator<Item = &str> {
        self.lines.iter().map(|line| line.file.as_str())
    }
}

/// The keys of a file, the most reliable first.
fn keys(file: &str) -> Vec<(Key, String)> {
    let name = file.rsplit('/').next().unwrap_or(file);
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    // INbreast's table has the number at the beginning of its file names.
    let number = stem.split('_').next().unwrap_or(stem);
    let mut keys = vec![(Key::Path, file.to_owned()), (Key::Name, name.to_owned()), (Key::Stem, stem.to_owned())];
    if number != stem && number.len() >= 6 && number.bytes().all(|digit| digit.is_ascii_digit()) {
        keys.push((Key::Stem, number.to_owned()));
    }
    keys
}

/// The keys of a line in the table. CBIS-DDSM's table has the paths of DICOM files, `<case>/<uid>/<uid>/1.dcm`, of which
/// only the first folder is meaningful. With other files a folder does not identify an image.
fn keys_of_line(file: &str) -> Vec<(Key, String)> {
    let mut keys = keys(file);
    let is_dicom = file.rsplit_once('.').is_some_and(|(_, extension)| extension.eq_ignore_ascii_case("dcm"));
    if let Some((case, _)) = file.split_once('/').filter(|(_, below)| is_dicom && below.contains('/')) {
        keys.push((Key::Folder, case.to_owned()));
    }
    keys
}

/// The keys of an image. Converted images have the name of a case's folder as their first folder or their stem.
fn keys_of_image(below: &str) -> Vec<(Key, String)> {
    let mut keys = keys(below);
    if let Some((folder, _)) = below.split_once('/') {
        keys.push((Key::Folder, folder.to_owned()));
    }
    let name = below.rsplit('/').next().unwrap_or(below);
    keys.push((Key::Folder, name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_owned()));
    keys
}
