//! The choice of what is shown beside the matrix.

use serde::{Deserialize, Serialize};

/// What is shown beside the matrix.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum InfoPane {
    /// Metrics with their intervals.
    #[default]
    Figures,
    /// ROC and precision–recall curves.
    Curves,
    /// Accuracy against confidence.
    Reliability,
    /// Metrics of subgroups.
    Subgroups,
}

impl InfoPane {
    pub(super) const ALL: [Self; 4] = [Self::Figures, Self::Curves, Self::Reliability, Self::Subgroups];

    /// The pane a number of steps further, cyclically.
    pub(super) fn step(self, steps: isize) -> Self {
        Self::ALL[(self as usize).wrapping_add_signed(steps).wrapping_add(Self::ALL.len()) % Self::ALL.len()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panes_are_cyclic_in_both_directions() {
        for pane in InfoPane::ALL {
            assert_eq!(pane.step(1).step(-1), pane);
        }
        assert_eq!(InfoPane::Figures.step(-1), InfoPane::Subgroups);
        assert_eq!(InfoPane::Subgroups.step(1), InfoPane::Figures);
    }
}
