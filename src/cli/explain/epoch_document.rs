//! What `--over-epochs` writes and prints as JSON.

use std::collections::BTreeMap;

use serde::Serialize;

use mammoscope_domain::explanation::explanation_scores::{DenseSource, ExplanationScores};
use mammoscope_domain::explanation::map_status::MapStatus;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::subject_id::{ExamId, SubjectId};
use mammoscope_domain::subject::view::View;
use mammoscope_domain::text::file_problem::FileProblem;
use mammoscope_storage::tables::score_table::ScoreRow;

/// The file name of the document in a folder of explanations.
pub(super) const FILE_NAME: &str = "over_epochs.json";

/// The whole document.
#[derive(Debug, Serialize)]
pub(super) struct OverEpochs {
    pub(super) schema: u32,
    pub(super) run: String,
    pub(super) view: View,
    pub(super) method: String,
    /// The layer of the maps; empty for methods that need none.
    pub(super) layer: String,
    /// The file name of the table.
    pub(super) table: &'static str,
    pub(super) checkpoints: Vec<Checkpoint>,
    /// The kept models that could not be used.
    pub(super) skipped: Vec<FileProblem>,
    pub(super) images: Vec<FilmedImage>,
    /// Images without a single map, and epochs of images without one.
    pub(super) failed: Vec<FileProblem>,
    pub(super) masks_left_out: Vec<FileProblem>,
    pub(super) coarse_maps: Vec<String>,
    pub(super) left_out: usize,
}

/// A kept model.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Checkpoint {
    pub(super) epoch: u32,
    pub(super) file: String,
}

/// An image and its maps.
#[derive(Debug, Serialize)]
pub(super) struct FilmedImage {
    pub(super) file: String,
    pub(super) subject: SubjectId,
    pub(super) exam: Option<ExamId>,
    pub(super) label: Option<DensityClass>,
    /// The files below the folder.
    pub(super) filmstrip: String,
    pub(super) animation: String,
    /// The map value that has the full colour in all pictures; `None` if there was nothing to paint.
    pub(super) full: Option<f32>,
    pub(super) epochs: Vec<ImageAtEpoch>,
}

/// The map of an image at an epoch, and the prediction.
#[derive(Debug, Serialize)]
pub(super) struct ImageAtEpoch {
    pub(super) epoch: u32,
    pub(super) predicted: DensityClass,
    pub(super) probabilities: BTreeMap<&'static str, f64>,
    pub(super) explained: DensityClass,
    pub(super) status: MapStatus,
    pub(super) dense_source: DenseSource,
    /// Rows and columns of the map before it was enlarged.
    pub(super) positions: (usize, usize),
    pub(super) scores: ExplanationScores,
}

impl ImageAtEpoch {
    pub(super) fn new(epoch: u32, row: &ScoreRow) -> Self {
        let of = &row.prediction;
        Self {
            epoch,
            predicted: of.predicted,
            probabilities: DensityClass::ALL.into_iter().map(DensityClass::letter).zip(of.probabilities.0).collect(),
            explained: row.explained,
            status: row.status,
            dense_source: row.dense_source,
            positions: row.positions,
            scores: row.scores,
        }
    }
}
