//! `mammoscope` without a command and `mammoscope attach`, which open the workbench.

use std::path::Path;

use anyhow::{Context as _, bail};
use clap::Args;

use super::console::Outcome;
use crate::terminal::graphics_protocol::GraphicsProtocol;
use mammoscope_domain::run::run_condition::RunCondition;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_runs::snapshot::current_condition;
use mammoscope_storage::runs::run_catalog::{find_runs, list_runs};
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::workspace::Workspace;

/// A request to open the workbench. The caller of [`super::main`] opens it, so that the command line does not depend on
/// the screens.
#[derive(Debug)]
pub struct WorkbenchRequest {
    /// An existing workspace.
    pub workspace: Workspace,
    /// `None` leaves the choice to the terminal.
    pub graphics: Option<GraphicsProtocol>,
    /// Only ASCII is drawn.
    pub ascii: bool,
    /// The run to open on.
    pub run: Option<RunDir>,
}

/// A function that opens the workbench.
pub type OpenWorkbench = dyn Fn(WorkbenchRequest) -> anyhow::Result<()>;

/// The way the workbench draws pictures, as chosen on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum WorkbenchGraphics {
    /// The best that the terminal reports
    Auto,
    /// The graphics protocol of kitty, Ghostty and others
    Kitty,
    /// The inline images of iTerm2 and others
    Iterm2,
    /// Sixel graphics of xterm, foot, mlterm and others
    Sixel,
    /// Coloured half-block characters, which work anywhere
    Halfblocks,
    /// ASCII characters
    Ascii,
}

/// The options for the appearance of the workbench.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct LookArguments {
    /// Protocol for drawing pictures in the workbench
    #[arg(long, value_enum, default_value_t = WorkbenchGraphics::Auto, value_name = "MODE")]
    graphics: WorkbenchGraphics,
    /// Draw the workbench with ASCII characters only
    #[arg(long)]
    ascii: bool,
}

/// Open the workbench on a run: the newest active one, or RUN
///
/// Leaving the workbench does not stop any run.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mammoscope attach
  mammoscope attach 2026-11-23T10-15-02_CC_R_seed")]
pub(super) struct AttachArguments {
    /// A run's name or a prefix of it, its path, a group's id, or `latest`
    #[arg(value_name = "RUN")]
    run: Option<String>,
    #[command(flatten)]
    look: LookArguments,
}

impl LookArguments {
    /// True if any of the options was given.
    pub(super) fn is_given(self) -> bool {
        self.graphics != WorkbenchGraphics::Auto || self.ascii
    }
}

/// Opens the workbench where it was left.
pub(super) fn run(look: LookArguments, workspace: Option<&Path>, open: &OpenWorkbench) -> anyhow::Result<Outcome> {
    open_on(None, look, Workspace::open(workspace)?, open)
}

/// Opens the workbench on a run.
pub(super) fn attach(
    arguments: &AttachArguments,
    workspace: Option<&Path>,
    open: &OpenWorkbench,
) -> anyhow::Result<Outcome> {
    let is_explicit = workspace.is_some();
    let mut workspace = Workspace::open(workspace)?;
    let run = match &arguments.run {
        Some(text) => find_runs(&workspace, text)?.runs.into_iter().next(),
        None => newest_active(&workspace)?,
    };
    let run = match run {
        Some(run) => {
            let (around, run) = workspace_of(run, &workspace, is_explicit)?;
            workspace = around;
            Some(run)
        }
        None => None,
    };
    open_on(run, arguments.look, workspace, open)
}

/// The workspace to open for a run, and the run's directory as listed there. A run given by its path may be in another
/// workspace, or reached through a link.
fn workspace_of(run: RunDir, workspace: &Workspace, is_explicit: bool) -> anyhow::Result<(Workspace, RunDir)> {
    let runs = workspace.runs();
    if run.path().parent() == Some(&runs) {
        return Ok((workspace.clone(), run));
    }
    let path = run.path().canonicalize().with_context(|| format!("find {}", printable_path(run.path())))?;
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        bail!("{} is not a run", printable_path(&path))
    };
    if runs.canonicalize().is_ok_and(|runs| runs == folder) {
        return Ok((workspace.clone(), RunDir::new(runs.join(name))));
    }
    let around = folder.parent().filter(|_| folder.file_name().is_some_and(|name| name == "runs"));
    match around {
        Some(around) if !is_explicit => Ok((Workspace::open(Some(around))?, RunDir::new(path))),
        _ => bail!(
            "{} is not a run of the workspace {}; `mammoscope follow {0}` follows it",
            printable_path(run.path()),
            printable_path(workspace.path())
        ),
    }
}

fn open_on(
    run: Option<RunDir>,
    look: LookArguments,
    workspace: Workspace,
    open: &OpenWorkbench,
) -> anyhow::Result<Outcome> {
    let graphics = match look.graphics {
        WorkbenchGraphics::Auto => None,
        WorkbenchGraphics::Kitty => Some(GraphicsProtocol::Kitty),
        WorkbenchGraphics::Iterm2 => Some(GraphicsProtocol::Iterm2),
        WorkbenchGraphics::Sixel => Some(GraphicsProtocol::Sixel),
        WorkbenchGraphics::Halfblocks => Some(GraphicsProtocol::Halfblocks),
        WorkbenchGraphics::Ascii => Some(GraphicsProtocol::Ascii),
    };
    open(WorkbenchRequest { workspace, graphics, ascii: look.ascii, run })?;
    Ok(Outcome::Done)
}

/// The newest run with an active trainer, or else the newest of all; `None` if there are no runs, which the screen
/// shows.
fn newest_active(workspace: &Workspace) -> anyhow::Result<Option<RunDir>> {
    let mut entries = list_runs(workspace)?;
    let active =
        entries.iter().position(|entry| current_condition(&entry.run).as_ref().is_ok_and(RunCondition::is_active));
    Ok(match active {
        Some(place) => Some(entries.swap_remove(place).run),
        None => entries.into_iter().next().map(|entry| entry.run),
    })
}
