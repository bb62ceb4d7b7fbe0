//! The command line's grammar: the subcommands and the global options.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use super::audit::AuditArguments;
use super::completions::CompletionsArguments;
use super::control::ControlArguments;
use super::demo::DemoArguments;
use super::dicom::DicomArguments;
use super::doctor::DoctorArguments;
use super::evaluate::EvaluateArguments;
use super::explain::{ExplainArguments, ExplainMerge};
use super::export::ExportArguments;
use super::follow::FollowArguments;
use super::import::ImportArguments;
use super::man::ManArguments;
use super::model::ModelArguments;
use super::phantom::PhantomArguments;
use super::predict::{PredictArguments, PredictMerge};
use super::preprocess::{PreprocessArguments, PreprocessMerge};
use super::preset::PresetArguments;
use super::report::ReportArguments;
use super::resume::ResumeArguments;
use super::runs::RunsArguments;
use super::settings_file::ConfigArguments;
use super::sharding::OrMerge;
use super::show::ShowArguments;
use super::split::SplitArguments;
use super::status::StatusArguments;
use super::submit::SubmitArguments;
use super::supervise_job::SuperviseJobArguments;
use super::train::TrainArguments;
use super::workbench::{AttachArguments, LookArguments};
use crate::jobs::supervisor::SUBCOMMAND;

/// Train, evaluate and apply classifiers of mammographic breast density from the terminal.
///
/// Opens the workbench if no command is given.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
pub(super) struct Arguments {
    /// Print only results, warnings and errors
    #[arg(long, short, global = true)]
    pub(super) quiet: bool,
    /// Folder for runs and caches [default: ./workspace if it exists, else that of the settings, else the user's data
    /// directory]
    #[arg(long, value_name = "DIR", global = true)]
    pub(super) workspace: Option<PathBuf>,
    #[command(flatten)]
    pub(super) look: LookArguments,
    #[command(subcommand)]
    pub(super) command: Option<Command>,
}

/// The subcommands, in the order in which they are used and in which `--help` lists them.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Demo(DemoArguments),
    Doctor(DoctorArguments),
    Phantom(PhantomArguments),
    Show(ShowArguments),
    Dicom(DicomArguments),
    Preprocess(OrMerge<PreprocessArguments, PreprocessMerge>),
    Audit(AuditArguments),
    Import(ImportArguments),
    Model(ModelArguments),
    Preset(PresetArguments),
    Split(SplitArguments),
    Train(TrainArguments),
    Resume(ResumeArguments),
    Submit(SubmitArguments),
    Runs(RunsArguments),
    Status(StatusArguments),
    Follow(FollowArguments),
    Attach(AttachArguments),
    Control(ControlArguments),
    Predict(OrMerge<PredictArguments, PredictMerge>),
    Evaluate(EvaluateArguments),
    Report(ReportArguments),
    Explain(OrMerge<ExplainArguments, ExplainMerge>),
    Export(ExportArguments),
    Config(ConfigArguments),
    Completions(CompletionsArguments),
    Man(ManArguments),
    #[command(name = SUBCOMMAND, hide = true)]
    SuperviseJob(SuperviseJobArguments),
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::CommandFactory as _;

    use super::*;

    /// The width of a standard terminal.
    const COLUMNS: usize = 80;

    /// The program and all its subcommands, each with its full name.
    fn commands() -> Vec<clap::Command> {
        let mut program = Arguments::command();
        program.build();
        let mut pending = vec![program];
        let mut commands = Vec::new();
        while let Some(command) = pending.pop() {
            pending.extend(
                command
                    .get_subcommands()
                    .filter(|command| command.get_name() != "help" && !command.is_hide_set())
                    .cloned(),
            );
            commands.push(command);
        }
        commands
    }

    fn name(command: &clap::Command) -> &str {
        command.get_bin_name().unwrap_or_else(|| command.get_name())
    }

    fn examples(command: &clap::Command) -> String {
        command.get_after_help().map(ToString::to_string).unwrap_or_default()
    }

    #[test]
    fn every_command_has_a_description_and_examples() {
        for command in commands() {
            let name = name(&command);
            assert!(command.get_about().is_some_and(|about| !about.to_string().trim().is_empty()), "{name}");
            if !command.has_subcommands() {
                assert!(examples(&command).starts_with("Examples:\n"), "{name}");
            }
        }
    }

    #[test]
    fn help_texts_fit_in_eighty_columns_without_wrapping_examples() {
        for command in commands() {
            let name = name(&command).to_owned();
            for line in examples(&command).lines() {
                assert!(line.chars().count() <= COLUMNS, "{name}: {line}");
            }
            let mut command = command.term_width(COLUMNS);
            for help in [command.render_help(), command.render_long_help()] {
                for line in help.to_string().lines() {
                    assert!(line.chars().count() <= COLUMNS, "{name}: {line}");
                }
            }
        }
    }

    #[test]
    fn images_named_in_examples_exist() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut named = 0;
        for command in commands() {
            let examples = examples(&command);
            for path in examples.split_whitespace().filter(|word| word.starts_with("testset") && !word.contains('*')) {
                assert!(root.join(path).exists(), "{}: {path}", name(&command));
                named += 1;
            }
        }
        assert!(named > 0, "some examples use the test set");
    }
}
