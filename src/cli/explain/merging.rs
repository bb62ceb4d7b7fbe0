//! `mammoscope explain merge`: the explanations of all shards in one folder.

use std::io;
use std::path::Path;

use anyhow::Context as _;
use clap::Args;
use mammoscope_imaging::raster::{Channels, Raster};

use super::contact_sheets::{ContactSheets, Stems, folder_of, shown_name};
use super::explained::Explained;
use super::report::Report;
use crate::analysis::explanation_files::{SHEET_FILES, map_file_name};
use crate::cli::console::{Console, Interrupted, Outcome};
use crate::cli::interruption::Interruption;
use crate::cli::sharding::MergeFolders;
use mammoscope_domain::subject::view::View;
use mammoscope_domain::text::file_problem::FileProblem;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_storage::shards::explanation_shard::{
    ExplainedEntry, ExplainedFiles, ExplanationOutcome, ExplanationShard,
};
use mammoscope_storage::shards::shard_record::{ShardFile, ShardRecord};
use mammoscope_storage::shards::shard_set::{ShardSet, ShardSetError, in_order};
use mammoscope_storage::shards::staged_folder::StagedFolder;
use mammoscope_storage::tables::score_table::{FILE_NAME, ScoreWriter};

/// Merge the outputs of all shards into those of one process
///
/// Takes the --out folders of `mammoscope explain --shard 1/N` to `--shard N/N` and writes what one process would have
/// written, byte by byte. Missing, repeated and unfinished shards, and shards of different data, models, options or
/// versions, are refused. Images that failed in a shard are listed; the exit status is then 1.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mammoscope explain merge part1 part2 --out maps
  mammoscope explain merge parts/* --out maps --json")]
pub(in crate::cli) struct ExplainMerge {
    #[command(flatten)]
    folders: MergeFolders,
    /// Print one JSON document instead of the table
    #[arg(long)]
    json: bool,
}

/// An image with the folder of its shard.
type Entry<'a> = (&'a Path, &'a ExplainedEntry);

/// Writes the record of a shard. Its images' files are in the results.
pub(super) fn write_record(out: &Path, mut record: ShardRecord<ExplanationShard>) -> io::Result<()> {
    record.files.push(ShardFile::of(out, FILE_NAME)?);
    record.write(out)
}

pub(in crate::cli) fn merge(arguments: &ExplainMerge, console: &Console) -> anyhow::Result<Outcome> {
    let set: ShardSet<ExplanationShard> = arguments.folders.read("explain")?;
    for (folder, file) in set.files() {
        file.read(folder)?;
    }
    let first = &set.shards[0].record.results;
    let views = (0..first.views.len()).map(|number| images_of(&set, number)).collect::<Result<Vec<_>, _>>()?;
    let out = arguments.folders.out.as_path();
    let write_to = || format!("write to {}", printable_path(out));
    let mut report = Report::new(first.left_out);
    for caution in set.shards.iter().flat_map(|shard| &shard.record.results.coarse) {
        if let Some(text) = report.caution(caution.clone()) {
            console.warn(text);
        }
    }
    let staged = StagedFolder::create(out).with_context(write_to)?;
    let mut merged = Merged {
        sheets: ContactSheets::new(staged.path(), &first.title),
        table: ScoreWriter::create(staged.path()).with_context(write_to)?,
        stems: Stems::default(),
        staged: &staged,
    };
    let interruption = Interruption::watch()?;
    for (view, images) in first.views.iter().zip(&views) {
        for &(folder, entry) in images {
            if interruption.requested() {
                return Err(Interrupted.into());
            }
            let name = view.view.map_or("images", View::name);
            merged.add(folder, entry, name, &mut report, console)?;
        }
        let findings = images.iter().filter_map(|(_, entry)| entry.findings.as_ref());
        report.notes.compare_with(Path::new(&view.model), view.training.as_ref(), findings);
    }
    report.check_any()?;
    let Merged { sheets, table, .. } = merged;
    table.finish().and_then(|()| sheets.finish()).with_context(write_to)?;
    staged.commit(&[FILE_NAME]).with_context(write_to)?;
    report.print(out, arguments.json, None)?;
    Ok(report.summarise(out, console))
}

/// The images of a view from all shards, in the order of the data set.
fn images_of(set: &ShardSet<ExplanationShard>, number: usize) -> Result<Vec<Entry<'_>>, ShardSetError> {
    let of_first = &set.shards[0].record.results.views[number];
    let name = of_first.view.map_or("images", View::name);
    let mut images = Vec::with_capacity(of_first.all);
    for shard in &set.shards {
        let view = shard.record.results.views.get(number).filter(|view| view.view == of_first.view);
        let view = view.ok_or_else(|| ShardSetError::Inconsistent(format!("a shard does not know {name}")))?;
        images.extend(view.images.iter().map(|entry| (entry.position, (shard.folder.as_path(), entry))));
    }
    in_order(name, of_first.all, images)
}

/// The merged files under construction.
struct Merged<'a> {
    sheets: ContactSheets,
    table: ScoreWriter,
    stems: Stems,
    staged: &'a StagedFolder,
}

impl Merged<'_> {
    /// Adds an image to the report, and if it was explained, its files.
    fn add(
        &mut self,
        folder: &Path,
        entry: &ExplainedEntry,
        view: &'static str,
        report: &mut Report,
        console: &Console,
    ) -> anyhow::Result<()> {
        let file = Path::new(&entry.file);
        for problem in &entry.mask_problems {
            console.warn(problem);
            report.mask_problems.push(FileProblem::new(file, problem.clone()));
        }
        if let Some(findings) = &entry.findings {
            report.notes.add(file, findings);
        }
        match &entry.outcome {
            ExplanationOutcome::Failed(reason) => {
                let problem = FileProblem::new(file, reason.clone());
                console.warn(&problem);
                report.failures.push(problem);
            }
            ExplanationOutcome::Explained(files) => {
                let mut row = files.row.clone();
                row.map_file = self.copy(folder, files)?;
                self.table.write(&row).context("write the table")?;
                let (control, index) = (files.control, entry.position);
                report.explained.push(Explained { row, index, view, map: None, control, coarse: None, written: None });
            }
        }
        Ok(())
    }

    /// Copies an image's files under the names that they have among all images, adds the image to its contact sheet, and
    /// returns the name of its map.
    fn copy(&mut self, shard: &Path, files: &ExplainedFiles) -> anyhow::Result<String> {
        let of = &files.row.prediction;
        let below = folder_of(of);
        let stem = self.stems.next(&below, &of.file);
        let map_file = Path::new(&below).join(map_file_name(&stem)).to_string_lossy().into_owned();
        let stem = stem.to_string_lossy();
        let sheet = files.facts.as_ref().map(|facts| Ok::<_, io::Error>((self.sheets.sheet_of(of.label)?, facts)));
        let sheet = sheet.transpose().context("start a contact sheet")?;
        let mut contents = Vec::new();
        for part in &files.files {
            let bytes = part.file(&below, &files.stem).read(shard)?;
            let path = part.file(&below, &stem).path;
            self.staged.write(&path, &bytes).with_context(|| format!("write {path}"))?;
            contents.push(bytes);
        }
        match sheet {
            Some((sheet, _)) if sheet.is_full() => sheet.leave_out(),
            Some((sheet, facts)) => {
                let picture = |at: usize| contents.get(at).and_then(|bytes| raster_of(bytes));
                let [image, overlay, contours] = SHEET_FILES.map(picture);
                let (Some(image), Some(overlay), Some(contours)) = (image, overlay, contours) else {
                    return Err(ShardSetError::Inconsistent(format!("{below}/{stem} has no pictures")).into());
                };
                sheet.add(&shown_name(of), facts, [&image, &overlay, &contours]).context("draw a contact sheet")?;
            }
            None => {}
        }
        Ok(map_file)
    }
}

/// The pixels of a picture that a shard wrote.
fn raster_of(png: &[u8]) -> Option<Raster<u8>> {
    let picture = image::load_from_memory(png).ok()?;
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    Some(match picture {
        image::DynamicImage::ImageLuma8(grey) => Raster::new(width, height, Channels::Grey, grey.into_raw()),
        other => Raster::new(width, height, Channels::Rgb, other.into_rgb8().into_raw()),
    })
}
