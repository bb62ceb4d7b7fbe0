//! Sources: the image files below an input folder, recognised by their contents.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;
use std::{fs, io};

use mammoscope_domain::text::foreign_file::{BEGINNING, ForeignFile};
use mammoscope_imaging::image_facts::ImageFormat;
use walkdir::WalkDir;

/// The format of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceFormat {
    Dicom,
    Image(ImageFormat),
}

impl SourceFormat {
    /// The name in manifests.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Dicom => "DICOM".to_owned(),
            Self::Image(format) => format.to_string(),
        }
    }

    /// Recognises a format by a file's first bytes. DICOM without preamble begins with an element of a low group.
    #[must_use]
    pub fn of(beginning: &[u8]) -> Option<Self> {
        if let Some(format) = ImageFormat::of(beginning) {
            return Some(Self::Image(format));
        }
        let is_dicom = ForeignFile::of(beginning) == Some(ForeignFile::Dicom)
            || matches!(beginning, [2 | 8, 0, _, 0, ..] | [0, 8, 0, _, ..]);
        is_dicom.then_some(Self::Dicom)
    }
}

/// A source below the input folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    pub path: PathBuf,
    /// The path below the input folder.
    pub relative: PathBuf,
    pub format: SourceFormat,
    pub bytes: u64,
    /// Time of the last change, in nanoseconds since 1970.
    pub modified: i128,
}

/// The files below an input folder.
#[derive(Debug, Default)]
pub struct FoundSources {
    /// In the order of their paths.
    pub sources: Vec<Source>,
    /// The number of files that are not images.
    pub others: usize,
    /// Files and folders that cannot be read, and the reasons.
    pub unreadable: Vec<(PathBuf, io::Error)>,
}

/// Lists the sources below `input`, at any depth; `output` is left out if it lies inside. Links to files are followed,
/// links to folders are not: they may lead around in a circle.
#[must_use]
pub fn find_sources(input: &Path, output: &Path) -> FoundSources {
    let output = fs::canonicalize(output).ok();
    let mut found = FoundSources::default();
    let walk = WalkDir::new(input).sort_by_file_name().into_iter();
    let entries = walk.filter_entry(|entry| {
        entry.depth() == 0 || !entry.file_type().is_dir() || fs::canonicalize(entry.path()).ok() != output
    });
    for entry in entries {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                let path = error.path().unwrap_or(input).to_owned();
                found
                    .unreadable
                    .push((path, error.into_io_error().unwrap_or_else(|| io::Error::other("a circle of links"))));
                continue;
            }
        };
        if entry.file_type().is_dir() {
            continue;
        }
        let below = entry.path().strip_prefix(input).ok().filter(|below| !below.as_os_str().is_empty());
        // The input may be a single file.
        let relative = below.unwrap_or(Path::new(entry.file_name())).to_owned();
        match source(entry.path(), &relative) {
            Ok(Some(source)) => found.sources.push(source),
            Ok(None) => found.others += 1,
            Err(error) => found.unreadable.push((relative, error)),
        }
    }
    found
}

/// The source at a path; `None` if it is not an image.
fn source(path: &Path, relative: &Path) -> io::Result<Option<Source>> {
    let metadata = fs::metadata(path)?;
    if !metadata.is_file() {
        return Ok(None);
    }
    let mut beginning = Vec::with_capacity(BEGINNING);
    fs::File::open(path)?.take(BEGINNING as u64).read_to_end(&mut beginning)?;
    let Some(format) = format_of(&beginning, relative) else { return Ok(None) };
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    Ok(Some(Source {
        path: path.to_owned(),
        relative: relative.to_owned(),
        format,
        bytes: metadata.len(),
        modified: modified.map_or(0, |since| since.as_nanos() as i128),
    }))
}

/// The format by the contents; files that are called DICOM and are something else are sources too, so that they are
/// refused by name rather than passed over.
fn format_of(beginning: &[u8], path: &Path) -> Option<SourceFormat> {
    let called_dicom = path
        .extension()
        .is_some_and(|extension| ["dcm", "dicom", "ima"].iter().any(|known| extension.eq_ignore_ascii_case(known)));
    SourceFormat::of(beginning).or(called_dicom.then_some(SourceFormat::Dicom))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_recognised_by_their_contents() {
        let png = b"\x89PNG\r\n\x1a\n....";
        let with_preamble = [&[0; 128][..], b"DICM\x02\0\0\0UL"].concat();
        assert_eq!(SourceFormat::of(png), Some(SourceFormat::Image(ImageFormat::Png)));
        assert_eq!(SourceFormat::of(&with_preamble), Some(SourceFormat::Dicom));
        assert_eq!(SourceFormat::of(b"\x08\0\x05\0CS"), Some(SourceFormat::Dicom));
        assert_eq!(SourceFormat::of(b"hello, world"), None);
    }

    #[test]
    fn folders_are_searched_at_any_depth_and_the_output_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, bytes: &[u8]| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        };
        write("b/deep/IM1", b"\x08\0\x05\0CS\x02\0IR");
        write("a.dcm", b"text under a false name");
        write("notes.txt", b"text");
        write("out/CC_L/A/1.png", b"\x89PNG\r\n\x1a\n");
        let found = find_sources(folder.path(), &folder.path().join("out"));
        let names: Vec<_> = found.sources.iter().map(|source| source.relative.to_string_lossy().into_owned()).collect();
        assert_eq!((names, found.others), (vec!["a.dcm".to_owned(), "b/deep/IM1".to_owned()], 1));
        let single = find_sources(&folder.path().join("a.dcm"), &folder.path().join("out"));
        assert_eq!(single.sources[0].relative, Path::new("a.dcm"));
    }
}
