//! `mammoscope follow`: what a training does, as it does it.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Args;

use super::console::{Console, Interrupted, Outcome};
use super::interruption::Interruption;
use mammoscope_domain::run::run_condition::RunCondition;
use mammoscope_domain::run::run_event::RequestVerb;
use mammoscope_domain::run::run_status::RunPhase;
use mammoscope_domain::text::printable::{printable, printable_path};
use mammoscope_runs::follower::RunFollower;
use mammoscope_runs::snapshot::{RunSnapshot, current_condition};
use mammoscope_storage::runs::run_catalog::find_runs;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::run_requests::RunRequest;
use mammoscope_storage::runs::workspace::Workspace;

use printing::FollowPrinter;

mod printing;

/// How long a run may seem to have no trainer before it is given up: one that is handed from its planner to its trainer,
/// or from an earlier trainer to a new one, has none for a moment.
const HANDING_OVER: Duration = Duration::from_secs(5);
/// How often a quiet run's process is looked at.
const LOOK: Duration = Duration::from_millis(500);

/// Watch a training until it ends: a line an epoch, and how it goes
///
/// Ends with status 0 when the run is completed, or stopped or interrupted as asked; with 1 when it failed, its trainer
/// is gone, or images were left out, which are listed. The runs of a group are followed one after the other, as they become active. Closing the terminal
/// changes nothing for the training; Ctrl-C on a terminal asks whether it is to go on (the default) or to stop.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mammoscope follow latest
  mammoscope follow 2026-11-23T10-15-02_CC_R_seed
  mammoscope follow latest > epochs.txt")]
pub(super) struct FollowArguments {
    /// A run's name or the beginning of it, its path, a group's id, or `latest`
    #[arg(value_name = "RUN")]
    run: String,
}

/// Follows the runs that are meant.
pub(super) fn run(arguments: &FollowArguments, workspace: Option<&Path>, console: &Console) -> anyhow::Result<Outcome> {
    let found = find_runs(&Workspace::open(workspace)?, &arguments.run)?;
    follow_runs(&found.runs, console)
}

/// Follows runs until all of them are over, one after the other as they become active. [`Outcome::Failed`] when any
/// failed, has lost its trainer, or has left out images.
pub(super) fn follow_runs(runs: &[RunDir], console: &Console) -> anyhow::Result<Outcome> {
    let interruption = Interruption::watch()?;
    let mut following = Following {
        followers: runs.iter().cloned().map(Followed::new).collect(),
        printer: FollowPrinter::new(console, runs.len() > 1),
        failed: false,
    };
    following.tell_what_is_over()?;
    loop {
        let Some(number) = following.next() else {
            return Ok(if following.failed { Outcome::Failed } else { Outcome::Done });
        };
        following.follow(number, &interruption)?;
        if interruption.requested() {
            following.printer.pause();
            if !(interruption.by_keyboard() && asks_to_stop(console)?) {
                console.note("The training goes on; `mammoscope follow` watches it again.");
                return Err(Interrupted.into());
            }
            interruption.heard();
            following.stop_all()?;
        }
    }
}

struct Following<'a> {
    followers: Vec<Followed>,
    printer: FollowPrinter<'a>,
    failed: bool,
}

/// One of the runs.
struct Followed {
    follower: RunFollower,
    /// Since when it seems to have no trainer.
    lost_since: Option<Instant>,
    is_done: bool,
}

/// Whether there is more to come of a run.
enum Progress {
    /// It is at work.
    Active,
    /// It waits for its turn.
    Waiting,
    /// It seems to have no trainer, and maybe gets one yet.
    Lost,
    /// It is over; whether that is a failure, and how it is.
    Over { failed: bool, told: String },
}

impl Followed {
    fn new(run: RunDir) -> Self {
        Self { follower: RunFollower::new(run), lost_since: None, is_done: false }
    }

    fn run(&self) -> &RunDir {
        self.follower.snapshot().run()
    }

    /// What a look at the status alone says.
    fn status_now(&mut self) -> Progress {
        let condition = current_condition(self.run()).map_err(|error| error.to_string());
        self.status(&condition)
    }

    /// What the run says as it was last read, with all of its events.
    fn status_from_snapshot(&mut self) -> Progress {
        let condition = self.follower.snapshot().condition().map_err(str::to_owned);
        self.status(&condition)
    }

    fn status(&mut self, condition: &Result<RunCondition, String>) -> Progress {
        if !self.run().path().is_dir() {
            return Progress::Over { failed: true, told: "the run directory is gone".to_owned() };
        }
        let told = match condition {
            Ok(condition) => condition.to_string(),
            Err(problem) => format!("damaged · {}", printable(problem)),
        };
        match condition {
            &Ok(RunCondition { phase, stale: None, .. }) => {
                self.lost_since = None;
                match phase {
                    RunPhase::Queued => Progress::Waiting,
                    phase if phase.is_over() => Progress::Over { failed: phase == RunPhase::Failed, told },
                    _ => Progress::Active,
                }
            }
            _ if self.lost_since.get_or_insert_with(Instant::now).elapsed() < HANDING_OVER => Progress::Lost,
            _ => Progress::Over { failed: true, told },
        }
    }
}

impl Following<'_> {
    /// Of several runs, those that are over are told in a line; one alone is told whole.
    fn tell_what_is_over(&mut self) -> anyhow::Result<()> {
        if self.followers.len() < 2 {
            return Ok(());
        }
        for followed in &mut self.followers {
            if let Progress::Over { failed, told } = followed.status_now() {
                let snapshot = RunSnapshot::read(followed.run().clone());
                self.printer.tell_end(&snapshot, &told)?;
                followed.is_done = true;
                self.failed |= failed || has_left_out_images(&snapshot);
            }
        }
        Ok(())
    }

    /// The run to look at: one at work, else the first that is not done.
    fn next(&mut self) -> Option<usize> {
        let mut first = None;
        for (number, followed) in self.followers.iter_mut().enumerate().filter(|(_, followed)| !followed.is_done) {
            if matches!(followed.status_now(), Progress::Active) {
                return Some(number);
            }
            first.get_or_insert(number);
        }
        first
    }

    /// Tells what a run does until it is over, or it is another's turn, or somebody interrupts.
    fn follow(&mut self, number: usize, interruption: &Interruption) -> anyhow::Result<()> {
        let several = self.followers.len() > 1;
        let waits = |followed: &mut Followed| !followed.is_done && matches!(followed.status_now(), Progress::Waiting);
        let others = self.followers.iter_mut().enumerate().filter(|(other, _)| *other != number);
        self.printer.set_waiting(others.filter_map(|(_, followed)| waits(followed).then_some(())).count());
        let followed = &mut self.followers[number];
        loop {
            let printer = &mut self.printer;
            let mut printed = Ok(());
            followed.follower.wait(LOOK, &|| interruption.requested(), &mut |snapshot, change| {
                if printed.is_ok() {
                    printed = printer.tell(snapshot, change);
                }
            });
            printed?;
            if interruption.requested() {
                return Ok(());
            }
            match followed.status_from_snapshot() {
                Progress::Active => {}
                Progress::Waiting | Progress::Lost => {
                    printer.wait(followed.follower.snapshot());
                    if several {
                        return Ok(());
                    }
                }
                Progress::Over { failed, told } => {
                    printer.tell_end(followed.follower.snapshot(), &told)?;
                    followed.is_done = true;
                    self.failed |= failed || has_left_out_images(followed.follower.snapshot());
                    return Ok(());
                }
            }
        }
    }

    /// Asks the trainers of all runs that are not over to stop.
    fn stop_all(&mut self) -> anyhow::Result<()> {
        for followed in self.followers.iter().filter(|followed| !followed.is_done) {
            let run = followed.run();
            RunRequest::new(RequestVerb::Stop)
                .write(run)
                .with_context(|| format!("write a request to {}", printable_path(&run.requests())))?;
        }
        Ok(())
    }
}

/// Whether some samples failed though the run did not.
fn has_left_out_images(snapshot: &RunSnapshot) -> bool {
    !snapshot.state().skipped.is_empty()
}

/// Asks the person at the terminal; without one, or without an answer, the training is left alone.
fn asks_to_stop(console: &Console) -> io::Result<bool> {
    if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
        return Ok(false);
    }
    let mut stderr = io::stderr();
    write!(stderr, "\nLeave the training running [Enter], or stop it [s]? ")?;
    stderr.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    let stops = matches!(answer.trim().to_lowercase().as_str(), "s" | "stop");
    if stops {
        console.note("Asked to stop: it finishes its step and writes a checkpoint.");
    }
    Ok(stops)
}
