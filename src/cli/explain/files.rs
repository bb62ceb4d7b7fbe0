//! The files of an explanation: maps, pictures and contact sheets.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::ExplainArguments;
use super::group_maps::Explained;
use crate::analysis::explained_image::ExplainedImage;
use crate::analysis::explanation_files::{ExplanationPictures, MapPainting, map_file_name, write_explanation};
use crate::cli::shown_window::ShownWindow;
use crate::cli::terminal_picture::PicturePrinter;
use crate::report::contact_sheet::ContactSheet;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::view::View;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_imaging::decode::Samples;
use mammoscope_imaging::overlay::MapScale;
use mammoscope_storage::atomic_file::AtomicFile;

/// The folder names of images whose class or view is not known.
const UNLABELLED: &str = "unlabelled";
const VIEW_UNKNOWN: &str = "unknown_view";

/// Writes the files of explained images below one folder.
///
/// `create → write* → finish`.
pub(super) struct ExplanationFiles {
    out: PathBuf,
    painting: MapPainting,
    title: String,
    json: bool,
    sheets: BTreeMap<Option<DensityClass>, ContactSheet<File>>,
    /// The stems in use, with their folders: images from two folders may share a name.
    taken: HashSet<PathBuf>,
}

impl ExplanationFiles {
    /// Creates the folder.
    pub(super) fn create(arguments: &ExplainArguments) -> io::Result<Self> {
        std::fs::create_dir_all(&arguments.out)?;
        let layer = if arguments.method.is_of_layer() { format!(" of {}", arguments.layer) } else { String::new() };
        Ok(Self {
            out: arguments.out.clone(),
            painting: MapPainting {
                colors: arguments.colormap,
                opacity: arguments.opacity,
                scale: arguments.full.map_or(MapScale::PerImage, MapScale::Fixed),
            },
            title: format!("{}{layer}", arguments.method.title()),
            json: arguments.json,
            sheets: BTreeMap::new(),
            taken: HashSet::new(),
        })
    }

    /// Writes an image's map and pictures, and stores the map's file name in the row. A degenerate map is not painted.
    pub(super) fn write(&mut self, one: &mut Explained, image: &ExplainedImage) -> io::Result<()> {
        let of = &one.row.prediction;
        let below = Path::new(of.view.map_or(VIEW_UNKNOWN, View::name)).join(class_name(of.label));
        let folder = self.out.join(&below);
        std::fs::create_dir_all(&folder)?;
        let stem = self.free_stem(&folder, Path::new(&of.file).file_stem().unwrap_or(OsStr::new("image")));
        one.row.map_file = below.join(map_file_name(&stem)).to_string_lossy().into_owned();
        let of = &one.row.prediction;
        let Some(pictures) = write_explanation(&folder, &stem, of.predicted, image, self.painting)? else {
            return Ok(());
        };
        let title = format!("{}  {}", self.title, class_title(of.label));
        let sheet = match self.sheets.entry(of.label) {
            Entry::Occupied(there) => there.into_mut(),
            // Rows are spooled to disk: sixty per class would fill the memory.
            Entry::Vacant(place) => place.insert(ContactSheet::new(&title, tempfile::tempfile_in(&self.out)?)),
        };
        let name = Path::new(&of.file).file_name().map(|name| printable_path(Path::new(name))).unwrap_or_default();
        sheet.add(&name, &facts(one), [&image.examined.picture, &pictures.overlay, &pictures.contours])
    }

    /// Draws an image's overlay in the terminal.
    pub(super) fn show(
        &self,
        printer: &mut PicturePrinter,
        one: &Explained,
        image: &ExplainedImage,
    ) -> anyhow::Result<()> {
        let name = Path::new(&one.row.prediction.file);
        let line = format!("{} · {}\n", printable_path(name.file_name().map_or(name, Path::new)), facts(one));
        printer.print(
            Samples::Depth8(ExplanationPictures::of(image, self.painting).overlay),
            ShownWindow::Whole,
            &line,
        )?;
        if self.json {
            // Standard output is reserved for the document.
            eprint!("{line}");
            return Ok(());
        }
        crate::cli::console::print_result(&line)
    }

    /// Writes the contact sheets.
    pub(super) fn finish(self) -> io::Result<()> {
        for (label, sheet) in self.sheets {
            let mut file = AtomicFile::create(&self.out.join(format!("contact_{}.png", class_name(label))))?;
            sheet.write_png(&mut file)?;
            file.commit()?;
        }
        Ok(())
    }

    fn free_stem(&mut self, folder: &Path, stem: &OsStr) -> OsString {
        let mut free = stem.to_owned();
        for number in 2.. {
            if self.taken.insert(folder.join(&free)) {
                break;
            }
            stem.clone_into(&mut free);
            free.push(format!("_{number}"));
        }
        free
    }
}

fn class_name(label: Option<DensityClass>) -> &'static str {
    label.map_or(UNLABELLED, |label| label.letter())
}

fn class_title(label: Option<DensityClass>) -> String {
    label.map_or_else(|| "images without a label".to_owned(), |label| format!("class {label}"))
}

/// `true C, predicted D .71, map for D, 3.2 × in dense tissue`
fn facts(one: &Explained) -> String {
    let of = &one.row.prediction;
    let truth = of.label.map_or_else(|| "no label".to_owned(), |label| format!("true {label}"));
    let probability = of.probabilities.0[of.predicted.index()];
    let mut facts = format!("{truth}, predicted {} {probability:.2}, map for {}", of.predicted, one.row.explained);
    if one.coarse.is_some() {
        let (rows, columns) = one.row.positions;
        let _ = write!(facts, " of {rows} × {columns} positions only");
    }
    if let Some(enrichment) = one.row.scores.dense_enrichment {
        let _ = write!(facts, ", {enrichment:.1} times in dense tissue");
    }
    facts
}
