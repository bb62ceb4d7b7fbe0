//! Progress of long steps: a bar on a terminal, plain lines elsewhere.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use indicatif::{DecimalBytes, HumanDuration, ProgressBar, ProgressStyle};

/// The progress of a step over a known number of bytes.
#[derive(Debug)]
pub(super) struct Progress {
    label: String,
    bar: ProgressBar,
    started: Instant,
}

impl Progress {
    /// Starts a step, such as `downloading torch 2.11.0`, over `bytes` bytes.
    pub(super) fn begin(label: impl Into<String>, bytes: u64) -> Self {
        let label = label.into();
        let bar = if std::io::stderr().is_terminal() {
            let style = "  {msg} {wide_bar} {decimal_bytes:>9} of {decimal_total_bytes:<9} {decimal_bytes_per_sec:>11}";
            let bar = ProgressBar::new(bytes)
                .with_style(ProgressStyle::with_template(style).expect("the template is a constant"))
                .with_message(label.clone());
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        } else {
            eprintln!("  {label} ({})", DecimalBytes(bytes));
            ProgressBar::hidden()
        };
        Self { label, bar, started: Instant::now() }
    }

    /// Sets the progress to `bytes`.
    pub(super) fn set_position(&self, bytes: u64) {
        self.bar.set_position(bytes);
    }

    /// Advances the progress by `bytes`.
    pub(super) fn advance(&self, bytes: u64) {
        self.bar.inc(bytes);
    }

    /// Ends the step and prints a line about it.
    pub(super) fn done(self, bytes: u64) {
        self.bar.finish_and_clear();
        eprintln!("  {}: {} in {}", self.label, DecimalBytes(bytes), short(self.started.elapsed()));
    }
}

/// Formats a duration briefly: `0.4 s`, `12 s`, `2 minutes`.
pub(crate) fn short(duration: Duration) -> String {
    if duration < Duration::from_secs(10) {
        format!("{:.1} s", duration.as_secs_f64())
    } else if duration < Duration::from_secs(120) {
        format!("{:.0} s", duration.as_secs_f64())
    } else {
        HumanDuration(duration).to_string()
    }
}
