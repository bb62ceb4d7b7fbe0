//! What is seen while megabytes move: a bar on a terminal, plain lines elsewhere.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use indicatif::{DecimalBytes, HumanDuration, ProgressBar, ProgressStyle};

/// The progress of one step over a known number of bytes.
#[derive(Debug)]
pub(super) struct Progress {
    what: String,
    bar: ProgressBar,
    started: Instant,
}

impl Progress {
    /// Begins a step, such as `downloading torch 2.11.0`, over `bytes` bytes.
    pub(super) fn begin(what: impl Into<String>, bytes: u64) -> Self {
        let what = what.into();
        let bar = if std::io::stderr().is_terminal() {
            let style = "  {msg} {wide_bar} {decimal_bytes:>9} of {decimal_total_bytes:<9} {decimal_bytes_per_sec:>11}";
            let bar = ProgressBar::new(bytes)
                .with_style(ProgressStyle::with_template(style).expect("the template is a constant"))
                .with_message(what.clone());
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        } else {
            eprintln!("  {what} ({})", DecimalBytes(bytes));
            ProgressBar::hidden()
        };
        Self { what, bar, started: Instant::now() }
    }

    /// So many bytes are there.
    pub(super) fn reached(&self, bytes: u64) {
        self.bar.set_position(bytes);
    }

    /// So many bytes more are there.
    pub(super) fn advance(&self, bytes: u64) {
        self.bar.inc(bytes);
    }

    /// Ends the step and leaves a line about it.
    pub(super) fn done(self, bytes: u64) {
        self.bar.finish_and_clear();
        eprintln!("  {}: {} in {}", self.what, DecimalBytes(bytes), short(self.started.elapsed()));
    }
}

/// A duration in words that a person reads at a glance: `0.4 s`, `12 s`, `2 minutes`.
pub(crate) fn short(duration: Duration) -> String {
    if duration < Duration::from_secs(10) {
        format!("{:.1} s", duration.as_secs_f64())
    } else if duration < Duration::from_secs(120) {
        format!("{:.0} s", duration.as_secs_f64())
    } else {
        HumanDuration(duration).to_string()
    }
}
