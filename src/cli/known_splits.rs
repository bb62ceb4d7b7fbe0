//! The splits that models were trained with.

use std::path::{Path, PathBuf};

use super::console::Console;
use mammoscope_dataset::sample::DatasetSample;
use mammoscope_domain::image::grey_range::GreyRange;
use mammoscope_domain::subject::selection::ViewSelection;
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::subject::view::View;
use mammoscope_domain::text::counted::counted;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_imaging::decode::decode_file;
use mammoscope_imaging::pixel_checksum::pixel_sha256;
use mammoscope_storage::models::model_set::{ModelEntry, ModelSet};
use mammoscope_storage::runs::model_splits::ModelSplits;

/// The number of images read to find out whether the subjects are those of the training, or others with the same ids.
const PROBES: usize = 3;

/// The splits of those models that record them.
pub(super) struct KnownSplits<'a> {
    models: &'a ModelSet,
    splits: Vec<(PathBuf, ModelSplits)>,
}

impl<'a> KnownSplits<'a> {
    /// Reads the splits from each model's run, or else from its metadata.
    pub(super) fn of(models: &'a ModelSet) -> Self {
        let known = |entry: &ModelEntry| {
            ModelSplits::of_model(&entry.path, &entry.metadata).map(|splits| (entry.path.clone(), splits))
        };
        Self { splits: models.entries().iter().filter_map(known).collect(), models }
    }

    fn of_model(&self, path: &Path) -> Option<&ModelSplits> {
        self.splits.iter().find(|(of, _)| of == path).map(|(_, splits)| splits)
    }

    /// Assigns each sample the split of its subject in the training of its view's model. A sample of unknown view takes
    /// the requested view, if there is only one.
    pub(super) fn assign(&self, samples: &mut [DatasetSample], requested: &ViewSelection) {
        let only: Option<View> = match requested {
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

    /// Warns if a model is to predict subjects that it was trained on.
    pub(super) fn warn_of_training_images(
        &self,
        model: &ModelEntry,
        samples: &[DatasetSample],
        range: GreyRange,
        console: &Console,
    ) {
        let images = self.is_trained_on(model, samples, range).into_iter().filter(|is_known| *is_known).count();
        if images > 0 {
            console.warn(format!(
                "{} of subjects that {} was trained on: metrics on them say nothing about new subjects; --split test \
                leaves them out",
                counted(images, "image"),
                printable_path(&model.path)
            ));
        }
    }

    /// For each image, whether a model was trained on its subject. Other subjects may have the same ids, so a few images are
    /// read; if none of them was in the training, the answer is no for all.
    pub(super) fn is_trained_on(&self, model: &ModelEntry, samples: &[DatasetSample], range: GreyRange) -> Vec<bool> {
        let Some(splits) = self.of_model(&model.path) else { return vec![false; samples.len()] };
        let is_fitted = |sample: &DatasetSample| splits.split_of(&sample.subject) == Some(Split::Train);
        let is_strange = |sample: &&DatasetSample| {
            // An unreadable image is reported when it is predicted.
            let levels = decode_file(&sample.path).and_then(|image| image.into_levels(range)).ok();
            levels.and_then(|levels| splits.was_fitted_to(&pixel_sha256(&levels.raster))) == Some(false)
        };
        let mut probes = samples.iter().filter(|sample| is_fitted(sample)).take(PROBES);
        if probes.all(|sample| is_strange(&sample)) {
            return vec![false; samples.len()];
        }
        samples.iter().map(is_fitted).collect()
    }
}
