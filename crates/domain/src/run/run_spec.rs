//! `run.toml`: what a run was asked to do, written once.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::image::grey_range::GreyRange;
use crate::subject::view::View;
use crate::training::compute_options::DeviceChoice;
use crate::training::training_config::TrainingConfig;

/// The version of the layout of `run.toml`.
pub const RUN_SCHEMA: u32 = 1;

/// What a run was asked to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunSpec {
    /// [`RUN_SCHEMA`].
    pub schema: u32,
    /// When it was asked for.
    pub created: DateTime<Utc>,
    /// The runs that were asked for together share it.
    pub group: String,
    /// The view it is trained on.
    pub view: View,
    /// The preset that the configuration began with.
    pub preset: String,
    /// The data set's root, absolute.
    pub data: PathBuf,
    /// What is white in images of 16 bits.
    #[serde(default, skip_serializing_if = "GreyRange::is_auto")]
    pub grey_range: GreyRange,
    /// Where it is to be computed.
    pub device: DeviceChoice,
    /// Everything that decides what is computed.
    pub config: TrainingConfig,
}
