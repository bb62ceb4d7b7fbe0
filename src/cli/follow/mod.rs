//! `mammoscope follow`: the live progress of runs.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Args;

use super::console::{Console, Interrupted, Outcome};
use super::interruption::Interruption;
use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::run::request_verb::RequestVerb;
use mammoscope_domain::run::run_condition::RunCondition;
use mammoscope_domain::run::run_status::RunPhase;
use mammoscope_domain::text::printable::{printable, printable_path};
use mammoscope_runs::condition::current_condition;
use mammoscope_runs::follower::RunFollower;
use mammoscope_runs::snapshot::RunSnapshot;
use mammoscope_storage::runs::run_catalog::find_runs;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::run_requests::RunRequest;
use mammoscope_storage::runs::workspace::Workspace;

use printing::FollowPrinter;

mod printing;

/// The time without a trainer after which a run is given up: one that is handed from its planner to its trainer, or
/// from an earlier trainer to a new one, has none for a moment.
const HANDOVER_TIMEOUT: Duration = Duration::from_secs(5);
/// The interval at which the process of a quiet run is checked.
const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// Follow a run until it ends: one line per epoch, and live progress
///
/// The exit status is 0 if the run completed, or was stopped or interrupted on request, and 1 if it failed, its trainer
/// is gone, or images were left out, which are listed. The runs of a group are followed one after another as they
/// become active. Closing the terminal does not affect the run; Ctrl-C on a terminal asks whether to leave it running
/// (the default) or to stop it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mammoscope follow latest
  mammoscope follow 2026-11-23T10-15-02_CC_R_seed
  mammoscope follow latest > epochs.txt")]
pub(super) struct FollowArguments {
    /// A run's name or a prefix of it, its path, a group's id, or `latest`
    #[arg(value_name = "RUN")]
    run: String,
}

pub(super) fn run(arguments: &FollowArguments, workspace: Option<&Path>, console: &Console) -> anyhow::Result<Outcome> {
    let found = find_runs(&Workspace::open_to_read(workspace)?, &arguments.run)?;
    follow_runs(&found.runs, console)
}

/// Follows runs until all of them have ended, one after another as they become active. [`Outcome::Failed`] if any run
/// failed, lost its trainer or left out images.
pub(super) fn follow_runs(runs: &[RunDir], console: &Console) -> anyhow::Result<Outcome> {
    let interruption = Interruption::watch()?;
    let mut following = Following {
        followers: runs.iter().cloned().map(Followed::new).collect(),
        printer: FollowPrinter::new(console, runs.len() > 1),
        failed: false,
    };
    following.print_ended_runs()?;
    loop {
        let Some(number) = following.next() else {
            return Ok(if following.failed { Outcome::Failed } else { Outcome::Done });
        };
        following.follow(number, &interruption)?;
        if interruption.requested() {
            following.printer.pause();
            if !(interruption.by_keyboard() && confirm_stop(console)?) {
                console.note("The run continues; `mammoscope follow` shows it again.");
                return Err(Interrupted.into());
            }
            interruption.clear();
            following.stop_all()?;
        }
    }
}

struct Following<'a> {
    followers: Vec<Followed>,
    printer: FollowPrinter<'a>,
    failed: bool,
}

struct Followed {
    follower: RunFollower,
    /// The time since which it seems to have no trainer.
    lost_since: Option<Instant>,
    is_done: bool,
}

/// The state of a run as far as following it is concerned.
enum Progress {
    Active,
    /// It waits for its turn.
    Waiting,
    /// It seems to have no trainer, but may still get one.
    Lost,
    Over {
        failed: bool,
        condition: String,
    },
}

impl Followed {
    fn new(run: RunDir) -> Self {
        Self { follower: RunFollower::new(run), lost_since: None, is_done: false }
    }

    fn run(&self) -> &RunDir {
        self.follower.snapshot().run()
    }

    /// The progress according to `status.json` alone.
    fn status_now(&mut self) -> Progress {
        let condition = current_condition(self.run()).map_err(|error| error.to_string());
        self.status(&condition)
    }

    /// The progress according to the last snapshot, with all of its events.
    fn status_from_snapshot(&mut self) -> Progress {
        let condition = self.follower.snapshot().condition().map_err(ToString::to_string);
        self.status(&condition)
    }

    fn status(&mut self, condition: &Result<RunCondition, String>) -> Progress {
        if !self.run().path().is_dir() {
            return Progress::Over {
                failed: true,
                condition: "the run directory is no longer there: it was removed, renamed or moved".to_owned(),
            };
        }
        let text = match condition {
            Ok(condition) => condition.to_string(),
            Err(problem) => format!("damaged · {}", printable(problem)),
        };
        match condition {
            &Ok(RunCondition { phase, stale: None, .. }) => {
                self.lost_since = None;
                match phase {
                    RunPhase::Queued => Progress::Waiting,
                    phase if phase.is_over() => Progress::Over { failed: phase == RunPhase::Failed, condition: text },
                    _ => Progress::Active,
                }
            }
            _ if self.lost_since.get_or_insert_with(Instant::now).elapsed() < HANDOVER_TIMEOUT => Progress::Lost,
            _ => Progress::Over { failed: true, condition: text },
        }
    }
}

impl Following<'_> {
    /// Prints a line for each run that has ended, if there are several; a single run is printed in full instead.
    fn print_ended_runs(&mut self) -> anyhow::Result<()> {
        if self.followers.len() < 2 {
            return Ok(());
        }
        for followed in &mut self.followers {
            if let Progress::Over { failed, condition } = followed.status_now() {
                let snapshot = RunSnapshot::read(followed.run().clone());
                self.printer.print_end(&snapshot, &condition)?;
                followed.is_done = true;
                self.failed |= failed || has_left_out_images(&snapshot);
            }
        }
        Ok(())
    }

    /// The run to follow: an active one, or else the first that is not done.
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

    /// Prints the progress of a run until it ends, another run is due, or the user interrupts.
    fn follow(&mut self, number: usize, interruption: &Interruption) -> anyhow::Result<()> {
        let several = self.followers.len() > 1;
        let waits = |followed: &mut Followed| !followed.is_done && matches!(followed.status_now(), Progress::Waiting);
        let others = self.followers.iter_mut().enumerate().filter(|(other, _)| *other != number);
        self.printer.set_waiting(others.filter_map(|(_, followed)| waits(followed).then_some(())).count());
        let followed = &mut self.followers[number];
        loop {
            let printer = &mut self.printer;
            let mut printed = Ok(());
            followed.follower.wait(
                POLL_INTERVAL,
                Cancellation::new(&|| interruption.requested()),
                &mut |snapshot, change| {
                    if printed.is_ok() {
                        printed = printer.print_change(snapshot, change);
                    }
                },
            );
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
                Progress::Over { failed, condition } => {
                    printer.print_end(followed.follower.snapshot(), &condition)?;
                    followed.is_done = true;
                    self.failed |= failed || has_left_out_images(followed.follower.snapshot());
                    return Ok(());
                }
            }
        }
    }

    /// Asks the trainers of all unfinished runs to stop.
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

/// True if the run left out some images, even if it completed.
fn has_left_out_images(snapshot: &RunSnapshot) -> bool {
    !snapshot.summary().skipped.is_empty()
}

/// Asks the user at the terminal whether to stop; without a terminal or an answer, the run is left alone.
fn confirm_stop(console: &Console) -> io::Result<bool> {
    if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
        return Ok(false);
    }
    let mut stderr = io::stderr();
    write!(stderr, "\nLeave it running [Enter], or stop it [s]? ")?;
    stderr.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    let stops = matches!(answer.trim().to_lowercase().as_str(), "s" | "stop");
    if stops {
        console.note("Stop requested: the trainer finishes its step and writes a checkpoint.");
    }
    Ok(stops)
}
