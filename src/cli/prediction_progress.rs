//! The progress of a prediction, on stderr.

use indicatif::{ProgressBar, ProgressStyle};

use super::console::Console;
use mammoscope_domain::text::counted::counted;
use mammoscope_engine_client::image_job::ImageJobEvent;

/// The progress bar and messages of one prediction job.
pub(super) struct PredictionProgress<'a> {
    console: &'a Console,
    name: &'a str,
    images: usize,
    /// What is counted.
    unit: &'static str,
    bar: ProgressBar,
}

impl<'a> PredictionProgress<'a> {
    /// Starts the progress of a job with this many images; `name` is shown before the bar.
    pub(super) fn new(console: &'a Console, name: &'a str, images: usize) -> Self {
        Self::counting(console, name, images, "image")
    }

    /// Starts the progress of several jobs with this many maps in all.
    pub(super) fn of_maps(console: &'a Console, name: &'a str, maps: usize) -> Self {
        Self::counting(console, name, maps, "map")
    }

    fn counting(console: &'a Console, name: &'a str, images: usize, unit: &'static str) -> Self {
        let bar = if console.shows_progress() {
            let template = format!("{{prefix:>6}} {{wide_bar}} {{pos}}/{{len}} {unit}s  {{per_sec:.1}}  {{eta}} left");
            let style = ProgressStyle::with_template(&template).expect("a valid template");
            ProgressBar::new(images as u64).with_style(style).with_prefix(name.to_owned())
        } else {
            ProgressBar::hidden()
        };
        Self { console, name, images, unit, bar }
    }

    /// Shows an event.
    pub(super) fn on_message<T>(&self, event: &ImageJobEvent<T>) {
        match event {
            ImageJobEvent::Started { device, precision, batch_size, .. } => {
                let images = counted(self.images, self.unit);
                let line = format!("{}: {images} on {device}, {precision}, batch {batch_size}", self.name);
                self.bar.suspend(|| self.console.note(line));
                // The estimate must not include the time to load the model.
                self.bar.reset();
            }
            ImageJobEvent::Stalled { seconds } => self.warn(&format!(
                "no progress for {seconds} s: a very large batch, or a file system or device that does not respond; \
                 Ctrl-C aborts"
            )),
            ImageJobEvent::Image { .. } => self.count(),
        }
    }

    /// Counts an image as done.
    pub(super) fn count(&self) {
        self.bar.inc(1);
    }

    /// Prints a warning above the bar.
    pub(super) fn warn(&self, text: &str) {
        self.bar.suspend(|| self.console.warn(text));
    }

    /// Removes the bar.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
