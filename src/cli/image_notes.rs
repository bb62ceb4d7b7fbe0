//! What the engine found in images while it read them, in one warning a data set.

use std::path::Path;

use serde::Serialize;

use super::console::Console;
use mammoscope_domain::image::doubtful_images::DoubtfulImages;
use mammoscope_domain::image::image_findings::ImageFindings;
use mammoscope_domain::image::training_images::TrainingImages;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_storage::models::model_set::ModelEntry;

/// Collects what was found in the images of all views.
#[derive(Debug, Default)]
pub(super) struct ImageNotes {
    doubtful: DoubtfulImages,
    /// What was said of images that are unlike a training's.
    unlike: Vec<String>,
}

/// What is kept beside predictions.
#[derive(Debug, Serialize)]
pub(super) struct NotesDocument {
    not_as_expected: Option<String>,
    unlike_training: Vec<String>,
}

impl ImageNotes {
    /// Counts an image.
    pub(super) fn add(&mut self, path: &Path, findings: &ImageFindings) {
        self.doubtful.add(&path.to_string_lossy(), &findings.doubts);
    }

    /// Compares the images of a view with those that its model was trained on.
    pub(super) fn compare<'f>(&mut self, model: &ModelEntry, images: impl Iterator<Item = &'f ImageFindings>) {
        let Some(training) = TrainingImages::of_provenance(&model.metadata.provenance) else { return };
        let name = printable_path(&model.path);
        let images: Vec<&ImageFindings> = images.collect();
        let whites: std::collections::BTreeSet<u16> = images.iter().map(|findings| findings.white).collect();
        self.unlike.extend(whites.into_iter().filter_map(|white| training.other_white(&name, white)));
        self.unlike.extend(training.unlikeness(&name, &images));
    }

    /// Says all of it, once.
    pub(super) fn warn(&self, console: &Console) {
        if !self.doubtful.is_empty() {
            console.warn(format!("{}; figures of them mean nothing", self.doubtful));
        }
        for text in &self.unlike {
            console.warn(text);
        }
    }

    /// The same as a document.
    pub(super) fn document(&self) -> NotesDocument {
        NotesDocument {
            not_as_expected: (!self.doubtful.is_empty()).then(|| self.doubtful.to_string()),
            unlike_training: self.unlike.clone(),
        }
    }
}
