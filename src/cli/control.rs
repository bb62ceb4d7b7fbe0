//! `mammoscope control`: sends a request to a trainer and waits for its acknowledgement.

use std::path::Path;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};

use super::console::{Console, Interrupted, Outcome, print_result};
use super::interruption::Interruption;
use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::run::request_verb::RequestVerb;
use mammoscope_domain::text::printable::printable;
use mammoscope_runs::control::{RequestOutcome, send_request};
use mammoscope_storage::runs::run_catalog::find_runs;
use mammoscope_storage::runs::workspace::Workspace;

/// Ask a run's trainer to pause, continue, write a checkpoint, or stop
///
/// The request is a file in the run directory, so it also reaches a trainer on another node. `stop` finishes the
/// current step, `stop-after-epoch` the current epoch; both write a checkpoint, from which `mammoscope resume`
/// continues exactly. Waits up to ten seconds for the answer. In a group, every unfinished run is asked.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mammoscope control latest pause
  mammoscope control latest continue
  mammoscope control 2026-11-23T10-15-02_CC_R_seed stop-after-epoch --no-wait")]
pub(super) struct ControlArguments {
    /// A run's name or a prefix of it, its path, a group's id, or `latest`
    #[arg(value_name = "RUN")]
    run: String,
    /// The request
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

pub(super) fn run(
    arguments: &ControlArguments,
    workspace: Option<&Path>,
    console: &Console,
) -> anyhow::Result<Outcome> {
    let found = find_runs(&Workspace::open_to_read(workspace)?, &arguments.run)?;
    let interruption = Interruption::watch()?;
    let (mut failed, mut answered) = (false, 0);
    for run in &found.runs {
        match send_request(run, arguments.verb, !arguments.no_wait, Cancellation::new(&|| interruption.requested()))? {
            RequestOutcome::Interrupted => return Err(Interrupted.into()),
            RequestOutcome::NoTrainer(condition) => {
                // In a group or a study, finished runs are skipped.
                if found.runs.len() == 1 {
                    anyhow::bail!("no trainer is running for {}: {condition}", printable(&run.name()));
                }
                console.note(format_args!("{}: {condition}", printable(&run.name())));
            }
            RequestOutcome::Written(text) => {
                answered += 1;
                print_result(&format!("{}: {} requested{text}\n", printable(&run.name()), arguments.verb))?;
            }
            RequestOutcome::TrainerEnded(condition) => {
                failed = true;
                console.warn(format_args!(
                    "{}: the trainer exited before it saw the request, which is withdrawn: {condition}",
                    printable(&run.name())
                ));
            }
        }
    }
    if answered == 0 && !failed {
        anyhow::bail!("no trainer is running for any run of {}", printable(&arguments.run));
    }
    Ok(if failed { Outcome::Failed } else { Outcome::Done })
}
