//! The output of a job on its terminal, as finished lines and the line that it redraws.

use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use console::strip_ansi_codes;

use super::send;
use crate::tui::protocol::jobs::{JobId, JobMessage};
use crate::tui::protocol::message::UiMessage;
use mammoscope_domain::text::printable::printable;

/// The shortest time between two messages about progress.
const INTERVAL: Duration = Duration::from_millis(100);

/// Bytes of a terminal, cut into lines.
pub(super) struct OutputLines {
    id: JobId,
    inbox: Sender<UiMessage>,
    /// The line that is not finished yet.
    current: Vec<u8>,
    sent: Option<Instant>,
}

impl OutputLines {
    pub(super) const fn new(id: JobId, inbox: Sender<UiMessage>) -> Self {
        Self { id, inbox, current: Vec::new(), sent: None }
    }

    /// Takes bytes. A line that ends in a line feed is finished, one that ends in a carriage return is redrawn.
    pub(super) fn take(&mut self, bytes: &[u8]) {
        for byte in bytes {
            match byte {
                b'\n' => {
                    let text = self.text();
                    self.current.clear();
                    if !text.is_empty() {
                        send(&self.inbox, JobMessage::Line { id: self.id, text });
                    }
                }
                // The terminal turns a line feed into both.
                b'\r' => self.current.push(b'\r'),
                byte => {
                    if self.current.last() == Some(&b'\r') {
                        self.report();
                        self.current.clear();
                    }
                    self.current.push(*byte);
                }
            }
        }
        self.report();
    }

    /// Reports the unfinished line as progress, not too often.
    fn report(&mut self) {
        if self.sent.is_some_and(|sent| sent.elapsed() < INTERVAL) {
            return;
        }
        let text = self.text();
        if !text.is_empty() {
            self.sent = Some(Instant::now());
            send(&self.inbox, JobMessage::Progress { id: self.id, text });
        }
    }

    fn text(&self) -> String {
        let text = String::from_utf8_lossy(&self.current);
        printable(strip_ansi_codes(&text).trim())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn finished_lines_differ_from_progress() {
        let (inbox, messages) = channel();
        let mut lines = OutputLines::new(JobId(1), inbox);
        lines.take(b"\r\x1b[2K  CC_R \xe2\x96\x88\xe2\x96\x91 1/2 images");
        lines.take(b"\r\x1b[2Kwarning: a.png: truncated\r\n\x1b]0;title\x07done\r\n");
        let texts: Vec<String> = messages
            .try_iter()
            .map(|message| match message {
                UiMessage::Job(JobMessage::Line { text, .. }) => format!("line: {text}"),
                UiMessage::Job(JobMessage::Progress { text, .. }) => format!("progress: {text}"),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(texts, ["progress: CC_R █░ 1/2 images", "line: warning: a.png: truncated", "line: done"]);
    }
}
