//! `mammoscope predict merge`: one table from those of all shards.

use std::path::Path;

use anyhow::Context as _;
use clap::Args;

use super::report::{MethodNotes, Report, Sources, warn_of_replaced};
use crate::cli::console::{Console, Interrupted, Outcome};
use crate::cli::interruption::Interruption;
use crate::cli::sharding::MergeFolders;
use mammoscope_domain::subject::view::View;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_storage::shards::prediction_shard::{PredictedImage, PredictionShard};
use mammoscope_storage::shards::shard_set::{ShardSet, ShardSetError, in_order};
use mammoscope_storage::tables::fused_table::remove_fused_table;
use mammoscope_storage::tables::prediction_table::PredictionWriter;

/// Merge the outputs of all shards into those of one process
///
/// Takes the --out folders of `mammoscope predict --shard 1/N` to `--shard N/N` and writes what one process would have
/// written, byte by byte. Missing, repeated and unfinished shards, and shards of different data, models, options or
/// versions, are refused. Images that failed in a shard are listed; the exit status is then 1.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mammoscope predict merge part1 part2 --out predictions
  mammoscope predict merge parts/* --out predictions --json")]
pub(in crate::cli) struct PredictMerge {
    #[command(flatten)]
    folders: MergeFolders,
    /// Print one JSON document with the outcome for the images
    #[arg(long)]
    json: bool,
}

pub(in crate::cli) fn merge(arguments: &PredictMerge, console: &Console) -> anyhow::Result<Outcome> {
    let set: ShardSet<PredictionShard> = arguments.folders.read("predict")?;
    let interruption = Interruption::watch()?;
    for (folder, file) in set.files() {
        file.read(folder)?;
        if interruption.requested() {
            return Err(Interrupted.into());
        }
    }
    let out = arguments.folders.out.as_path();
    let first = &set.shards[0].record.results;
    warn_of_replaced(out, first.views.iter().map(|view| view.view), console);
    let views = (0..first.views.len()).map(|number| images_of(&set, number)).collect::<Result<Vec<_>, _>>()?;
    let mut report = Report::new(first.left_out);
    let mut writer = PredictionWriter::create(out).with_context(|| format!("write to {}", printable_path(out)))?;
    for (view, images) in first.views.iter().zip(&views) {
        for image in images {
            let problem =
                report.add(image, &mut writer).with_context(|| format!("write to {}", printable_path(out)))?;
            if let Some(problem) = problem {
                console.warn(problem);
            }
        }
        let findings = images.iter().filter_map(|image| image.findings.as_ref());
        report.notes.compare_with(Path::new(&view.model), view.training.as_ref(), findings);
    }
    let method = MethodNotes::default();
    let sources = Sources { views: &first.views, grey_range: first.grey_range, white: first.white, method };
    remove_fused_table(out).with_context(|| format!("write to {}", printable_path(out)))?;
    let outcome = report.finish(out, writer, &sources, false, console)?;
    report.note_next(out, console);
    if arguments.json {
        report.print(out)?;
    }
    Ok(outcome)
}

/// The images of a view from all shards, in the order of the data set.
fn images_of(set: &ShardSet<PredictionShard>, number: usize) -> Result<Vec<&PredictedImage>, ShardSetError> {
    let of_first = &set.shards[0].record.results.views[number];
    let name = of_first.view.map_or("images", View::name);
    let mut images = Vec::with_capacity(of_first.all);
    for shard in &set.shards {
        let view = shard.record.results.views.get(number).filter(|view| view.view == of_first.view);
        let view = view.ok_or_else(|| ShardSetError::Inconsistent(format!("a shard does not know {name}")))?;
        images.extend(view.images.iter().map(|image| (image.position, image)));
    }
    in_order(name, of_first.all, images)
}
