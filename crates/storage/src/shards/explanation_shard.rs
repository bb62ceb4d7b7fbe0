//! The results of a shard of `mammoscope explain`.

use serde::{Deserialize, Serialize};

use super::shard_record::ShardFile;
use crate::tables::score_table::ScoreRow;
use mammoscope_domain::explanation::explanation_scores::ExplanationScores;
use mammoscope_domain::image::image_findings::ImageFindings;
use mammoscope_domain::image::training_images::TrainingImages;
use mammoscope_domain::subject::view::View;

/// The explanations of a shard, and what else the files of all explanations need.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExplanationShard {
    /// The title of the contact sheets.
    pub title: String,
    /// The number of unusable images of the data set, the same in all shards.
    pub left_out: usize,
    /// Cautions about maps of few positions.
    pub coarse: Vec<String>,
    /// The views in the order of the data set, those without an image in this shard included.
    pub views: Vec<ExplainedView>,
}

/// The images of a view that are in a shard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExplainedView {
    /// `None` if it is not known.
    pub view: Option<View>,
    /// The path of the model.
    pub model: String,
    /// The images that the model was trained on, if it knows them.
    pub training: Option<TrainingImages>,
    /// The number of images of the view in all shards.
    pub all: usize,
    pub images: Vec<ExplainedEntry>,
}

/// An image that was explained, or failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExplainedEntry {
    /// The position among the images of the view in all shards.
    pub position: usize,
    pub file: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub findings: Option<ImageFindings>,
    /// Masks that could not be used, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mask_problems: Vec<String>,
    pub outcome: ExplanationOutcome,
}

/// The outcome for an image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExplanationOutcome {
    Explained(Box<ExplainedFiles>),
    /// The reason why there is no map.
    Failed(String),
}

/// An explained image and its files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExplainedFiles {
    pub row: ScoreRow,
    /// The scores of a random map of the same image.
    pub control: ExplanationScores,
    /// The part of the names of all files of the image that tells it from other images.
    pub stem: String,
    pub files: Vec<NamedPart>,
    /// The line of facts on the contact sheet; `None` for a map that is not painted.
    pub facts: Option<String>,
}

/// A file of an explained image, whose name is `prefix`, the stem and `ending`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedPart {
    pub prefix: String,
    pub ending: String,
    pub sha256: String,
}

impl NamedPart {
    /// The file of an image with this stem in a folder, given below the folder of the shard.
    #[must_use]
    pub fn file(&self, folder: &str, stem: &str) -> ShardFile {
        let path = format!("{folder}/{}{stem}{}", self.prefix, self.ending);
        ShardFile { path, sha256: self.sha256.clone() }
    }
}
