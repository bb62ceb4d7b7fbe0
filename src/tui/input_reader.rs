//! The thread that reads the terminal.

use std::os::fd::AsFd as _;
use std::sync::mpsc::Sender;
use std::time::Duration;
use std::{io, thread};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::terminal::input::Input;
use crate::terminal::parser::InputParser;
use crate::tui::protocol::message::UiMessage;

/// The time for the rest of an escape sequence, after which a lone escape character counts as the key Escape. Terminals
/// send a sequence as one write, and on a slow link its parts follow each other closely; Escape is delayed by this
/// time.
const ESCAPE_TIMEOUT: Duration = Duration::from_millis(10);

/// Starts the thread that reads the terminal on stdin; its end is reported as [`Input::End`].
pub(super) fn start_reader(inbox: Sender<UiMessage>) -> io::Result<()> {
    thread::Builder::new().name("terminal".to_owned()).spawn(move || {
        let mut parser = InputParser::default();
        let mut buffer = [0; 4096];
        loop {
            let mut open = true;
            let mut take = |input| open &= inbox.send(UiMessage::Input(input)).is_ok();
            match read_some(&mut buffer, parser.waits().then_some(ESCAPE_TIMEOUT)) {
                Ok(Some(0)) | Err(_) => {
                    let _ = inbox.send(UiMessage::Input(Input::End));
                    return;
                }
                Ok(Some(length)) => parser.push(&buffer[..length], &mut take),
                Ok(None) => parser.give_up(&mut take),
            }
            if !open {
                return;
            }
        }
    })?;
    Ok(())
}

/// Waits for bytes and reads them; `None` on a timeout.
fn read_some(buffer: &mut [u8], timeout: Option<Duration>) -> rustix::io::Result<Option<usize>> {
    let stdin = io::stdin();
    let timeout = timeout
        .map(|timeout| Timespec { tv_sec: timeout.as_secs() as i64, tv_nsec: i64::from(timeout.subsec_nanos()) });
    loop {
        let mut polled = [PollFd::from_borrowed_fd(stdin.as_fd(), PollFlags::IN)];
        match poll(&mut polled, timeout.as_ref()) {
            Ok(0) => return Ok(None),
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => return Err(error),
        }
        match rustix::io::read(stdin.as_fd(), &mut *buffer) {
            Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => {}
            read => return read.map(Some),
        }
    }
}
