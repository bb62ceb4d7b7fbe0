//! `mammoscope control`: asks a trainer to do something, and waits until it has heard.

use std::path::Path;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};

use super::console::{Console, Interrupted, Outcome, print_result};
use super::interruption::Interruption;
use mammoscope_domain::run::run_event::RequestVerb;
use mammoscope_domain::text::printable::printable;
use mammoscope_runs::control::{Answer, ask_trainer};
use mammoscope_storage::runs::run_catalog::find_runs;
use mammoscope_storage::runs::workspace::Workspace;

/// Ask a training to pause, continue, write a checkpoint, or stop
///
/// The request is a file in the run directory, so that it reaches a trainer on another node too. `stop` finishes the
/// step, `stop-after-epoch` the epoch; both write a checkpoint, from which `mammoscope resume` goes on exactly. The
/// answer is waited for up to ten seconds. Of a group, every run that is not over is asked.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mammoscope control latest pause
  mammoscope control latest continue
  mammoscope control 2026-11-23T10-15-02_CC_R_seed stop-after-epoch --no-wait")]
pub(super) struct ControlArguments {
    /// A run's name or the beginning of it, its path, a group's id, or `latest`
    #[arg(value_name = "RUN")]
    run: String,
    /// What to ask for
    #[arg(value_name = "REQUEST", value_parser = verbs())]
    verb: RequestVerb,
    /// Do not wait for the answer
    #[arg(long)]
    no_wait: bool,
}

fn verbs() -> impl clap::builder::TypedValueParser<Value = RequestVerb> {
    PossibleValuesParser::new(RequestVerb::ALL.map(RequestVerb::name)).map(|name| {
        let named = RequestVerb::ALL.into_iter().find(|verb| verb.name() == name);
        named.expect("the parser lets only the names of verbs pass")
    })
}

/// Asks.
pub(super) fn run(
    arguments: &ControlArguments,
    workspace: Option<&Path>,
    console: &Console,
) -> anyhow::Result<Outcome> {
    let found = find_runs(&Workspace::open(workspace)?, &arguments.run)?;
    let interruption = Interruption::watch()?;
    let (mut failed, mut asked) = (false, 0);
    for run in &found.runs {
        match ask_trainer(run, arguments.verb, !arguments.no_wait, &|| interruption.requested())? {
            Answer::Interrupted => return Err(Interrupted.into()),
            Answer::NoTrainer(condition) => {
                // Of a group, those that are over are none of the question.
                if found.group.is_none() {
                    anyhow::bail!("no trainer is at work on {}: {condition}", printable(&run.name()));
                }
                console.note(format_args!("{}: {condition}", printable(&run.name())));
            }
            Answer::Asked(text) => {
                asked += 1;
                print_result(&format!("{}: {} asked{text}\n", printable(&run.name()), arguments.verb))?;
            }
            Answer::EndedUnheard(condition) => {
                failed = true;
                console.warn(format_args!(
                    "{}: the trainer left before it heard; the request is withdrawn: {condition}",
                    printable(&run.name())
                ));
            }
        }
    }
    if asked == 0 && !failed {
        anyhow::bail!("no trainer is at work on any run of {}", printable(&arguments.run));
    }
    Ok(if failed { Outcome::Failed } else { Outcome::Done })
}
