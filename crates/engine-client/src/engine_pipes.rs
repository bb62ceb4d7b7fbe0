//! The threads between the program and the engine's three pipes.

use std::collections::VecDeque;
use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use mammoscope_domain::text::printable::printable;
use mammoscope_engine_protocol::event::EngineEvent;
use mammoscope_engine_protocol::frame::read_frame;

/// Spawns a thread that writes frames, so that a long frame cannot block the program while the engine does not read.
pub(super) fn spawn_writer(mut input: impl Write + Send + 'static) -> Sender<Vec<u8>> {
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

/// Spawns a thread that reads events. The last item is an error; at the end of the pipe its kind is `UnexpectedEof`.
pub(super) fn spawn_reader(output: impl Read + Send + 'static) -> Receiver<io::Result<EngineEvent>> {
    // Bounded, like the pipe: a slow consumer makes the engine wait instead of letting memory grow.
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

/// The last lines of the engine's stderr.
#[derive(Debug)]
pub(super) struct StderrTail {
    lines: Arc<Mutex<VecDeque<String>>>,
    reader: JoinHandle<()>,
}

impl StderrTail {
    const LINES: usize = 3;
    const LINE_BYTES: u64 = 4096;

    /// Spawns a thread that reads `stderr`.
    pub(super) fn of(stderr: impl Read + Send + 'static) -> Self {
        let lines = Arc::new(Mutex::new(VecDeque::new()));
        let kept = Arc::clone(&lines);
        let reader_thread = thread::spawn(move || {
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
        Self { lines, reader: reader_thread }
    }

    /// Returns the lines read so far, after waiting a moment for the end of the pipe. The wait is bounded: a process
    /// that the engine left running may hold the pipe open forever.
    pub(super) fn lines(&self) -> Vec<String> {
        let deadline = Instant::now() + Duration::from_millis(500);
        while !self.reader.is_finished() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(5));
        }
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}
