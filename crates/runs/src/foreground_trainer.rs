//! A trainer that takes the place of this process, so that signals to this process reach it.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::Path;

use crate::trainer_process::trainer_command;
use mammoscope_storage::runs::run_dir::RunDir;

/// The signals on which a trainer writes a checkpoint and exits.
const HELD_BACK: [i32; 6] = [libc::SIGTERM, libc::SIGINT, libc::SIGUSR1, libc::SIGUSR2, libc::SIGXCPU, libc::SIGXFSZ];

/// Replaces this process by a trainer for `runs`, in order; each is trained to `epochs` if that is given. Returns only if
/// that fails.
///
/// Until libtorch is loaded, a signal that should lead to a checkpoint would end the process: such signals are held back
/// until the trainer can handle them.
#[must_use]
pub fn become_trainer(engine: &Path, runs: &[RunDir], epochs: Option<u32>) -> io::Error {
    let mut command = trainer_command(engine, &["--foreground"], runs, epochs);
    // SAFETY: between fork and exec the closure calls only functions that are allowed in signal handlers, on a set of its
    // own, and allocates nothing.
    unsafe {
        command.pre_exec(|| {
            let mut set: libc::sigset_t = std::mem::zeroed();
            libc::sigemptyset(&raw mut set);
            for signal in HELD_BACK {
                libc::sigaddset(&raw mut set, signal);
            }
            match libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut()) {
                0 => Ok(()),
                error => Err(io::Error::from_raw_os_error(error)),
            }
        });
    }
    command.exec()
}
