//! `--shard` and `merge`: parts of a cohort in several processes, and the whole made from their outputs.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{ArgMatches, Args, Command, FromArgMatches};
use serde::de::DeserializeOwned;

use super::chosen_images::ChosenImages;
use super::console::WrongUse;
use mammoscope_domain::subject::shard::Shard;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_engine_client::engine_location::locate_engine;
use mammoscope_engine_client::engine_probe::{PROBE_TIMEOUT, probe_engine};
use mammoscope_engine_protocol::VERSION;
use mammoscope_storage::models::model_file::sha256_hex;
use mammoscope_storage::shards::shard_record::{remove_record, shard_in};
use mammoscope_storage::shards::shard_set::ShardSet;

/// The condition that names the device.
const DEVICE: &str = "the device";

/// The name of the subcommand.
const MERGE: &str = "merge";

/// The option of every command that can handle a part of a cohort.
#[derive(Debug, Args)]
pub(super) struct ShardArguments {
    /// Handle only the subjects of shard I of N, from 1/N to N/N, each with an --out of its own; `merge` joins their
    /// outputs
    #[arg(long, value_name = "I/N")]
    pub(super) shard: Option<Shard>,
}

/// The arguments of a command, or of its subcommand `merge`.
#[derive(Debug)]
pub(super) enum OrMerge<A, M> {
    Command(A),
    Merge(M),
}

fn with_merge<M: Args>(command: Command) -> Command {
    let merge = M::augment_args(Command::new(MERGE));
    let command = command.subcommand(merge).disable_help_subcommand(true);
    command.args_conflicts_with_subcommands(true).subcommand_negates_reqs(true)
}

impl<A: Args, M: Args> Args for OrMerge<A, M> {
    fn augment_args(command: Command) -> Command {
        with_merge::<M>(A::augment_args(command))
    }

    fn augment_args_for_update(command: Command) -> Command {
        with_merge::<M>(A::augment_args_for_update(command))
    }
}

impl<A: FromArgMatches, M: FromArgMatches> FromArgMatches for OrMerge<A, M> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        match matches.subcommand() {
            Some((MERGE, matches)) => M::from_arg_matches(matches).map(Self::Merge),
            _ => A::from_arg_matches(matches).map(Self::Command),
        }
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// The folders of a merge.
#[derive(Debug, Args)]
pub(super) struct MergeFolders {
    /// The output folders of all shards, in any order; they stay as they are
    #[arg(value_name = "DIR", required = true)]
    shards: Vec<PathBuf>,
    /// The folder to write to; created if missing
    #[arg(long, value_name = "DIR")]
    pub(super) out: PathBuf,
}

impl MergeFolders {
    /// Reads the records of the shards of a command, which must be complete and fit together.
    pub(super) fn read<T: DeserializeOwned>(&self, command: &str) -> anyhow::Result<ShardSet<T>> {
        if let Some(shard) = shard_in(&self.out) {
            let out = printable_path(&self.out);
            return Err(WrongUse(format!("--out {out} holds shard {shard}; give another folder")).into());
        }
        Ok(ShardSet::read(&self.shards, command)?)
    }
}

/// Prepares an output folder for a command. A folder with another shard is refused; the record of an earlier run of this
/// shard, or of a shard that the whole cohort replaces, is removed, since the outputs that it describes will change.
pub(super) fn prepare_output(out: &Path, shard: Option<Shard>) -> anyhow::Result<()> {
    let Some(there) = shard_in(out) else { return Ok(()) };
    if let Some(other) = shard.filter(|shard| *shard != there) {
        return Err(WrongUse(format!(
            "{} holds shard {there}; shard {other} needs a folder of its own",
            printable_path(out)
        ))
        .into());
    }
    remove_record(out).with_context(|| format!("write to {}", printable_path(out)))
}

/// The conditions under which images were chosen, by which shards are compared: the program, the data, and the models.
pub(super) fn conditions_of_choice(chosen: &ChosenImages<'_>) -> anyhow::Result<BTreeMap<String, String>> {
    let mut conditions = BTreeMap::from([
        ("the program's version".to_owned(), VERSION.to_owned()),
        ("the images (SHA-256 of their list)".to_owned(), chosen.fingerprint()),
    ]);
    for group in &chosen.groups {
        let path = &group.model.path;
        let bytes = fs::read(path).with_context(|| format!("read {}", printable_path(path)))?;
        conditions.insert(format!("the model of {} (SHA-256)", group.name()), sha256_hex(&bytes));
    }
    Ok(conditions)
}

/// The conditions of a computation, which a shard without images lacks. On a CPU the number of threads matters too:
/// sums are rounded in another order.
pub(super) fn conditions_of_job(
    device: &str,
    precision: &str,
    batch_size: usize,
    threads: usize,
) -> Vec<(String, String)> {
    let mut conditions = vec![
        (DEVICE.to_owned(), device.to_owned()),
        ("the precision".to_owned(), precision.to_owned()),
        ("the batch size".to_owned(), batch_size.to_string()),
    ];
    if device == "cpu" {
        conditions.push(("the instructions of the CPU".to_owned(), cpu_instructions().to_owned()));
        conditions.push(("the number of CPU threads (--threads)".to_owned(), threads.to_string()));
    }
    conditions
}

/// Replaces the number of a GPU by its name: shards may run on GPUs of other numbers, but not of other kinds.
pub(super) fn name_device(conditions: &mut BTreeMap<String, String>) -> anyhow::Result<()> {
    let Some(device) = conditions.get_mut(DEVICE) else { return Ok(()) };
    let number = device.strip_prefix("cuda:").and_then(|number| number.parse::<usize>().ok());
    let Some(number) = number else { return Ok(()) };
    let facts = probe_engine(&locate_engine()?.path, PROBE_TIMEOUT).context("ask the engine for the GPU's name")?;
    if let Some(gpu) = facts.cuda.devices.get(number) {
        device.clone_from(&gpu.name);
    }
    Ok(())
}

/// The widest vector instructions of this CPU, on which the order of sums depends.
fn cpu_instructions() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f") {
            return "avx512";
        }
        if is_x86_feature_detected!("avx2") {
            return "avx2";
        }
    }
    std::env::consts::ARCH
}
