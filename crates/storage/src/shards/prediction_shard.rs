//! The results of a shard of `mammoscope predict`.

use serde::{Deserialize, Serialize};

use mammoscope_domain::image::grey_range::GreyRange;
use mammoscope_domain::image::image_findings::ImageFindings;
use mammoscope_domain::image::training_images::TrainingImages;
use mammoscope_domain::subject::prediction::PredictionRow;
use mammoscope_domain::subject::view::View;

/// The predictions of a shard, and what else the files of all predictions need.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PredictionShard {
    pub grey_range: GreyRange,
    pub white: u16,
    /// The number of unusable images of the data set, the same in all shards.
    pub left_out: usize,
    /// The views in the order of the data set, those without an image in this shard included.
    pub views: Vec<PredictedView>,
}

/// The images of a view that are in a shard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PredictedView {
    /// `None` if it is not known.
    pub view: Option<View>,
    /// The path of the model.
    pub model: String,
    /// The images that the model was trained on, if it knows them.
    pub training: Option<TrainingImages>,
    /// The number of images of the view in all shards.
    pub all: usize,
    pub images: Vec<PredictedImage>,
}

/// An image that was predicted, or failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PredictedImage {
    /// The position among the images of the view in all shards.
    pub position: usize,
    pub file: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub findings: Option<ImageFindings>,
    pub outcome: PredictionOutcome,
}

/// The outcome for an image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PredictionOutcome {
    Predicted(PredictionRow),
    /// The reason why there is no prediction.
    Failed(String),
}
