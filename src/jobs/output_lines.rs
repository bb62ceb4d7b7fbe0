//! The output of a job on its terminal, as finished lines and the line that it redraws.

use std::time::{Duration, Instant};

use console::strip_ansi_codes;

use mammoscope_domain::text::printable::printable;

/// The shortest time between two lines of progress.
const INTERVAL: Duration = Duration::from_millis(100);

/// What a command writes to its terminal; safe to print.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Output {
    /// A finished line.
    Line(String),
    /// The line that it redraws.
    Progress(String),
}

/// Bytes of a terminal, cut into lines, which go to `sink`.
pub(super) struct OutputLines<Sink> {
    sink: Sink,
    /// The line that is not finished yet.
    current: Vec<u8>,
    sent: Option<Instant>,
}

impl<Sink: FnMut(Output)> OutputLines<Sink> {
    pub(super) const fn new(sink: Sink) -> Self {
        Self { sink, current: Vec::new(), sent: None }
    }

    /// Takes bytes. A line that ends in a line feed is finished, one that ends in a carriage return is redrawn.
    pub(super) fn take(&mut self, bytes: &[u8]) {
        for byte in bytes {
            match byte {
                b'\n' => {
                    let text = self.text();
                    self.current.clear();
                    if !text.is_empty() {
                        (self.sink)(Output::Line(text));
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
            (self.sink)(Output::Progress(text));
        }
    }

    fn text(&self) -> String {
        let text = String::from_utf8_lossy(&self.current);
        printable(strip_ansi_codes(&text).trim())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finished_lines_differ_from_progress() {
        let mut found = Vec::new();
        let mut lines = OutputLines::new(|output| found.push(output));
        lines.take(b"\r\x1b[2K  CC_R \xe2\x96\x88\xe2\x96\x91 1/2 images");
        lines.take(b"\r\x1b[2Kwarning: a.png: truncated\r\n\x1b]0;title\x07done\r\n");
        let line = |text: &str| Output::Line(text.to_owned());
        let progress = Output::Progress("CC_R █░ 1/2 images".to_owned());
        assert_eq!(found, [progress, line("warning: a.png: truncated"), line("done")]);
    }
}
