//! The files of an explanation: maps, pictures and contact sheets.

use std::collections::{BTreeMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::io::{self, Cursor};
use std::path::{Path, PathBuf};

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder as _};

use super::ExplainArguments;
use super::group_maps::Explained;
use crate::cli::show::ShownWindow;
use crate::cli::terminal_picture::PicturePrinter;
use crate::client::explained_image::ExplainedImage;
use crate::domain::density::DensityClass;
use crate::domain::printable::printable_path;
use crate::domain::view::View;
use crate::imaging::colormap::Colormap;
use crate::imaging::contour::{contours, drawn, outline};
use crate::imaging::decode::Samples;
use crate::imaging::overlay::{MapScale, overlay, painted};
use crate::imaging::raster::{Channels, Raster};
use crate::report::contact_sheet::ContactSheet;
use crate::storage::atomic_file::write_atomically;
use crate::storage::map_file::write_map;

/// Where contours are drawn, as shares of the full colour, and in which colours: the inner ones lighter.
const LEVELS: [(f32, [u8; 3]); 3] = [(0.25, [86, 180, 233]), (0.5, [240, 228, 66]), (0.75, [255, 255, 255])];
/// The outline of dense tissue.
const DENSE: [u8; 3] = [0, 158, 115];
/// Lines are so wide at 650 pixels.
const LINE: f32 = 1.6;

/// Where images of a class that is not known go.
const UNLABELLED: &str = "unlabelled";
const VIEW_UNKNOWN: &str = "unknown_view";

/// Writes the files of explained images below one folder.
///
/// `create → write* → finish`.
pub(super) struct ExplanationFiles {
    out: PathBuf,
    colors: Colormap,
    opacity: f32,
    scale: MapScale,
    title: String,
    sheets: BTreeMap<Option<DensityClass>, ContactSheet>,
    /// Stems that were taken, each with its folder: images of two folders may share a name.
    taken: HashSet<PathBuf>,
}

/// The pictures of an explained image.
struct Pictures {
    map: Raster<u8>,
    overlay: Raster<u8>,
    contours: Raster<u8>,
}

impl ExplanationFiles {
    /// Makes the folder.
    pub(super) fn create(arguments: &ExplainArguments) -> io::Result<Self> {
        std::fs::create_dir_all(&arguments.out)?;
        let layer = if arguments.method.is_of_layer() { format!(" of {}", arguments.layer) } else { String::new() };
        Ok(Self {
            out: arguments.out.clone(),
            colors: arguments.colormap,
            opacity: arguments.opacity,
            scale: arguments.full.map_or(MapScale::PerImage, MapScale::Fixed),
            title: format!("{}{layer}", arguments.method.title()),
            sheets: BTreeMap::new(),
            taken: HashSet::new(),
        })
    }

    /// Writes an image's map and pictures. Of a map that says nothing only the map itself is written.
    pub(super) fn write(&mut self, one: &Explained, image: &ExplainedImage) -> io::Result<()> {
        let of = &one.row.prediction;
        let folder = self.out.join(of.view.map_or(VIEW_UNKNOWN, View::name)).join(class_name(of.label));
        std::fs::create_dir_all(&folder)?;
        let stem = self.free_stem(&folder, Path::new(&of.file).file_stem().unwrap_or(OsStr::new("image")));
        write_map(&with_ending(&folder, "", &stem, "_map.npy"), image.map.width(), image.map.samples())?;
        let picture = &image.examined.picture;
        let prefix = format!("{}_", of.predicted);
        let size = picture.width();
        write_png(&with_ending(&folder, &prefix, &stem, &format!("_{size}.png")), picture)?;
        if !image.status.is_sound() {
            return Ok(());
        }
        let pictures = self.pictures(image);
        write_png(&with_ending(&folder, &prefix, &stem, "_map.png"), &pictures.map)?;
        write_png(&with_ending(&folder, &prefix, &stem, "_overlay.png"), &pictures.overlay)?;
        write_png(&with_ending(&folder, &prefix, &stem, "_contours.png"), &pictures.contours)?;
        let title = format!("{}  {}", self.title, class_title(of.label));
        let sheet = self.sheets.entry(of.label).or_insert_with(|| ContactSheet::new(&title));
        let name = Path::new(&of.file).file_name().map(|name| printable_path(Path::new(name))).unwrap_or_default();
        sheet.add(&name, &facts(one), [picture, &pictures.overlay, &pictures.contours]);
        Ok(())
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
        printer.print(Samples::Depth8(self.pictures(image).overlay), ShownWindow::Whole, &line)?;
        crate::cli::console::print_result(&line)
    }

    /// Writes the contact sheets.
    pub(super) fn finish(self) -> io::Result<()> {
        for (label, sheet) in self.sheets {
            if let Some(png) = sheet.png().map_err(io::Error::other)? {
                write_atomically(&self.out.join(format!("contact_{}.png", class_name(label))), &png)?;
            }
        }
        Ok(())
    }

    fn pictures(&self, image: &ExplainedImage) -> Pictures {
        let picture = &image.examined.picture;
        let shares = self.scale.shares(&image.map);
        let width = LINE * (picture.width() as f32 / 650.0).max(0.5);
        let mut with_lines = picture.clone();
        if let Some(dense) = image.examined.regions.as_ref().and_then(|regions| regions.dense.as_ref()) {
            with_lines = drawn(&with_lines, &outline(dense), DENSE, width * 0.6);
        }
        for (level, color) in LEVELS {
            with_lines = drawn(&with_lines, &contours(&shares, level), color, width);
        }
        Pictures {
            map: painted(&shares, self.colors),
            overlay: overlay(picture, &shares, self.colors, self.opacity),
            contours: with_lines,
        }
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
    if let Some(enrichment) = one.row.scores.dense_enrichment {
        let _ = write!(facts, ", {enrichment:.1} times in dense tissue");
    }
    facts
}

fn with_ending(folder: &Path, prefix: &str, stem: &OsStr, ending: &str) -> PathBuf {
    let mut name = OsString::from(prefix);
    name.push(stem);
    name.push(ending);
    folder.join(name)
}

fn write_png(path: &Path, picture: &Raster<u8>) -> io::Result<()> {
    let mut bytes = Cursor::new(Vec::new());
    let color = match picture.channels() {
        Channels::Grey => ExtendedColorType::L8,
        Channels::Rgb => ExtendedColorType::Rgb8,
    };
    PngEncoder::new_with_quality(&mut bytes, CompressionType::Fast, FilterType::Adaptive)
        .write_image(picture.samples(), picture.width() as u32, picture.height() as u32, color)
        .map_err(io::Error::other)?;
    write_atomically(path, &bytes.into_inner())
}
