//! A pseudo-terminal for the standard error of a job: commands draw their progress only on a terminal.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::OwnedFd;
use std::process::Stdio;

use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

/// The width for progress lines.
const COLUMNS: u16 = 100;
const ROWS: u16 = 24;

/// Our end of a pseudo-terminal.
pub(super) struct ProgressTerminal {
    file: File,
}

impl ProgressTerminal {
    pub(super) fn open() -> io::Result<Self> {
        let end = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&end)?;
        unlockpt(&end)?;
        tcsetwinsize(&end, Winsize { ws_col: COLUMNS, ws_row: ROWS, ws_xpixel: 0, ws_ypixel: 0 })?;
        Ok(Self { file: File::from(end) })
    }

    /// The end for the child process.
    pub(super) fn other_end(&self) -> io::Result<Stdio> {
        let name = ptsname(&self.file, Vec::new())?;
        let end: OwnedFd = open(&*name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())?;
        Ok(end.into())
    }

    /// Reads until every process has closed the other end.
    pub(super) fn read_all(mut self, mut take: impl FnMut(&[u8])) {
        let mut bytes = [0; 4096];
        loop {
            match self.file.read(&mut bytes) {
                // Linux reports the end as an I/O error.
                Ok(0) | Err(_) => return,
                Ok(count) => take(&bytes[..count]),
            }
        }
    }
}
