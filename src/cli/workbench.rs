//! `mammoscope` without a command and `mammoscope attach`, which open the workbench.

use std::io::{self, IsTerminal as _};
use std::path::Path;

use anyhow::{Context as _, bail};
use clap::Args;

use super::console::{Outcome, WrongUse};
use crate::settings::{Origin, Settings, SettingsError, ThemeChoice, read_settings};
use crate::terminal::graphics_protocol::GraphicsProtocol;
use crate::terminal::query;
use mammoscope_cluster::shell_text::shell_word;
use mammoscope_domain::run::run_condition::RunCondition;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_runs::condition::current_condition;
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
    pub settings: Settings,
    /// The command that returns to this workspace, to be typed in a shell.
    pub return_command: String,
}

/// A function that opens the workbench.
pub type OpenWorkbench = dyn Fn(WorkbenchRequest) -> anyhow::Result<()>;

/// A function that judges the keys in the user's settings.
pub type CheckKeys = dyn Fn(&Settings) -> Result<(), SettingsError>;

/// The workbench as the command line sees it, with the user's settings.
pub(super) struct Workbench<'w> {
    open: &'w OpenWorkbench,
    pub(super) settings: Settings,
    /// The first mistake in the settings.
    pub(super) mistake: Option<SettingsError>,
}

impl<'w> Workbench<'w> {
    /// The workbench of a user, whose settings are read.
    pub(super) fn new(open: &'w OpenWorkbench, check: &CheckKeys) -> Self {
        let (settings, mistake) = read_settings();
        let mistake = mistake.or_else(|| check(&settings).err());
        Self { open, settings, mistake }
    }

    /// The settings, if there is no mistake in them.
    pub(super) fn usable_settings(&self) -> anyhow::Result<&Settings> {
        match &self.mistake {
            Some(mistake) => Err(mistake.clone().into()),
            None => Ok(&self.settings),
        }
    }
}

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

/// The colours of the workbench, as chosen on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum WorkbenchTheme {
    /// For light backgrounds
    Light,
    /// For dark backgrounds
    Dark,
    /// For the background that the terminal or COLORFGBG states
    Auto,
}

/// The options for the appearance of the workbench.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct LookArguments {
    /// Colours of the workbench [default: that of the settings, else auto]
    #[arg(long, value_enum, value_name = "THEME")]
    theme: Option<WorkbenchTheme>,
    /// Leave the mouse to the terminal, which selects text with it
    #[arg(long)]
    no_mouse: bool,
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
        self.graphics != WorkbenchGraphics::Auto || self.ascii || self.theme.is_some() || self.no_mouse
    }

    /// The settings with what the command line states.
    fn applied_to(self, mut settings: Settings) -> Settings {
        let theme = self.theme.map(|theme| match theme {
            WorkbenchTheme::Light => ThemeChoice::Light,
            WorkbenchTheme::Dark => ThemeChoice::Dark,
            WorkbenchTheme::Auto => ThemeChoice::Auto,
        });
        if let Some(theme) = theme {
            settings.choose_theme(theme, Origin::CommandLine);
        }
        if self.no_mouse {
            settings.choose_mouse(false, Origin::CommandLine);
        }
        settings
    }
}

/// Opens the workbench where it was left.
pub(super) fn run(look: LookArguments, workspace: Option<&Path>, workbench: &Workbench<'_>) -> anyhow::Result<Outcome> {
    workbench.usable_settings()?;
    refuse_terminal()?;
    open_on(None, look, Workspace::open(workspace)?, workbench)
}

/// Opens the workbench on a run; `requested` is the workspace of the command line.
pub(super) fn attach(
    arguments: &AttachArguments,
    requested: Option<&Path>,
    workbench: &Workbench<'_>,
) -> anyhow::Result<Outcome> {
    workbench.usable_settings()?;
    refuse_terminal()?;
    let is_explicit = requested.is_some();
    let mut workspace = Workspace::open(requested.or_else(|| workbench.settings.default_workspace()))?;
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
    open_on(run, arguments.look, workspace, workbench)
}

/// Refuses a terminal that cannot show the workbench, before anything is made in it or in the workspace.
fn refuse_terminal() -> Result<(), WrongUse> {
    match query::kind().refusal() {
        Some(refusal) if io::stdin().is_terminal() && io::stdout().is_terminal() => Err(WrongUse(refusal.to_owned())),
        _ => Ok(()),
    }
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
    workbench: &Workbench<'_>,
) -> anyhow::Result<Outcome> {
    let graphics = match look.graphics {
        WorkbenchGraphics::Auto => None,
        WorkbenchGraphics::Kitty => Some(GraphicsProtocol::Kitty),
        WorkbenchGraphics::Iterm2 => Some(GraphicsProtocol::Iterm2),
        WorkbenchGraphics::Sixel => Some(GraphicsProtocol::Sixel),
        WorkbenchGraphics::Halfblocks => Some(GraphicsProtocol::Halfblocks),
        WorkbenchGraphics::Ascii => Some(GraphicsProtocol::Ascii),
    };
    let settings = look.applied_to(workbench.settings.clone());
    let return_command = return_command(&workspace, &settings);
    (workbench.open)(WorkbenchRequest { workspace, graphics, ascii: look.ascii, run, settings, return_command })?;
    Ok(Outcome::Done)
}

/// The command that opens the workbench on a workspace again, without the option if it is the usual one.
fn return_command(workspace: &Workspace, settings: &Settings) -> String {
    if workspace.is_opened_by(settings.default_workspace()) {
        return "mammoscope attach".to_owned();
    }
    match workspace.path().to_str() {
        Some(path) => format!("mammoscope attach --workspace {}", shell_word(path)),
        None => "mammoscope attach --workspace DIR".to_owned(),
    }
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
