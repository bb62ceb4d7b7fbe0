//! The thread that writes the engine's events as frames, with a heartbeat every two seconds.

use std::fs::File;
use std::io::{self, BufWriter};
use std::os::fd::{AsRawFd as _, FromRawFd as _};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use mammoscope_engine_protocol::HEARTBEAT;
use mammoscope_engine_protocol::event::EngineEvent;
use mammoscope_engine_protocol::frame::write_frame;

use super::progress::Progress;

/// The queue of events to be written. A full queue blocks the sender, so that a slow reader costs no memory.
pub type EventSender = SyncSender<EngineEvent>;

/// Reserves stdout for frames: anything that libraries print goes to stderr from here on.
pub fn claim_stdout() -> io::Result<File> {
    // SAFETY: duplicates descriptors of this process that are open; no Rust object owns descriptor 1.
    unsafe {
        let frames = libc::dup(io::stdout().as_raw_fd());
        if frames < 0 || libc::dup2(io::stderr().as_raw_fd(), io::stdout().as_raw_fd()) < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(File::from_raw_fd(frames))
    }
}

/// Starts the writing thread. It ends once all senders are dropped or the reader is gone.
#[must_use]
pub fn spawn(frames: File, progress: Progress) -> (EventSender, JoinHandle<()>) {
    let (sender, receiver) = sync_channel(64);
    (sender, thread::spawn(move || write_events(frames, &receiver, &progress)))
}

fn write_events(frames: File, events: &Receiver<EngineEvent>, progress: &Progress) {
    let mut writer = BufWriter::new(frames);
    loop {
        let event = match events.recv_timeout(HEARTBEAT) {
            Ok(event) => event,
            Err(RecvTimeoutError::Timeout) => EngineEvent::Alive { progress: progress.steps() },
            Err(RecvTimeoutError::Disconnected) => return,
        };
        if write_frame(&mut writer, &event).is_err() {
            // The client is gone; the main thread notices at the end of stdin.
            return;
        }
    }
}
