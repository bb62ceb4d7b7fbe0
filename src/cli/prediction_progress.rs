//! How far a prediction is, on stderr.

use indicatif::{ProgressBar, ProgressStyle};

use super::console::Console;
use crate::report::tables::counted;
use mammoscope_engine_client::prediction::PredictionEvent;

/// The bar and the remarks of one prediction job.
pub(super) struct PredictionProgress<'a> {
    console: &'a Console,
    name: &'a str,
    images: usize,
    bar: ProgressBar,
}

impl<'a> PredictionProgress<'a> {
    /// For a job of so many images, with what they are called.
    pub(super) fn new(console: &'a Console, name: &'a str, images: usize) -> Self {
        let bar = if console.shows_progress() {
            let style =
                ProgressStyle::with_template("{prefix:>6} {wide_bar} {pos}/{len} images  {per_sec:.1}  {eta} left")
                    .expect("a valid template");
            ProgressBar::new(images as u64).with_style(style).with_prefix(name.to_owned())
        } else {
            ProgressBar::hidden()
        };
        Self { console, name, images, bar }
    }

    /// Takes an event in.
    pub(super) fn on_message(&self, event: &PredictionEvent) {
        match event {
            PredictionEvent::Started { device, precision, batch_size } => {
                let images = counted(self.images, "image");
                let line = format!("{}: {images} on {device}, {precision}, batch {batch_size}", self.name);
                self.bar.suspend(|| self.console.note(line));
                // The time left is that of the network, not of its start.
                self.bar.reset();
            }
            PredictionEvent::Stalled { seconds } => self.warn(&format!(
                "no progress for {seconds} s: a very large batch, or a file system or device that does not answer; \
                 Ctrl-C ends it"
            )),
            PredictionEvent::Image { .. } => self.count(),
        }
    }

    /// One more image is done.
    pub(super) fn count(&self) {
        self.bar.inc(1);
    }

    /// A warning above the bar.
    pub(super) fn warn(&self, text: &str) {
        self.bar.suspend(|| self.console.warn(text));
    }

    /// Takes the bar away.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
