//! The parts of a data set.

use serde::{Deserialize, Serialize};

use crate::text::named_choice::named_choice;

/// The part of a data set that a sample belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Split {
    /// Samples that the weights are fitted to.
    Train,
    /// Samples by which the best epoch and the schedule are chosen.
    Validation,
    /// Samples that are evaluated once, at the end.
    Test,
}

impl Split {
    pub const ALL: [Self; 3] = [Self::Train, Self::Validation, Self::Test];

    /// The split's name in folders and files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }
}

/// A text that does not name a split.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a split; the splits are train, validation and test")]
pub struct UnknownSplit(pub String);

named_choice!(
    Split by name, str::eq_ignore_ascii_case, UnknownSplit,
    "training" => Train, "val" => Validation, "valid" => Validation,
);
