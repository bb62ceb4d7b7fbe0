//! `mammoscope runs rename`, `tag` and `note`: what people write on a run.

use anyhow::bail;
use clap::{Args, Subcommand};

use crate::cli::console::{Outcome, WrongUse, print_result};
use mammoscope_domain::run::run_labels::{LabelError, RunLabels};
use mammoscope_domain::text::printable::printable;
use mammoscope_storage::runs::labels_file::{change_labels, read_labels};
use mammoscope_storage::runs::run_catalog::find_runs;
use mammoscope_storage::runs::workspace::Workspace;

/// The changes of labels. They have no influence on the training, and a completed run takes them too.
#[derive(Debug, Subcommand)]
pub(super) enum Labelling {
    Rename(RenameArguments),
    Tag(TagArguments),
    Note(NoteArguments),
}

/// Give a run another name, which is shown and found like that of its folder
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mammoscope runs rename latest \"wider network\"
  mammoscope runs rename 2026-11-23T10-15-02_CC_R_seed \"\"  without its own name")]
pub(super) struct RenameArguments {
    /// A run's name or a prefix of it, its path, a group's id, or `latest`
    #[arg(value_name = "RUN")]
    run: String,
    /// At most 60 characters; empty to remove the name
    #[arg(value_name = "NAME")]
    name: String,
}

/// Add tags to a run, remove them, or print them
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mammoscope runs tag latest +paper +ablation/3 -draft
  mammoscope runs tag latest
  mammoscope runs --tag paper")]
pub(super) struct TagArguments {
    /// A run's name or a prefix of it, its path, a group's id, or `latest`
    #[arg(value_name = "RUN")]
    run: String,
    /// +TAG adds a tag, -TAG removes it; without any, the tags are printed
    #[arg(value_name = "+TAG|-TAG", allow_hyphen_values = true)]
    changes: Vec<String>,
}

/// Write a note on a run, or print it
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mammoscope runs note latest \"trained on the first 400 subjects only\"
  mammoscope runs note latest
  mammoscope runs note latest \"\"          removes it")]
pub(super) struct NoteArguments {
    /// A run's name or a prefix of it, its path, a group's id, or `latest`
    #[arg(value_name = "RUN")]
    run: String,
    /// At most 2000 characters; empty to remove the note; without it, the note is printed
    #[arg(value_name = "TEXT")]
    text: Option<String>,
}

/// Changes the labels of a run, or of every run of a group or a study, and prints them.
pub(super) fn run(labelling: &Labelling, workspace: &Workspace) -> anyhow::Result<Outcome> {
    match labelling {
        Labelling::Rename(RenameArguments { run, name }) => {
            each(workspace, run, &|labels| labels.rename(name), labels_text_or_none)
        }
        Labelling::Tag(TagArguments { run, changes }) => {
            let changes: Vec<TagChange<'_>> =
                changes.iter().map(|change| TagChange::of(change)).collect::<Result<_, _>>()?;
            each(workspace, run, &|labels| changes.iter().try_for_each(|change| change.apply(labels)), tags_or_none)
        }
        Labelling::Note(NoteArguments { run, text }) => {
            let set = |labels: &mut RunLabels| text.as_ref().map_or(Ok(()), |text| labels.set_note(text));
            each(workspace, run, &set, note_or_none)
        }
    }
}

fn each(
    workspace: &Workspace,
    text: &str,
    change: &dyn Fn(&mut RunLabels) -> Result<(), LabelError>,
    shown: fn(&RunLabels) -> String,
) -> anyhow::Result<Outcome> {
    let found = find_runs(workspace, text)?;
    // All or none: what one run refuses, no run gets.
    for run in &found.runs {
        if let Err(error) = change(&mut read_labels(run)?) {
            return Err(WrongUse(error.to_string()).into());
        }
    }
    let mut printed = String::new();
    for run in &found.runs {
        let labels = change_labels(run, change)?;
        printed += &format!("{}: {}\n", printable(&run.name()), shown(&labels));
    }
    print_result(&printed)?;
    Ok(Outcome::Done)
}

/// A tag to add or to remove.
enum TagChange<'a> {
    Add(&'a str),
    Remove(&'a str),
}

impl<'a> TagChange<'a> {
    fn of(text: &'a str) -> anyhow::Result<Self> {
        match (text.strip_prefix('+'), text.strip_prefix('-')) {
            (Some(tag), _) => Ok(Self::Add(tag)),
            (None, Some(tag)) if !tag.starts_with('-') => Ok(Self::Remove(tag)),
            (None, Some(_)) => bail!(WrongUse(format!(
                "'{}' after the run is neither +TAG nor -TAG; options precede `runs`",
                printable(text)
            ))),
            (None, None) => bail!(WrongUse(format!("'{0}': +{0} adds the tag, -{0} removes it", printable(text)))),
        }
    }

    fn apply(&self, labels: &mut RunLabels) -> Result<(), LabelError> {
        match self {
            Self::Add(tag) => labels.add_tag(tag),
            Self::Remove(tag) => {
                labels.tags.remove(*tag);
                Ok(())
            }
        }
    }
}

fn labels_text_or_none(labels: &RunLabels) -> String {
    labels.name.as_ref().map_or_else(|| "no name of its own".to_owned(), |name| format!("\"{}\"", printable(name)))
}

fn tags_or_none(labels: &RunLabels) -> String {
    if labels.tags.is_empty() { "no tags".to_owned() } else { printable(&labels.tags_text()) }
}

fn note_or_none(labels: &RunLabels) -> String {
    if labels.note.is_empty() { "no note".to_owned() } else { printable(&labels.note) }
}

/// The name in quotes and the tags, for a list.
pub(super) fn labels_text(labels: &RunLabels) -> String {
    let name = labels.name.iter().map(|name| format!("\"{}\"", printable(name)));
    name.chain(labels.tags.iter().map(|tag| format!("#{}", printable(tag)))).collect::<Vec<_>>().join(" ")
}
