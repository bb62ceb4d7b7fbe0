//! The engine's findings in the images that it read, summarised in one warning per data set.

use std::path::Path;

use serde::Serialize;

use super::console::Console;
use mammoscope_domain::image::doubtful_images::DoubtfulImages;
use mammoscope_domain::image::image_findings::ImageFindings;
use mammoscope_domain::image::training_images::TrainingImages;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_storage::models::model_set::ModelEntry;

/// Collects the findings of all views.
#[derive(Debug, Default)]
pub(super) struct ImageNotes {
    doubtful: DoubtfulImages,
    /// Warnings about images that are unlike those of the training.
    unlike: Vec<String>,
}

/// The notes stored beside predictions.
#[derive(Debug, Serialize)]
pub(super) struct NotesDocument {
    not_as_expected: Option<String>,
    unlike_training: Vec<String>,
}

impl ImageNotes {
    pub(super) fn add(&mut self, path: &Path, findings: &ImageFindings) {
        self.doubtful.add(&path.to_string_lossy(), &findings.doubts);
    }

    /// Compares the images of a view with those that its model was trained on.
    pub(super) fn compare<'f>(&mut self, model: &ModelEntry, images: impl Iterator<Item = &'f ImageFindings>) {
        self.compare_with(&model.path, TrainingImages::of_provenance(&model.metadata.provenance).as_ref(), images);
    }

    /// Compares images with those that the model of a path was trained on.
    pub(super) fn compare_with<'f>(
        &mut self,
        model: &Path,
        training: Option<&TrainingImages>,
        images: impl Iterator<Item = &'f ImageFindings>,
    ) {
        let Some(training) = training else { return };
        let name = printable_path(model);
        let images: Vec<&ImageFindings> = images.collect();
        let whites: std::collections::BTreeSet<u16> = images.iter().map(|findings| findings.white).collect();
        self.unlike.extend(whites.into_iter().filter_map(|white| training.other_white(&name, white)));
        self.unlike.extend(training.difference(&name, &images));
    }

    /// Prints everything collected as warnings.
    pub(super) fn warn(&self, console: &Console) {
        if !self.doubtful.is_empty() {
            console.warn(format!("{}; metrics on them are meaningless", self.doubtful));
        }
        for text in &self.unlike {
            console.warn(text);
        }
    }

    pub(super) fn document(&self) -> NotesDocument {
        NotesDocument {
            not_as_expected: (!self.doubtful.is_empty()).then(|| self.doubtful.to_string()),
            unlike_training: self.unlike.clone(),
        }
    }
}
