//! `run.toml`: the specification of a run. A resume may change the place of its data and a few of its settings.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::image::grey_range::GreyRange;
use crate::study::study_member::StudyMember;
use crate::subject::view::View;
use crate::training::compute_options::DeviceChoice;
use crate::training::placement::Placement;
use crate::training::training_config::TrainingConfig;

/// The schema version of `run.toml`.
pub const RUN_SCHEMA: u32 = 1;

/// The specification of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunSpec {
    /// [`RUN_SCHEMA`].
    pub schema: u32,
    /// When the run was requested.
    pub created: DateTime<Utc>,
    /// The id shared by runs that were started together.
    pub group: String,
    pub view: View,
    /// The preset that the configuration started from.
    pub preset: String,
    /// The data set's root, absolute.
    pub data: PathBuf,
    /// The grey range of 16-bit images.
    #[serde(default, skip_serializing_if = "GreyRange::is_auto")]
    pub grey_range: GreyRange,
    /// A command of the user's that is run when the run ends, waits or stalls; `docs/guide.md` says with what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_event: Option<String>,
    /// The requested device.
    pub device: DeviceChoice,
    pub config: TrainingConfig,
    /// The number of runs side by side, and the threads of each, if they were chosen when the run was requested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placement: Option<Placement>,
    /// The run's place in a study.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub study: Option<StudyMember>,
}
