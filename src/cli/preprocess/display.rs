//! The progress of a preparation, on stderr.

use std::path::Path;
use std::sync::Mutex;

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::console::Console;
use mammoscope_domain::text::printable::{printable, printable_path};
use mammoscope_preprocessing::merge::RefusedSource;
use mammoscope_preprocessing::run::{Progress, Stage};

/// The digits of a hash by which a source is shown.
const SHOWN_DIGITS: usize = 8;

/// The name of a source in messages that must not name a person.
pub(super) fn name_of(source: &RefusedSource) -> String {
    match source.sha256.get(..SHOWN_DIGITS) {
        Some(digits) => format!("file {} ({digits}…)", source.number),
        None => format!("file {}", source.number),
    }
}

/// Progress on stderr; refused files, a line each.
pub(super) struct Display<'a> {
    console: &'a Console,
    phi: bool,
    bar: Mutex<ProgressBar>,
    refused: Mutex<Vec<RefusedSource>>,
}

impl<'a> Display<'a> {
    pub(super) fn new(console: &'a Console, phi: bool) -> Self {
        Self { console, phi, bar: Mutex::new(ProgressBar::hidden()), refused: Mutex::default() }
    }

    fn bar(&self) -> ProgressBar {
        self.bar.lock().expect("no thread panics while it holds the lock").clone()
    }

    /// Removes the bar, and returns the sources that were refused.
    pub(super) fn finish(self) -> Vec<RefusedSource> {
        self.bar().finish_and_clear();
        self.refused.into_inner().expect("no thread panics while it holds the lock")
    }
}

impl Progress for Display<'_> {
    fn begin(&self, stage: Stage, sources: usize, _bytes: u64) {
        self.bar().finish_and_clear();
        if !self.console.shows_progress() || sources == 0 {
            return;
        }
        let stage = match stage {
            Stage::Identifying => "identify",
            Stage::Preparing => "prepare",
        };
        let style = ProgressStyle::with_template("{prefix:>8} {wide_bar} {pos}/{len} files  {per_sec:.1}  {eta} left");
        let bar = ProgressBar::new(sources as u64).with_style(style.expect("a fixed template")).with_prefix(stage);
        *self.bar.lock().expect("no thread panics while it holds the lock") = bar;
    }

    fn advance(&self, _bytes: u64) {
        self.bar().inc(1);
    }

    fn refused(&self, number: usize, path: &Path, sha256: &str, reason: &str) {
        let source = RefusedSource { number, sha256: sha256.to_owned(), reason: reason.to_owned() };
        let name = if self.phi { printable_path(path) } else { name_of(&source) };
        let warn = || self.console.warn(format_args!("{name}: {}", printable(reason)));
        self.bar().suspend(warn);
        self.refused.lock().expect("no thread panics while it holds the lock").push(source);
    }
}
