//! Redirects the trainer's output to the log of the current run.

use std::fs::OpenOptions;
use std::io;
use std::os::fd::AsFd as _;

use anyhow::Context as _;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_storage::runs::run_dir::RunDir;
use tracing_subscriber::fmt::time::ChronoUtc;

/// Sends log messages to stderr.
pub(super) fn start() {
    let format = tracing_subscriber::fmt().with_ansi(false).with_target(false).with_writer(io::stderr);
    // On a full disk the subscriber would report that it cannot write, and panic when that fails too.
    let format = format.log_internal_errors(false);
    // A second subscriber is refused, which happens in tests only.
    let _ = format.with_timer(ChronoUtc::new("%Y-%m-%dT%H:%M:%S%.3fZ".to_owned())).try_init();
}

/// Appends stdout and stderr, including libtorch's output, to the log of a run from here on.
pub(super) fn switch_to(run: &RunDir) -> anyhow::Result<()> {
    let path = run.log();
    let opened = OpenOptions::new().create(true).append(true).open(&path);
    let log = opened.with_context(|| run.in_shown_paths(&format!("open {}", printable_path(&path))))?;
    rustix::stdio::dup2_stdout(log.as_fd())?;
    rustix::stdio::dup2_stderr(log.as_fd())?;
    Ok(())
}
