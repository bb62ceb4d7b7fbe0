//! `mammoscope submit`: work for a Slurm cluster.

mod advice;
mod cluster_arguments;
mod resume;
mod shards;
mod submitter;
mod train;

use std::path::Path;

use clap::{Args, Command, Subcommand};

use self::resume::SubmitResumeArguments;
use self::shards::ShardArguments;
use self::train::SubmitTrainArguments;
use super::console::{Console, Outcome};
use mammoscope_cluster::submission::SubmissionKind;

/// Submit work to a Slurm cluster, as a job array and a job that joins the results
///
/// The workspace, the data and this program must be on a file system that the nodes share. `docs/cluster.md` describes a
/// study from here to its table.
#[derive(Debug, Args)]
pub(super) struct SubmitArguments {
    #[command(subcommand)]
    work: SubmittedWork,
}

#[derive(Debug, Subcommand)]
enum SubmittedWork {
    Train(Box<SubmitTrainArguments>),
    Resume(SubmitResumeArguments),
    /// Predict images on a Slurm cluster, in shards that are merged afterwards
    ///
    /// Takes the options of `mammoscope predict`. Each task writes to its own folder in OUT.shards; once all have ended,
    /// another job merges them into OUT.
    #[command(after_help = "\
Examples:
  mammoscope submit predict --model latest --data DIR --out predictions \\
    --shards 8 --partition gpu --gres gpu:1 --time 01:00:00")]
    Predict(ShardArguments),
    /// Explain images on a Slurm cluster, in shards that are merged afterwards
    ///
    /// Takes the options of `mammoscope explain`. Each task writes to its own folder in OUT.shards; once all have ended,
    /// another job merges them into OUT.
    #[command(after_help = "\
Examples:
  mammoscope submit explain --model latest --data DIR --out maps \\
    --shards 8 --partition gpu --gres gpu:1 --time 01:00:00")]
    Explain(ShardArguments),
    /// Prepare images on a Slurm cluster, in shards that are merged afterwards
    ///
    /// Takes the arguments of `mammoscope preprocess`. Each task writes to its own folder in OUT.shards; once all have
    /// ended, another job merges them into OUT.
    #[command(after_help = "\
Examples:
  mammoscope submit preprocess /archive/mammo data/prepared \\
    --shards 16 --partition cpu --cpus 8 --time 02:00:00")]
    Preprocess(ShardArguments),
}

/// Submits work; `program` is the command line of the whole program.
pub(super) fn run(
    arguments: &SubmitArguments,
    program: &Command,
    workspace: Option<&Path>,
    console: &Console,
) -> anyhow::Result<Outcome> {
    let submit = |kind, arguments| shards::run(kind, arguments, program, workspace, console);
    match &arguments.work {
        SubmittedWork::Train(arguments) => train::run(arguments, workspace, console),
        SubmittedWork::Resume(arguments) => resume::run(arguments, workspace, console),
        SubmittedWork::Predict(arguments) => submit(SubmissionKind::Predict, arguments),
        SubmittedWork::Explain(arguments) => submit(SubmissionKind::Explain, arguments),
        SubmittedWork::Preprocess(arguments) => submit(SubmissionKind::Preprocess, arguments),
    }
}
