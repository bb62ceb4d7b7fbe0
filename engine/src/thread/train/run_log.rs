//! Where a trainer's words go: the log of the run in work.

use std::fs::OpenOptions;
use std::io;
use std::os::fd::AsFd as _;

use anyhow::Context as _;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_storage::runs::run_dir::RunDir;
use tracing_subscriber::fmt::time::ChronoUtc;

/// Sends what is traced to stderr.
pub(super) fn start() {
    let format = tracing_subscriber::fmt().with_ansi(false).with_target(false).with_writer(io::stderr);
    // On a full disk the subscriber would print that it cannot print, and panic over that.
    let format = format.log_internal_errors(false);
    // A second subscriber is refused, which only a test could try.
    let _ = format.with_timer(ChronoUtc::new("%Y-%m-%dT%H:%M:%S%.3fZ".to_owned())).try_init();
}

/// From here on stdout and stderr, libtorch's words too, are appended to the log of a run.
pub(super) fn switch_to(run: &RunDir) -> anyhow::Result<()> {
    let path = run.log();
    let opened = OpenOptions::new().create(true).append(true).open(&path);
    let log = opened.with_context(|| format!("open {}", printable_path(&path)))?;
    rustix::stdio::dup2_stdout(log.as_fd())?;
    rustix::stdio::dup2_stderr(log.as_fd())?;
    Ok(())
}
