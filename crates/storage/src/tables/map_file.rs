//! Explanation maps in files: NumPy's `.npy` with an array of f32.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::atomic_file::AtomicFile;
use crate::regular_file::read_regular_file;
use mammoscope_domain::text::printable::{printable, printable_path};

/// The first bytes of every `.npy` file.
const MAGIC: &[u8] = b"\x93NUMPY";

/// The header is padded so that the data begins at a multiple of this.
const ALIGNMENT: usize = 64;

/// The longest header that is read; a typical header has about 60 bytes.
const MAX_HEADER: usize = 4096;

/// The largest file that is read: 8192 × 8192 values.
const MAX_FILE: u64 = 4 << 26;

/// A map file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MapFileError {
    /// The file cannot be opened or read.
    #[error("read {}", printable_path(path))]
    Unreadable { path: PathBuf, source: io::Error },
    /// The file is something else, or damaged.
    #[error("{}: not a map: {reason}", printable_path(path))]
    NotAMap { path: PathBuf, reason: String },
}

/// The array of f32 in a `.npy` file.
#[derive(Clone, Debug, PartialEq)]
pub struct MapTable {
    /// The lengths of the axes, the slowest first: rows and columns of a map, after a leading axis if there are several
    /// maps.
    pub shape: Vec<usize>,
    /// The values in row-major order.
    pub values: Vec<f32>,
}

/// Writes a map of `values.len() / width` rows as `.npy` (version 1.0, little-endian f32, row-major), atomically.
///
/// # Panics
/// If the values do not fill rows of `width`.
pub fn write_map(path: &Path, width: usize, values: &[f32]) -> io::Result<()> {
    assert!(width > 0 && values.len().is_multiple_of(width), "rows of {width} values");
    let dictionary =
        format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {width}), }}", values.len() / width);
    let unpadded = MAGIC.len() + 4 + dictionary.len() + 1;
    let padding = unpadded.next_multiple_of(ALIGNMENT) - unpadded;
    let header = format!("{dictionary}{}\n", " ".repeat(padding));
    let mut file = AtomicFile::create(path)?;
    file.write_all(MAGIC)?;
    file.write_all(&[1, 0])?;
    file.write_all(&(header.len() as u16).to_le_bytes())?;
    file.write_all(header.as_bytes())?;
    for row in values.chunks(width) {
        file.write_all(&row.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>())?;
    }
    file.commit()
}

/// Reads a `.npy` file of little-endian f32 in row-major order, with any number of axes. The length of the file must
/// match its header.
pub fn read_table(path: &Path) -> Result<MapTable, MapFileError> {
    let unreadable = |source| MapFileError::Unreadable { path: path.to_owned(), source };
    let not_a_map = |reason: String| MapFileError::NotAMap { path: path.to_owned(), reason };
    let bytes = read_regular_file(path, MAX_FILE).map_err(unreadable)?;
    parse(&bytes).map_err(not_a_map)
}

fn parse(bytes: &[u8]) -> Result<MapTable, String> {
    let rest = bytes.strip_prefix(MAGIC).ok_or("it is not a .npy file")?;
    let truncated = || "the file ends within its header".to_owned();
    let (length, rest) = match rest {
        [1, _, low, high, rest @ ..] => (usize::from(u16::from_le_bytes([*low, *high])), rest),
        [2 | 3, _, a, b, c, d, rest @ ..] => (u32::from_le_bytes([*a, *b, *c, *d]) as usize, rest),
        [1..=3, ..] | [] => return Err(truncated()),
        [version, ..] => return Err(format!("version {version} of .npy is not supported")),
    };
    if length > MAX_HEADER {
        return Err(format!("a header of {length} bytes is too long"));
    }
    let (header, data) = rest.split_at_checked(length).ok_or_else(truncated)?;
    let shape = shape_of(&String::from_utf8_lossy(header))?;
    let count = shape.iter().try_fold(1_usize, |count, &length| count.checked_mul(length));
    let expected =
        count.and_then(|count| count.checked_mul(4)).ok_or_else(|| format!("shape {shape:?} is too large"))?;
    if data.len() != expected {
        return Err(format!("{} bytes of data instead of {expected} for shape {shape:?}", data.len()));
    }
    let values = data.as_chunks::<4>().0.iter().map(|&value| f32::from_le_bytes(value)).collect();
    Ok(MapTable { shape, values })
}

/// Returns the shape in a header such as `{'descr': '<f4', 'fortran_order': False, 'shape': (21, 21), }`.
fn shape_of(header: &str) -> Result<Vec<usize>, String> {
    let after = |key: &str| {
        let rest = header.split_once(&format!("'{key}'"))?.1;
        Some(rest.trim_start().strip_prefix(':')?.trim_start())
    };
    let kind = after("descr").and_then(|rest| rest.strip_prefix('\'')?.split('\'').next());
    match kind {
        Some("<f4") => {}
        Some(kind) => return Err(format!("its dtype is {}, not <f4 (little-endian f32)", printable(kind))),
        None => return Err("its header states no dtype".to_owned()),
    }
    if !after("fortran_order").is_some_and(|rest| rest.starts_with("False")) {
        return Err("it is not stored in row-major order".to_owned());
    }
    let axes = after("shape").and_then(|rest| rest.strip_prefix('(')?.split(')').next());
    let axes = axes.ok_or("its header states no shape")?;
    let axes = axes.split(',').map(str::trim).filter(|axis| !axis.is_empty());
    axes.map(|axis| axis.parse().map_err(|_| format!("an axis has length {}", printable(axis)))).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn maps_are_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("map.npy");
        let values: Vec<f32> = (0..21 * 13).map(|at| (at as f32 - 40.5) * 1e-3).collect();
        write_map(&path, 13, &values).unwrap();
        let bytes = fs::read(&path).unwrap();
        assert_eq!((bytes.len() - 4 * values.len()) % ALIGNMENT, 0, "the data is aligned");
        assert_eq!(&bytes[..10], b"\x93NUMPY\x01\x00\x76\x00");
        assert_eq!(bytes[127], b'\n');
        assert_eq!(read_table(&path).unwrap(), MapTable { shape: vec![21, 13], values });
    }

    #[test]
    fn nonfinite_values_survive() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("map.npy");
        write_map(&path, 2, &[f32::NAN, f32::INFINITY]).unwrap();
        let values = read_table(&path).unwrap().values;
        assert!(values[0].is_nan() && values[1] == f32::INFINITY);
    }

    #[test]
    fn faults_are_described_in_one_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("map.npy");
        write_map(&path, 2, &[1.0; 6]).unwrap();
        let whole = fs::read(&path).unwrap();
        let changed = |from: &str, to: &str| {
            let header = String::from_utf8_lossy(&whole[10..128]).replacen(from, to, 1);
            [&whole[..10], &header.as_bytes()[..118], &whole[128..]].concat()
        };
        let cases: [(&[u8], &str); 10] = [
            (b"", "not a .npy file"),
            (b"\x89PNG and more", "not a .npy file"),
            (&whole[..8], "ends within its header"),
            (&whole[..50], "ends within its header"),
            (&whole[..whole.len() - 1], "23 bytes of data instead of 24 for shape [3, 2]"),
            (&changed("<f4", "<f8"), "its dtype is <f8"),
            (&changed("False", "True "), "row-major"),
            (&changed("(3, 2)", "(3,x2)"), "an axis has length x2"),
            (&changed("(3, 2), }            ", "(9999999999, 9999999999)"), "too large"),
            (b"\x93NUMPY\x09\x00aaaa", "version 9"),
        ];
        for (bytes, expected) in cases {
            fs::write(&path, bytes).unwrap();
            let message = read_table(&path).unwrap_err().to_string();
            assert!(message.contains(expected) && !message.contains('\n'), "{message}, not {expected}");
        }
        assert!(matches!(read_table(folder.path()), Err(MapFileError::Unreadable { .. })));
        assert!(write_map(&folder.path().join("nowhere/map.npy"), 1, &[0.0]).is_err());
    }
}
