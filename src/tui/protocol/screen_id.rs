//! The identity of a screen.

use serde::{Deserialize, Serialize};

/// A screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::tui) enum ScreenId {
    #[default]
    Datasets,
    Train,
    Runs,
    Evaluate,
    Explain,
}

impl ScreenId {
    /// In the order of the tabs.
    pub(in crate::tui) const ALL: [Self; 5] = [Self::Datasets, Self::Train, Self::Runs, Self::Evaluate, Self::Explain];

    /// Its name on the tab.
    pub(in crate::tui) const fn title(self) -> &'static str {
        match self {
            Self::Datasets => "Datasets",
            Self::Train => "Train",
            Self::Runs => "Runs",
            Self::Evaluate => "Evaluate",
            Self::Explain => "Explain",
        }
    }
}
