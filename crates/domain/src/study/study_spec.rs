//! `study.toml`: what was asked for when a study was made, written once.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::subject::view::View;

/// The schema version of `study.toml`.
pub const STUDY_SCHEMA: u32 = 1;

/// The specification of a study. Its runs refer to it by its id, and say themselves what their place in it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StudySpec {
    /// [`STUDY_SCHEMA`].
    pub schema: u32,
    pub id: String,
    pub created: DateTime<Utc>,
    /// The preset that the configurations started from.
    pub preset: String,
    /// The data set's root, absolute.
    pub data: PathBuf,
    pub views: Vec<View>,
    /// The number of runs that were made.
    pub runs: usize,
    /// The number of points of the sweep; 1 without a sweep.
    pub points: usize,
    /// The number of repetitions of each point with another seed.
    pub repetitions: u32,
    /// The swept keys as they were given, such as `learning_rate=0.003,0.01`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sweep: Vec<String>,
    /// The number of folds of the cross-validation, whose table is `folds.csv`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folds: Option<u32>,
    /// The seed by which the folds, and the points of a random sweep, were drawn.
    pub seed: u64,
}
