//! `mammoscope submit predict`, `explain` and `preprocess`: one task per shard of the images.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Command, CommandFactory as _, Parser};
use serde_json::json;

use super::cluster_arguments::ClusterArguments;
use super::submitter::{DependentCommand, Work, print_scripts, refuse_repetition, report, require_slurm, submit};
use crate::cli::console::{Console, Outcome, WrongUse};
use mammoscope_cluster::batch_script::ShardCommand;
use mammoscope_cluster::shell_text::path_text;
use mammoscope_cluster::submission::{SubmissionKind, SubmittedTask};
use mammoscope_domain::text::printable::printable;
use mammoscope_storage::models::model_file::sha256_hex;
use mammoscope_storage::runs::workspace::Workspace;

/// The most shards.
const MAX_SHARDS: i64 = 100_000;

/// The options of a submission in shards.
#[derive(Clone, Debug, Args)]
pub(super) struct ShardArguments {
    /// The number of tasks, each of which handles its share of the images
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=MAX_SHARDS))]
    shards: Option<u32>,
    #[command(flatten)]
    cluster: ClusterArguments,
    /// The command's own arguments
    #[arg(value_name = "ARGUMENTS", trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

/// The options that may come after those of the command.
#[derive(Debug, Parser)]
#[command(no_binary_name = true)]
struct ShardOptions {
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=MAX_SHARDS))]
    shards: Option<u32>,
    #[command(flatten)]
    cluster: ClusterArguments,
}

/// Submits a command in shards. `program` is the command line of the whole program, by which the words of the command
/// are understood.
pub(super) fn run(
    kind: SubmissionKind,
    arguments: &ShardArguments,
    program: &Command,
    workspace: Option<&Path>,
    console: &Console,
) -> anyhow::Result<Outcome> {
    let (options, own) = divided(arguments)?;
    let cluster = &options.cluster;
    let count = options.shards.ok_or_else(|| WrongUse("--shards N is needed: the number of tasks".to_owned()))?;
    require_slurm(cluster)?;
    cluster.options(false)?;
    let own = own.into_iter().map(|word| {
        word.into_string().map_err(|word| WrongUse(format!("{}: not UTF-8", printable(&word.to_string_lossy()))))
    });
    let own: Vec<String> = own.collect::<Result<_, _>>()?;
    check(kind, &own, program)?;
    let workspace = Workspace::open(workspace)?;
    let directory = std::env::current_dir().context("find the current folder")?;
    let (words, out) = with_own_folder(kind, &own, program)?;
    let out = directory.join(out);
    let mut folder = out.clone().into_os_string();
    folder.push(".shards");
    let folder = PathBuf::from(folder);
    let mut merge = vec![kind.name().to_owned(), "merge".to_owned()];
    for shard in 1..=count {
        merge.push(path_text(&folder.join(shard.to_string()))?);
    }
    merge.extend(["--out".to_owned(), path_text(&out)?]);
    let fingerprint = json!({ "kind": kind, "arguments": own, "shards": count, "directory": directory });
    let work = Work {
        kind,
        label: kind.name().to_owned(),
        tasks: (1..=count).map(SubmittedTask::Shard).collect(),
        shards: Some(ShardCommand { arguments: words, folder, count }),
        resume_options: Vec::new(),
        dependent: DependentCommand::Merge(merge),
        directory,
        fingerprint: sha256_hex(fingerprint.to_string().as_bytes()),
    };
    refuse_repetition(&workspace, &work.fingerprint, cluster, console)?;
    if cluster.dry_run {
        print_scripts(&work, &workspace, cluster)?;
        return Ok(Outcome::Done);
    }
    report(&submit(&work, &workspace, cluster, |_| Ok(()))?, console)
}

/// Divides the words of the command line into the options of the submission and the arguments of the command.
fn divided(arguments: &ShardArguments) -> anyhow::Result<(ShardOptions, Vec<OsString>)> {
    let known = ShardOptions::command();
    let (mut ours, mut own) = (Vec::new(), Vec::new());
    let mut words = arguments.arguments.iter().cloned();
    while let Some(word) = words.next() {
        match own_option(&known, &word) {
            None => own.push(word),
            Some(takes_next) => {
                ours.push(word);
                ours.extend(if takes_next { words.next() } else { None });
            }
        }
    }
    let mut options = ShardOptions { shards: arguments.shards, cluster: arguments.cluster.clone() };
    let earlier = std::mem::take(&mut options.cluster.sbatch_arg);
    options.try_update_from(ours).map_err(|error| WrongUse(message(&error)))?;
    options.cluster.sbatch_arg.splice(0..0, earlier);
    Ok((options, own))
}

/// A message of clap in one line, without the usage after it.
fn message(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let lines: Vec<&str> = text.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
    printable(lines.join(" ").trim_start_matches("error: "))
}

/// If a word is an option of the submission: true if its value is the next word.
fn own_option(known: &Command, word: &OsString) -> Option<bool> {
    let word = word.to_str()?.strip_prefix("--")?;
    let name = word.split('=').next()?;
    let option = known.get_arguments().find(|argument| argument.get_long() == Some(name))?;
    Some(option.get_action().takes_values() && !word.contains('='))
}

/// Refuses arguments that the command itself would refuse on every node.
fn check(kind: SubmissionKind, own: &[String], program: &Command) -> anyhow::Result<()> {
    if own.iter().any(|word| word == "--shard" || word.starts_with("--shard=")) {
        return Err(WrongUse("--shard is for a single task; --shards N makes the tasks".to_owned()).into());
    }
    if kind == SubmissionKind::Explain && own.iter().any(|word| word.split('=').next() == Some("--over-epochs")) {
        return Err(WrongUse(
            "--over-epochs: the films of a run are made by one process; run `mammoscope explain` itself".to_owned(),
        )
        .into());
    }
    for option in ["--tta", "--calibrated"] {
        if own.iter().any(|word| word == option || word.starts_with(&format!("{option}="))) {
            return Err(WrongUse(format!("{option} is not for shards; predict in one process")).into());
        }
    }
    let line = ["mammoscope", kind.name()].into_iter().chain(own.iter().map(String::as_str));
    program.clone().try_get_matches_from(line).map_err(|error| WrongUse(format!("{kind}: {}", message(&error))))?;
    Ok(())
}

/// The arguments with the folder to write to replaced by that of a shard, and the folder.
fn with_own_folder(kind: SubmissionKind, own: &[String], program: &Command) -> anyhow::Result<(Vec<String>, PathBuf)> {
    let mut words = own.to_vec();
    let of_option = || own.iter().position(|word| word == "--out").map(|place| place + 1);
    let second = (kind == SubmissionKind::Preprocess).then(|| positional(kind, own, program).get(1).copied()).flatten();
    let place = second.or_else(of_option);
    if let Some(place) = place.filter(|&place| place < words.len()) {
        let out = std::mem::replace(&mut words[place], ShardCommand::OUT.to_owned());
        return Ok((words, PathBuf::from(out)));
    }
    if let Some(place) = words.iter().position(|word| word.starts_with("--out=")) {
        let out = words[place]["--out=".len()..].to_owned();
        words.splice(place..=place, ["--out".to_owned(), ShardCommand::OUT.to_owned()]);
        return Ok((words, PathBuf::from(out)));
    }
    Err(WrongUse(format!("{kind}: no folder to write to")).into())
}

/// The places of the arguments that belong to no option.
fn positional(kind: SubmissionKind, own: &[String], program: &Command) -> Vec<usize> {
    let Some(command) = program.find_subcommand(kind.name()) else { return Vec::new() };
    let takes_next = |word: &str| {
        let name = word.strip_prefix("--")?;
        let found = command.get_arguments().chain(program.get_arguments());
        let option = found.into_iter().find(|argument| argument.get_long() == Some(name))?;
        Some(option.get_action().takes_values())
    };
    let (mut places, mut place) = (Vec::new(), 0);
    while let Some(word) = own.get(place) {
        if word.starts_with('-') {
            place += usize::from(takes_next(word).unwrap_or(false));
        } else {
            places.push(place);
        }
        place += 1;
    }
    places
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn program() -> Command {
        crate::cli::arguments::Arguments::command()
    }

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        shards: ShardArguments,
    }

    fn arguments(words: &[&str]) -> ShardArguments {
        Line::parse_from(["submit"].iter().chain(words)).shards
    }

    #[test]
    fn options_of_both_kinds_come_in_any_order() {
        let words = [
            "--partition",
            "gpu",
            "--sbatch-arg",
            "--qos=long",
            "--model",
            "m",
            "--time",
            "60",
            "--data=d",
            "--shards=4",
            "--out",
            "o",
            "--sbatch-arg=--nice",
            "--dry-run",
        ];
        let (options, own) = divided(&arguments(&words)).unwrap();
        assert_eq!(own, ["--model", "m", "--data=d", "--out", "o"]);
        assert_eq!(options.shards, Some(4));
        assert!(options.cluster.dry_run);
        assert_eq!(options.cluster.sbatch_arg, ["--qos=long", "--nice"]);
        let script_options = options.cluster.options(false).unwrap();
        assert_eq!(
            (script_options.partition.as_deref(), script_options.time.unwrap().seconds()),
            (Some("gpu"), Some(3600))
        );
    }

    #[test]
    fn the_folder_of_results_is_found_for_each_command() {
        let folder = |kind, words: &[&str]| {
            let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
            let (words, out) = with_own_folder(kind, &words, &program()).unwrap();
            (words.join(" ").replace(ShardCommand::OUT, "OUT"), out)
        };
        let predict = folder(SubmissionKind::Predict, &["--data", "d", "--out", "o"]);
        assert_eq!(predict, ("--data d --out OUT".to_owned(), PathBuf::from("o")));
        let explain = folder(SubmissionKind::Explain, &["--out=o", "--data", "d"]);
        assert_eq!(explain, ("--out OUT --data d".to_owned(), PathBuf::from("o")));
        let preprocess = folder(SubmissionKind::Preprocess, &["--labels", "out", "in", "--phi", "out"]);
        assert_eq!(preprocess, ("--labels out in --phi OUT".to_owned(), PathBuf::from("out")));
        let preprocess = folder(SubmissionKind::Preprocess, &["in", "--out", "o"]);
        assert_eq!(preprocess, ("in --out OUT".to_owned(), PathBuf::from("o")));
    }

    #[test]
    fn wrong_arguments_are_refused_here_and_not_on_the_nodes() {
        let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
        let error =
            check(SubmissionKind::Predict, &words(&["--data", "d", "--nonsense"]), &program()).unwrap_err().to_string();
        assert!(error.starts_with("predict: ") && error.contains("--nonsense"), "{error}");
        let missing = check(SubmissionKind::Predict, &words(&["--data", "d"]), &program()).unwrap_err().to_string();
        assert!(missing.contains("--model") && !missing.contains('\n'), "{missing}");
        assert!(divided(&arguments(&["--data", "d", "--shards", "0"])).is_err());
        assert!(check(SubmissionKind::Predict, &words(&["--shard", "1/4"]), &program()).is_err());
        for film in [&["--over-epochs", "run"][..], &["--over-epochs=run"]] {
            let error = check(SubmissionKind::Explain, &words(film), &program()).unwrap_err().to_string();
            assert!(error.contains("made by one process"), "{error}");
        }
        for option in ["--tta=4", "--calibrated"] {
            let error = check(SubmissionKind::Predict, &words(&[option]), &program()).unwrap_err().to_string();
            assert!(error.ends_with("is not for shards; predict in one process"), "{error}");
        }
        assert!(check(SubmissionKind::Preprocess, &words(&["in", "out"]), &program()).is_ok());
    }
}
