//! What models know of the images that they were trained on.

use std::path::{Path, PathBuf};

use super::console::Console;
use crate::report::tables::counted;
use mammoscope_dataset::sample::DatasetSample;
use mammoscope_domain::image::grey_range::GreyRange;
use mammoscope_domain::subject::selection::ViewSelection;
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::subject::view::View;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_imaging::decode::decode_file;
use mammoscope_imaging::pixel_checksum::pixel_sha256;
use mammoscope_storage::models::model_set::{ModelEntry, ModelSet};
use mammoscope_storage::runs::model_splits::ModelSplits;

/// How many images are read to find out whether the subjects are those of the training, or others of the same ids.
const PROBES: usize = 3;

/// The splits of the models that know them.
pub(super) struct KnownSplits<'a> {
    models: &'a ModelSet,
    splits: Vec<(PathBuf, ModelSplits)>,
}

impl<'a> KnownSplits<'a> {
    /// Asks each model's run, else its metadata.
    pub(super) fn of(models: &'a ModelSet) -> Self {
        let known = |entry: &ModelEntry| {
            ModelSplits::of_model(&entry.path, &entry.metadata).map(|splits| (entry.path.clone(), splits))
        };
        Self { splits: models.entries().iter().filter_map(known).collect(), models }
    }

    fn of_model(&self, path: &Path) -> Option<&ModelSplits> {
        self.splits.iter().find(|(of, _)| of == path).map(|(_, splits)| splits)
    }

    /// Gives each sample the split that the model for its view knows its subject by; where nothing tells the view, that
    /// of the one view that is asked for.
    pub(super) fn assign(&self, samples: &mut [DatasetSample], asked: &ViewSelection) {
        let only: Option<View> = match asked {
            ViewSelection::Only(views) => {
                if let [view] = views[..] {
                    Some(view)
                } else {
                    None
                }
            }
            ViewSelection::All => None,
        };
        for sample in samples {
            let model = self.models.for_view(sample.view.or(only));
            let splits = model.and_then(|model| self.of_model(&model.path));
            sample.split = splits.and_then(|splits| splits.split_of(&sample.subject));
        }
    }

    /// Warns where a model is to predict subjects that it was trained on. Other people may have the same ids: a few
    /// images are read, and where none of them is one of the training's, nothing is said.
    pub(super) fn warn_of_training_images(
        &self,
        model: &ModelEntry,
        samples: &[DatasetSample],
        range: GreyRange,
        console: &Console,
    ) {
        let Some(splits) = self.of_model(&model.path) else { return };
        let fitted: Vec<_> =
            samples.iter().filter(|sample| splits.split_of(&sample.subject) == Some(Split::Train)).collect();
        let is_strange = |sample: &&DatasetSample| {
            // What cannot be read is told of when it is predicted.
            let levels = decode_file(&sample.path).and_then(|image| image.into_levels(range)).ok();
            levels.and_then(|levels| splits.was_fitted_to(&pixel_sha256(&levels.raster))) == Some(false)
        };
        if fitted.is_empty() || fitted.iter().copied().take(PROBES).all(|sample| is_strange(&sample)) {
            return;
        }
        console.warn(format!(
            "{} of subjects that {} was trained on: figures of them say nothing about other people; --split test leaves \
             them out",
            counted(fitted.len(), "image"),
            printable_path(&model.path)
        ));
    }
}
