//! `mammoscope supervise-job`: the process over a job of the workbench, which starts it.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;

use super::console::Outcome;
use crate::jobs::job_folder::JobFolder;
use crate::jobs::supervisor::supervise;
use mammoscope_domain::text::printable::printable_path;

/// Run the command of a job of the workbench, which starts this itself
#[derive(Debug, Args)]
pub(super) struct SuperviseJobArguments {
    /// The folder of the job
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

pub(super) fn run(arguments: SuperviseJobArguments) -> anyhow::Result<Outcome> {
    let path = printable_path(&arguments.folder);
    let program = std::env::current_exe().context("find this program")?;
    supervise(&JobFolder::new(arguments.folder), &program).with_context(|| format!("record the end of {path}"))?;
    Ok(Outcome::Done)
}
