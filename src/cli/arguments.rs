//! What can be typed: the subcommands and the options that all of them have.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use super::completions::CompletionsArguments;
use super::control::ControlArguments;
use super::demo::DemoArguments;
use super::doctor::DoctorArguments;
use super::evaluate::EvaluateArguments;
use super::explain::ExplainArguments;
use super::follow::FollowArguments;
use super::import::ImportArguments;
use super::man::ManArguments;
use super::model::ModelArguments;
use super::phantom::PhantomArguments;
use super::predict::PredictArguments;
use super::preset::PresetArguments;
use super::resume::ResumeArguments;
use super::runs::RunsArguments;
use super::show::ShowArguments;
use super::status::StatusArguments;
use super::synthetic_run::SyntheticRunArguments;
use super::train::TrainArguments;
use super::workbench::{AttachArguments, LookArguments};

/// Train, evaluate and apply classifiers of mammographic breast density from the terminal.
///
/// Without a command, the workbench opens.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
pub(super) struct Arguments {
    /// Print results only: no progress, no remarks
    #[arg(long, short, global = true)]
    pub(super) quiet: bool,
    /// Folder of runs and cache [default: ./workspace if it exists, else in the user's data directory]
    #[arg(long, value_name = "DIR", global = true)]
    pub(super) workspace: Option<PathBuf>,
    #[command(flatten)]
    pub(super) look: LookArguments,
    #[command(subcommand)]
    pub(super) command: Option<Command>,
}

/// In the order of their use, which `--help` keeps.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Demo(DemoArguments),
    Doctor(DoctorArguments),
    Phantom(PhantomArguments),
    Show(ShowArguments),
    Import(ImportArguments),
    Model(ModelArguments),
    Preset(PresetArguments),
    Train(TrainArguments),
    Resume(ResumeArguments),
    Runs(RunsArguments),
    Status(StatusArguments),
    Follow(FollowArguments),
    Attach(AttachArguments),
    Control(ControlArguments),
    Predict(PredictArguments),
    Evaluate(EvaluateArguments),
    Explain(ExplainArguments),
    Completions(CompletionsArguments),
    Man(ManArguments),
    #[command(hide = true)]
    SyntheticRun(SyntheticRunArguments),
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::CommandFactory as _;

    use super::*;

    /// Columns of the terminal that everybody has.
    const COLUMNS: usize = 80;

    /// The program and all its subcommands, each with its whole name.
    fn commands() -> Vec<clap::Command> {
        let mut program = Arguments::command();
        program.build();
        let mut waiting = vec![program];
        let mut commands = Vec::new();
        while let Some(command) = waiting.pop() {
            waiting.extend(command.get_subcommands().filter(|command| command.get_name() != "help").cloned());
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
    fn every_command_says_what_it_does_and_shows_examples() {
        for command in commands() {
            let name = name(&command);
            assert!(command.get_about().is_some_and(|about| !about.to_string().trim().is_empty()), "{name}");
            if !command.has_subcommands() {
                assert!(examples(&command).starts_with("Examples:\n"), "{name}");
            }
        }
    }

    #[test]
    fn helps_fit_in_eighty_columns_and_no_example_is_broken() {
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
    fn examples_name_images_of_the_test_set_that_exist() {
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
