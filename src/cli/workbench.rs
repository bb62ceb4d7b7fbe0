//! `mammoscope` alone, and `mammoscope attach`: the workbench.

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

/// The workbench as it is asked for; whoever calls [`super::main`] opens it, since the command line knows no screens.
#[derive(Debug)]
pub struct WorkbenchRequest {
    /// The workspace, which exists.
    pub workspace: Workspace,
    /// How pictures are drawn; `None` leaves it to the terminal.
    pub graphics: Option<GraphicsProtocol>,
    /// Whether only ASCII is drawn.
    pub ascii: bool,
    /// The run to open on.
    pub run: Option<RunDir>,
}

/// What opens the workbench.
pub type OpenWorkbench = dyn Fn(WorkbenchRequest) -> anyhow::Result<()>;

/// How the workbench draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum WorkbenchGraphics {
    /// The best that the terminal says it can do
    Auto,
    /// The graphics protocol of kitty, Ghostty and others
    Kitty,
    /// The inline images of iTerm2 and others
    Iterm2,
    /// Sixel graphics of xterm, foot, mlterm and others
    Sixel,
    /// Coloured half-block characters: anywhere
    Halfblocks,
    /// ASCII characters
    Ascii,
}

/// How the workbench looks.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct LookArguments {
    /// How the workbench draws pictures
    #[arg(long, value_enum, default_value_t = WorkbenchGraphics::Auto, value_name = "MODE")]
    graphics: WorkbenchGraphics,
    /// Draw the workbench with ASCII characters only
    #[arg(long)]
    ascii: bool,
}

/// Open the workbench on a training: the newest that is at work, or RUN
///
/// Leaving the workbench ends no training.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mammoscope attach
  mammoscope attach 2026-11-23T10-15-02_CC_R_seed")]
pub(super) struct AttachArguments {
    /// A run's name or the beginning of it, its path, a group's id, or `latest`
    #[arg(value_name = "RUN")]
    run: Option<String>,
    #[command(flatten)]
    look: LookArguments,
}

impl LookArguments {
    /// Whether the workbench's looks were asked for.
    pub(super) fn is_asked(self) -> bool {
        self.graphics != WorkbenchGraphics::Auto || self.ascii
    }
}

/// Opens the workbench as it was left.
pub(super) fn run(look: LookArguments, workspace: Option<&Path>, open: &OpenWorkbench) -> anyhow::Result<Outcome> {
    open_on(None, look, Workspace::open(workspace)?, open)
}

/// Opens the workbench on a run.
pub(super) fn attach(
    arguments: &AttachArguments,
    workspace: Option<&Path>,
    open: &OpenWorkbench,
) -> anyhow::Result<Outcome> {
    let is_asked = workspace.is_some();
    let mut workspace = Workspace::open(workspace)?;
    let run = match &arguments.run {
        Some(text) => find_runs(&workspace, text)?.runs.into_iter().next(),
        None => newest_at_work(&workspace)?,
    };
    let run = match run {
        Some(run) => {
            let (around, run) = workspace_of(run, &workspace, is_asked)?;
            workspace = around;
            Some(run)
        }
        None => None,
    };
    open_on(run, arguments.look, workspace, open)
}

/// The workspace to open for a run, and the run as it is listed there: one that was named by its path may lie in another
/// workspace, or be reached by a link.
fn workspace_of(run: RunDir, workspace: &Workspace, is_asked: bool) -> anyhow::Result<(Workspace, RunDir)> {
    let runs = workspace.runs();
    if run.path().parent() == Some(&runs) {
        return Ok((workspace.clone(), run));
    }
    let path = run.path().canonicalize().with_context(|| format!("find {}", printable_path(run.path())))?;
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        bail!("{} is no run", printable_path(&path))
    };
    if runs.canonicalize().is_ok_and(|runs| runs == folder) {
        return Ok((workspace.clone(), RunDir::new(runs.join(name))));
    }
    let around = folder.parent().filter(|_| folder.file_name().is_some_and(|name| name == "runs"));
    match around {
        Some(around) if !is_asked => Ok((Workspace::open(Some(around))?, RunDir::new(path))),
        _ => bail!(
            "{} is no run of the workspace {}; `mammoscope follow {0}` follows it",
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

/// The newest run that a trainer is at work on, else the newest of all; `None` where there is none, and Runs says so.
fn newest_at_work(workspace: &Workspace) -> anyhow::Result<Option<RunDir>> {
    let mut entries = list_runs(workspace)?;
    let at_work =
        entries.iter().position(|entry| current_condition(&entry.run).as_ref().is_ok_and(RunCondition::is_at_work));
    Ok(match at_work {
        Some(place) => Some(entries.swap_remove(place).run),
        None => entries.into_iter().next().map(|entry| entry.run),
    })
}
