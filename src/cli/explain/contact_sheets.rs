//! The contact sheets of all classes, and the names of an image's files.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::report::contact_sheet::ContactSheet;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::prediction::PredictionRow;
use mammoscope_domain::subject::view::View;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_storage::atomic_file::AtomicFile;

/// The folder names of images whose class or view is not known.
const UNLABELLED: &str = "unlabelled";
const VIEW_UNKNOWN: &str = "unknown_view";

/// A contact sheet per class.
///
/// `new → sheet_of* → finish`.
pub(super) struct ContactSheets {
    folder: PathBuf,
    title: String,
    sheets: BTreeMap<Option<DensityClass>, ContactSheet<File>>,
}

impl ContactSheets {
    pub(super) fn new(folder: &Path, title: &str) -> Self {
        Self { folder: folder.to_owned(), title: title.to_owned(), sheets: BTreeMap::new() }
    }

    pub(super) fn title(&self) -> &str {
        &self.title
    }

    /// The sheet of a class.
    pub(super) fn sheet_of(&mut self, label: Option<DensityClass>) -> io::Result<&mut ContactSheet<File>> {
        Ok(match self.sheets.entry(label) {
            Entry::Occupied(there) => there.into_mut(),
            Entry::Vacant(place) => {
                let title = format!("{}  {}", self.title, class_title(label));
                // Rows are spooled to disk: sixty per class would fill the memory.
                place.insert(ContactSheet::new(&title, tempfile::tempfile_in(&self.folder)?))
            }
        })
    }

    /// Writes the sheets.
    pub(super) fn finish(self) -> io::Result<()> {
        for (label, sheet) in self.sheets {
            let mut file = AtomicFile::create(&self.folder.join(format!("contact_{}.png", class_name(label))))?;
            sheet.write_png(&mut file)?;
            file.commit()?;
        }
        Ok(())
    }
}

/// The stems in use, with their folders: images from two folders may share a name.
#[derive(Debug, Default)]
pub(super) struct Stems {
    taken: HashSet<PathBuf>,
}

impl Stems {
    /// The stem for the files of the next image in a folder below the output folder.
    pub(super) fn next(&mut self, folder: &str, image: &str) -> OsString {
        let stem = Path::new(image).file_stem().unwrap_or(OsStr::new("image"));
        let mut free = stem.to_owned();
        for number in 2.. {
            if self.taken.insert(Path::new(folder).join(&free)) {
                break;
            }
            stem.clone_into(&mut free);
            free.push(format!("_{number}"));
        }
        free
    }
}

/// The folder of an image's files below the output folder.
pub(super) fn folder_of(row: &PredictionRow) -> String {
    format!("{}/{}", row.view.map_or(VIEW_UNKNOWN, View::name), class_name(row.label))
}

/// The name of an image on its contact sheet.
pub(super) fn shown_name(row: &PredictionRow) -> String {
    Path::new(&row.file).file_name().map(|name| printable_path(Path::new(name))).unwrap_or_default()
}

fn class_name(label: Option<DensityClass>) -> &'static str {
    label.map_or(UNLABELLED, |label| label.letter())
}

fn class_title(label: Option<DensityClass>) -> String {
    label.map_or_else(|| "images without a label".to_owned(), |label| format!("class {label}"))
}
