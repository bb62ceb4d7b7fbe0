//! `mammoscope preprocess merge`: one prepared data set from those of all shards.

use std::path::Path;

use anyhow::Context as _;
use clap::Args;

use super::display::name_of;
use super::{outcome_of, text_of};
use crate::cli::console::{Console, Interrupted, Outcome, print_result};
use crate::cli::interruption::Interruption;
use crate::cli::sharding::MergeFolders;
use mammoscope_domain::cancellation::{Cancellation, Completion};
use mammoscope_domain::text::printable::{printable, printable_path};
use mammoscope_preprocessing::merge::{PreprocessingShard, RefusedSource, check_new, merge as merge_folders};
use mammoscope_preprocessing::run::Summary;
use mammoscope_storage::shards::shard_record::FILE_NAME;
use mammoscope_storage::shards::shard_set::ShardSet;
use mammoscope_storage::shards::staged_folder::StagedFolder;

/// Merge the outputs of all shards into those of one process
///
/// Takes the output folders of `mammoscope preprocess --shard 1/N` to `--shard N/N` and writes what one process would have
/// written, byte by byte, into a new folder. Missing, repeated and unfinished shards, and shards of different sources,
/// keys, settings or versions, are refused. Sources that a shard refused are listed; the exit status is then 1.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mammoscope preprocess merge part1 part2 --out data/prepared
  mammoscope preprocess merge parts/* --out data/prepared")]
pub(in crate::cli) struct PreprocessMerge {
    #[command(flatten)]
    folders: MergeFolders,
}

pub(in crate::cli) fn merge(arguments: &PreprocessMerge, console: &Console) -> anyhow::Result<Outcome> {
    let set: ShardSet<PreprocessingShard> = arguments.folders.read("preprocess")?;
    for (folder, file) in set.files() {
        file.read(folder)?;
    }
    let out = arguments.folders.out.as_path();
    check_new(out)?;
    let interruption = Interruption::watch()?;
    let is_interrupted = || interruption.requested();
    let write_to = || format!("write to {}", printable_path(out));
    let staged = StagedFolder::create(out).with_context(write_to)?;
    let folders: Vec<&Path> = set.shards.iter().map(|shard| shard.folder.as_path()).collect();
    match merge_folders(&folders, FILE_NAME, &staged, Cancellation::new(&is_interrupted))? {
        Completion::Done(()) => staged.commit(&[]).with_context(write_to)?,
        Completion::Cancelled => return Err(Interrupted.into()),
    }
    let mut summary = Summary::default();
    let mut refused: Vec<&RefusedSource> = Vec::new();
    for shard in &set.shards {
        summary.add(&shard.record.results.summary);
        refused.extend(&shard.record.results.refused);
    }
    refused.sort();
    for source in refused {
        console.warn(format_args!("{}: {}", name_of(source), printable(&source.reason)));
    }
    print_result(&text_of(&summary, out, false))?;
    Ok(outcome_of(&summary))
}
