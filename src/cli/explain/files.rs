//! The files of an explanation: maps, pictures and contact sheets.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use super::ExplainArguments;
use super::contact_sheets::{ContactSheets, Stems, folder_of, shown_name};
use super::explained::{Explained, Written};
use crate::analysis::explained_image::ExplainedImage;
use crate::analysis::explanation_files::{
    ExplanationPictures, MapPainting, file_names, map_file_name, write_explanation,
};
use crate::cli::shown_window::ShownWindow;
use crate::cli::terminal_picture::PicturePrinter;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_imaging::decode::Samples;
use mammoscope_imaging::overlay::MapScale;
use mammoscope_storage::shards::explanation_shard::NamedPart;
use mammoscope_storage::shards::shard_record::ShardFile;

/// Writes the files of explained images below one folder.
///
/// `create → write* → finish`.
pub(super) struct ExplanationFiles {
    out: PathBuf,
    painting: MapPainting,
    json: bool,
    /// Records the files, for the record of a shard.
    is_recorded: bool,
    sheets: ContactSheets,
    stems: Stems,
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
                look: arguments.map_look(),
            },
            json: arguments.json,
            is_recorded: arguments.sharding.shard.is_some(),
            sheets: ContactSheets::new(&arguments.out, &format!("{}{layer}", arguments.method.title())),
            stems: Stems::default(),
        })
    }

    /// The title of the contact sheets.
    pub(super) fn title(&self) -> &str {
        self.sheets.title()
    }

    /// Writes an image's map and pictures, and stores the map's file name in the row. A degenerate map is not painted.
    pub(super) fn write(&mut self, one: &mut Explained, image: &ExplainedImage) -> io::Result<()> {
        let below = folder_of(&one.row.prediction);
        let folder = self.out.join(&below);
        std::fs::create_dir_all(&folder)?;
        let stem = self.stems.next(&below, &one.row.prediction.file);
        one.row.map_file = Path::new(&below).join(map_file_name(&stem)).to_string_lossy().into_owned();
        let of = &one.row.prediction;
        let pictures = write_explanation(&folder, &stem, of.predicted, image, self.painting)?;
        let facts = pictures.as_ref().map(|_| facts(one));
        if self.is_recorded {
            let width = image.examined.picture.width();
            let names = file_names(of.predicted, width, pictures.is_some());
            one.written = Some(written(&self.out, &below, &stem, names, facts.clone())?);
        }
        let (Some(pictures), Some(facts)) = (pictures, facts) else { return Ok(()) };
        let pictures = [&image.examined.picture, &pictures.overlay, &pictures.contours];
        self.sheets.sheet_of(of.label)?.add(&shown_name(of), &facts, pictures)
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
        self.sheets.finish()
    }
}

/// What the record of a shard says of an image's files.
fn written(
    out: &Path,
    below: &str,
    stem: &OsStr,
    names: Vec<(String, String)>,
    facts: Option<String>,
) -> io::Result<Written> {
    let stem = stem.to_string_lossy().into_owned();
    let part = |(prefix, ending): (String, String)| {
        let ShardFile { sha256, .. } = ShardFile::of(out, &format!("{below}/{prefix}{stem}{ending}"))?;
        Ok(NamedPart { prefix, ending, sha256 })
    };
    let files = names.into_iter().map(part).collect::<io::Result<_>>()?;
    Ok(Written { stem, files, facts })
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
