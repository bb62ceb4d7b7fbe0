//! The threads between the program and the engine's three pipes.

use std::collections::VecDeque;
use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use mammoscope_domain::text::printable::printable;
use mammoscope_engine_protocol::protocol::{EngineEvent, read_frame};

/// Writes frames on a thread of its own, so that a long one cannot hang the program when nobody reads it.
pub(super) fn talk(mut input: impl Write + Send + 'static) -> Sender<Vec<u8>> {
    let (sender, frames) = channel::<Vec<u8>>();
    thread::spawn(move || {
        for frame in frames {
            if input.write_all(&frame).and_then(|()| input.flush()).is_err() {
                return;
            }
        }
    });
    sender
}

/// Reads frames on a thread of its own; the last message is an error, of kind `UnexpectedEof` at the end.
pub(super) fn listen(output: impl Read + Send + 'static) -> Receiver<io::Result<EngineEvent>> {
    // Bounded by the pipe behind it: a slow reader makes the engine wait, not the memory grow.
    let (sender, receiver) = sync_channel(256);
    thread::spawn(move || {
        let mut reader = BufReader::new(output);
        loop {
            let (message, last) = match read_frame(&mut reader) {
                Ok(Some(event)) => (Ok(event), false),
                Ok(None) => (Err(io::ErrorKind::UnexpectedEof.into()), true),
                Err(error) => (Err(error), true),
            };
            if sender.send(message).is_err() || last {
                break;
            }
        }
    });
    receiver
}

/// The last lines that the engine wrote to stderr.
#[derive(Debug)]
pub(super) struct StderrTail {
    lines: Arc<Mutex<VecDeque<String>>>,
    listener: JoinHandle<()>,
}

impl StderrTail {
    const LINES: usize = 3;
    const LINE_BYTES: u64 = 4096;

    /// Listens on a thread of its own.
    pub(super) fn of(stderr: impl Read + Send + 'static) -> Self {
        let lines = Arc::new(Mutex::new(VecDeque::new()));
        let kept = Arc::clone(&lines);
        let listener = thread::spawn(move || {
            let mut reader = BufReader::new(stderr);
            let mut line = Vec::new();
            while reader.by_ref().take(Self::LINE_BYTES).read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
                let text = printable(String::from_utf8_lossy(&line).trim_end());
                line.clear();
                if text.is_empty() {
                    continue;
                }
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                if kept.len() == Self::LINES {
                    kept.pop_front();
                }
                kept.push_back(text);
            }
        });
        Self { lines, listener }
    }

    /// What was heard, waiting a moment for what is still under way. Something that the engine left behind may hold the
    /// pipe open for ever.
    pub(super) fn heard(&self) -> Vec<String> {
        let deadline = Instant::now() + Duration::from_millis(500);
        while !self.listener.is_finished() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(5));
        }
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}
