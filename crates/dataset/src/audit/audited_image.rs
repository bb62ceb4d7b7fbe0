//! An image of a data set with everything an audit knows about it.

use std::path::{Component, Path};

use mammoscope_domain::subject::id_spelling::IdKey;
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::subject::view::{Projection, View};

use super::image_measures::{ImageMeasures, Pectoral};
use super::preprocess_manifest::PreprocessedImage;
use crate::sample::DatasetSample;

/// One image.
pub(super) struct AuditedImage<'a> {
    pub(super) sample: &'a DatasetSample,
    /// The path below the data set's root, with `/` as the separator.
    pub(super) file: String,
    /// The key that all spellings of its subject's id share.
    pub(super) key: IdKey,
    /// The split by the table or the folders.
    pub(super) split: Option<Split>,
    /// `None` if the image cannot be read.
    pub(super) measures: Option<ImageMeasures>,
    /// The record of the preprocessing that made it.
    pub(super) preprocessed: Option<&'a PreprocessedImage>,
}

impl AuditedImage<'_> {
    /// The pectoral muscle: as preprocessing left it, otherwise as measured.
    pub(super) fn pectoral(&self) -> Pectoral {
        let recorded = self.preprocessed.and_then(|image| image.pectoral);
        let measured = self.measures.as_ref().map(|measures| measures.pectoral);
        if self.sample.view.is_some_and(|view| view.projection() == Projection::Cc) {
            return Pectoral::None;
        }
        recorded.or(measured).unwrap_or(Pectoral::Uncertain)
    }

    /// True if the chest wall is at the side that the view claims; `None` if either is unknown.
    pub(super) fn laterality_agrees(&self) -> Option<bool> {
        let chest_wall = self.measures.as_ref()?.chest_wall?;
        Some(self.sample.view?.side() == chest_wall)
    }

    /// The position of the view in [`View::ALL`], and one more for unknown views.
    pub(super) fn view_index(&self) -> usize {
        self.sample.view.map_or(View::ALL.len(), |view| view as usize)
    }
}

/// A path below `root` with `/` as the separator.
pub(super) fn below(root: &Path, path: &Path) -> String {
    let below = path.strip_prefix(root).unwrap_or(path);
    let names = below.components().filter(|part| !matches!(part, Component::CurDir));
    let names: Vec<_> = names.map(|part| part.as_os_str().to_string_lossy()).collect();
    names.join("/")
}
