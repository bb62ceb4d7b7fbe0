//! The command line: one thin file per subcommand.

mod arguments;
mod audit;
mod change_arguments;
mod chosen_images;
mod completions;
pub mod console;
mod control;
mod data_arguments;
mod demo;
mod dicom;
mod doctor;
mod engine_start;
mod evaluate;
mod explain;
mod export;
mod follow;
mod image_notes;
mod import;
mod interruption;
mod known_splits;
mod man;
mod model;
mod model_card;
mod model_choice;
mod model_description;
mod moved_data;
mod new_file;
mod output_folder;
mod phantom;
mod placement;
mod predict;
mod prediction_progress;
mod preprocess;
mod preset;
mod report;
mod resume;
mod run_document;
mod runs;
mod settings_file;
mod sharding;
mod show;
mod shown_window;
mod split;
mod split_file;
mod status;
mod study_document;
mod submit;
mod supervise_job;
mod terminal_picture;
mod train;
mod trainer_start;
mod workbench;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};

use arguments::{Arguments, Command};
use console::{Console, Outcome, WrongUse};
use settings_file::announce_mistake;
use sharding::OrMerge;
use workbench::Workbench;
pub use workbench::{CheckKeys, OpenWorkbench, WorkbenchRequest};

/// Runs the program with the arguments of the process; `open` opens the workbench if that is requested, and `check`
/// judges the keys of the user's settings.
#[must_use]
pub fn main(open: &OpenWorkbench, check: &CheckKeys) -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // clap's own codes: 0 for --help and --version, 2 for wrong use. A closed pipe is not an error.
            let _ = console::print_usage_error(&error);
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let console = Console::new(arguments.quiet);
    let workbench = Workbench::new(open, check);
    announce_mistake(&arguments, &workbench, &console);
    match dispatch(arguments, &console, &workbench) {
        Ok(outcome) => outcome.exit_code(),
        Err(error) if console::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            console.error(&error);
            Outcome::of(&error).exit_code()
        }
    }
}

/// Executes a parsed command line.
fn dispatch(arguments: Arguments, console: &Console, workbench: &Workbench<'_>) -> anyhow::Result<Outcome> {
    let requested = arguments.workspace.as_deref();
    let workspace = requested.or_else(|| workbench.settings.default_workspace());
    let Some(command) = arguments.command else {
        return workbench::run(arguments.look, workspace, workbench);
    };
    if arguments.look.is_given() {
        let misplaced = "--theme, --no-mouse, --graphics and --ascii come after the command, if it takes them";
        return Err(WrongUse(misplaced.to_owned()).into());
    }
    match command {
        Command::Audit(arguments) => audit::run(&arguments, console),
        Command::Attach(arguments) => workbench::attach(&arguments, requested, workbench),
        Command::Import(arguments) => import::run(&arguments, console),
        Command::Export(arguments) => export::run(&arguments, workspace, console),
        Command::Report(arguments) => report::run(&arguments, workspace, console),
        Command::Model(arguments) => model::run(&arguments, workspace, console),
        Command::Explain(OrMerge::Command(arguments)) => explain::run(&arguments, workspace, console),
        Command::Explain(OrMerge::Merge(arguments)) => explain::merge(&arguments, console),
        Command::Predict(OrMerge::Command(arguments)) => predict::run(&arguments, workspace, console),
        Command::Predict(OrMerge::Merge(arguments)) => predict::merge(&arguments, console),
        Command::Preset(arguments) => preset::run(&arguments, console),
        Command::Train(arguments) => train::run(&arguments, workspace, console),
        Command::Resume(arguments) => resume::run(&arguments, workspace, console),
        Command::Submit(arguments) => submit::run(&arguments, &Arguments::command(), workspace, console),
        Command::Split(arguments) => split::run(&arguments, console),
        Command::Show(arguments) => show::run(&arguments, console),
        Command::Evaluate(arguments) => evaluate::run(&arguments, workspace, console),
        Command::Runs(arguments) => runs::run(&arguments, workspace, console),
        Command::Status(arguments) => status::run(&arguments, workspace, console),
        Command::Follow(arguments) => follow::run(&arguments, workspace, console),
        Command::Control(arguments) => control::run(&arguments, workspace, console),
        Command::Dicom(arguments) => dicom::run(&arguments, console),
        Command::Preprocess(OrMerge::Command(arguments)) => preprocess::run(&arguments, console),
        Command::Preprocess(OrMerge::Merge(arguments)) => preprocess::merge(&arguments, console),
        Command::Phantom(arguments) => phantom::run(&arguments, console),
        Command::Demo(arguments) => demo::run(&arguments, console, workbench),
        Command::Doctor(arguments) => doctor::run(&arguments, workspace, workbench, console),
        Command::Config(arguments) => settings_file::run(&arguments, workbench, console),
        Command::Completions(arguments) => completions::run(&arguments),
        Command::Man(arguments) => man::run(&arguments, console),
        Command::SuperviseJob(arguments) => supervise_job::run(arguments),
    }
}
