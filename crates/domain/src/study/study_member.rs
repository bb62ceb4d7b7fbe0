//! The place of a run in a study, as `run.toml` records it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The place of a run in a study.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StudyMember {
    /// The id that all runs of the study share.
    pub id: String,
    /// The point of the sweep, from 1. The runs of a point differ in view, fold and seed only.
    pub point: u32,
    /// The values of the swept keys at this point, as `--set` takes them; the seed is not among them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, String>,
    /// The repetition of the point with another seed, from 1.
    pub repetition: u32,
    /// The fold that is held out, if the study is a cross-validation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fold: Option<u32>,
}

impl StudyMember {
    /// The values in one line, such as `batch_size=4 learning_rate=0.01`; empty without a sweep.
    #[must_use]
    pub fn values_text(&self) -> String {
        self.values.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" ")
    }
}
